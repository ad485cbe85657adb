//! Calls on sockets, and calls that wait for events of fds.

use super::super::kind::Kind::{
    Address, Bits, Choice, EpollEvent, Fd, FdSet, Hex, Int, Ioctl, Message, Messages, Milliseconds, OptionValue, Out,
    Path, Payload, Pointer, PollFds, Protocol, SignalSet, Size, Skip, SocketOption, SocketType, SomeAddress, SomeBits,
    Timespec, Timeval, Value,
};
use super::super::kind::{Kind, Output};
use super::super::names::sockets as names;
use super::Row;
use crate::model::attribution::values::table as values;

const FAMILY: Kind = Value(&values::FAMILY);
const LEVEL: Kind = Value(&values::LEVEL);
const RECEIVED: Kind = Out(Output::Payload);

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    ("_newselect", &[Int, FdSet(0), FdSet(0), FdSet(0), Timeval]),
    ("accept", &[Fd, Out(Output::Address(2)), Skip]),
    ("accept4", &[Fd, Out(Output::Address(2)), Skip, Bits(names::SOCK)]),
    ("bind", &[Fd, Address(2), Skip]),
    ("connect", &[Fd, Address(2), Skip]),
    ("epoll_create", &[Int]),
    ("epoll_create1", &[Bits(names::EPOLL_CREATE)]),
    ("epoll_ctl", &[Fd, Choice(names::EPOLL_CTL), Fd, EpollEvent]),
    ("epoll_ctl_old", &[]),
    ("epoll_pwait", &[Fd, Out(Output::EpollEvents), Int, Milliseconds, SignalSet, Skip]),
    ("epoll_pwait2", &[Fd, Out(Output::EpollEvents), Int, Timespec, SignalSet, Skip]),
    ("epoll_wait", &[Fd, Out(Output::EpollEvents), Int, Milliseconds]),
    ("epoll_wait_old", &[]),
    ("eventfd", &[Int]),
    ("eventfd2", &[Int, Bits(names::EVENTFD)]),
    ("fanotify_init", &[Hex, Kind::Open]),
    ("fanotify_mark", &[Fd, Hex, Kind::Wide, Kind::DirFd, Path]),
    ("getpeername", &[Fd, Out(Output::Address(2)), Skip]),
    ("getsockname", &[Fd, Out(Output::Address(2)), Skip]),
    ("getsockopt", &[Fd, LEVEL, SocketOption(true), Out(Output::OptionValue(4)), Skip]),
    ("inotify_add_watch", &[Fd, Path, Bits(names::INOTIFY)]),
    ("inotify_init", &[]),
    ("inotify_init1", &[Bits(names::INOTIFY_INIT)]),
    ("inotify_rm_watch", &[Fd, Int]),
    ("io_cancel", &[Pointer, Pointer, Pointer]),
    ("io_destroy", &[Pointer]),
    ("io_getevents", &[Pointer, Int, Int, Pointer, Timespec]),
    ("io_pgetevents", &[Pointer, Int, Int, Pointer, Timespec, Pointer]),
    ("io_pgetevents_time64", &[Pointer, Int, Int, Pointer, Timespec, Pointer]),
    ("io_setup", &[Int, Pointer]),
    ("io_submit", &[Pointer, Int, Pointer]),
    ("io_uring_enter", &[Fd, Int, Int, Bits(names::URING_ENTER), Pointer, Size]),
    ("io_uring_register", &[Fd, Int, Pointer, Int]),
    ("io_uring_setup", &[Int, Pointer]),
    ("ioctl", &[Fd, Ioctl, Skip]),
    ("listen", &[Fd, Int]),
    ("pipe", &[Out(Output::Pair)]),
    ("pipe2", &[Out(Output::Pair), Kind::OpenBits]),
    ("poll", &[PollFds(1), Int, Milliseconds]),
    ("ppoll", &[PollFds(1), Int, Timespec, SignalSet, Skip]),
    ("ppoll_time64", &[PollFds(1), Int, Timespec, SignalSet, Skip]),
    ("pselect6", &[Int, FdSet(0), FdSet(0), FdSet(0), Timespec, Pointer]),
    ("pselect6_time64", &[Int, FdSet(0), FdSet(0), FdSet(0), Timespec, Pointer]),
    ("recv", &[Fd, RECEIVED, Size, SomeBits(names::MSG)]),
    ("recvfrom", &[Fd, RECEIVED, Size, SomeBits(names::MSG), Out(Output::Address(5)), Skip]),
    ("recvmmsg", &[Fd, Out(Output::Messages), Int, SomeBits(names::MSG), Timespec]),
    ("recvmmsg_time64", &[Fd, Out(Output::Messages), Int, SomeBits(names::MSG), Timespec]),
    ("recvmsg", &[Fd, Out(Output::Message), SomeBits(names::MSG)]),
    ("select", &[Int, FdSet(0), FdSet(0), FdSet(0), Timeval]),
    ("send", &[Fd, Payload(2), Skip, SomeBits(names::MSG)]),
    ("sendmmsg", &[Fd, Messages(2), Int, SomeBits(names::MSG)]),
    ("sendmsg", &[Fd, Message, SomeBits(names::MSG)]),
    ("sendto", &[Fd, Payload(2), Skip, SomeBits(names::MSG), SomeAddress(5), Skip]),
    ("setsockopt", &[Fd, LEVEL, SocketOption(false), OptionValue(4), Skip]),
    ("shutdown", &[Fd, Choice(names::SHUTDOWN)]),
    ("signalfd", &[Int, SignalSet, Size]),
    ("signalfd4", &[Int, SignalSet, Size, Bits(names::SIGNALFD)]),
    ("socket", &[FAMILY, SocketType, Protocol(0)]),
    ("socketcall", &[Value(&values::SOCKETCALL), Pointer]),
    ("socketpair", &[FAMILY, SocketType, Protocol(0), Out(Output::Pair)]),
    ("userfaultfd", &[Hex]),
];
