//! What a call does to the fd table of its caller. Main function: [`fd_effect`].
//!
//! It errs on one side only: a call that no list names counts as one that may add any fd. That
//! includes calls of other ABIs and calls that a later kernel adds.

mod harmless;

use crate::model::attribution::Memory;
use crate::model::attribution::calls::{Subject, shape};
use crate::model::attribution::files::{changes_family, clone_flags};
use crate::model::kernel::call::{Call, CallOutcome, Errno};
use crate::model::kernel::uapi;

/// The effect of a call on the fds of its caller. Only calls without one may pass a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FdEffect {
    /// None: the call may pass.
    None,
    /// None on fds, but the call must stop: it could see the CPU affinity that the tracer has set.
    Looks,
    /// It closes this fd.
    Closes(i32),
    /// It returns a new fd.
    Opens,
    /// It writes the numbers of two new fds to this address.
    OpensTwo(u64),
    /// It may receive fds if the socket is one of AF_UNIX: SCM_RIGHTS, unix(7).
    Receives,
    /// It makes a task or executes a program, which the kernel reports with a stop of its own.
    Spawns,
    /// It may change any fd, even if the call fails. The guard must look at all of them.
    Anything,
    /// It changes the kind of an open file, in every table that has an fd of it.
    Changes,
    /// It installs a filter of the workload's own, which may answer a call before our filter does.
    Filters,
}

/// Calls that return at most one fd and add no other.
const OPENING: &[&str] = &["accept", "accept4", "dup", "dup2", "dup3", "open_tree", "open_tree_attr"];

/// Calls that make a task like their caller, or replace its program.
const SPAWNING: &[&str] = &["execve", "execveat", "fork", "vfork"];

/// fcntl commands that act on one fd and add none.
#[rustfmt::skip]
const FCNTL: &[u64] = &[
    uapi::F_GETFD, uapi::F_SETFD, uapi::F_GETFL, uapi::F_SETFL, uapi::F_GETLK, uapi::F_SETLK, uapi::F_SETLKW,
    uapi::F_OFD_GETLK, uapi::F_OFD_SETLK, uapi::F_OFD_SETLKW, uapi::F_SETPIPE_SZ, uapi::F_GETPIPE_SZ,
    uapi::F_ADD_SEALS, uapi::F_GET_SEALS,
];

const DUPLICATING: &[u64] = &[uapi::F_DUPFD, uapi::F_DUPFD_CLOEXEC];

/// ioctl commands that add no fd: queries of terminals, files and network interfaces. `SIOCGSKNS`,
/// which follows `SIOCOUTQNSD`, and some commands above it add fds.
pub(super) fn ioctls() -> impl Iterator<Item = u64> {
    #[rustfmt::skip]
    const SINGLE: [u64; 14] = [
        uapi::TCGETS, uapi::TCSETS, uapi::TCSETSW, uapi::TCSETSF, uapi::TIOCGPGRP, uapi::TIOCSPGRP, uapi::TIOCOUTQ,
        uapi::TIOCGWINSZ, uapi::TIOCSWINSZ, uapi::FIONREAD, uapi::FIONBIO, uapi::FIONCLEX, uapi::FIOCLEX,
        uapi::SIOCGSTAMP_OLD,
    ];
    let of_interfaces = (uapi::SIOCGIFNAME..=uapi::SIOCOUTQNSD).chain([uapi::SIOCGIFMAP, uapi::SIOCSIFMAP]);
    SINGLE.into_iter().chain(of_interfaces)
}

const SET_MODES: [u64; 2] = [uapi::SECCOMP_SET_MODE_STRICT, uapi::SECCOMP_SET_MODE_FILTER];

/// prctl options that name a task, or that read or set its signals and timers.
#[rustfmt::skip]
const PRCTL: &[u64] = &[
    uapi::PR_SET_PDEATHSIG, uapi::PR_GET_PDEATHSIG, uapi::PR_GET_DUMPABLE, uapi::PR_GET_KEEPCAPS,
    uapi::PR_SET_KEEPCAPS, uapi::PR_SET_NAME, uapi::PR_GET_NAME, uapi::PR_CAPBSET_READ, uapi::PR_SET_TIMERSLACK,
    uapi::PR_GET_TIMERSLACK, uapi::PR_SET_VMA,
];

/// Returns the effect of a call. One with arguments in memory that was not read may do anything.
pub fn fd_effect(call: &Call, memory: &Memory) -> FdEffect {
    let Some(row) = call.syscall.row() else { return FdEffect::Anything };
    let [first, second] = [call.args[0], call.args[1]].map(|arg| arg & 0xffff_ffff);
    match row.name {
        "close" => FdEffect::Closes(first as i32),
        "seccomp" if SET_MODES.contains(&first) => FdEffect::Filters,
        "prctl" if first == uapi::PR_SET_SECCOMP => FdEffect::Filters,
        "prctl" if PRCTL.contains(&first) => FdEffect::None,
        "fcntl" | "fcntl64" if FCNTL.contains(&second) => FdEffect::None,
        "fcntl" | "fcntl64" if DUPLICATING.contains(&second) => FdEffect::Opens,
        "ioctl" if ioctls().any(|command| command == second) => FdEffect::None,
        "getsockopt" if answers_with_a_value(second, call.args[2]) => FdEffect::None,
        "setsockopt" | "socketcall" if changes_family(call, memory) => FdEffect::Changes,
        "setsockopt" => FdEffect::None,
        "pipe" | "pipe2" => FdEffect::OpensTwo(call.args[0]),
        "socketpair" => FdEffect::OpensTwo(call.args[3]),
        "recvmsg" => FdEffect::Receives,
        // With CLONE_PIDFD, the kernel writes the new task's pidfd to memory.
        "clone" | "clone3" if clone_flags(call, memory).is_some_and(|flags| flags & uapi::CLONE_PIDFD == 0) => {
            FdEffect::Spawns
        }
        "sched_getaffinity" | "sched_setaffinity" => FdEffect::Looks,
        name if SPAWNING.contains(&name) => FdEffect::Spawns,
        name if OPENING.contains(&name) => FdEffect::Opens,
        name if harmless::NAMES.binary_search(&name).is_ok() => FdEffect::None,
        // The kernel opens files for its rings without a call.
        "io_uring_setup" => FdEffect::Anything,
        name if returns_an_fd(name) => FdEffect::Opens,
        _ => FdEffect::Anything,
    }
}

/// Returns whether the call moves data or control through an fd. On some kinds of file that adds
/// fds: for example a read from a fanotify group or a userfaultfd.
pub fn acts_through_fd(call: &Call) -> bool {
    let shape = call.syscall.row().and_then(|row| shape(row.name));
    shape.is_none_or(|shape| matches!(shape.subject, Subject::Fd(_)))
}

/// Returns whether a finished call makes a run under our filter incomplete.
///
/// That is so if it has installed a filter, or if it may have failed because of ours. `has_filter`:
/// the whole session already runs under a filter.
///
/// "EINVAL: […] the calling thread is already in […] another" mode, "EBUSY: […] a filter with
/// SECCOMP_FILTER_FLAG_NEW_LISTENER […] is already installed", seccomp(2).
pub fn conflicts_with_filter(call: &Call, outcome: CallOutcome, has_filter: bool) -> bool {
    const REFUSED: [i32; 3] = [uapi::EACCES, uapi::EFAULT, uapi::EINVAL];
    if fd_effect(call, &Memory::default()) != FdEffect::Filters {
        return false;
    }
    match outcome {
        CallOutcome::Failed(Errno(uapi::EINVAL)) if asks_for_strict_mode(call) => !has_filter,
        CallOutcome::Failed(Errno(errno)) => !REFUSED.contains(&errno),
        CallOutcome::NeverReturned => false,
        CallOutcome::Returned(_) | CallOutcome::Restarting | CallOutcome::Unknown => true,
    }
}

/// seccomp(2) accepts strict mode only without flags and without an argument.
fn asks_for_strict_mode(call: &Call) -> bool {
    let [first, second, third, ..] = call.args;
    match call.syscall.row().map(|row| row.name) {
        Some("prctl") => second == uapi::SECCOMP_MODE_STRICT,
        Some("seccomp") => u64::from(first as u32) == uapi::SECCOMP_SET_MODE_STRICT && second as u32 == 0 && third == 0,
        _ => false,
    }
}

const PROTOCOLS: [u64; 4] = [uapi::IPPROTO_IP, uapi::IPPROTO_TCP, uapi::IPPROTO_UDP, uapi::IPPROTO_IPV6];

/// Returns whether getsockopt answers this option with a plain value. A newer option, or one of
/// another protocol, may answer with an fd.
fn answers_with_a_value(level: u64, option: u64) -> bool {
    level == uapi::SOL_SOCKET && option < uapi::SO_PEERPIDFD || PROTOCOLS.contains(&level)
}

fn returns_an_fd(name: &str) -> bool {
    let subject = shape(name).map(|shape| shape.subject);
    matches!(subject, Some(Subject::Opened(_) | Subject::Socket | Subject::Made(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::{Abi, Syscall};

    fn of(name: &str, args: &[u64]) -> FdEffect {
        let args = std::array::from_fn(|at| args.get(at).copied().unwrap_or(0));
        let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
        fd_effect(&Call { syscall, args, instruction_pointer: 0 }, &Memory::default())
    }

    #[test]
    fn effect_names_every_call_that_adds_fds() {
        for (name, args, expected) in [
            ("read", &[3][..], FdEffect::None),
            ("getppid", &[], FdEffect::None),
            ("close", &[3], FdEffect::Closes(3)),
            ("openat", &[], FdEffect::Opens),
            ("socket", &[], FdEffect::Opens),
            ("eventfd2", &[], FdEffect::Opens),
            ("open_tree", &[], FdEffect::Opens),
            ("accept4", &[3], FdEffect::Opens),
            ("dup2", &[3, 4], FdEffect::Opens),
            ("fcntl", &[3, 0], FdEffect::Opens),
            ("fcntl", &[3, 1030], FdEffect::Opens),
            ("fcntl", &[3, 8], FdEffect::Anything),
            ("fcntl", &[3, 3], FdEffect::None),
            ("pipe2", &[0x1000], FdEffect::OpensTwo(0x1000)),
            ("socketpair", &[1, 1, 0, 0x1000], FdEffect::OpensTwo(0x1000)),
            ("recvmsg", &[3, 0x1000], FdEffect::Receives),
            ("recvmmsg", &[3, 0x1000], FdEffect::Anything),
            ("setsockopt", &[3, 41, 1], FdEffect::Changes),
            ("setsockopt", &[3, 1, 2], FdEffect::None),
            ("getsockopt", &[3, 1, 4], FdEffect::None),
            ("getsockopt", &[3, 6, 11], FdEffect::None),
            ("getsockopt", &[3, 1, 77], FdEffect::Anything),
            ("getsockopt", &[3, 132, 102], FdEffect::Anything),
            ("io_uring_setup", &[], FdEffect::Anything),
            ("bpf", &[], FdEffect::Anything),
            ("execve", &[], FdEffect::Spawns),
            ("vfork", &[], FdEffect::Spawns),
            ("sched_getaffinity", &[], FdEffect::Looks),
            ("clone", &[0x11], FdEffect::Spawns),
            ("clone", &[0x1011], FdEffect::Anything),
            ("clone3", &[], FdEffect::Anything),
            ("ioctl", &[3, 0x8913], FdEffect::None),
            ("ioctl", &[3, 0x894c], FdEffect::Anything),
            ("ioctl", &[3, 0xae01], FdEffect::Anything),
            ("seccomp", &[1], FdEffect::Filters),
            ("seccomp", &[2], FdEffect::Anything),
            ("prctl", &[22], FdEffect::Filters),
            ("prctl", &[15], FdEffect::None),
            ("prctl", &[4], FdEffect::Anything),
        ] {
            assert_eq!(of(name, args), expected, "{name} {args:x?}");
        }
        let unknown = Syscall { abi: Abi::X86_64, number: 0x3e7 };
        assert_eq!(
            fd_effect(&Call { syscall: unknown, args: [0; 6], instruction_pointer: 0 }, &Memory::default()),
            FdEffect::Anything
        );
    }

    #[test]
    fn refused_filter_matters_only_because_of_ours() {
        use CallOutcome::{Failed, NeverReturned, Returned};
        for (name, args, outcome, [alone, filtered]) in [
            ("prctl", &[22, 2, 0x1000][..], Returned(0), [true, true]),
            ("seccomp", &[1, 8, 0x1000], Returned(5), [true, true]),
            ("prctl", &[22, 2, 0], Failed(Errno(14)), [false, false]),
            ("prctl", &[22, 7], Failed(Errno(22)), [false, false]),
            ("seccomp", &[1, 0, 0x1000], Failed(Errno(13)), [false, false]),
            ("seccomp", &[1, 8, 0x1000], Failed(Errno(16)), [true, true]),
            ("seccomp", &[1, 0, 0x1000], Failed(Errno(12)), [true, true]),
            ("prctl", &[22, 1], Failed(Errno(22)), [true, false]),
            ("seccomp", &[0], Failed(Errno(22)), [true, false]),
            ("seccomp", &[0, 1], Failed(Errno(22)), [false, false]),
            ("seccomp", &[0, 0, 1], Failed(Errno(22)), [false, false]),
            ("seccomp", &[1], NeverReturned, [false, false]),
            ("prctl", &[15], Returned(0), [false, false]),
            ("seccomp", &[2], Returned(0), [false, false]),
        ] {
            let args = std::array::from_fn(|at| args.get(at).copied().unwrap_or(0));
            let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
            let call = Call { syscall, args, instruction_pointer: 0 };
            let needs = [false, true].map(|has_filter| conflicts_with_filter(&call, outcome, has_filter));
            assert_eq!(needs, [alone, filtered], "{name} {args:x?} {outcome:?}");
        }
    }

    #[test]
    fn effect_covers_calls_of_another_abi() {
        for (name, args, memory, expected) in [
            ("fcntl64", [3, 0, 0], [0; 3], FdEffect::Opens),
            ("fcntl64", [3, 8, 0], [0; 3], FdEffect::Anything),
            ("recvmmsg_time64", [3, 0, 0], [0; 3], FdEffect::Anything),
            ("recvmsg", [3, 0, 0], [0; 3], FdEffect::Receives),
            ("socketcall", [17, 8, 0], [3, 0, 0], FdEffect::Anything),
            ("socketcall", [14, 8, 0], [3, 41, 1], FdEffect::Changes),
            ("read", [3, 0, 0], [0; 3], FdEffect::None),
        ] {
            let syscall = Syscall::from_name(Abi::I386, name).expect(name);
            let args = std::array::from_fn(|at| args.get(at).copied().unwrap_or(0));
            let memory: Vec<u8> = memory.iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
            let call = Call { syscall, args, instruction_pointer: 0 };
            assert_eq!(fd_effect(&call, &Memory::new(&memory)), expected, "{name}");
        }
    }
}
