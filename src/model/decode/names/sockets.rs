//! Values and flags of calls on sockets and events, each with the header that defines it.

use super::super::kind::Names;

/// linux/net.h of the kernel; asm-generic/fcntl.h
pub(in super::super) const SOCK: Names = &[(0o4000, "SOCK_NONBLOCK"), (0o2_000_000, "SOCK_CLOEXEC")];

/// linux/socket.h of the kernel
#[rustfmt::skip]
pub(in super::super) const MSG: Names = &[
    (0x1, "MSG_OOB"), (0x2, "MSG_PEEK"), (0x4, "MSG_DONTROUTE"), (0x8, "MSG_CTRUNC"), (0x10, "MSG_PROBE"),
    (0x20, "MSG_TRUNC"), (0x40, "MSG_DONTWAIT"), (0x80, "MSG_EOR"), (0x100, "MSG_WAITALL"), (0x200, "MSG_FIN"),
    (0x400, "MSG_SYN"), (0x800, "MSG_CONFIRM"), (0x1000, "MSG_RST"), (0x2000, "MSG_ERRQUEUE"),
    (0x4000, "MSG_NOSIGNAL"), (0x8000, "MSG_MORE"), (0x1_0000, "MSG_WAITFORONE"), (0x4_0000, "MSG_BATCH"),
    (0x200_0000, "MSG_SOCK_DEVMEM"), (0x400_0000, "MSG_ZEROCOPY"), (0x2000_0000, "MSG_FASTOPEN"),
    (0x4000_0000, "MSG_CMSG_CLOEXEC"),
];

/// linux/in.h; the numbers that programs give to socket(2)
#[rustfmt::skip]
pub(in super::super) const PROTOCOL: Names = &[
    (0, "IPPROTO_IP"), (1, "IPPROTO_ICMP"), (2, "IPPROTO_IGMP"), (6, "IPPROTO_TCP"), (17, "IPPROTO_UDP"),
    (33, "IPPROTO_DCCP"), (41, "IPPROTO_IPV6"), (47, "IPPROTO_GRE"), (50, "IPPROTO_ESP"), (51, "IPPROTO_AH"),
    (58, "IPPROTO_ICMPV6"), (132, "IPPROTO_SCTP"), (136, "IPPROTO_UDPLITE"), (255, "IPPROTO_RAW"),
    (262, "IPPROTO_MPTCP"),
];

/// linux/net.h of the kernel: `enum sock_shutdown_cmd`
pub(in super::super) const SHUTDOWN: Names = &[(0, "SHUT_RD"), (1, "SHUT_WR"), (2, "SHUT_RDWR")];

/// linux/eventpoll.h
pub(in super::super) const EPOLL_CREATE: Names = &[(0o2_000_000, "EPOLL_CLOEXEC")];

/// linux/eventpoll.h
pub(in super::super) const EPOLL_CTL: Names = &[(1, "EPOLL_CTL_ADD"), (2, "EPOLL_CTL_DEL"), (3, "EPOLL_CTL_MOD")];

/// linux/eventpoll.h
#[rustfmt::skip]
pub(in super::super) const EPOLL: Names = &[
    (0x1, "EPOLLIN"), (0x2, "EPOLLPRI"), (0x4, "EPOLLOUT"), (0x8, "EPOLLERR"), (0x10, "EPOLLHUP"),
    (0x20, "EPOLLNVAL"), (0x40, "EPOLLRDNORM"), (0x80, "EPOLLRDBAND"), (0x100, "EPOLLWRNORM"),
    (0x200, "EPOLLWRBAND"), (0x400, "EPOLLMSG"), (0x2000, "EPOLLRDHUP"), (1 << 28, "EPOLLEXCLUSIVE"),
    (1 << 29, "EPOLLWAKEUP"), (1 << 30, "EPOLLONESHOT"), (1 << 31, "EPOLLET"),
];

/// asm-generic/poll.h
#[rustfmt::skip]
pub(in super::super) const POLL: Names = &[
    (0x1, "POLLIN"), (0x2, "POLLPRI"), (0x4, "POLLOUT"), (0x8, "POLLERR"), (0x10, "POLLHUP"), (0x20, "POLLNVAL"),
    (0x40, "POLLRDNORM"), (0x80, "POLLRDBAND"), (0x100, "POLLWRNORM"), (0x200, "POLLWRBAND"), (0x400, "POLLMSG"),
    (0x1000, "POLLREMOVE"), (0x2000, "POLLRDHUP"),
];

/// linux/eventfd.h
#[rustfmt::skip]
pub(in super::super) const EVENTFD: Names =
    &[(1, "EFD_SEMAPHORE"), (0o4000, "EFD_NONBLOCK"), (0o2_000_000, "EFD_CLOEXEC")];

/// linux/signalfd.h
pub(in super::super) const SIGNALFD: Names = &[(0o4000, "SFD_NONBLOCK"), (0o2_000_000, "SFD_CLOEXEC")];

/// linux/inotify.h
pub(in super::super) const INOTIFY_INIT: Names = &[(0o4000, "IN_NONBLOCK"), (0o2_000_000, "IN_CLOEXEC")];

/// linux/inotify.h
#[rustfmt::skip]
pub(in super::super) const INOTIFY: Names = &[
    (0xfff, "IN_ALL_EVENTS"), (0x1, "IN_ACCESS"), (0x2, "IN_MODIFY"), (0x4, "IN_ATTRIB"), (0x8, "IN_CLOSE_WRITE"),
    (0x10, "IN_CLOSE_NOWRITE"), (0x20, "IN_OPEN"), (0x40, "IN_MOVED_FROM"), (0x80, "IN_MOVED_TO"),
    (0x100, "IN_CREATE"), (0x200, "IN_DELETE"), (0x400, "IN_DELETE_SELF"), (0x800, "IN_MOVE_SELF"),
    (0x100_0000, "IN_ONLYDIR"), (0x200_0000, "IN_DONT_FOLLOW"), (0x400_0000, "IN_EXCL_UNLINK"),
    (0x1000_0000, "IN_MASK_CREATE"), (0x2000_0000, "IN_MASK_ADD"), (0x8000_0000, "IN_ONESHOT"),
];

/// linux/io_uring.h
#[rustfmt::skip]
pub(in super::super) const URING_ENTER: Names = &[
    (0x1, "IORING_ENTER_GETEVENTS"), (0x2, "IORING_ENTER_SQ_WAKEUP"), (0x4, "IORING_ENTER_SQ_WAIT"),
    (0x8, "IORING_ENTER_EXT_ARG"), (0x10, "IORING_ENTER_REGISTERED_RING"), (0x20, "IORING_ENTER_ABS_TIMER"),
    (0x40, "IORING_ENTER_EXT_ARG_REG"), (0x80, "IORING_ENTER_NO_IOWAIT"),
];
