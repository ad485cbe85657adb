//! Families: syscalls that the C library, the architecture or the kernel may exchange for each
//! other without a change of the program.
//!
//! It must not judge: [`compare`](crate::model::judge::compare) decides what a new member of a
//! known family means. Only syscalls that are really exchanged share a row. A program itself
//! chooses between syscalls that are merely similar (`setuid` and `setfsuid`, `mount` and `fsopen`,
//! `execve` and `execveat`), so these are findings. Main type: [`Family`].

/// How similar the members of a family are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closeness {
    /// The same request through another syscall.
    Exact,
    /// The same task, but one member can do more than another.
    Loose,
}

/// Syscalls that may replace each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// Its name: the oldest member.
    pub name: &'static str,
    /// Its members.
    pub members: &'static [&'static str],
    /// How similar they are.
    pub closeness: Closeness,
    /// Why they are exchanged.
    pub why: &'static str,
}

const fn exact(name: &'static str, members: &'static [&'static str], why: &'static str) -> Family {
    Family { name, members, closeness: Closeness::Exact, why }
}

const fn loose(name: &'static str, members: &'static [&'static str], why: &'static str) -> Family {
    Family { name, members, closeness: Closeness::Loose, why }
}

const AT: &str = "C libraries use the `at` form; newer architectures have only that";
const FLAGS: &str = "newer architectures have only the form with flags; C libraries use it";
const WIDE: &str = "32-bit architectures: C libraries use either form, depending on their version";
const TIME64: &str = "32-bit architectures: C libraries moved to 64-bit times";

/// Every family, ordered by name.
pub const FAMILIES: &[Family] = &[
    exact("accept", &["accept", "accept4"], FLAGS),
    exact("access", &["access", "faccessat", "faccessat2"], "C libraries try the newest form first; glibc since 2.33"),
    exact("alarm", &["alarm", "setitimer"], "newer architectures lack alarm"),
    exact("chmod", &["chmod", "fchmodat", "fchmodat2"], "glibc tries fchmodat2 since 2.39"),
    exact("chown", &["chown", "lchown", "fchownat", "chown32", "lchown32"], AT),
    loose(
        "clone",
        &["clone", "clone3", "fork", "vfork"],
        "glibc uses clone3 since 2.34, or clone if a filter refuses it",
    ),
    exact("clock_adjtime", &["clock_adjtime", "clock_adjtime64", "adjtimex"], TIME64),
    exact(
        "clock_settime",
        &["clock_settime", "clock_settime64", "settimeofday", "stime"],
        "C libraries moved to clock_settime",
    ),
    loose(
        "close",
        &["close", "close_range"],
        "closefrom(3) closes fds one by one on kernels before 5.9, which lack close_range",
    ),
    loose(
        "copy_file_range",
        &["copy_file_range", "sendfile", "sendfile64", "splice"],
        "Rust's fs::copy tries one after the other, as filesystem and kernel allow",
    ),
    exact("dup2", &["dup2", "dup3"], FLAGS),
    exact("epoll_create", &["epoll_create", "epoll_create1"], FLAGS),
    exact("epoll_wait", &["epoll_wait", "epoll_pwait", "epoll_pwait2"], FLAGS),
    exact("eventfd", &["eventfd", "eventfd2"], FLAGS),
    exact("fadvise64", &["fadvise64", "fadvise64_64"], WIDE),
    exact("fchown", &["fchown", "fchown32"], WIDE),
    exact("fcntl", &["fcntl", "fcntl64"], WIDE),
    exact("fstatfs", &["fstatfs", "fstatfs64"], WIDE),
    exact("ftruncate", &["ftruncate", "ftruncate64"], WIDE),
    exact("getdents", &["getdents", "getdents64", "readdir"], "C libraries moved to getdents64"),
    exact("getpgid", &["getpgid", "getpgrp"], "newer architectures lack getpgrp"),
    exact("getrlimit", &["getrlimit", "ugetrlimit", "prlimit64"], "glibc and musl use prlimit64, Go getrlimit"),
    exact("inotify_init", &["inotify_init", "inotify_init1"], FLAGS),
    exact(
        "io_getevents",
        &["io_getevents", "io_pgetevents", "io_pgetevents_time64"],
        "libaio chooses by kernel version",
    ),
    exact("link", &["link", "linkat"], AT),
    exact("lseek", &["lseek", "_llseek"], WIDE),
    exact("mkdir", &["mkdir", "mkdirat"], AT),
    exact("mknod", &["mknod", "mknodat"], AT),
    exact("mmap", &["mmap", "mmap2"], WIDE),
    exact("mq_timedreceive", &["mq_timedreceive", "mq_timedreceive_time64"], TIME64),
    exact("mq_timedsend", &["mq_timedsend", "mq_timedsend_time64"], TIME64),
    exact(
        "nanosleep",
        &["nanosleep", "clock_nanosleep", "clock_nanosleep_time64"],
        "glibc uses clock_nanosleep since 2.31",
    ),
    exact("open", &["open", "openat", "openat2", "creat"], "glibc uses openat since 2.26"),
    exact("pause", &["pause", "ppoll", "rt_sigsuspend"], "newer architectures lack pause"),
    exact("pipe", &["pipe", "pipe2"], FLAGS),
    exact("poll", &["poll", "ppoll", "ppoll_time64"], "newer architectures lack poll"),
    exact("preadv", &["preadv", "preadv2"], "C libraries fall back if a kernel lacks preadv2"),
    exact("pwritev", &["pwritev", "pwritev2"], "C libraries fall back if a kernel lacks pwritev2"),
    loose("read", &["read", "readv"], "stdio: glibc uses read, musl readv"),
    exact("readlink", &["readlink", "readlinkat"], AT),
    exact("recvmmsg", &["recvmmsg", "recvmmsg_time64"], TIME64),
    exact("rename", &["rename", "renameat", "renameat2"], "riscv64 has renameat2 only"),
    exact("rmdir", &["rmdir", "unlinkat"], AT),
    exact("rt_sigaction", &["rt_sigaction", "sigaction", "signal"], "C libraries use the rt form"),
    exact("rt_sigpending", &["rt_sigpending", "sigpending"], "C libraries use the rt form"),
    exact("rt_sigprocmask", &["rt_sigprocmask", "sigprocmask"], "C libraries use the rt form"),
    exact("rt_sigsuspend", &["rt_sigsuspend", "sigsuspend"], "C libraries use the rt form"),
    exact("rt_sigtimedwait", &["rt_sigtimedwait", "rt_sigtimedwait_time64"], TIME64),
    exact("sched_rr_get_interval", &["sched_rr_get_interval", "sched_rr_get_interval_time64"], TIME64),
    exact("select", &["select", "_newselect", "pselect6", "pselect6_time64"], "newer architectures lack select"),
    exact(
        "semop",
        &["semop", "semtimedop", "semtimedop_time64"],
        "glibc's semop(2) uses semtimedop on architectures without semop",
    ),
    exact("setrlimit", &["setrlimit", "prlimit64"], "glibc and musl use prlimit64"),
    exact("signalfd", &["signalfd", "signalfd4"], FLAGS),
    exact(
        "stat",
        &["stat", "fstat", "lstat", "newfstatat", "statx", "stat64", "fstat64", "lstat64", "fstatat64"],
        "glibc's fstat(2) uses newfstatat from 2.33 to 2.38; Rust's std tries statx first",
    ),
    exact("statfs", &["statfs", "statfs64"], WIDE),
    exact("symlink", &["symlink", "symlinkat"], AT),
    exact("timer_gettime", &["timer_gettime", "timer_gettime64"], TIME64),
    exact("timer_settime", &["timer_settime", "timer_settime64"], TIME64),
    exact("timerfd_gettime", &["timerfd_gettime", "timerfd_gettime64"], TIME64),
    exact("timerfd_settime", &["timerfd_settime", "timerfd_settime64"], TIME64),
    exact("truncate", &["truncate", "truncate64"], WIDE),
    exact("umount", &["umount", "umount2"], FLAGS),
    exact("unlink", &["unlink", "unlinkat"], AT),
    exact("utime", &["utime", "utimes", "futimesat", "utimensat", "utimensat_time64"], "C libraries use utimensat"),
    loose("wait4", &["wait4", "waitpid", "waitid"], "Rust's std uses waitid with a pidfd, otherwise wait4"),
    loose("write", &["write", "writev"], "stdio: glibc uses write, musl writev"),
];

/// Returns the families of a syscall; prlimit64 belongs to two.
pub fn of(syscall: &str) -> impl Iterator<Item = &'static Family> {
    FAMILIES.iter().filter(move |family| family.members.contains(&syscall))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::kernel::syscall::{Abi, Syscall};

    #[test]
    fn rows_have_unique_names_and_reasons() {
        let names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
        let sorted: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), sorted.len(), "a duplicate name");
        for Family { name, members, why, .. } in FAMILIES {
            assert!(members.contains(name) && !why.is_empty(), "{name}");
            assert!(members.len() > 1, "{name} has one member");
            assert_eq!(members.iter().collect::<BTreeSet<_>>().len(), members.len(), "{name} has a duplicate member");
        }
    }

    /// A misspelled name would silently match nothing.
    #[test]
    fn every_member_is_a_syscall() {
        for family in FAMILIES {
            for member in family.members {
                let known = Abi::ALL.into_iter().any(|abi| Syscall::from_name(abi, member).is_some());
                assert!(known, "{member} of {}", family.name);
            }
        }
    }

    #[test]
    fn similar_syscalls_are_no_family() {
        for pair in [
            ["setuid", "setfsuid"],
            ["mount", "fsopen"],
            ["execve", "execveat"],
            ["socket", "socketpair"],
            ["truncate", "ftruncate"],
            ["mprotect", "pkey_mprotect"],
            ["kill", "pidfd_send_signal"],
            ["init_module", "finit_module"],
        ] {
            assert!(of(pair[0]).all(|family| !family.members.contains(&pair[1])), "{pair:?}");
        }
        assert_eq!(of("prlimit64").map(|family| family.name).collect::<Vec<_>>(), ["getrlimit", "setrlimit"]);
    }
}
