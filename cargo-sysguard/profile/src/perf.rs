//! Records a run of a command: samples of its stacks, and counts of events. Main functions:
//! [`record`] and [`count`].
//!
//! The kernel takes the samples (perf_event_open(2)), without a tracer. Without CAP_PERFMON,
//! sampling of a process ends when it gains privileges by execve(2), as by set-user-ID.

mod collect;
mod counters;
mod cpus;
mod events;
mod images;
mod reader;
mod record;
mod repeated;
mod unwind;

use std::io;

use sysguard::unstable::linux::{Command, Limits, TraceError, UntracedOutcome, run_untraced};
use sysguard::unstable::model::run::workload::Exit;

use self::counters::Counters;
use self::events::Sampling;
use self::reader::Reader;
pub use self::repeated::{Mean, Repeated};
pub(crate) use self::unwind::own_vdso;
use crate::gates::Rights;
use crate::recording::{Missing, Recording, Totals};
use crate::uapi::{EACCES, ENOSYS, EPERM};

/// Options of a sampled run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Samples per second of each CPU.
    pub frequency: u64,
    /// How user stacks are unwound.
    pub call_graph: CallGraph,
    /// When the run is killed.
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
    /// Number of processes that still live, since this process has no right to kill them.
    pub left_alive: u64,
    /// A signal asked this process to end.
    pub interrupted: bool,
}

/// A run with counts of events but without samples.
#[derive(Debug)]
pub struct Counted {
    /// Its totals.
    pub totals: Totals,
    /// Events that could not be counted.
    pub missing: Vec<Missing>,
    /// How the first process ended.
    pub exit: Exit,
    /// Number of processes that outlived the first one and were killed after the grace period.
    pub killed_stragglers: u64,
}

/// Why a run was not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel does not let this process sample: exit status 4. The message names the missing
    /// right, and then how to get it.
    #[error("{0}")]
    NotAllowed(String),
    /// Sampling failed for another reason than a missing right.
    #[error("{0}")]
    Failed(String),
    /// The frequency is above what the kernel allows: exit status 2.
    #[error("cannot take {frequency} samples a second: kernel.perf_event_max_sample_rate is {most}")]
    Frequency {
        /// The requested frequency.
        frequency: u64,
        /// The limit.
        most: u64,
    },
    /// The command could not be executed, or a call failed.
    #[error(transparent)]
    Launch(#[from] TraceError),
}

impl Options {
    /// The default of [`Options::frequency`]. It is prime, so that samples do not coincide with
    /// periodic timers of the program.
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
/// [`Error`], after all processes of the command have ended.
pub fn record(command: Command, options: &Options) -> Result<Recorded, Error> {
    let mut started = None;
    let outcome = run_untraced(command, &options.limits, |pid| {
        let counters = Counters::open(pid).map_err(|error| refused(&error))?;
        let sampling = Sampling::open(pid, options).map_err(|error| refused_sampling(&error, options))?;
        let excludes_kernel = sampling.excludes_kernel;
        let reader = Reader::start(sampling, options).map_err(system("start a thread"))?;
        started = Some((counters, reader, excludes_kernel));
        Ok::<_, Error>(())
    });
    let Some((counters, reader, excludes_kernel)) = started else {
        return Err(outcome.err().unwrap_or_else(unstarted));
    };
    let recording = reader.finish();
    let outcome = outcome?;
    let (totals, mut missing) = read(counters, &outcome)?;
    missing.extend(excludes_kernel.then_some(Missing::KernelSamples));
    missing.sort_unstable();
    let recording = Recording { frequency: options.frequency, totals, missing, ..recording };
    let UntracedOutcome { exit, killed_stragglers, left_alive, interrupted, .. } = outcome;
    Ok(Recorded { recording, exit, killed_stragglers, left_alive, interrupted })
}

/// Runs a command to its end and counts events without sampling.
///
/// # Errors
///
/// Same as [`record`].
pub fn count(command: Command, limits: &Limits) -> Result<Counted, Error> {
    let mut counters = None;
    let outcome = run_untraced(command, limits, |pid| {
        counters = Some(Counters::open(pid).map_err(|error| refused(&error))?);
        Ok::<_, Error>(())
    })?;
    let (totals, missing) = read(counters.ok_or_else(unstarted)?, &outcome)?;
    Ok(Counted { totals, missing, exit: outcome.exit, killed_stragglers: outcome.killed_stragglers })
}

fn read(counters: Counters, outcome: &UntracedOutcome) -> Result<(Totals, Vec<Missing>), Error> {
    Ok(counters.read(outcome).map_err(system("read a counter"))?)
}

/// Returns why events could not be opened.
fn refused(error: &io::Error) -> Error {
    let errno = error.raw_os_error().unwrap_or_default();
    let message = Rights::read().refusal(errno);
    if [EPERM, EACCES, ENOSYS].contains(&errno) { Error::NotAllowed(message) } else { Error::Failed(message) }
}

fn refused_sampling(error: &io::Error, options: &Options) -> Error {
    let most = std::fs::read_to_string("/proc/sys/kernel/perf_event_max_sample_rate");
    match most.ok().and_then(|most| most.trim().parse().ok()) {
        Some(most) if options.frequency > most => Error::Frequency { frequency: options.frequency, most },
        _ => refused(error),
    }
}

fn system(operation: &'static str) -> impl FnOnce(io::Error) -> TraceError {
    move |source| TraceError::System { operation, source }
}

fn unstarted() -> Error {
    system("start a process")(io::ErrorKind::NotFound.into()).into()
}
