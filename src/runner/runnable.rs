//! What can be run, and what one run gives or why there is none. Main types: [`Runnable`] and
//! [`Run`].

use std::fmt;
use std::path::Path;

use crate::linux::TraceError;
use crate::model::facts::finding::Watched;
use crate::model::guard::{Guard, Inherited, Unguardable};
use crate::model::observe::observation::{First, Observation};
use crate::model::run::workload::Exit;

/// A workload that can be started, as often as wanted.
pub(super) trait Runnable: fmt::Debug {
    /// Runs it once; it must end as its document says.
    ///
    /// The call sites of uses that are wanted are in its observation.
    fn good_run(&self, wanted: &Wanted<'_>) -> Result<Run, RunFailure>;
    /// Runs it once with expected calls unwatched, where that can be, else with all of them
    /// watched.
    fn guarded_run(&self, _guard: &MakeGuard<'_>, wanted: &Wanted<'_>) -> Result<(Run, Watched), RunFailure> {
        Ok((self.good_run(wanted)?, Watched::EveryCall))
    }
    /// Runs it once by notifications, where that can be, else with every call watched.
    fn notified_run(&self) -> Result<(Run, Watched), RunFailure> {
        Ok((self.good_run(&|_| false)?, Watched::EveryCall))
    }
    /// The executable, where cargo built it.
    fn built_by_cargo(&self) -> Option<&Path>;
}

/// One run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) observation: Observation,
    pub(super) exit: Exit,
    /// The end of what it wrote on standard output and standard error.
    pub(super) output: String,
}

/// Why there is no run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// A program is not installed.
    Absent(String),
    /// The workload could not be built or started.
    NotStarted(String),
    /// It cannot be traced here.
    Untraceable(String),
    /// It was traced, but not whole.
    Broken(String),
    /// The engine that was asked for cannot watch it; a tracer of every call can.
    Unguarded(String),
}

/// Of which uses the call site is wanted.
pub(super) type Wanted<'a> = dyn Fn(&First) -> bool + 'a;

/// Makes the guard of a workload that begins with these streams.
pub(super) type MakeGuard<'a> = dyn Fn(&Inherited) -> Result<Guard, Unguardable> + 'a;

/// Why a workload has no runs to judge.
#[derive(Debug)]
pub(super) enum RunFailure {
    Obstacle(Obstacle),
    /// It did not end as its document says.
    WrongExit(Box<Run>),
}

impl From<Obstacle> for RunFailure {
    fn from(obstacle: Obstacle) -> Self {
        Self::Obstacle(obstacle)
    }
}

impl From<TraceError> for Obstacle {
    fn from(error: TraceError) -> Self {
        let reason = error.to_string();
        match error {
            TraceError::Exec { .. } | TraceError::Directory { .. } => Self::NotStarted(reason),
            TraceError::Impossible { .. } => Self::Untraceable(reason),
            TraceError::System { .. } => Self::Broken(reason),
        }
    }
}
