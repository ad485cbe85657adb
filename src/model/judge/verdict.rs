//! What is told of one workload: [`Verdict`] is the border between doing and telling.
//!
//! The runner makes verdicts, the harness hands them on as JSON lines, `report` puts them into
//! words. No wording lives here.

use std::fmt;
use std::time::Duration;

use crate::model::facts::finding::Comparison;
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
    /// The line of that file which the verdict as a whole concerns, counted from 1: that of the
    /// platform's baseline, or of what is malformed.
    pub line: Option<usize>,
    /// The outcome in one word, with what belongs to it.
    pub status: Status,
    /// What differs from the baseline; empty where nothing was compared.
    pub comparison: Comparison,
    /// How the recording grew; empty where none was made.
    pub growth: Growth,
    /// The expectation file as it is and as it would be (or now is), where they differ.
    pub change: Option<Change>,
    /// How long all of its runs took; nothing where it was not run.
    pub elapsed: Duration,
    /// What was asked for, and is to be asked again where it failed.
    pub asked: Asked,
}

/// The outcome in one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// As expected.
    Passed,
    /// The baseline was written.
    Blessed,
    /// Something new was used; `comparison` says what.
    Failed,
    /// There is no baseline for this platform yet.
    NoBaseline {
        /// The platform.
        platform: String,
    },
    /// The workload did not end as its document says.
    WrongExit {
        /// As the document says.
        expected: Exit,
        /// As it was.
        actual: Exit,
        /// The end of what it wrote on standard output and standard error.
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
    /// It cannot be traced here, and must be.
    Untraceable {
        /// Why.
        reason: String,
    },
    /// It was traced, but not whole: events were lost, or a file could not be written.
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
}

impl Status {
    /// The name under which reports file it.
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

    /// Whether the workload's test fails; what is ignored does not.
    pub fn is_failure(&self) -> bool {
        !matches!(self, Self::Passed | Self::Blessed | Self::Ignored { .. })
    }
}

/// A file before and after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// As it is on disk (or was, when [`Change::written`]).
    pub before: String,
    /// As it would be after accepting all.
    pub after: String,
    /// Where `after` was written, relative to the package: the proposal, or the file itself;
    /// `None`: nowhere.
    pub written: Option<String>,
    /// The folder of proposals that it is in, where they do not lie beside their files.
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
