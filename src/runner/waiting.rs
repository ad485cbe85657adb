//! The parents that wait for a child. The stack of the child goes on with that of its parent. Main
//! type: [`WaitingParents`].

use std::collections::HashMap;

use crate::linux::WaitingParent;
use crate::model::kernel::call::Tid;

/// Parents that wait until a child executes a program or ends, by child.
#[derive(Debug, Default)]
pub(super) struct WaitingParents(HashMap<Tid, WaitingParent>);

impl WaitingParents {
    /// Notes that a task waits for its child. It must still be stopped.
    pub(super) fn awaits(&mut self, parent: Tid, child: Tid) {
        match WaitingParent::new(parent) {
            Some(waiting) => drop(self.0.insert(child, waiting)),
            None => drop(self.0.remove(&child)),
        }
    }

    /// Returns the parent that waits for a task.
    pub(super) fn of(&self, task: Tid) -> Option<&WaitingParent> {
        self.0.get(&task)
    }

    /// Notes that a task executes a program, or has ended.
    pub(super) fn forget(&mut self, task: Tid) {
        self.0.remove(&task);
    }
}
