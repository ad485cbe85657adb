//! Stands for the trials on systems without ptrace of Linux: one that is ignored with its reason.
//! Main function: [`main`].

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};

/// Runs the ignored trial of a test binary.
pub(crate) fn main(name: &str) -> ExitCode {
    let trial = Trial::ignorable_test(name, || Ok(Completion::ignored_with("tracing needs Linux")));
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}
