//! Where one task stands in its life. Main type: [`Task`].

use crate::model::kernel::call::{Call, Tid};
use crate::model::trace::tracee::stop::Stop;

/// The life-cycle of a task. One that is gone is in no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// The first process before its execve: what it does there is ours, not the workload's.
    Launching,
    /// Its parent announced it; its own first stop is still to come.
    Attaching {
        /// Who made it.
        parent: Tid,
        /// It leads a thread group.
        leads: bool,
    },
    /// Its own first stop came before its parent's announcement; it is held until then.
    AwaitingParent {
        /// It leads a thread group.
        leads: bool,
        /// It was born into a stopped group.
        group_stop: bool,
    },
    /// It runs its own code.
    Outside,
    /// It is in the kernel.
    Inside(Call),
    /// It is in a call that has made a task, and has announced that.
    Announced(Call),
    /// It is on its way out; it makes no further call.
    Exiting,
}

impl Task {
    /// The call it is in.
    pub(super) fn call(self) -> Option<Call> {
        match self {
            Self::Inside(call) | Self::Announced(call) => Some(call),
            _ => None,
        }
    }

    /// Whether it is in a call that may still announce a task. If it leaves that or dies there, it
    /// never will.
    pub(super) fn may_announce(self) -> bool {
        // An ABI without a table may have called anything.
        matches!(self, Self::Inside(call) if call.syscall.row().is_none()) || self.makes_a_task()
    }

    /// Whether it is in a call that makes a task and has not announced it.
    pub(super) fn makes_a_task(self) -> bool {
        let Self::Inside(call) = self else { return false };
        call.syscall.row().is_some_and(|row| matches!(row.name, "clone" | "clone3" | "fork" | "vfork"))
    }
}

/// Whether this is the execve with which the first process becomes the workload.
pub(super) fn starts_workload(stop: &Stop) -> bool {
    let Stop::Entry(call) = stop else { return false };
    call.syscall.row().is_some_and(|row| row.name == "execve")
}
