//! What the kernel said of one task, as plain data. Main type: [`Stop`].

use crate::model::kernel::call::{Call, Tid};
use crate::model::run::workload::Exit;

/// One report of the kernel about a task. The names in parentheses are those of ptrace(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It is about to make a call (syscall-enter-stop).
    Entry(Call),
    /// It is about to make a call that a filter stops (PTRACE_EVENT_SECCOMP): told after its entry
    /// where entries are told.
    Filtered(Call),
    /// A call is over (syscall-exit-stop).
    Exit {
        /// The value in the result register; a negative errno where `failed`.
        value: i64,
        /// The kernel says that it is an error.
        failed: bool,
    },
    /// It made a task (PTRACE_EVENT_FORK, PTRACE_EVENT_VFORK, PTRACE_EVENT_CLONE).
    Spawning {
        /// The new task.
        child: Tid,
        /// It leads a thread group, that is: it is a process rather than a thread.
        leads: bool,
        /// Its maker waits until it executes a program or ends (PTRACE_EVENT_VFORK).
        awaited: bool,
    },
    /// It executes another program from here on (PTRACE_EVENT_EXEC).
    Exec {
        /// The thread that called execve: "If the execing thread is not a thread group leader, the
        /// thread ID is reset to thread group leader's ID".
        former: Tid,
        /// The program would have gained privileges if nobody traced it.
        privileged: bool,
    },
    /// It is about to be gone (PTRACE_EVENT_EXIT).
    Exiting {
        /// It leads a thread group.
        leads: bool,
    },
    /// A signal is about to be delivered (signal-delivery-stop).
    Signal(i32),
    /// It stopped, for its birth, an interrupt, or a change of its group's stop
    /// (PTRACE_EVENT_STOP).
    Trap {
        /// It leads a thread group.
        leads: bool,
        /// A stopping signal holds its whole group (group-stop).
        group_stop: bool,
    },
    /// A stop without consequences, or one that could not be read because the task is being killed.
    Other,
    /// A call that cannot be told: the kernel named an architecture that sysguard does not know.
    Unreadable,
    /// It is gone.
    Ended(Exit),
}
