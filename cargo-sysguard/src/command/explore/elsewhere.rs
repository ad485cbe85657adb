//! Stub of `explore` for systems without ptrace of Linux. Main type: [`Options`].

use std::ffi::OsString;

use crate::context::Context;
use crate::exit_code::{Failure, Outcome};

/// `explore`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Options and filters
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

impl Options {
    /// Fails: errors are injected by ptrace of Linux.
    pub(crate) fn exec(self, _: &Context) -> Result<Outcome, Failure> {
        drop(self.words);
        let message = "injecting errors into system calls needs Linux".to_owned();
        Err(Failure { outcome: Outcome::Untraceable, message })
    }
}
