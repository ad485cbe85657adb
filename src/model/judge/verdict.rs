//! The outcome of one workload: [`Verdict`].
//!
//! The runner makes verdicts, the harness passes them on as JSON lines, and `report` formats them.
//! It must not format text.

use std::fmt;
use std::time::Duration;

use crate::model::facts::finding::Comparison;
use crate::model::facts::version::Version;
use crate::model::kernel::signal;
use crate::model::run::recording::Growth;
use crate::model::run::workload::Exit;

/// The outcome for one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The workload's name.
    pub workload: String,
    /// Its expectation file, relative to the package.
    pub file: String,
    /// The line of that file for the whole verdict, counted from 1: the line of the platform's
    /// baseline, or of the syntax error.
    pub line: Option<usize>,
    /// The outcome, with its details.
    pub status: Status,
    /// The differences from the baseline; empty if nothing was compared.
    pub comparison: Comparison,
    /// The new facts of each run of the recording; empty if none was made.
    pub growth: Growth,
    /// The expectation file before and after, if they differ.
    pub change: Option<Change>,
    /// How long all runs took; zero if it was not run.
    pub elapsed: Duration,
    /// Why it was run, to suggest the right command after a failure.
    pub asked: Asked,
}

/// The kind of outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// As expected.
    Passed,
    /// The baseline was written.
    Blessed,
    /// There are findings; see [`Verdict::comparison`].
    Failed,
    /// There is no baseline for this platform yet.
    NoBaseline {
        /// The platform.
        platform: String,
    },
    /// The workload did not end as its document requires.
    WrongExit {
        /// The expected end.
        expected: Exit,
        /// The actual end.
        actual: Exit,
        /// The last lines of its standard output and standard error.
        output: String,
    },
    /// It was not run.
    Ignored {
        /// Why.
        reason: String,
    },
    /// Its expectation file cannot be read.
    Malformed {
        /// Where and why, as `file:line:column: message` and the line.
        message: String,
    },
    /// It could not be built or started.
    NotStarted {
        /// Why.
        reason: String,
    },
    /// It cannot be traced here, although tracing is required.
    Untraceable {
        /// Why.
        reason: String,
    },
    /// It was traced incompletely: events were lost, or a file could not be written.
    Broken {
        /// What happened.
        reason: String,
    },
}

/// Why a workload was run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Asked {
    /// To compare it with its baseline.
    #[default]
    Test,
    /// To record its baseline.
    Bless,
    /// To check assertions; it has no file.
    Check,
}

impl Verdict {
    /// Returns whether it was judged by a baseline of an older version, which it has not replaced.
    pub fn has_older_baseline(&self) -> bool {
        self.comparison.version < Version::LATEST && self.status != Status::Blessed
    }
}

impl Status {
    /// Returns the name used in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Blessed => "blessed",
            Self::Failed => "failed",
            Self::NoBaseline { .. } => "no-baseline",
            Self::WrongExit { .. } => "wrong-exit",
            Self::Ignored { .. } => "ignored",
            Self::Malformed { .. } => "malformed",
            Self::NotStarted { .. } => "not-started",
            Self::Untraceable { .. } => "untraceable",
            Self::Broken { .. } => "broken",
        }
    }

    /// Returns whether the test of the workload fails; an ignored one does not.
    pub fn is_failure(&self) -> bool {
        !matches!(self, Self::Passed | Self::Blessed | Self::Ignored { .. })
    }
}

/// A file before and after a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The text on disk, or the former text if [`Change::written`] is the file itself.
    pub before: String,
    /// The text after accepting everything.
    pub after: String,
    /// Where `after` was written, relative to the package: the proposal, or the file itself;
    /// `None`: not written.
    pub written: Option<String>,
    /// The folder of proposals, if they are not stored beside their files.
    pub pending_dir: Option<String>,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit status {code}"),
            Self::Signaled(number) => write!(f, "signal {}", signal::name(*number)),
            Self::TimedOut => f.write_str("timeout"),
        }
    }
}
