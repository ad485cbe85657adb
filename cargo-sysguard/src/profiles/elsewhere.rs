//! Stub for systems without sampling: no profile is saved there.

use std::path::Path;

use crate::exit_code::Failure;

/// The saved profiles of a workspace: none.
#[derive(Debug)]
pub(crate) struct SavedProfiles(());

impl SavedProfiles {
    /// Returns none.
    pub(crate) fn below(_target: &Path) -> Self {
        Self(())
    }

    /// Returns no profile.
    pub(crate) fn markup(&self, _package: &str, _workload: &str) -> Result<Option<String>, Failure> {
        Ok(None)
    }
}
