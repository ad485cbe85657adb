//! Runs tests that the caller provides, with libtest's selection and output. Main type:
//! [`CustomTest`].
//!
//! What a test does, and whether it failed, is decided by the caller.

use std::fmt;
use std::io;

use libtest_mimic::{ColorSetting, Failed, Trial};

use super::arguments::Arguments;

/// One test and how to run it.
pub struct CustomTest {
    /// Its name.
    pub name: String,
    /// Whether it runs only on request.
    pub ignored: bool,
    /// Runs it. The error is the whole message of a failure.
    pub run: Box<dyn FnOnce() -> Result<(), String> + Send>,
}

impl fmt::Debug for CustomTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomTest").field("name", &self.name).field("ignored", &self.ignored).finish_non_exhaustive()
    }
}

/// Runs the tests that the arguments select and reports on standard output. Returns whether any
/// failed.
pub fn run_custom_tests(arguments: &Arguments, tests: Vec<CustomTest>) -> bool {
    let shown: Vec<String> = tests.iter().map(|test| arguments.shown(&test.name)).collect();
    let mut translated = arguments.translate(tests.iter().map(|test| test.name.as_str()));
    let has_colour = || anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
    let colour = arguments.colour().unwrap_or_else(has_colour);
    translated.color = Some(if colour { ColorSetting::Always } else { ColorSetting::Never });
    translated.logfile.clone_from(&arguments.logfile);
    let trial = |(shown, CustomTest { ignored, run, .. }): (String, CustomTest)| {
        Trial::test(shown, || run().map_err(Failed::from)).with_ignored_flag(ignored)
    };
    libtest_mimic::run(&translated, shown.into_iter().zip(tests).map(trial).collect()).has_failed()
}
