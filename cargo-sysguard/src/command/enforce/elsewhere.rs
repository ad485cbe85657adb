//! Stub of `enforce` for systems without seccomp. Main type: [`Options`].

use std::ffi::OsString;

use crate::context::Context;
use crate::exit_code::{Failure, Outcome};

/// `enforce`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Options and names
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

impl Options {
    /// Fails: filters are compiled on Linux only.
    pub(crate) fn exec(self, _: &Context) -> Result<Outcome, Failure> {
        drop(self.words);
        Err(Failure { outcome: Outcome::Untraceable, message: "seccomp profiles need Linux".to_owned() })
    }
}
