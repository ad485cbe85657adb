//! The interface of things that can be run, and the result of one run. Main types: [`Runnable`] and
//! [`FinishedRun`].

use std::fmt;
use std::path::Path;

use crate::error::NotBuilt;
use crate::linux::TraceError;
use crate::model::attribution::Use;
use crate::model::engine::{Engine, UsedEngine};
use crate::model::expectation::FirstCallFilter;
use crate::model::guard::{Guard, Inherited, Unguardable};
use crate::model::kernel::syscall::Syscall;
use crate::model::observe::observation::{First, Observation};
use crate::model::observe::selected::Selected;
use crate::model::run::workload::Exit;

/// A workload that can be started any number of times.
pub(super) trait Runnable: fmt::Debug {
    /// Runs it once and returns the run if it ended as its document says.
    ///
    /// The observation holds what is wanted of first calls.
    fn good_run(&self, wanted: Wanted<'_>) -> Result<FinishedRun, RunFailure>;
    /// Runs it once without stopping at expected calls, or with every call watched if that is not
    /// possible.
    fn guarded_run(&self, _guard: &MakeGuard<'_>, wanted: Wanted<'_>) -> Result<(FinishedRun, UsedEngine), RunFailure> {
        Ok((self.good_run(wanted)?, Engine::Ptrace.into()))
    }
    /// Runs it once with notifications, or with every call watched if that is not possible.
    fn notified_run(&self, wanted: Wanted<'_>) -> Result<(FinishedRun, UsedEngine), RunFailure> {
        Ok((self.good_run(wanted)?, Engine::Ptrace.into()))
    }
    /// Returns the executable, if cargo built it.
    fn built_by_cargo(&self) -> Option<&Path>;
}

/// One run.
#[derive(Debug)]
pub(super) struct FinishedRun {
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

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(reason)
            | Self::NotStarted(reason)
            | Self::Untraceable(reason)
            | Self::Broken(reason)
            | Self::Unguarded(reason) => f.write_str(reason),
        }
    }
}

impl From<NotBuilt> for Obstacle {
    fn from(NotBuilt(reason): NotBuilt) -> Self {
        Self::NotStarted(reason)
    }
}

/// Which first calls are kept, as an example and with their call site.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    Nothing,
    /// The call site of every selected use.
    Sites(&'a Selected),
    /// An example of every use that is not in this observation.
    Examples(&'a Observation),
    /// Both, for every use that this observation does not hold, and for every error if errors are
    /// judged.
    First {
        known: &'a Observation,
        has_errors: bool,
    },
    /// Both, for what a baseline lacks and this observation does not hold.
    New(&'a FirstCallFilter<'a>, Option<&'a Observation>),
}

impl Wanted<'_> {
    /// Returns whether the call site of a first call is wanted.
    pub(super) fn site(self, first: &First) -> bool {
        match self {
            Self::Nothing | Self::Examples(_) => false,
            Self::Sites(selected) => first.places().next().is_some() && selected.selects(&first.used),
            Self::First { known, has_errors } => {
                (has_errors || first.places().next().is_some()) && !known.sites.contains(first)
            }
            Self::New(filter, known) => {
                let is_known = known.is_some_and(|known| known.sites.contains(first));
                let is_place = first.places().next().is_some() || filter.judges_errors();
                is_place && filter.selects(first) && !is_known
            }
        }
    }

    /// Returns whether the call site of the first execve of a program may be wanted. Its object is
    /// still unknown at the entry.
    pub(super) fn program(self, first: &First) -> bool {
        let is_kept =
            |known: &Observation| known.sites.of_uses().any(|(_, used, ..)| is_same_program(used, &first.used));
        match self {
            Self::Nothing | Self::Examples(_) => false,
            Self::Sites(selected) => selected.selects(&first.used),
            Self::First { known, .. } => !is_kept(known),
            Self::New(filter, known) => filter.may_select_program(first) && !known.is_some_and(is_kept),
        }
    }

    /// Returns whether a first call is wanted as an example.
    pub(super) fn example(self, first: &First) -> bool {
        match self {
            Self::Nothing | Self::Sites(_) => false,
            Self::Examples(known) | Self::First { known, .. } => !known.examples.contains(first),
            Self::New(filter, known) => {
                filter.selects(first) && !known.is_some_and(|known| known.examples.contains(first))
            }
        }
    }

    /// Returns whether examples may be wanted at all.
    pub(super) fn has_examples(self) -> bool {
        !matches!(self, Self::Nothing | Self::Sites(_))
    }

    /// Returns whether a call of this name may be wanted because of its name.
    pub(super) fn may_be_new(self, syscall: Syscall) -> bool {
        match self {
            Self::Nothing | Self::Sites(_) => false,
            Self::Examples(known) | Self::First { known, .. } => known.uses.keys().all(|used| used.syscall != syscall),
            Self::New(filter, _) => filter.may_select(syscall),
        }
    }
}

/// Returns whether a use is a successful execve of another use's program. A failed call has no
/// object.
pub(super) fn is_same_program(used: &Use, program: &Use) -> bool {
    used.syscall == program.syscall && used.argument == program.argument && used.object.is_some()
}

/// Makes the guard of a workload that starts with these standard streams.
pub(super) type MakeGuard<'a> = dyn Fn(&Inherited) -> Result<Guard, Unguardable> + 'a;

/// Why a workload has no runs to judge.
#[derive(Debug)]
pub(super) enum RunFailure {
    Obstacle(Obstacle),
    /// It did not end as its document says.
    WrongExit(Box<FinishedRun>),
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
            TraceError::Impossible { .. } | TraceError::Unfindable { .. } => Self::Untraceable(reason),
            TraceError::System { .. } => Self::Broken(reason),
        }
    }
}
