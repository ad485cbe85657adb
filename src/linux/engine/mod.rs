//! The engines: which calls stop, what a stop adds to its events, and where a task stops next. Main
//! type: [`EngineState`].
//!
//! The tracing loop in [`trace`](super::trace) is the same for every engine and calls this module
//! at each stop. [`Engine`](crate::model::engine::Engine) names the engines for users.

mod guard;
mod notify;
mod ptrace;

use std::io;
use std::path::Path;

use guard::GuardEngine;
pub use guard::inherited;
pub(super) use notify::{NotifyQueue, NotifyTracer};
use ptrace::PtraceEngine;

use super::log::CallLog;
use super::outcome::{Incomplete, TraceError};
use super::stopped::NextStop;
use super::sys::{Filter, SeizeOptions};
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::conditions::Conditions;
use crate::model::guard::Guard;
use crate::model::kernel::call::{Call, Tid};
use crate::model::trace::tracee::{Step, Stop, Tasks};

/// An engine with its state during one run.
///
/// An enum, not a trait object: the loop asks it several times at each syscall of a workload.
pub(super) enum EngineState<'a> {
    Ptrace(PtraceEngine<'a>),
    Guard(GuardEngine<'a>),
    Notify(NotifyTracer<'a>),
}

impl<'a> EngineState<'a> {
    pub(super) fn ptrace() -> Self {
        Self::Ptrace(PtraceEngine::new())
    }

    /// Returns the ptrace engine with a log.
    pub(super) fn ptrace_logged(log: CallLog<'a>) -> Self {
        Self::Ptrace(PtraceEngine::logged(log))
    }

    /// Returns the ptrace engine without the questions that attribution needs.
    pub(super) fn ptrace_unasked() -> Self {
        Self::Ptrace(PtraceEngine::unasked())
    }

    pub(super) fn guard(guard: &'a Guard) -> Self {
        Self::Guard(GuardEngine::new(guard))
    }

    /// Returns the seccomp filter that the tree runs under, if the engine needs one. It also stops
    /// calls that must stop for the tracer.
    ///
    /// # Errors
    ///
    /// This machine cannot run the engine, or the filter is too long.
    pub(super) fn filter(&self, must_stop: &dyn Fn(&Call) -> bool) -> Result<Option<Filter>, TraceError> {
        match self {
            Self::Ptrace(_) => Ok(None),
            Self::Guard(engine) => engine.filter(must_stop).map(Some),
            Self::Notify(engine) => engine.filter(must_stop).map(Some),
        }
    }

    /// Returns the stops to ask the kernel for; those that carry no new information are left out.
    pub(super) fn seize_options(&self) -> SeizeOptions {
        match self {
            Self::Ptrace(engine) => engine.seize_options(),
            Self::Guard(engine) => engine.seize_options(),
            Self::Notify(engine) => engine.seize_options(),
        }
    }

    /// Sets the directory below which programs are temporary.
    pub(super) fn set_scratch(&mut self, directory: &Path) {
        match self {
            Self::Ptrace(engine) => engine.set_scratch(directory),
            Self::Guard(engine) => engine.witness.set_scratch(directory),
            Self::Notify(engine) => engine.set_scratch(directory),
        }
    }

    /// Sets the conditions of rules that each call is compared with.
    pub(super) fn set_conditions(&mut self, conditions: Conditions) {
        match self {
            Self::Ptrace(engine) => engine.set_conditions(conditions),
            Self::Guard(engine) => engine.witness.set_conditions(conditions),
            Self::Notify(engine) => engine.set_conditions(conditions),
        }
    }

    /// Starts with the first task of a tree, and returns the tree.
    pub(super) fn begin(&mut self, root: Tid) -> Tasks {
        match self {
            Self::Ptrace(engine) => engine.begin(root),
            Self::Guard(engine) => engine.begin(root),
            Self::Notify(engine) => engine.begin(root),
        }
    }

    /// Returns whether the task may continue natively, since the call that its filter stopped is
    /// expected whatever its result.
    pub(super) fn may_pass(&mut self, task: Tid, stop: &Stop, tasks: &Tasks) -> bool {
        match (self, stop) {
            (Self::Guard(engine), Stop::Filtered(call)) => engine.may_pass(task, call, tasks),
            _ => false,
        }
    }

    /// Processes a stop: adds the answers to its events and may change how the task is resumed.
    ///
    /// # Errors
    ///
    /// The kernel refused a request that the engine cannot do without.
    pub(super) fn on_stop(&mut self, task: Tid, stop: &Stop, step: &mut Step, tasks: &Tasks) -> io::Result<()> {
        match self {
            Self::Ptrace(engine) => engine.on_stop(task, stop, step),
            Self::Guard(engine) => engine.on_stop(task, stop, step, tasks),
            Self::Notify(engine) => return engine.on_stop(task, stop, step, tasks),
        }
        Ok(())
    }

    /// Does what does not depend on stops: checks for a failure of another thread, and for calls
    /// that last long.
    ///
    /// # Errors
    ///
    /// The error that ended that thread.
    pub(super) fn on_tick(&mut self) -> io::Result<()> {
        match self {
            Self::Ptrace(engine) => engine.on_tick(),
            Self::Guard(_) => {}
            Self::Notify(engine) => return engine.failure().map_or(Ok(()), Err),
        }
        Ok(())
    }

    /// Notes a blind spot: under a filter, an untraced child makes the run incomplete.
    pub(super) fn note_blind_spot(&mut self, spot: BlindSpot) {
        match self {
            Self::Ptrace(_) => {}
            Self::Guard(engine) => engine.note_blind_spot(spot),
            Self::Notify(engine) => engine.note_blind_spot(spot),
        }
    }

    /// Returns where this task, which is about to resume, stops next.
    pub(super) fn next_stop(&mut self, task: Tid, tasks: &Tasks) -> NextStop {
        match self {
            Self::Ptrace(_) => NextStop::EveryCall,
            Self::Guard(engine) => engine.next_stop(task, tasks),
            Self::Notify(engine) => engine.next_stop(task, tasks),
        }
    }

    /// Returns the argument that was read from memory at the entry of a task's call, if any.
    pub(super) fn argument(&self, task: Tid) -> Option<&str> {
        match self {
            Self::Ptrace(engine) => engine.argument(task),
            Self::Guard(engine) => engine.witness.argument_of(task),
            // It keeps no call sites.
            Self::Notify(_) => None,
        }
    }

    /// Returns why this run must be repeated by another engine, if it must.
    pub(super) fn incomplete(&self) -> Option<Incomplete> {
        match self {
            Self::Ptrace(_) => None,
            Self::Guard(engine) => engine.incomplete(),
            Self::Notify(engine) => engine.incomplete(),
        }
    }
}
