//! Tests that somebody else knows how to run, shown as libtest shows them. Main type: [`Each`].
//!
//! It selects and tells; what a test is, and whether it failed, is the caller's to say.

use std::fmt;
use std::io;

use libtest_mimic::{ColorSetting, Failed, Trial};

use super::arguments::Arguments;

/// One test, and how to run it.
pub struct Each {
    /// Its name.
    pub name: String,
    /// It runs only when asked for.
    pub ignored: bool,
    /// Runs it; where it failed, all there is to be said.
    pub run: Box<dyn FnOnce() -> Result<(), String> + Send>,
}

impl fmt::Debug for Each {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each").field("name", &self.name).field("ignored", &self.ignored).finish_non_exhaustive()
    }
}

/// Runs those that the arguments ask for, and tells on standard output. Says whether any failed.
pub fn run_each(arguments: &Arguments, tests: Vec<Each>) -> bool {
    let mut translated = arguments.translate(tests.iter().map(|test| test.name.as_str()));
    let has_colour = || anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
    let colour = arguments.colour().unwrap_or_else(has_colour);
    translated.color = Some(if colour { ColorSetting::Always } else { ColorSetting::Never });
    translated.logfile.clone_from(&arguments.logfile);
    let trial =
        |Each { name, ignored, run }| Trial::test(name, || run().map_err(Failed::from)).with_ignored_flag(ignored);
    libtest_mimic::run(&translated, tests.into_iter().map(trial).collect()).has_failed()
}
