//! Tests of the table: it covers every call, and conditions select what can happen.

use std::collections::BTreeSet;

use super::conditions::Condition;
use super::rows::ROWS;
use super::*;
use crate::model::explore::samples::call;
use crate::model::kernel::syscall::{Abi, table};

/// Returns the plausible faults as words.
fn words(call: &SurveyedCall) -> String {
    match plausible(call) {
        Ok(faults) => faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Err(none) => format!("{none:?}"),
    }
}

/// Returns the names of all calls of all ABIs.
fn names() -> BTreeSet<&'static str> {
    Abi::ALL.into_iter().flat_map(table::rows).map(|row| row.name).collect()
}

#[test]
fn every_call_has_errors_or_a_reason() {
    let with_rows: BTreeSet<&str> = ROWS.iter().flat_map(Row::calls).collect();
    let exempt: BTreeSet<&str> = exempt::names().collect();
    let both: Vec<_> = with_rows.intersection(&exempt).collect();
    assert!(both.is_empty(), "{both:?}");
    let bases: BTreeSet<&str> = names().into_iter().map(base).collect();
    let is_young = |name: &str| Syscall::from_name(Abi::X86_64, name).is_some_and(is_young);
    let is_covered = |name: &&&str| with_rows.contains(**name) || exempt.contains(**name) || is_young(name);
    let missing: Vec<_> = bases.iter().filter(|name| !is_covered(name)).collect();
    assert!(missing.is_empty(), "no errors and no reason: {missing:?}");
    let unknown: Vec<_> = with_rows.union(&exempt).filter(|name| !bases.contains(**name)).collect();
    assert!(unknown.is_empty(), "no such call: {unknown:?}");
    let twice: Vec<_> =
        exempt::names().filter(|name| exempt::names().filter(|other| other == name).count() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn every_error_of_the_table_has_a_name() {
    for row in ROWS {
        let known = row.faults().count();
        assert_eq!(row.words().count(), known, "{row:?}");
        assert!(known > 0, "{row:?}");
        let shortens = row.words().any(|word| word == "short");
        assert!(!shortens || row.calls().all(|name| count_register(name).is_some()), "{row:?}");
        let of_path = row.conditions.iter().any(|condition| matches!(condition, Condition::Path(_)));
        assert!(!of_path || row.calls().all(|name| matches!(name, "newfstatat" | "statx")), "{row:?}");
    }
}

#[test]
fn errors_follow_object_and_argument() {
    for (call, expected) in [
        (call("read", "file:ext4").returned(10).args([3, 0, 100, 0, 0, 0]), "EIO short"),
        (call("read", "file:ext4").returned(1).args([3, 0, 100, 0, 0, 0]), "EIO"),
        (call("read", "file:ext4").returned(0).args([3, 0, 100, 0, 0, 0]), "EIO"),
        (call("read", "file:proc").returned(10).args([3, 0, 100, 0, 0, 0]), "NotHere"),
        (call("read", "char:null"), "NotHere"),
        (call("read", "pipe").nonblocking(false), "EINTR"),
        (call("read", "pipe").nonblocking(true), "EAGAIN"),
        (call("read", "pipe").nonblocking(true).failed("EAGAIN"), "FailedAlready"),
        (call("read", "pipe"), "EINTR"),
        (call("read", "socket:AF_INET:SOCK_STREAM"), "ECONNRESET ETIMEDOUT EINTR"),
        (call("read", "anon_inode:eventfd").nonblocking(true), "EAGAIN"),
        (call("readv", "file:xfs").returned(10), "EIO"),
        (call("write", "file").returned(4).args([3, 0, 4, 0, 0, 0]), "ENOSPC EIO EDQUOT short"),
        (call("write", "file").returned(4).args([2, 0, 4, 0, 0, 0]), "StandardError"),
        (call("writev", "pipe").args([2, 0, 4, 0, 0, 0]), "StandardError"),
        (call("write", "pipe"), "EPIPE EINTR"),
        (call("write", "pipe").args([1, 0, 4, 0, 0, 0]), "ENOSPC EPIPE EINTR"),
        (call("write", "char:pts").args([1, 0, 4, 0, 0, 0]), "EIO EINTR"),
        (call("write", "memfd"), "NotHere"),
        (call("pread64", "file").returned(9).args([3, 0, 9, 0, 0, 0]), "EIO short"),
        (
            call("openat", "file:ext4").argument("O_WRONLY|O_CREAT"),
            "ENOSPC EACCES EROFS EDQUOT ENOENT EIO EMFILE ENFILE",
        ),
        (call("openat", "file:proc"), "ENOENT EACCES EMFILE ENFILE"),
        (call("openat", "").failed("ENOENT"), "EACCES EMFILE ENFILE"),
        (call("openat", "fifo"), "ENOENT EACCES EINTR EMFILE ENFILE"),
        (call("newfstatat", "file").args([3, 0, 0, 0x1000, 0, 0]), "NotHere"),
        (call("newfstatat", "file").args([3, 0, 0, 0x100, 0, 0]), "ENOENT EACCES EIO"),
        (call("statx", "file").args([3, 0, 0x1000, 0, 0, 0]), "NotHere"),
        (call("close", "file"), "EIO ENOSPC EDQUOT"),
        (call("close", "pipe"), "NotHere"),
        (call("getrandom", "").args([0, 32, 0, 0, 0, 0]).returned(32), "NotHere"),
        (call("getrandom", "").args([0, 512, 0, 0, 0, 0]).returned(512), "EINTR short"),
        (call("fcntl", "file").argument("F_GETFD"), "NotHere"),
        (call("fcntl", "file").argument("F_DUPFD_CLOEXEC"), "EMFILE"),
        (call("flock", "file").args([3, 6, 0, 0, 0, 0]), "EAGAIN ENOLCK"),
        (call("flock", "file").args([3, 2, 0, 0, 0, 0]), "EINTR ENOLCK"),
        (call("ioctl", "char:pts").argument("TCGETS"), "EIO"),
        (call("ioctl", "char:pts").argument("FIOCLEX"), "NotHere"),
        (call("ioctl", "file:btrfs").argument("FICLONE"), "EOPNOTSUPP EXDEV"),
        (call("socket", "socket:AF_UNIX:SOCK_STREAM").argument("AF_UNIX"), "EMFILE ENFILE ENOBUFS"),
        (call("socket", "socket:AF_INET6:SOCK_STREAM").argument("AF_INET6"), "EMFILE EAFNOSUPPORT ENFILE ENOBUFS"),
        (call("connect", "socket:AF_INET:SOCK_STREAM"), "ECONNREFUSED ETIMEDOUT ENETUNREACH EADDRNOTAVAIL"),
        (call("connect", "socket:AF_UNIX:SOCK_STREAM").failed("ENOENT"), "ECONNREFUSED EACCES"),
        (call("recvfrom", "socket:AF_INET:SOCK_DGRAM").returned(40).args([3, 0, 99, 0, 0, 0]), "ECONNREFUSED EINTR"),
        (call("recvfrom", "socket:AF_INET:SOCK_DGRAM").args([3, 0, 99, 0x40, 0, 0]), "ECONNREFUSED EAGAIN"),
        (
            call("recvfrom", "socket:AF_UNIX:SOCK_STREAM").returned(40).args([3, 0, 99, 0, 0, 0]),
            "ECONNRESET EINTR short",
        ),
        (call("mmap", "").args([0, 9000, 3, 0x22, 0, 0]), "ENOMEM"),
        (call("mmap", "").args([0, 9000, 3, 0x2_0022, 0, 0]), "NotHere"),
        (call("mmap", "").args([0, 9000, 0, 0x2_0022, 0, 0]), "ENOMEM"),
        (call("mmap", "file:ext4").args([0, 9000, 1, 0x2, 3, 0]), "ENOMEM ENODEV"),
        (call("mprotect", "").args([0, 4096, 0, 0, 0, 0]), "NotHere"),
        (call("mprotect", "").args([0, 4096, 3, 0, 0, 0]), "ENOMEM"),
        (call("wait4", "").args([0, 0, 1, 0, 0, 0]), "ECHILD"),
        (call("wait4", "").args([0, 0, 0, 0, 0, 0]), "EINTR ECHILD"),
        (call("nanosleep", "").args([16, 32, 0, 0, 0, 0]), "NotHere"),
        (call("nanosleep", "").args([16, 16, 0, 0, 0, 0]), "EINTR"),
        (call("clock_nanosleep", "").args([0, 0, 16, 32, 0, 0]), "NotHere"),
        (call("clock_nanosleep", "").args([0, 1, 16, 32, 0, 0]), "EINTR"),
        (call("faccessat2", "file"), "ENOENT EACCES EIO ENOSYS"),
        (call("openat2", "").failed("ENOSYS"), "ENOENT EACCES EMFILE ENFILE"),
        (call("clone3", ""), "EAGAIN ENOMEM ENOSYS"),
    ] {
        let shown = format!("{} {:?} {:?} {:?}", call.point.syscall, call.used.argument, call.used.object, call.args);
        assert_eq!(words(&call), expected, "{shown}");
    }
}

#[test]
fn calls_without_result_and_exempt_calls_have_no_errors() {
    let mut unfinished = call("read", "pipe");
    unfinished.outcome = CallOutcome::Restarting;
    assert_eq!(plausible(&unfinished), Err(NoFault::NoResult));
    unfinished.outcome = CallOutcome::NeverReturned;
    assert_eq!(plausible(&unfinished), Err(NoFault::NoResult));
    for name in ["brk", "futex", "sched_yield", "rt_sigreturn", "exit_group"] {
        assert!(matches!(plausible(&call(name, "")), Err(NoFault::Exempt(_))), "{name}");
    }
    let mut unnamed = call("read", "");
    unnamed.point.syscall.number = 9999;
    assert_eq!(plausible(&unnamed), Err(NoFault::Unknown));
}

#[test]
fn variants_for_32_bits_have_the_errors_of_the_call() {
    for (name, other) in [("fcntl64", "fcntl"), ("mmap2", "mmap"), ("waitpid", "wait4"), ("chown32", "chown")] {
        assert_eq!(base(name), other);
    }
    for name in ["pread64", "getdents64", "prlimit64", "fadvise64", "openat2", "dup3"] {
        assert_eq!(base(name), name);
    }
    assert_eq!(base("fadvise64_64"), "fadvise64");
    let carried = call("socketcall", "socket:AF_INET:SOCK_STREAM").argument("SYS_CONNECT/loopback");
    assert_eq!(words(&carried), "ECONNREFUSED ETIMEDOUT ENETUNREACH EADDRNOTAVAIL");
    let sent = call("socketcall", "socket:AF_INET:SOCK_STREAM").argument("SYS_SEND").returned(9);
    assert_eq!(words(&sent), "EPIPE ECONNRESET EINTR");
    assert!(matches!(plausible(&call("socketcall", "")), Err(NoFault::Exempt(_))));
    assert_eq!(words(&call("ipc", "").argument("SEMGET")), "ENOSPC ENOMEM EACCES");
}

#[test]
fn short_call_moves_half_of_what_it_moved() {
    let half = |returned, asked| plausible(&call("write", "file").returned(returned).args([3, 0, asked, 0, 0, 0]));
    assert!(half(10, 100).expect("faults").contains(&Fault::Short(5)));
    assert!(half(3, 3).expect("faults").contains(&Fault::Short(1)));
}
