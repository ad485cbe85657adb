//! Stub of `profile` for systems without sampling. Main type: [`Options`].

use std::ffi::OsString;
use std::process::ExitCode;

use sysguard::unstable::model::trace::prerequisite::Prerequisite;

use crate::context::Context;
use crate::exit_code::{Failure, Outcome};

/// `profile`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Options, workloads, or a command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

impl Options {
    /// Fails: sampling needs Linux, and unwinding needs x86_64 or aarch64.
    pub(crate) fn exec(self, _: &Context) -> Result<ExitCode, Failure> {
        drop(self.words);
        let message = "sampling needs Linux on x86_64 or aarch64".to_owned();
        Err(Failure { outcome: Outcome::Untraceable, message })
    }
}

/// Returns no rights.
pub(crate) fn rights() -> Vec<Prerequisite> {
    Vec::new()
}
