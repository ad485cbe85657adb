//! Records a workload of a package in the environment that `test` gives it, without a tracer. Main
//! function: [`record`].

use sysguard::unstable::linux::Limits;
use sysguard::unstable::runner::{Case, NotRun, RunBy, Suite};

use crate::perf::{self, CallGraph, Options, Recorded};

/// Why a workload was not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Its file cannot be used, a program that it needs is not installed, or it could not be built.
    #[error("{0}")]
    CannotRun(String),
    /// It could not be sampled.
    #[error(transparent)]
    Perf(#[from] perf::Error),
}

/// A workload's run, with its output.
#[derive(Debug)]
pub struct RecordedWorkload {
    /// The run.
    pub recorded: Recorded,
    /// The end of its output.
    pub output: String,
    /// Whether it ended as its expectation file says.
    pub ended_well: bool,
}

/// Runs a workload once and samples it. The suite must have built its targets.
///
/// # Errors
///
/// [`Error`].
pub fn record(suite: &Suite, case: &Case, frequency: u64, call_graph: CallGraph) -> Result<RecordedWorkload, Error> {
    let options = |limits: &Limits| Options { frequency, call_graph, limits: *limits };
    let run = suite.run_by(
        case,
        |command, limits| perf::record(command, &options(limits)),
        |recorded| Some(recorded.as_ref().ok()?.exit),
    );
    let RunBy { result, output, ended_well } = run?;
    Ok(RecordedWorkload { recorded: result?, output, ended_well })
}

impl From<NotRun> for Error {
    fn from(NotRun(reason): NotRun) -> Self {
        Self::CannotRun(reason)
    }
}
