//! The exit codes of `cargo sysguard`, a public table. Main type: [`Outcome`]. `trace` has exit
//! codes of its own, because it exits with the status of the command.

use sysguard::unstable::model::judge::verdict::Status;

/// The outcome of a command. The variants are in order of precedence: the greatest of several
/// outcomes is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// All as expected.
    Expected,
    /// Findings, failures, malformed expectation files, or pending proposals.
    Failed,
    /// A workload could not be built or started.
    NotStarted,
    /// Tracing is required but impossible here.
    Untraceable,
    /// Wrong usage, or a name that matches nothing.
    Usage,
}

impl Outcome {
    /// Returns the exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Expected => 0,
            Self::Failed => 101,
            Self::NotStarted => 3,
            Self::Untraceable => 4,
            Self::Usage => 2,
        }
    }

    /// Returns the outcome of one workload.
    pub(crate) fn of(status: &Status) -> Self {
        match status {
            Status::Passed | Status::Blessed | Status::Ignored { .. } => Self::Expected,
            Status::Failed
            | Status::NoBaseline { .. }
            | Status::WrongExit { .. }
            | Status::Malformed { .. }
            | Status::Broken { .. } => Self::Failed,
            Status::NotStarted { .. } => Self::NotStarted,
            Status::Untraceable { .. } => Self::Untraceable,
        }
    }
}

/// A command that ended with an error.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The outcome, which decides the exit code.
    pub(crate) outcome: Outcome,
    /// What failed, and what to do.
    pub(crate) message: String,
}

impl Failure {
    /// Returns a failure for wrong usage, or for a name that matches nothing.
    pub(crate) fn usage(message: impl ToString) -> Self {
        Self { outcome: Outcome::Usage, message: message.to_string() }
    }

    /// Returns a failure for flags after `--` that the harness does not accept.
    pub(crate) fn usage_of_harness(error: clap::Error) -> Self {
        Self::usage(error.to_string().trim_start_matches("error: ").trim_end())
    }

    /// Returns a failure to write to standard output.
    pub(crate) fn output(error: std::io::Error) -> Self {
        Self::failed(format!("cannot write to standard output: {error}"))
    }

    /// Returns any other failure.
    pub(crate) fn failed(message: impl ToString) -> Self {
        Self { outcome: Outcome::Failed, message: message.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_rank_2_4_3_101_0() {
        use Outcome::{Expected, Failed, NotStarted, Untraceable, Usage};
        let mut outcomes = [Failed, Usage, Expected, Untraceable, NotStarted];
        outcomes.sort();
        outcomes.reverse();
        assert_eq!(outcomes.map(Outcome::code), [2, 4, 3, 101, 0]);
    }
}
