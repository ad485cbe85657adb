//! The exit codes of `cargo sysguard`: a public table. `trace` has its own, as it exits as the
//! workload did.

use sysguard::model::judge::verdict::Status;

/// What came of a command. The order is that of precedence: of several outcomes the greatest is
/// told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// All as expected.
    Expected,
    /// Findings, failures, malformed expectation files, or proposals that wait for a review.
    Failed,
    /// A workload could not be built or started.
    NotStarted,
    /// Tracing is impossible here and was required.
    Untraceable,
    /// Wrong usage, or a name that matches nothing.
    Usage,
}

impl Outcome {
    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Expected => 0,
            Self::Failed => 101,
            Self::NotStarted => 3,
            Self::Untraceable => 4,
            Self::Usage => 2,
        }
    }

    /// The outcome of one workload.
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

/// A command that ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// What happened, and what to do.
    pub(crate) message: String,
}

impl Failure {
    /// The user asked for something that is not there, or in a way that is not understood.
    pub(crate) fn usage(message: impl ToString) -> Self {
        Self { outcome: Outcome::Usage, message: message.to_string() }
    }

    /// Flags after `--` that the harness does not understand; asking for its help is fine.
    pub(crate) fn usage_of_harness(error: clap::Error) -> Self {
        Self::usage(error.to_string().trim_start_matches("error: ").trim_end())
    }

    /// What was to be said could not be written.
    pub(crate) fn output(error: std::io::Error) -> Self {
        Self::failed(format!("cannot write to standard output: {error}"))
    }

    /// Something went wrong.
    pub(crate) fn failed(message: impl ToString) -> Self {
        Self { outcome: Outcome::Failed, message: message.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_2_4_3_101_wins() {
        use Outcome::{Expected, Failed, NotStarted, Untraceable, Usage};
        let mut outcomes = [Failed, Usage, Expected, Untraceable, NotStarted];
        outcomes.sort();
        outcomes.reverse();
        assert_eq!(outcomes.map(Outcome::code), [2, 4, 3, 101, 0]);
    }
}
