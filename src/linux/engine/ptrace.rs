//! The engine `ptrace`: every call stops at its entry and at its exit. Main type: [`PtraceEngine`].

use crate::linux::sys::SeizeOptions;
use crate::linux::witness::Witness;
use crate::model::kernel::call::Tid;
use crate::model::trace::tracee::{Step, Stop, Tasks};

/// Adds to each event what registers do not say.
pub(in crate::linux) struct PtraceEngine {
    /// `None`: events carry registers only.
    witness: Option<Witness>,
}

impl PtraceEngine {
    pub(super) fn new() -> Self {
        Self { witness: Some(Witness::new()) }
    }

    /// Returns an engine that leaves the answers out of events.
    pub(super) fn unasked() -> Self {
        Self { witness: None }
    }

    pub(super) fn seize_options(&self) -> SeizeOptions {
        SeizeOptions { filtered: false, exits: true }
    }

    /// Returns the tree that begins with this task.
    pub(super) fn begin(&mut self, root: Tid) -> Tasks {
        self.witness.iter_mut().for_each(|witness| witness.begin(root));
        Tasks::launch(root)
    }

    /// Adds the answers to the events of a stop.
    pub(super) fn on_stop(&mut self, task: Tid, stop: &Stop, step: &mut Step) {
        if let Some(witness) = &mut self.witness {
            witness.observe(task, stop, step);
        }
    }
}
