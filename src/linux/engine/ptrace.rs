//! The engine `ptrace`: every call stops at its entry and at its exit. Main type: [`PtraceEngine`].

use std::path::Path;

use crate::linux::log::CallLog;
use crate::linux::sys::SeizeOptions;
use crate::linux::witness::Witness;
use crate::model::conditions::Conditions;
use crate::model::kernel::call::Tid;
use crate::model::trace::tracee::{Step, Stop, Tasks};

/// Adds to each event what registers do not say.
pub(in crate::linux) struct PtraceEngine<'a> {
    /// `None`: events carry registers only.
    witness: Option<Witness>,
    /// Decodes and measures each call, if a log is wanted.
    log: Option<CallLog<'a>>,
}

impl<'a> PtraceEngine<'a> {
    pub(super) fn new() -> Self {
        Self { witness: Some(Witness::new()), log: None }
    }

    /// Returns an engine that also logs each call.
    pub(super) fn logged(log: CallLog<'a>) -> Self {
        Self { log: Some(log), ..Self::new() }
    }

    /// Returns an engine that leaves the answers out of events.
    pub(super) fn unasked() -> Self {
        Self { witness: None, log: None }
    }

    pub(super) fn seize_options(&self) -> SeizeOptions {
        SeizeOptions { filtered: false, exits: true }
    }

    pub(super) fn set_scratch(&mut self, directory: &Path) {
        self.witness.iter_mut().for_each(|witness| witness.set_scratch(directory));
    }

    pub(super) fn set_conditions(&mut self, conditions: Conditions) {
        if let Some(witness) = &mut self.witness {
            witness.set_conditions(conditions);
        }
    }

    /// Returns the tree that begins with this task.
    pub(super) fn begin(&mut self, root: Tid) -> Tasks {
        self.witness.iter_mut().for_each(|witness| witness.begin(root));
        Tasks::launch(root)
    }

    /// Adds the answers to the events of a stop, then logs it.
    pub(super) fn on_stop(&mut self, task: Tid, stop: &Stop, step: &mut Step) {
        self.log.iter_mut().for_each(CallLog::arrive);
        if let Some(witness) = &mut self.witness {
            witness.observe(task, stop, step);
        }
        if let Some(log) = &mut self.log {
            log.observe(task, stop, step);
        }
    }

    /// Returns the argument that was read from memory at the entry of a task's call, if any.
    pub(super) fn argument(&self, task: Tid) -> Option<&str> {
        self.witness.as_ref().and_then(|witness| witness.argument_of(task))
    }

    /// Logs calls that last long.
    pub(super) fn on_tick(&mut self) {
        self.log.iter_mut().for_each(CallLog::tick);
    }
}
