//! How each call is read: which register selects what it does, and which tells what it does it on.
//!
//! One row a call, by its name: architectures differ in numbers, and where they differ in arguments the call has another name or is undone by
//! [`meant`](super::meant::meant). A call without a row has neither argument nor object. Main type: [`Shape`].

use super::values::Value;
use super::values::table as values;

/// How the registers of a call are to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) selector: Selector,
    pub(crate) subject: Subject,
}

/// What selects one of the things that a multiplexing call can do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Selector {
    /// Nothing: it does one thing.
    None,
    /// A register, after a mask, is a value of a table.
    Value(usize, u64, &'static [Value]),
    /// Some bits of a register, after a mask, are flags of a table.
    Flags(usize, u64, &'static [Value]),
    /// As [`Selector::Flags`], in the first eight bytes where a register points.
    FlagsAt(usize, &'static [Value]),
    /// The first four bytes where a register points are a value of a table.
    ValueAt(usize, &'static [Value]),
    /// Protection bits, told only where PROT_EXEC is among them.
    Protection(usize),
    /// A clock: a value of the table, or made from a process or an fd.
    Clock(usize),
    /// The name of a filesystem where a register points, unless the flags in another one make it unused.
    Filesystem(usize, Option<usize>),
    /// Family, type and protocol of a socket.
    Family,
    /// Level and option.
    SocketOption(bool),
    /// An ioctl's command.
    Command,
}

/// What a call acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Nothing that has a kind.
    None,
    /// The fd in a register, through which data or control moves: its kind says what is reached.
    Fd(usize),
    /// The fd in a register, but the call is about the descriptor itself.
    Descriptor(usize),
    /// What the returned fd stands for. Opened by a path of which only the place is wanted (O_PATH), it was not reached.
    Opened(Flags),
    /// The ring in the first register: an fd, or its index in a table of the task's own if this bit is in that register.
    Ring(usize, u64),
    /// Something new, of a kind that the call itself tells.
    Made(&'static str),
    /// A new socket, told by the first three registers.
    Socket,
    /// What a path stands for before the call: afterwards it may be gone, or mean something else.
    PathBefore(Path),
    /// What a path stands for after the call.
    PathAfter(Path),
    /// The program that execve started.
    Program,
    /// The mapped file, if any.
    Mapped,
}

/// Where the flags of an open are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flags {
    /// Nowhere.
    None,
    /// In a register.
    In(usize),
    /// In the first eight bytes where a register points.
    At(usize),
}

/// Where a path is: the register of the directory it begins at, and its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) directory: Option<usize>,
    pub(crate) at: usize,
    /// What a link at its end means.
    pub(crate) link: Link,
}

/// Whether a link at the end of a path is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// It is.
    Followed,
    /// It is meant itself.
    Itself,
    /// It is, unless AT_SYMLINK_NOFOLLOW is in this register.
    FollowedUnless(usize),
    /// It is meant itself, unless AT_SYMLINK_FOLLOW is in this register.
    ItselfUnless(usize),
}

/// The shape of the call of this name.
pub(crate) fn shape(name: &str) -> Option<Shape> {
    CALLS.binary_search_by_key(&name, |&(name, ..)| name).ok().map(|at| {
        let (_, selector, subject) = CALLS[at];
        Shape { selector, subject }
    })
}

/// Every call that is read at all, with its shape.
pub(crate) fn shapes() -> impl Iterator<Item = (&'static str, Shape)> {
    CALLS.iter().map(|&(name, selector, subject)| (name, Shape { selector, subject }))
}

impl Selector {
    /// The values by name that it can select; those of an ioctl and of a socket's options are kept apart.
    pub(crate) fn values(self) -> &'static [Value] {
        match self {
            Self::Value(_, _, table) | Self::Flags(_, _, table) | Self::FlagsAt(_, table) | Self::ValueAt(_, table) => {
                table
            }
            Self::Protection(_) => &values::PROTECTION,
            Self::Clock(_) => &values::CLOCK,
            Self::Family => &values::FAMILY,
            Self::SocketOption(_) => &values::LEVEL,
            Self::None | Self::Filesystem(..) | Self::Command => &[],
        }
    }
}

use Selector as S;
use Subject as O;

const fn path(at: usize) -> Path {
    Path { directory: None, at, link: Link::Followed }
}

const fn link(at: usize) -> Path {
    Path { directory: None, at, link: Link::Itself }
}

/// A path from a directory's fd in the register before it.
const fn path_at(at: usize, link: Link) -> Path {
    Path { directory: Some(at - 1), at, link }
}

const ALL: u64 = u64::MAX;
const INT: u64 = 0xffff_ffff;
/// FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME, include/uapi/linux/futex.h
const NO_FUTEX_FLAGS: u64 = !(0x80 | 0x100);
/// `CSIGNAL`, include/uapi/linux/sched.h: the signal at the child's end, where clone3 has CLONE_NEWTIME
const NO_EXIT_SIGNAL: u64 = !0xff;
/// The version is above: `IPCCALL`, include/uapi/linux/ipc.h
const NO_IPC_VERSION: u64 = 0xffff;

/// include/uapi/linux/io_uring.h
const IORING_ENTER_REGISTERED_RING: u64 = 1 << 4;
const IORING_REGISTER_USE_REGISTERED_RING: u64 = 1 << 31;

/// Name, selector, subject; ordered by name.
const CALLS: &[(&str, Selector, Subject)] = &[
    ("_llseek", S::None, O::Descriptor(0)),
    ("accept", S::None, O::Fd(0)),
    ("accept4", S::None, O::Fd(0)),
    ("access", S::None, O::PathAfter(path(0))),
    ("acct", S::None, O::PathAfter(path(0))),
    ("arch_prctl", S::Value(0, INT, &values::ARCH_PRCTL), O::None),
    ("bind", S::None, O::Fd(0)),
    ("bpf", S::Value(0, INT, &values::BPF), O::None),
    ("cachestat", S::None, O::Descriptor(0)),
    ("chdir", S::None, O::PathBefore(path(0))),
    ("chmod", S::None, O::PathAfter(path(0))),
    ("chown", S::None, O::PathAfter(path(0))),
    ("chown32", S::None, O::PathAfter(path(0))),
    ("chroot", S::None, O::PathBefore(path(0))),
    ("clock_adjtime", S::Clock(0), O::None),
    ("clock_adjtime64", S::Clock(0), O::None),
    ("clock_getres", S::Clock(0), O::None),
    ("clock_getres_time64", S::Clock(0), O::None),
    ("clock_gettime", S::Clock(0), O::None),
    ("clock_gettime64", S::Clock(0), O::None),
    ("clock_nanosleep", S::Clock(0), O::None),
    ("clock_nanosleep_time64", S::Clock(0), O::None),
    ("clock_settime", S::Clock(0), O::None),
    ("clock_settime64", S::Clock(0), O::None),
    ("clone", S::Flags(0, NO_EXIT_SIGNAL, &values::CLONE), O::None),
    ("clone3", S::FlagsAt(0, &values::CLONE), O::None),
    ("close", S::None, O::Descriptor(0)),
    ("connect", S::None, O::Fd(0)),
    ("copy_file_range", S::None, O::Fd(0)),
    ("creat", S::None, O::Opened(Flags::None)),
    ("dup", S::None, O::Descriptor(0)),
    ("dup2", S::None, O::Descriptor(0)),
    ("dup3", S::None, O::Descriptor(0)),
    ("epoll_create", S::None, O::Made("anon_inode:eventpoll")),
    ("epoll_create1", S::None, O::Made("anon_inode:eventpoll")),
    ("epoll_ctl", S::None, O::Fd(0)),
    ("epoll_pwait", S::None, O::Fd(0)),
    ("epoll_pwait2", S::None, O::Fd(0)),
    ("epoll_wait", S::None, O::Fd(0)),
    ("eventfd", S::None, O::Made("anon_inode:eventfd")),
    ("eventfd2", S::None, O::Made("anon_inode:eventfd")),
    ("execve", S::None, O::Program),
    ("execveat", S::None, O::Program),
    ("faccessat", S::None, O::PathAfter(path_at(1, Link::Followed))),
    ("faccessat2", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(3)))),
    ("fadvise64", S::None, O::Descriptor(0)),
    ("fadvise64_64", S::None, O::Descriptor(0)),
    ("fallocate", S::None, O::Fd(0)),
    ("fanotify_init", S::None, O::Made("anon_inode:fanotify")),
    ("fanotify_mark", S::None, O::Fd(0)),
    ("fchdir", S::None, O::Descriptor(0)),
    ("fchmod", S::None, O::Descriptor(0)),
    ("fchmodat", S::None, O::PathAfter(path_at(1, Link::Followed))),
    ("fchmodat2", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(3)))),
    ("fchown", S::None, O::Descriptor(0)),
    ("fchown32", S::None, O::Descriptor(0)),
    ("fchownat", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(4)))),
    ("fcntl", S::Value(1, INT, &values::FCNTL), O::Descriptor(0)),
    ("fcntl64", S::Value(1, INT, &values::FCNTL), O::Descriptor(0)),
    ("fdatasync", S::None, O::Fd(0)),
    ("fgetxattr", S::None, O::Descriptor(0)),
    ("file_getattr", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(4)))),
    ("file_setattr", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(4)))),
    ("finit_module", S::None, O::Descriptor(0)),
    ("flistxattr", S::None, O::Descriptor(0)),
    ("flock", S::None, O::Descriptor(0)),
    ("fremovexattr", S::None, O::Descriptor(0)),
    ("fsconfig", S::None, O::Fd(0)),
    ("fsetxattr", S::None, O::Descriptor(0)),
    ("fsmount", S::None, O::Opened(Flags::None)),
    ("fsopen", S::Filesystem(0, None), O::Made("anon_inode:fscontext")),
    ("fspick", S::None, O::Made("anon_inode:fscontext")),
    ("fstat", S::None, O::Descriptor(0)),
    ("fstat64", S::None, O::Descriptor(0)),
    ("fstatat64", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(3)))),
    ("fstatfs", S::None, O::Descriptor(0)),
    ("fstatfs64", S::None, O::Descriptor(0)),
    ("fsync", S::None, O::Fd(0)),
    ("ftruncate", S::None, O::Fd(0)),
    ("ftruncate64", S::None, O::Fd(0)),
    ("futex", S::Value(1, NO_FUTEX_FLAGS & INT, &values::FUTEX), O::None),
    ("futex_time64", S::Value(1, NO_FUTEX_FLAGS & INT, &values::FUTEX), O::None),
    ("futimesat", S::None, O::PathAfter(path_at(1, Link::Followed))),
    ("getdents", S::None, O::Fd(0)),
    ("getdents64", S::None, O::Fd(0)),
    ("getpeername", S::None, O::Fd(0)),
    ("getsockname", S::None, O::Fd(0)),
    ("getsockopt", S::SocketOption(true), O::Fd(0)),
    ("getxattr", S::None, O::PathAfter(path(0))),
    ("getxattrat", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(2)))),
    ("inotify_add_watch", S::None, O::Fd(0)),
    ("inotify_init", S::None, O::Made("anon_inode:inotify")),
    ("inotify_init1", S::None, O::Made("anon_inode:inotify")),
    ("inotify_rm_watch", S::None, O::Fd(0)),
    ("io_uring_enter", S::None, O::Ring(3, IORING_ENTER_REGISTERED_RING)),
    ("io_uring_register", S::None, O::Ring(1, IORING_REGISTER_USE_REGISTERED_RING)),
    ("io_uring_setup", S::None, O::Made("anon_inode:io_uring")),
    ("ioctl", S::Command, O::Fd(0)),
    ("ipc", S::Value(0, NO_IPC_VERSION, &values::IPC), O::None),
    ("kexec_file_load", S::None, O::Descriptor(0)),
    ("keyctl", S::Value(0, INT, &values::KEYCTL), O::None),
    ("landlock_add_rule", S::None, O::Fd(0)),
    ("landlock_create_ruleset", S::None, O::Made("anon_inode:landlock-ruleset")),
    ("landlock_restrict_self", S::None, O::Fd(0)),
    ("lchown", S::None, O::PathAfter(link(0))),
    ("lchown32", S::None, O::PathAfter(link(0))),
    ("lgetxattr", S::None, O::PathAfter(link(0))),
    ("link", S::None, O::PathBefore(link(0))),
    ("linkat", S::None, O::PathBefore(path_at(1, Link::ItselfUnless(4)))),
    ("listen", S::None, O::Fd(0)),
    ("listxattr", S::None, O::PathAfter(path(0))),
    ("listxattrat", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(2)))),
    ("llistxattr", S::None, O::PathAfter(link(0))),
    ("lremovexattr", S::None, O::PathAfter(link(0))),
    ("lseek", S::None, O::Descriptor(0)),
    ("lsetxattr", S::None, O::PathAfter(link(0))),
    ("lstat", S::None, O::PathAfter(link(0))),
    ("lstat64", S::None, O::PathAfter(link(0))),
    ("madvise", S::Value(2, INT, &values::MADVISE), O::None),
    ("memfd_create", S::None, O::Made("memfd")),
    ("memfd_secret", S::None, O::Made("secretmem")),
    ("mkdir", S::None, O::PathAfter(link(0))),
    ("mkdirat", S::None, O::PathAfter(path_at(1, Link::Itself))),
    ("mknod", S::None, O::PathAfter(link(0))),
    ("mknodat", S::None, O::PathAfter(path_at(1, Link::Itself))),
    ("mmap", S::Protection(2), O::Mapped),
    ("mmap2", S::Protection(2), O::Mapped),
    ("mount", S::Filesystem(2, Some(3)), O::None),
    ("mount_setattr", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(2)))),
    ("move_mount", S::None, O::PathBefore(path_at(1, Link::Itself))),
    ("mprotect", S::Protection(2), O::None),
    ("mq_getsetattr", S::None, O::Fd(0)),
    ("mq_notify", S::None, O::Fd(0)),
    ("mq_open", S::None, O::Made("file:mqueue")),
    ("mq_timedreceive", S::None, O::Fd(0)),
    ("mq_timedreceive_time64", S::None, O::Fd(0)),
    ("mq_timedsend", S::None, O::Fd(0)),
    ("mq_timedsend_time64", S::None, O::Fd(0)),
    ("name_to_handle_at", S::None, O::PathAfter(path_at(1, Link::ItselfUnless(4)))),
    ("newfstatat", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(3)))),
    ("oldfstat", S::None, O::Descriptor(0)),
    ("oldlstat", S::None, O::PathAfter(link(0))),
    ("oldstat", S::None, O::PathAfter(path(0))),
    ("open", S::None, O::Opened(Flags::In(1))),
    ("open_by_handle_at", S::None, O::Opened(Flags::In(2))),
    ("open_tree", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(2)))),
    ("open_tree_attr", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(2)))),
    ("openat", S::None, O::Opened(Flags::In(2))),
    ("openat2", S::None, O::Opened(Flags::At(2))),
    ("perf_event_open", S::ValueAt(0, &values::PERF_TYPE), O::Made("anon_inode:perf_event")),
    ("pidfd_getfd", S::None, O::Opened(Flags::None)),
    ("pidfd_open", S::None, O::Made("anon_inode:pidfd")),
    ("pidfd_send_signal", S::None, O::Descriptor(0)),
    ("pipe", S::None, O::Made("pipe")),
    ("pipe2", S::None, O::Made("pipe")),
    ("pkey_mprotect", S::Protection(2), O::None),
    ("prctl", S::Value(0, INT, &values::PRCTL), O::None),
    ("pread64", S::None, O::Fd(0)),
    ("preadv", S::None, O::Fd(0)),
    ("preadv2", S::None, O::Fd(0)),
    ("process_madvise", S::Value(3, INT, &values::MADVISE), O::Descriptor(0)),
    ("process_mrelease", S::None, O::Descriptor(0)),
    ("pwrite64", S::None, O::Fd(0)),
    ("pwritev", S::None, O::Fd(0)),
    ("pwritev2", S::None, O::Fd(0)),
    ("quotactl", S::None, O::PathAfter(path(1))),
    ("quotactl_fd", S::None, O::Descriptor(0)),
    ("read", S::None, O::Fd(0)),
    ("readahead", S::None, O::Descriptor(0)),
    ("readdir", S::None, O::Fd(0)),
    ("readlink", S::None, O::PathAfter(link(0))),
    ("readlinkat", S::None, O::PathAfter(path_at(1, Link::Itself))),
    ("readv", S::None, O::Fd(0)),
    ("recv", S::None, O::Fd(0)),
    ("recvfrom", S::None, O::Fd(0)),
    ("recvmmsg", S::None, O::Fd(0)),
    ("recvmmsg_time64", S::None, O::Fd(0)),
    ("recvmsg", S::None, O::Fd(0)),
    ("removexattr", S::None, O::PathAfter(path(0))),
    ("removexattrat", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(2)))),
    ("rename", S::None, O::PathBefore(link(0))),
    ("renameat", S::None, O::PathBefore(path_at(1, Link::Itself))),
    ("renameat2", S::None, O::PathBefore(path_at(1, Link::Itself))),
    ("rmdir", S::None, O::PathBefore(link(0))),
    ("seccomp", S::Value(0, INT, &values::SECCOMP), O::None),
    ("send", S::None, O::Fd(0)),
    ("sendfile", S::None, O::Fd(1)),
    ("sendfile64", S::None, O::Fd(1)),
    ("sendmmsg", S::None, O::Fd(0)),
    ("sendmsg", S::None, O::Fd(0)),
    ("sendto", S::None, O::Fd(0)),
    ("setns", S::Flags(1, ALL, &values::CLONE), O::Descriptor(0)),
    ("setsockopt", S::SocketOption(false), O::Fd(0)),
    ("setxattr", S::None, O::PathAfter(path(0))),
    ("setxattrat", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(2)))),
    ("shutdown", S::None, O::Fd(0)),
    ("signalfd", S::None, O::Made("anon_inode:signalfd")),
    ("signalfd4", S::None, O::Made("anon_inode:signalfd")),
    ("socket", S::Family, O::Socket),
    ("socketcall", S::Value(0, INT, &values::SOCKETCALL), O::None),
    ("socketpair", S::Family, O::Socket),
    ("splice", S::None, O::Fd(0)),
    ("stat", S::None, O::PathAfter(path(0))),
    ("stat64", S::None, O::PathAfter(path(0))),
    ("statfs", S::None, O::PathAfter(path(0))),
    ("statfs64", S::None, O::PathAfter(path(0))),
    ("statx", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(2)))),
    ("swapoff", S::None, O::PathAfter(path(0))),
    ("swapon", S::None, O::PathAfter(path(0))),
    ("symlink", S::None, O::PathAfter(link(1))),
    ("symlinkat", S::None, O::PathAfter(path_at(2, Link::Itself))),
    ("sync_file_range", S::None, O::Fd(0)),
    ("syncfs", S::None, O::Fd(0)),
    ("tee", S::None, O::Fd(0)),
    ("timer_create", S::Clock(0), O::None),
    ("timerfd_create", S::Clock(0), O::Made("anon_inode:timerfd")),
    ("timerfd_gettime", S::None, O::Fd(0)),
    ("timerfd_gettime64", S::None, O::Fd(0)),
    ("timerfd_settime", S::None, O::Fd(0)),
    ("timerfd_settime64", S::None, O::Fd(0)),
    ("truncate", S::None, O::PathAfter(path(0))),
    ("truncate64", S::None, O::PathAfter(path(0))),
    ("umount", S::None, O::PathBefore(path(0))),
    ("umount2", S::None, O::PathBefore(path(0))),
    ("unlink", S::None, O::PathBefore(link(0))),
    ("unlinkat", S::None, O::PathBefore(path_at(1, Link::Itself))),
    ("unshare", S::Flags(0, ALL, &values::CLONE), O::None),
    ("userfaultfd", S::None, O::Made("anon_inode:userfaultfd")),
    ("utime", S::None, O::PathAfter(path(0))),
    ("utimensat", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(3)))),
    ("utimensat_time64", S::None, O::PathAfter(path_at(1, Link::FollowedUnless(3)))),
    ("utimes", S::None, O::PathAfter(path(0))),
    ("vmsplice", S::None, O::Fd(0)),
    ("write", S::None, O::Fd(0)),
    ("writev", S::None, O::Fd(0)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::syscall::{Abi, Syscall};

    #[test]
    fn calls_are_ordered_and_each_exists_somewhere() {
        assert!(CALLS.is_sorted_by(|a, b| a.0 < b.0));
        // Operations of i386's socketcall that no table has as calls of their own.
        let only_inside = ["recv", "send"];
        for (name, ..) in CALLS {
            let exists = Abi::ALL.into_iter().any(|abi| Syscall::from_name(abi, name).is_some());
            assert!(exists || only_inside.contains(name), "{name}");
        }
    }
}
