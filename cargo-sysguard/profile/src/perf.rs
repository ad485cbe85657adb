//! Records a run of a command: samples of its stacks, and counts of events. Main functions:
//! [`record`] and [`count`].
//!
//! The kernel samples by itself (perf_event_open(2)); no task is stopped by a tracer.

use std::time::Duration;

use sysguard::unstable::linux::{Command, Limits, TraceError};
use sysguard::unstable::model::run::workload::Exit;

use crate::recording::{Recording, Totals};

/// How a run is sampled.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Samples per second of each CPU.
    pub frequency: u64,
    /// How user stacks are unwound.
    pub call_graph: CallGraph,
    /// When the run is ended.
    pub limits: Limits,
}

/// How user stacks are unwound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallGraph {
    /// By the unwind tables of programs and libraries, from a copy of the top of the stack.
    #[default]
    Dwarf,
    /// By frame pointers. Programs compiled without them get wrong or short stacks.
    FramePointers,
}

/// A recorded run.
#[derive(Debug)]
pub struct Recorded {
    /// Its samples and totals.
    pub recording: Recording,
    /// How the first process ended.
    pub exit: Exit,
    /// Number of processes that outlived the first one and were killed after the grace period.
    pub killed_stragglers: u64,
}

/// A run whose events were only counted.
#[derive(Debug)]
pub struct Counted {
    /// Its totals.
    pub totals: Totals,
    /// How the first process ended.
    pub exit: Exit,
    /// Number of processes that outlived the first one and were killed after the grace period.
    pub killed_stragglers: u64,
}

/// Why a run was not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel does not let this process sample: exit status 4. The message says which right is
    /// missing, and then how to get it.
    #[error("{0}")]
    NotAllowed(String),
    /// The command could not be executed.
    #[error(transparent)]
    Launch(#[from] TraceError),
}

impl Options {
    /// The default of [`Options::frequency`]. It is prime, so that samples do not keep step with
    /// timers of the program.
    pub const FREQUENCY: u64 = 997;

    /// Returns options with the default frequency and call graph.
    pub fn new(limits: Limits) -> Self {
        Self { frequency: Self::FREQUENCY, call_graph: CallGraph::default(), limits }
    }
}

/// Runs a command to its end, samples its stacks and counts events.
///
/// # Errors
///
/// [`Error`]; no process of the command is left in this case either.
pub fn record(_command: Command, _options: &Options) -> Result<Recorded, Error> {
    Err(Error::NotAllowed("not written yet".to_owned()))
}

/// Runs a command to its end and only counts events.
///
/// # Errors
///
/// Same as [`record`].
pub fn count(_command: Command, _limits: &Limits) -> Result<Counted, Error> {
    Err(Error::NotAllowed("not written yet".to_owned()))
}

/// Totals of several runs of one command: mean and spread. Main function: [`Repeated::of`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Repeated {
    /// The number of runs.
    pub runs: usize,
    /// Wall time.
    pub elapsed: Mean,
    /// CPU time in user mode.
    pub user: Mean,
    /// CPU time in the kernel.
    pub system: Mean,
    /// The events that every run counted, by name.
    pub counts: Vec<(&'static str, Mean)>,
}

/// A mean value; times are in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Standard error of the mean relative to the mean, as `perf stat -r` prints it: 0.02 is ± 2 %.
    pub spread: f64,
}

impl Repeated {
    /// Returns the means of these runs.
    pub fn of(_runs: &[Totals]) -> Self {
        Self::default()
    }
}

/// Returns a duration in nanoseconds.
pub fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}
