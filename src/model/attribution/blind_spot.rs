//! What a tracer cannot see. Main type: [`BlindSpot`].

/// What ptrace cannot see, or what may hide a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlindSpot {
    /// Operations submitted with io_submit(2) are no syscalls.
    Aio,
    /// Operations submitted through io_uring's rings are no syscalls.
    IoUring,
    /// A library was put before the program's own: calls may be its, and what it answers itself is
    /// none.
    LdPreload,
    /// A process wanted to trace, or to be traced, and could not because it is traced already.
    PtraceRefused,
    /// A program named its phase `loader`, which only the tracer may.
    ReservedPhase,
    /// A filter of the workload may have answered calls that count here as if they had reached
    /// their subsystem.
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
