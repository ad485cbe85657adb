//! Calls that a baseline does not hold, but that the same program may make elsewhere or later.
//!
//! Baselines leave out ambient calls, and hold those of one C library on one kernel.

use sysguard::unstable::model::attribution::{RegisterTest, ambient};
use sysguard::unstable::model::facts::families;
use sysguard::unstable::model::kernel::syscall::{Abi, table};

use crate::uapi::{F_SETFD, RLIMIT_STACK, TIOCGWINSZ};

/// Returns the calls that any program may make, with the reason. It does not say which calls of a
/// name are ambient: a profile allows all of them, unless it narrows arguments.
pub fn ambient() -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut names: Vec<&str> = Abi::ALL.iter().flat_map(|abi| table::rows(*abi)).map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| {
        let reason = ambient::reason(name)?;
        Some((name, reason.split_once(" (").map_or(reason, |(reason, _)| reason)))
    })
}

/// Returns the calls that a C library or a kernel may exchange for this one, with the reason.
pub fn alternatives(syscall: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    families::of(syscall).flat_map(move |family| {
        let others = family.members.iter().filter(move |member| **member != syscall);
        others.map(|member| (*member, family.why))
    })
}

/// A call that one C library makes beside another call, and that another one does not make, or that
/// depends on timing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// The call.
    pub syscall: &'static str,
    /// Which calls of it; `None`: all.
    pub test: Option<RegisterTest>,
    /// What for.
    pub what: &'static str,
}

/// The rows by the call that they are made beside, found by running the glibc and the musl build of
/// the same programs under the profiles of each other.
const BESIDE: &[(&str, Beside)] = &[
    ("connect", Beside { syscall: "recvmsg", test: None, what: RESOLVER }),
    ("connect", Beside { syscall: "uname", test: None, what: RESOLVER }),
    ("execve", Beside { syscall: "access", test: None, what: "glibc's loader looks for /etc/ld.so.preload" }),
    ("execve", Beside { syscall: "pread64", test: None, what: "glibc's loader reads the headers of libraries" }),
    (
        "execve",
        Beside {
            syscall: "prlimit64",
            test: Some(second(RLIMIT_STACK)),
            what: "glibc's start reads the size of stacks",
        },
    ),
    ("open", CLOSE_ON_EXEC),
    ("open", TERMINAL),
    ("openat", CLOSE_ON_EXEC),
    ("openat", TERMINAL),
    ("wait4", Beside { syscall: "rt_sigsuspend", test: None, what: "dash's `wait` suspends while no child has ended" }),
    ("write", TERMINAL),
    ("writev", TERMINAL),
];

const RESOLVER: &str = "glibc's resolver";
const CLOSE_ON_EXEC: Beside =
    Beside { syscall: "fcntl", test: Some(second(F_SETFD)), what: "musl sets FD_CLOEXEC also by fcntl" };
const TERMINAL: Beside =
    Beside { syscall: "ioctl", test: Some(second(TIOCGWINSZ)), what: "musl asks whether a stream is a terminal" };

/// Tests the second argument, an int: fcntl(2), ioctl(2), prlimit(2).
const fn second(value: u64) -> RegisterTest {
    RegisterTest { arg: 1, mask: 0xffff_ffff, value }
}

/// Returns what another C library calls beside this call.
pub fn beside(syscall: &str) -> impl Iterator<Item = &'static Beside> {
    BESIDE.iter().filter(move |(of, _)| *of == syscall).map(|(_, beside)| beside)
}

#[cfg(test)]
mod tests {
    use sysguard::unstable::model::kernel::syscall::Syscall;

    use super::*;

    #[test]
    fn libraries_and_kernels_exchange_calls() {
        for (call, other) in [("clone3", "clone"), ("statx", "newfstatat"), ("openat", "openat2"), ("poll", "ppoll")] {
            assert!(alternatives(call).any(|(name, _)| name == other), "{call} {other}");
        }
        assert_eq!(alternatives("reboot").count(), 0);
    }

    #[test]
    fn start_and_clocks_of_any_program_are_ambient() {
        for name in ["rseq", "set_robust_list", "clock_gettime", "getrandom", "restart_syscall", "exit_group", "mmap"] {
            assert!(ambient().any(|(known, _)| known == name), "{name}");
        }
        assert!(ambient().all(|(name, _)| name != "execve"));
    }

    #[test]
    fn calls_beside_others_are_syscalls() {
        assert!(BESIDE.is_sorted_by_key(|(of, beside)| (*of, beside.syscall)));
        for (of, Beside { syscall, .. }) in BESIDE {
            for name in [of, syscall] {
                assert!(Syscall::from_name(Abi::X86_64, name).is_some(), "{name}");
            }
        }
        assert_eq!(
            beside("execve").map(|beside| beside.syscall).collect::<Vec<_>>(),
            ["access", "pread64", "prlimit64"]
        );
    }
}
