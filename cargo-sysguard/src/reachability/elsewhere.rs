//! Stub for systems and processors that are not analysed. Main type: [`Reachability`].

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;

use sysguard::unstable::report::explain::Ways;

use crate::cargo::PackageFlags;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};

/// Returns the failure of every analysis.
pub(crate) fn unsupported() -> Failure {
    Failure { outcome: Outcome::Untraceable, message: "reach needs Linux on x86_64".to_owned() }
}

/// What a program could call: no program is analysed here.
#[derive(Debug)]
pub(crate) enum Reachability {}

/// Fails.
pub(crate) fn reachability(_: &OsStr, _: &PackageFlags, _: &Context) -> Result<Reachability, Failure> {
    Err(unsupported())
}

/// Fails.
pub(crate) fn reachability_of(_: &Path) -> Result<Reachability, Failure> {
    Err(unsupported())
}

impl Reachability {
    /// Is never called.
    pub(crate) fn ways(&self, _: &OsStr, _: &BTreeSet<String>) -> Ways {
        match *self {}
    }

    /// Is never called.
    pub(crate) fn calls(&self) -> BTreeMap<String, String> {
        match *self {}
    }

    /// Is never called.
    pub(crate) fn is_upper_bound(&self) -> bool {
        match *self {}
    }
}
