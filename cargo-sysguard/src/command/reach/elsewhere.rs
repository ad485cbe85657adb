//! Stub of `reach` for systems and processors that are not analysed. Main type: [`Options`].

use std::ffi::OsString;

use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::reachability::unsupported;

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
