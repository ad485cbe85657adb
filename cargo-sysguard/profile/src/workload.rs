//! Records a workload of a package in the environment that `test` gives it, without a tracer. Main
//! function: [`record`].

use sysguard::unstable::runner::{Case, Suite};

use crate::perf::{self, CallGraph, Recorded};

/// Why a workload was not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot run: it is not built, or a program or file is missing.
    #[error("{0}")]
    CannotRun(String),
    /// It could not be sampled.
    #[error(transparent)]
    Perf(#[from] perf::Error),
}

/// A workload's run, with what it printed.
#[derive(Debug)]
pub struct RecordedWorkload {
    /// The run.
    pub recorded: Recorded,
    /// The last part of its output.
    pub output: String,
    /// Whether it ended as its expectation file says.
    pub ended_well: bool,
}

/// Runs a workload once and samples it. The suite must have built its targets.
///
/// # Errors
///
/// [`Error`].
pub fn record(
    _suite: &Suite,
    _case: &Case,
    _frequency: u64,
    _call_graph: CallGraph,
) -> Result<RecordedWorkload, Error> {
    Err(Error::CannotRun("not written yet".to_owned()))
}
