//! Stub for systems and processors that are not analysed: nothing is saved there.

use std::path::Path;

use sysguard::unstable::report::evidence::StaticReach;

use crate::exit_code::Failure;

/// The saved results of a workspace: none.
#[derive(Debug)]
pub(crate) struct SavedReaches(());

impl SavedReaches {
    /// Returns none.
    pub(crate) fn below(_target: &Path) -> Self {
        Self(())
    }

    /// Returns no result.
    pub(crate) fn evidence(&self, _package: &str, _workload: &str) -> Result<Option<StaticReach>, Failure> {
        Ok(None)
    }
}
