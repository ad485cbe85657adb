//! Calls that a container runtime makes under the profile of its container, before it executes the
//! program. Main type: [`Runtime`].
//!
//! A runtime installs the filter in the process that becomes the program. With `noNewPrivileges` it
//! does so right before execve(2). Without it, installing needs CAP_SYS_ADMIN, and therefore comes
//! before the capabilities are dropped and the user is set (seccomp(2)): more calls follow. The
//! table has the union, also for `runc exec` and `crun exec`. `tests/trials` measures it with the
//! installed runc.

/// A version of a container runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runtime {
    /// Its name and version, as `--runtime` takes it: `runc@1.3`.
    pub name: &'static str,
    /// The calls that it makes under the profile, with what for, in lists that versions share.
    pub calls: &'static [&'static [(&'static str, &'static str)]],
    /// How the calls were found.
    pub source: &'static str,
}

/// What every measured version of runc calls.
const RUNC: &[(&str, &str)] = &[
    ("capget", CAPABILITIES),
    ("capset", CAPABILITIES),
    ("chdir", DIRECTORY),
    ("close", CLOSE),
    ("epoll_ctl", GO),
    ("execve", EXECUTE),
    ("faccessat2", PROGRAM),
    ("fchown", STREAMS),
    ("fcntl", CLOSE),
    ("fstat", STREAMS),
    ("fstatfs", PROC),
    ("futex", GO),
    ("getcwd", DIRECTORY),
    ("getdents64", CLOSE),
    ("getpid", SYNCHRONISE),
    ("getppid", SYNCHRONISE),
    ("newfstatat", PROGRAM),
    ("openat", PROC),
    ("prctl", CAPABILITIES),
    ("read", PROC),
    ("rt_sigreturn", GO),
    ("setgid", USER),
    ("setgroups", USER),
    ("setuid", USER),
    ("write", SYNCHRONISE),
];

/// Every known runtime, ordered by name.
pub const RUNTIMES: &[Runtime] = &[
    Runtime {
        name: "crun@1.21",
        calls: &[&[
            ("capset", CAPABILITIES),
            ("close", CLOSE),
            ("close_range", CLOSE),
            ("execve", EXECUTE),
            ("fchown", STREAMS),
            ("ioctl", TERMINAL),
            ("openat", EXEC_PROC),
            ("prctl", CAPABILITIES),
            ("read", EXEC_PROC),
            ("rt_sigaction", SIGNALS),
            ("rt_sigprocmask", SIGNALS),
            ("setgroups", USER),
            ("setresgid", USER),
            ("setresuid", USER),
            ("statx", EXEC_PROC),
            ("umask", UMASK),
            ("write", SYNCHRONISE),
        ]],
        source: "crun 1.21-1 of Debian 13 under strace: 12 starts and 4 times exec, as root and another user",
    },
    Runtime {
        name: "crun@1.8",
        calls: &[&[
            ("capset", CAPABILITIES),
            ("close", CLOSE),
            ("execve", EXECUTE),
            ("fchown", STREAMS),
            ("ioctl", TERMINAL),
            ("openat", EXEC_PROC),
            ("prctl", CAPABILITIES),
            ("read", EXEC_PROC),
            ("rt_sigaction", SIGNALS),
            ("rt_sigprocmask", SIGNALS),
            ("setgroups", USER),
            ("setresgid", USER),
            ("setresuid", USER),
            ("statx", EXEC_PROC),
            ("write", SYNCHRONISE),
        ]],
        source: "crun 1.8.1-1+deb12u1 of Debian 12 under strace: 12 starts and 4 times exec, as root and another user",
    },
    Runtime {
        name: "runc@1.1",
        calls: &[RUNC],
        source: "runc 1.1.5+ds1-1+deb12u1 and 1.1.15+ds1-2+b4 of Debian 12 and 13 under strace: \
                 20 starts and 6 times exec of each, as root and another user",
    },
    Runtime {
        name: "runc@1.3",
        calls: &[RUNC, &[("close_range", CLOSE), ("openat2", PROC), ("statx", PROC), ("tgkill", USER)]],
        source: "runc 1.3.3+ds1-2 of Debian under strace: 20 starts and 6 times exec, as root and another user. \
                 exec also tries fsopen, open_tree, faccessat and uname, and works where they fail with ENOSYS",
    },
];

const CAPABILITIES: &str = "drops capabilities";
const CLOSE: &str = "closes its files before execve";
const DIRECTORY: &str = "enters the working directory";
const EXECUTE: &str = "executes the program";
const EXEC_PROC: &str = "reads files of /proc for `exec`";
const GO: &str = "Go's scheduler and poller";
const PROC: &str = "opens and checks files of /proc";
const PROGRAM: &str = "finds the program";
const SIGNALS: &str = "resets signals";
const STREAMS: &str = "gives the standard streams to the user";
const SYNCHRONISE: &str = "waits for the runtime's signal to start";
const TERMINAL: &str = "asks whether the standard streams are a terminal";
const UMASK: &str = "sets the umask";
const USER: &str = "sets the user and its groups, in every thread";

impl Runtime {
    /// Returns the runtime of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        RUNTIMES.iter().find(|runtime| runtime.name == name)
    }
}

#[cfg(test)]
mod tests {
    use sysguard::unstable::model::kernel::syscall::{Abi, Syscall};

    use super::*;

    #[test]
    fn rows_are_ordered_and_name_syscalls() {
        assert!(RUNTIMES.is_sorted_by_key(|runtime| runtime.name));
        for Runtime { name, calls, source } in RUNTIMES {
            assert!(calls.iter().all(|list| list.is_sorted_by(|one, other| one.0 < other.0)), "{name}");
            assert!(!source.is_empty());
            for (call, _) in calls.iter().copied().flatten() {
                assert!(Syscall::from_name(Abi::X86_64, call).is_some(), "{name} {call}");
            }
        }
    }

    #[test]
    fn runc_1_3_opens_proc_by_newer_calls() {
        let has = |name, call| {
            Runtime::named(name).expect(name).calls.iter().copied().flatten().any(|(known, _)| *known == call)
        };
        for call in ["openat2", "statx"] {
            assert!(has("runc@1.3", call) && !has("runc@1.1", call), "{call}");
        }
        assert_eq!(Runtime::named("runc"), None);
    }
}
