//! The limits of what a tracer sees. Main type: [`BlindSpot`].

/// Something that ptrace cannot see, or that may hide a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BlindSpot {
    /// Operations submitted with io_submit(2) are not syscalls.
    Aio,
    /// Operations submitted through the rings of io_uring are not syscalls.
    IoUring,
    /// A library was preloaded. It may make calls of its own, and functions that it replaces may
    /// make none.
    LdPreload,
    /// A process tried to trace, or to be traced, and failed because it is traced already.
    PtraceRefused,
    /// A program named its phase `loader`, which is reserved for the tracer.
    ReservedPhase,
    /// A filter of the workload may have answered calls that are counted as if the kernel had run
    /// them.
    SeccompFilter,
    /// A set-user-ID program ran without its privileges, or unseen, because it is traced.
    SetuidExec,
    /// The kernel refused to say which object a call used, or what its argument in memory was.
    Unanswerable,
    /// A child was made with CLONE_UNTRACED.
    UntracedChild,
}

impl BlindSpot {
    /// Every blind spot, ordered by name.
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

    /// Returns the name used in reports and expectations.
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

    /// Returns the blind spot of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|spot| spot.name() == name)
    }

    /// Returns one sentence on what may not have been seen.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Aio => "operations submitted with io_submit(2) are no system calls",
            Self::IoUring => "operations submitted through the rings of io_uring are no system calls",
            Self::LdPreload => {
                "a library was preloaded: some calls may be its own, and functions that it replaces may make none"
            }
            Self::PtraceRefused => "a process tried to trace, or to be traced, and failed because it is traced already",
            Self::ReservedPhase => {
                "a program named its phase `loader`, which is reserved for the tracer: its calls belong to no phase"
            }
            Self::SeccompFilter => {
                "a filter of the workload may have answered calls that are counted as if the kernel had run them"
            }
            Self::SetuidExec => "a set-user-ID program ran without its privileges, or unseen, because it is traced",
            Self::Unanswerable => {
                "the kernel refused to say which object a call used, or what its argument in memory was"
            }
            Self::UntracedChild => "a child was made with CLONE_UNTRACED",
        }
    }
}
