//! Stub of `reach` for systems and processors that are not analysed. Main type: [`Options`].

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;

use sysguard::unstable::report::explain::Ways;

use crate::cargo::PackageFlags;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};

/// `reach`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Options, a program, and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

impl Options {
    /// Fails: only code of x86_64 is decoded, with the libraries of a Linux system.
    pub(crate) fn exec(self, _: &Context) -> Result<Outcome, Failure> {
        drop(self.words);
        Err(unsupported())
    }
}

fn unsupported() -> Failure {
    Failure { outcome: Outcome::Untraceable, message: NEEDED.to_owned() }
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
    pub(crate) fn ways(&self, _: &OsStr, _: &BTreeSet<String>) -> Ways {
        match *self {}
    }

    pub(crate) fn calls(&self) -> BTreeMap<String, String> {
        match *self {}
    }

    pub(crate) fn is_upper_bound(&self) -> bool {
        match *self {}
    }
}

const NEEDED: &str = "reach needs Linux on x86_64";
