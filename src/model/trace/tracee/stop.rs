//! What the kernel reports about one task, as plain data. Main type: [`Stop`].

use crate::model::kernel::call::{Call, Tid};
use crate::model::run::workload::Exit;

/// One report of the kernel about a task. The names in parentheses are those of ptrace(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The task enters a call (syscall-enter-stop).
    Entry(Call),
    /// The task enters a call that a filter stops (PTRACE_EVENT_SECCOMP). Where entries are
    /// reported, this comes after the entry.
    Filtered(Call),
    /// A call has ended (syscall-exit-stop).
    Exit {
        /// The value in the result register; a negative errno if `failed`.
        value: i64,
        /// The kernel says that it is an error.
        failed: bool,
    },
    /// The task has made another one (PTRACE_EVENT_FORK, PTRACE_EVENT_VFORK, PTRACE_EVENT_CLONE).
    Spawning {
        /// The new task.
        child: Tid,
        /// The new task leads a thread group: it is a process, not a thread.
        leads: bool,
        /// The parent waits until the child executes a program or ends (PTRACE_EVENT_VFORK).
        awaited: bool,
    },
    /// The task executes another program (PTRACE_EVENT_EXEC).
    Exec {
        /// The thread that called execve: "If the execing thread is not a thread group leader, the
        /// thread ID is reset to thread group leader's ID".
        former: Tid,
        /// Without a tracer, the program would have gained privileges.
        privileged: bool,
    },
    /// The task is about to end (PTRACE_EVENT_EXIT).
    Exiting {
        /// It leads a thread group.
        leads: bool,
    },
    /// A signal is about to be delivered (signal-delivery-stop).
    Signal(i32),
    /// The task has stopped after its creation, for an interrupt, or because its group stops or
    /// continues (PTRACE_EVENT_STOP).
    Trap {
        /// It leads a thread group.
        leads: bool,
        /// A stop signal stops its whole group (group-stop).
        group_stop: bool,
    },
    /// A stop without consequences, or one that could not be read because the task is being killed.
    Other,
    /// A call that cannot be decoded: the kernel named an architecture that sysguard does not know.
    Unreadable,
    /// The task has ended.
    Ended(Exit),
}
