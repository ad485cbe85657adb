//! The life cycle of one task. Main type: [`Task`].

use crate::model::kernel::call::{Call, Tid};
use crate::model::trace::tracee::stop::Stop;

/// The state of a task. A task that has ended has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// The first process before its execve. Its calls are ours, not the workload's.
    Launching,
    /// Its parent has announced it; its own first stop is still to come.
    Attaching {
        /// The task that made it.
        parent: Tid,
        /// It leads a thread group.
        leads: bool,
    },
    /// Its own first stop came before its parent's announcement. It is held until then.
    AwaitingParent {
        /// It leads a thread group.
        leads: bool,
        /// It was created in a stopped group.
        group_stop: bool,
    },
    /// It runs in user space.
    Outside,
    /// It is in a call.
    Inside(Call),
    /// It is in a call that has made a task and announced it.
    Announced(Call),
    /// It is ending, and makes no further call.
    Exiting,
}

impl Task {
    /// Returns the call that the task is in.
    pub(super) fn call(self) -> Option<Call> {
        match self {
            Self::Inside(call) | Self::Announced(call) => Some(call),
            _ => None,
        }
    }

    /// Returns whether the task is in a call that may still announce a child. Once it has left the
    /// call or died there, it cannot.
    pub(super) fn may_announce(self) -> bool {
        // Under an ABI without a table, any call may make a task.
        matches!(self, Self::Inside(call) if call.syscall.row().is_none()) || self.makes_a_task()
    }

    /// Returns whether the task is in a call that makes a task and has not announced it.
    pub(super) fn makes_a_task(self) -> bool {
        let Self::Inside(call) = self else { return false };
        call.syscall.row().is_some_and(|row| matches!(row.name, "clone" | "clone3" | "fork" | "vfork"))
    }
}

/// Returns whether this stop is the execve by which the first process becomes the workload.
pub(super) fn starts_workload(stop: &Stop) -> bool {
    let Stop::Entry(call) = stop else { return false };
    call.syscall.row().is_some_and(|row| row.name == "execve")
}
