//! Call sites of calls that execute a program, and of children before they execute one. Main type:
//! [`Executions`].
//!
//! A successful execve replaces the stack of its caller, so the stack is read at the entry. The
//! caller chooses the wanted call sites.

use std::collections::HashMap;

use crate::linux::Callers;
use crate::model::facts::site::NoSite;
use crate::model::kernel::call::Tid;
use crate::model::observe::call_site::CallSite;
use crate::runner::waiting::WaitingParents;

/// State of tasks that may execute a program.
#[derive(Debug, Default)]
pub(super) struct Executions {
    /// Whether the workload was started. The call before that is the launcher's.
    is_started: bool,
    /// Call sites of calls that are under way.
    entered: HashMap<Tid, CallSite>,
    /// The call site of a thread that changes its number, until the end of its call is reported.
    moved: Option<(Tid, CallSite)>,
    waiting: WaitingParents,
}

impl Executions {
    /// Adds a task that waits for its child. The task must still be stopped.
    pub(super) fn awaits(&mut self, parent: Tid, child: Tid) {
        self.waiting.awaits(parent, child);
    }

    /// Reads the stack of a task at the entry of the call, if wanted.
    pub(super) fn entered(&mut self, task: Tid, callers: &mut Callers<'_>, is_wanted: impl FnOnce() -> bool) {
        self.entered.remove(&task);
        if self.is_started && is_wanted() {
            self.entered.insert(task, self.of_stack(task, callers));
        }
    }

    /// Returns the call site from the stack of a task, and from the stack of a waiting parent.
    pub(super) fn of_stack(&self, task: Tid, callers: &mut Callers<'_>) -> CallSite {
        match self.waiting.of(task) {
            Some(parent) => callers.of_child(task, parent),
            None => callers.of(task),
        }
    }

    /// Keeps the call site of a thread that changes its number.
    pub(super) fn renumbered(&mut self, task: Tid, former: Tid) {
        self.moved = self.entered.remove(&former).map(|site| (task, site));
    }

    /// Returns the call site of a successful call. It was read at the entry, since the new program
    /// has replaced the stack.
    pub(super) fn of_replaced(&mut self, task: Tid) -> CallSite {
        let moved = self.moved.take_if(|(number, _)| *number == task).map(|(_, site)| site);
        let site = moved.or_else(|| self.entered.remove(&task));
        site.unwrap_or_else(|| CallSite::without_frames(NoSite::Replaced))
    }

    /// Updates the state of a task that now executes another program.
    pub(super) fn executed(&mut self, task: Tid) {
        self.is_started = true;
        self.waiting.forget(task);
    }

    /// Forgets a task.
    pub(super) fn ended(&mut self, task: Tid) {
        self.entered.remove(&task);
        self.waiting.forget(task);
    }
}
