//! Which kinds of object a call can act on. The kernel refuses it on any other kind, before
//! anything is reached. Main functions: [`reaches`] and [`direction`].
//!
//! A row must hold for every file that the kernel makes of that kind.

use super::objects::{ObjectClass, ObjectKind};
use crate::model::kernel::call::Errno;
use crate::model::kernel::uapi::{SIOCGIFMAP, SIOCGIFNAME, SIOCOUTQNSD, SIOCSIFMAP};

/// In which direction a call on an fd moves bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// EBADF "if fd is not open for reading", read(2).
    Reads,
    /// EBADF "if fd is not open for writing", write(2).
    Writes,
}

/// Returns the direction of a call that only reads or only writes.
pub(crate) fn direction(name: &str) -> Option<Direction> {
    match name {
        "read" | "readv" | "pread64" | "preadv" | "preadv2" => Some(Direction::Reads),
        "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2" => Some(Direction::Writes),
        _ => None,
    }
}

/// Returns whether a call of this name can reach an object of this kind.
pub(crate) fn reaches(name: &str, args: &[u64; 6], object: &ObjectKind) -> bool {
    let class = object.class();
    if let Some((_, only)) = ONE_KIND_CALLS.iter().find(|(calls, _)| calls.contains(&name)) {
        return class == ObjectClass::Anonymous(only);
    }
    let is_socket = matches!(class, ObjectClass::Socket { .. });
    match name {
        name if SOCKET_CALLS.contains(&name) => is_socket,
        // ENOTTY: files of a filesystem and pipes have no network interfaces.
        "ioctl" if is_socket_command(args[1]) => {
            !matches!(class, ObjectClass::File(_) | ObjectClass::Directory(_) | ObjectClass::Pipe)
        }
        // ENOTDIR: iterate_dir(), fs/readdir.c.
        "getdents" | "getdents64" => matches!(class, ObjectClass::Directory(_)),
        "mmap" | "mmap2" => can_be_mapped(class),
        // ESPIPE: `FMODE_PREAD` and `FMODE_PWRITE`, fs/read_write.c.
        "pread64" | "preadv" | "pwrite64" | "pwritev" if class.is_pipe() || is_socket => false,
        // EISDIR or EINVAL: `FMODE_CAN_READ` and `FMODE_CAN_WRITE`, fs/open.c.
        _ => match direction(name) {
            Some(Direction::Reads) => can_be_read(class),
            Some(Direction::Writes) => can_be_read(class) && can_be_written(class),
            None => true,
        },
    }
}

/// Returns whether files of this class have an mmap method. A file of proc has one if it shows a
/// device or the memory of a crashed kernel; the guard never counts those as safe.
fn can_be_mapped(class: ObjectClass<'_>) -> bool {
    match class {
        ObjectClass::File(filesystem) => filesystem != Some("proc"),
        ObjectClass::Directory(_) | ObjectClass::Pipe | ObjectClass::Fifo => false,
        ObjectClass::Anonymous(name) => {
            !["eventfd", "eventpoll", "inotify", "pidfd", "signalfd", "timerfd"].contains(&name)
        }
        ObjectClass::Character(device) => {
            !["full", "null", "ptmx", "pts", "random", "tty", "urandom"].contains(&device)
        }
        ObjectClass::Socket { .. }
        | ObjectClass::Block(_)
        | ObjectClass::Memfd
        | ObjectClass::Namespace(_)
        | ObjectClass::Other(_) => true,
    }
}

/// Returns whether files of this class have a read method.
fn can_be_read(class: ObjectClass<'_>) -> bool {
    match class {
        ObjectClass::Directory(_) => false,
        ObjectClass::Anonymous(name) => !["eventpoll", "pidfd"].contains(&name),
        ObjectClass::File(_)
        | ObjectClass::Pipe
        | ObjectClass::Fifo
        | ObjectClass::Socket { .. }
        | ObjectClass::Character(_)
        | ObjectClass::Block(_)
        | ObjectClass::Memfd
        | ObjectClass::Namespace(_)
        | ObjectClass::Other(_) => true,
    }
}

/// Returns whether files of this class with a read method have a write method too.
fn can_be_written(class: ObjectClass<'_>) -> bool {
    !matches!(class, ObjectClass::Anonymous("inotify" | "signalfd" | "timerfd"))
}

/// Returns whether an ioctl command is about network interfaces and adds no fd:
/// a range of them, with `SIOCGIFMAP` and `SIOCSIFMAP`.
pub(crate) fn is_socket_command(command: u64) -> bool {
    matches!(command, SIOCGIFNAME..=SIOCOUTQNSD | SIOCGIFMAP | SIOCSIFMAP)
}

/// Returns whether a call of this name failed without reaching the object of its fd: the fd is
/// closed, is not open for this direction, or is of a kind that the call cannot act on.
///
/// On such a kind the errno says nothing, because other arguments may be checked first. For
/// example, epoll_ctl(2) on a file of proc that is also the file to watch fails with EPERM, because
/// that file cannot be polled, and not with EINVAL.
pub(crate) fn is_refused(name: &str, errno: Errno, object: Option<&ObjectKind>) -> bool {
    if object.is_some_and(|object| !reaches(name, &[0; 6], object)) {
        return true;
    }
    match &*errno.name() {
        "EBADF" => true,
        "EISDIR" | "ESPIPE" => direction(name).is_some(),
        "ENOTDIR" => matches!(name, "getdents" | "getdents64"),
        "ENOTSOCK" => SOCKET_CALLS.contains(&name),
        "ENOTTY" => name == "ioctl",
        _ => false,
    }
}

/// ENOTSOCK: sockfd_lookup_light(), net/socket.c.
#[rustfmt::skip]
const SOCKET_CALLS: &[&str] = &[
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recv", "recvfrom", "recvmmsg", "recvmsg", "send",
    "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
];

/// Calls for one kind of anonymous file, which refuse all others: fs/eventpoll.c, fs/timerfd.c,
/// fs/notify/inotify/inotify_user.c.
const ONE_KIND_CALLS: &[(&[&str], &str)] = &[
    (&["epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait"], "eventpoll"),
    (&["timerfd_gettime", "timerfd_settime"], "timerfd"),
    (&["inotify_add_watch", "inotify_rm_watch"], "inotify"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_means_refused_fd_or_other_failure() {
        for (name, errno, object, expected) in [
            ("write", 9, Some("pipe"), true),
            ("write", 9, None, true),
            ("write", 32, Some("pipe"), false),
            ("read", 21, Some("dir:ext4"), true),
            ("read", 22, Some("anon_inode:eventpoll"), true),
            ("read", 22, Some("file:proc"), false),
            ("read", 22, None, false),
            ("connect", 88, Some("pipe"), true),
            ("connect", 111, Some("socket:AF_INET:SOCK_STREAM"), false),
            ("epoll_wait", 22, Some("pipe"), true),
            ("epoll_wait", 22, Some("anon_inode:eventpoll"), false),
            ("epoll_ctl", 1, Some("file:proc"), true),
            ("epoll_ctl", 14, Some("file:proc"), true),
            ("epoll_ctl", 1, Some("anon_inode:eventpoll"), false),
            ("recvmmsg", 14, Some("file:proc"), true),
            ("readv", 14, Some("dir:ext4"), true),
            ("ioctl", 22, Some("file:ext4"), false),
            ("ioctl", 25, Some("file:ext4"), true),
            ("getdents64", 20, Some("file:ext4"), true),
            ("mmap", 19, Some("pipe"), true),
            ("mmap", 13, Some("pipe"), true),
            ("mmap", 5, Some("file:proc"), true),
            ("mmap", 13, Some("file:ext4"), false),
            ("mmap", 19, None, false),
            ("read", 5, Some("file:proc"), false),
        ] {
            let kind = object.map(ObjectKind::from);
            assert_eq!(is_refused(name, Errno(errno), kind.as_ref()), expected, "{name} {errno} {object:?}");
        }
    }

    #[test]
    fn call_reaches_only_kinds_it_acts_on() {
        for (name, object, expected) in [
            ("recvfrom", "socket:AF_INET:SOCK_STREAM", true),
            ("recvfrom", "anon_inode:eventfd", false),
            ("read", "socket:AF_INET:SOCK_STREAM", true),
            ("read", "anon_inode:eventfd", true),
            ("read", "anon_inode:eventpoll", false),
            ("read", "dir:ext4", false),
            ("read", "dir", false),
            ("write", "anon_inode:timerfd", false),
            ("read", "anon_inode:timerfd", true),
            ("pread64", "pipe", false),
            ("pread64", "file:ext4", true),
            ("preadv2", "pipe", true),
            ("epoll_ctl", "anon_inode:eventpoll", true),
            ("epoll_ctl", "socket:AF_INET:SOCK_STREAM", false),
            ("getdents64", "file:ext4", false),
            ("getdents64", "dir:proc", true),
            ("ioctl", "pipe", true),
            ("mmap", "pipe", false),
            ("mmap", "dir:ext4", false),
            ("mmap", "file:proc", false),
            ("mmap", "file:ext4", true),
            ("mmap", "char:zero", true),
            ("mmap", "memfd", true),
            ("mmap", "socket:AF_INET:SOCK_STREAM", true),
        ] {
            assert_eq!(reaches(name, &[0; 6], &object.into()), expected, "{name} {object}");
        }
        let mtu = [3, 0x8921, 0, 0, 0, 0];
        assert!(["socket:AF_INET:SOCK_DGRAM", "char:net/tun"].iter().all(|&kind| reaches("ioctl", &mtu, &kind.into())));
        assert!(!reaches("ioctl", &mtu, &"file:proc".into()));
    }
}
