//! The interface of things that can be run, and the result of one run. Main types: [`Runnable`] and
//! [`Run`].

use std::fmt;
use std::path::Path;

use crate::artifacts::NotBuilt;
use crate::linux::TraceError;
use crate::model::engine::{Engine, UsedEngine};
use crate::model::guard::{Guard, Inherited, Unguardable};
use crate::model::observe::observation::{First, Observation};
use crate::model::run::workload::Exit;

/// A workload that can be started any number of times.
pub(super) trait Runnable: fmt::Debug {
    /// Runs it once and returns the run if it ended as its document says.
    ///
    /// The observation holds the call sites of the wanted uses.
    fn good_run(&self, wanted: &Wanted<'_>) -> Result<Run, RunFailure>;
    /// Runs it once without stopping at expected calls, or with every call watched if that is not
    /// possible.
    fn guarded_run(&self, _guard: &MakeGuard<'_>, wanted: &Wanted<'_>) -> Result<(Run, UsedEngine), RunFailure> {
        Ok((self.good_run(wanted)?, Engine::Ptrace.into()))
    }
    /// Runs it once with notifications, or with every call watched if that is not possible.
    fn notified_run(&self) -> Result<(Run, UsedEngine), RunFailure> {
        Ok((self.good_run(&|_| false)?, Engine::Ptrace.into()))
    }
    /// Returns the executable, if cargo built it.
    fn built_by_cargo(&self) -> Option<&Path>;
}

/// One run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) observation: Observation,
    pub(super) exit: Exit,
    /// The end of what it wrote to standard output and standard error.
    pub(super) output: String,
}

/// Why a run could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// A program is not installed.
    Absent(String),
    /// The workload could not be built or started.
    NotStarted(String),
    /// It cannot be traced here.
    Untraceable(String),
    /// It was traced, but events were lost.
    Broken(String),
    /// The requested engine cannot watch it; ptrace can.
    Unguarded(String),
}

impl From<NotBuilt> for Obstacle {
    fn from(NotBuilt(reason): NotBuilt) -> Self {
        Self::NotStarted(reason)
    }
}

/// Selects the uses for which the call site is recorded.
pub(super) type Wanted<'a> = dyn Fn(&First) -> bool + 'a;

/// Makes the guard of a workload that starts with these standard streams.
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
