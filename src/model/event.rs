//! What tracing hands onward: [`Event`] is the only thing that leaves it.
//!
//! Events are plain data about tracees. They must not carry handles of the system, and nobody prints here.

use crate::model::attribution::Answers;
use crate::model::syscall::Syscall;
use crate::model::workload::Exit;

/// A kernel task id: of a thread, or of the process whose first thread it is.
pub type Tid = i32;

/// One fact about the tracees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A task came to be; the first one has no parent.
    Spawned {
        /// The new task.
        task: Tid,
        /// Who made it, where that is known.
        parent: Option<Tid>,
        /// It leads a thread group of its own (a process), or joined its parent's (a thread).
        process: bool,
    },
    /// A call is over: it returned, or never will.
    Called {
        /// The calling task.
        task: Tid,
        /// What was called with what.
        call: Call,
        /// What came of it.
        outcome: CallOutcome,
        /// What its registers alone do not tell; empty where nobody asked.
        answers: Answers,
    },
    /// A task is gone.
    Ended {
        /// Which.
        task: Tid,
        /// How.
        exit: Exit,
    },
    /// Something may have stayed unseen.
    Blind(BlindSpot),
}

/// A syscall as it entered the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Which.
    pub syscall: Syscall,
    /// Its six argument registers.
    pub args: [u64; 6],
    /// Where the instruction pointer stood.
    pub instruction_pointer: u64,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// It returned this value.
    Returned(i64),
    /// It failed with this errno.
    Failed(Errno),
    /// The kernel will restart it after a signal (ERESTARTSYS and its kin, include/linux/errno.h): no result.
    Restarting,
    /// Nobody awaited it.
    Unknown,
    /// The task was gone before a result: exit, exit_group, or killed inside.
    NeverReturned,
}

/// An error number, positive as in errno(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(pub i32);

/// What ptrace cannot see, or what may hide a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlindSpot {
    /// Operations submitted with io_submit(2) are no syscalls.
    Aio,
    /// Operations submitted through io_uring's rings are no syscalls.
    IoUring,
    /// A library was put before the program's own: calls may be its, and what it answers itself is none.
    LdPreload,
    /// A process wanted to trace, or to be traced, and could not because it is traced already.
    PtraceRefused,
    /// A program named its phase `loader`, which only the tracer may.
    ReservedPhase,
    /// A filter of the workload may have answered calls that count here as if they had reached their subsystem.
    SeccompFilter,
    /// A set-user-ID program ran without its privileges, or unseen, because it is traced.
    SetuidExec,
    /// The kernel refused to say which object a call used, or what its argument in memory was.
    Unanswerable,
    /// A child was made with CLONE_UNTRACED.
    UntracedChild,
}

impl BlindSpot {
    /// Every blind spot, in the order of their names.
    pub const ALL: [Self; 9] = [
        Self::Aio,
        Self::IoUring,
        Self::LdPreload,
        Self::PtraceRefused,
        Self::ReservedPhase,
        Self::SeccompFilter,
        Self::SetuidExec,
        Self::Unanswerable,
        Self::UntracedChild,
    ];

    /// The name used in reports and expectations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aio => "aio",
            Self::IoUring => "io_uring",
            Self::LdPreload => "ld_preload",
            Self::PtraceRefused => "ptrace_refused",
            Self::ReservedPhase => "reserved_phase",
            Self::SeccompFilter => "seccomp_filter",
            Self::SetuidExec => "setuid_exec",
            Self::Unanswerable => "unanswerable",
            Self::UntracedChild => "untraced_child",
        }
    }

    /// The blind spot of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|spot| spot.name() == name)
    }

    /// What may have stayed unseen, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Aio => "operations submitted with io_submit(2) are no system calls",
            Self::IoUring => "operations submitted through the rings of io_uring are no system calls",
            Self::LdPreload => {
                "a library was put before the program's own: calls may be its, and what it answers itself is none"
            }
            Self::PtraceRefused => {
                "a process wanted to trace, or to be traced, and could not because it is traced already"
            }
            Self::ReservedPhase => {
                "a program named its phase `loader`, which only the tracer may: its calls count outside of every phase"
            }
            Self::SeccompFilter => {
                "a filter of the workload may have answered calls that count as if they had reached their subsystem"
            }
            Self::SetuidExec => "a set-user-ID program ran without its privileges, or unseen, because it is traced",
            Self::Unanswerable => {
                "the kernel refused to say which object a call used, or what its argument in memory was"
            }
            Self::UntracedChild => "a child was made with CLONE_UNTRACED",
        }
    }
}
