//! The groups of the kernel's guide *Discovering Linux kernel subsystems used by a workload*
//! (Documentation/admin-guide/workload-tracing.rst).
//!
//! Calls in its three tables are grouped as the guide groups them, even if the source disagrees.
//! Other calls are grouped by subsystem.

use crate::model::attribution::Subsystem as S;

const PROCESS: &str = "Process Mgmt.";
const MEMORY: &str = "Memory Mgmt.";
const FILESYSTEM: &str = "Filesystem";

/// Every call of the three tables, ordered by name.
const CALLS: [(&str, &str); 60] = [
    ("access", FILESYSTEM),
    ("alarm", "Time"),
    ("arch_prctl", PROCESS),
    ("brk", MEMORY),
    ("capget", "Capability"),
    ("clock_nanosleep", "Time"),
    ("clone", PROCESS),
    ("close", FILESYSTEM),
    ("connect", "Network"),
    ("dup2", FILESYSTEM),
    ("epoll_create", FILESYSTEM),
    ("epoll_ctl", FILESYSTEM),
    ("eventfd2", FILESYSTEM),
    ("execve", FILESYSTEM),
    ("fcntl", FILESYSTEM),
    ("flock", FILESYSTEM),
    ("fstat", FILESYSTEM),
    ("futex", "Futex"),
    ("getcwd", FILESYSTEM),
    ("getdents64", FILESYSTEM),
    ("getegid", PROCESS),
    ("geteuid", PROCESS),
    ("getgid", PROCESS),
    ("getpid", PROCESS),
    ("getppid", PROCESS),
    ("getrusage", PROCESS),
    ("getuid", PROCESS),
    ("ioctl", FILESYSTEM),
    ("lseek", FILESYSTEM),
    ("lstat", FILESYSTEM),
    ("mlock", MEMORY),
    ("mmap", MEMORY),
    ("mprotect", MEMORY),
    ("munmap", MEMORY),
    ("newfstatat", FILESYSTEM),
    ("openat", FILESYSTEM),
    ("pipe", FILESYSTEM),
    ("prctl", PROCESS),
    ("pread64", FILESYSTEM),
    ("prlimit64", PROCESS),
    ("read", FILESYSTEM),
    ("rt_sigaction", "Signal"),
    ("rt_sigprocmask", "Signal"),
    ("rt_sigreturn", "Signal"),
    ("sched_getaffinity", "Scheduler"),
    ("sched_setaffinity", "Scheduler"),
    ("sendto", "Network"),
    ("set_mempolicy", MEMORY),
    ("set_robust_list", "Futex"),
    ("set_tid_address", PROCESS),
    ("setpgid", PROCESS),
    ("sigaltstack", "Signal"),
    ("socket", "Network"),
    ("socketpair", "Network"),
    ("stat", FILESYSTEM),
    ("statfs", FILESYSTEM),
    ("sysinfo", PROCESS),
    ("uname", PROCESS),
    ("wait4", "Time"),
    ("write", FILESYSTEM),
];

/// Returns the group of a call in the tables of the guide.
pub(super) fn of_call(name: &str) -> Option<&'static str> {
    CALLS.binary_search_by_key(&name, |&(name, _)| name).ok().map(|at| CALLS[at].1)
}

/// Returns the guide's group for a subsystem, or sysguard's title if it has none.
pub(super) fn of_subsystem(subsystem: S) -> &'static str {
    match subsystem {
        S::Process | S::Credentials | S::System | S::Arch => PROCESS,
        S::Memory => MEMORY,
        S::Filesystem | S::Poll => FILESYSTEM,
        S::Network | S::Unix => "Network",
        other => other.title(),
    }
}

/// Returns the subsystem of a group of the guide; a user's name for it replaces the group.
pub(super) fn subsystem(word: &str) -> Option<S> {
    [S::Process, S::Memory, S::Filesystem, S::Network, S::Futex, S::Scheduler, S::Signal, S::Time, S::Capability]
        .into_iter()
        .find(|&subsystem| of_subsystem(subsystem) == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::{Abi, Syscall};

    #[test]
    fn calls_are_ordered_and_have_known_groups() {
        assert!(CALLS.is_sorted_by(|a, b| a.0 < b.0));
        for (call, word) in CALLS {
            assert!(Syscall::from_name(Abi::X86_64, call).is_some(), "{call}");
            assert!(subsystem(word).is_some(), "{word}");
        }
    }
}
