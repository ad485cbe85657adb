//! Call sites of calls that execute a program, and of children until they do. Main type:
//! [`Executions`].
//!
//! A successful execve replaces the stack of its caller, so the stack is read at the entry. It must
//! not choose which call sites are wanted.

use std::collections::HashMap;

use crate::linux::Callers;
use crate::model::facts::site::NoSite;
use crate::model::kernel::call::Tid;
use crate::model::observe::call_site::CallSite;
use crate::runner::waiting::WaitingParents;

/// What is known of tasks that may execute a program.
#[derive(Debug, Default)]
pub(super) struct Executions {
    /// Whether the workload was started. The call before that is the launcher's.
    is_started: bool,
    /// Call sites of calls that are under way.
    entered: HashMap<Tid, CallSite>,
    /// The call site of a thread that takes another number, until the end of its call is reported.
    moved: Option<(Tid, CallSite)>,
    waiting: WaitingParents,
}

impl Executions {
    /// Notes that a task waits for its child. It must still be stopped.
    pub(super) fn awaits(&mut self, parent: Tid, child: Tid) {
        self.waiting.awaits(parent, child);
    }

    /// Reads the stack of a task at the entry of the call, if that is wanted.
    pub(super) fn entered(&mut self, task: Tid, callers: &mut Callers<'_>, is_wanted: impl FnOnce() -> bool) {
        self.entered.remove(&task);
        if self.is_started && is_wanted() {
            self.entered.insert(task, self.of_stack(task, callers));
        }
    }

    /// Returns the call site that the stack of a task shows, and that of its parent if that waits.
    pub(super) fn of_stack(&self, task: Tid, callers: &mut Callers<'_>) -> CallSite {
        match self.waiting.of(task) {
            Some(parent) => callers.of_child(task, parent),
            None => callers.of(task),
        }
    }

    /// Keeps the call site of a thread that takes another number.
    pub(super) fn renumbered(&mut self, task: Tid, former: Tid) {
        self.moved = self.entered.remove(&former).map(|site| (task, site));
    }

    /// Returns the call site of a call that has succeeded: the stack is that of the new program.
    pub(super) fn of_replaced(&mut self, task: Tid) -> CallSite {
        let moved = self.moved.take_if(|(number, _)| *number == task).map(|(_, site)| site);
        let site = moved.or_else(|| self.entered.remove(&task));
        site.unwrap_or_else(|| CallSite::without_frames(NoSite::Replaced))
    }

    /// Notes that a task executes another program from here on.
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
