//! What the registers of a call hold, one by one. Main type: [`Kind`].
//!
//! The tables of [`calls`](super::calls) list the kinds of each call; [`inputs`](super::inputs) and
//! [`outputs`](super::outputs) read them.

use crate::model::attribution::values::Value;

/// Names of numbers, or of bits.
pub(super) type Names = &'static [(u64, &'static str)];

/// What one register of a call holds. A number in a variant is the register that belongs to it,
/// such as that of a length.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A register that the line does not show.
    Skip,
    /// A signed number of 32 bits: ids, counts.
    Int,
    /// A signed number as wide as a register.
    Long,
    /// A size or another number without a sign.
    Size,
    /// A number in hexadecimal.
    Hex,
    /// Permissions of a file, in octal.
    Mode,
    /// Permissions of a new file, if the flags in this register create one.
    CreateMode(usize),
    /// An offset of 64 bits, which takes two registers of a 32-bit call.
    Wide,
    /// An offset of 64 bits with a register of its own for the upper half: preadv(2).
    LowHigh,
    /// An offset in pages of 4096 bytes.
    Pages,
    /// An address; its memory is not shown.
    Pointer,
    /// An fd.
    Fd,
    /// The fd of the directory where the next path begins; AT_FDCWD is left out.
    DirFd,
    /// A path.
    Path,
    /// Another string that ends with a zero byte.
    Text,
    /// The arguments of a program.
    Strings,
    /// The environment of a program: only the number of variables is shown.
    Variables,
    /// Bytes that the kernel reads; this register holds their number.
    Payload(usize),
    /// Buffers that the kernel reads; this register holds their number.
    Vectors(usize),
    /// One value of a table of this module.
    Choice(Names),
    /// Flags of a table of this module.
    Bits(Names),
    /// The same, left out if there are none.
    SomeBits(Names),
    /// One value of a generated table.
    Value(&'static [Value]),
    /// Flags of a generated table, and the name of none.
    Flags(&'static [Value], &'static str),
    /// Flags of open(2) with their access mode.
    Open,
    /// Flags of open(2) without an access mode.
    OpenBits,
    /// Flags of clone(2) with the signal of the child's end.
    Clone,
    /// The operation of a futex with its flags.
    Futex,
    /// How long a futex operation waits, if it waits: `struct timespec`.
    FutexTimeout,
    /// The type of a socket with its flags.
    SocketType,
    /// The protocol of a socket; the family is in this register.
    Protocol(usize),
    /// The option of a socket; the level is in the register before. True: the call reads it.
    SocketOption(bool),
    /// The value of a socket option; its length is in this register.
    OptionValue(usize),
    /// The command of an ioctl for the fd in the first register.
    Ioctl,
    /// The argument of a fcntl command in the register before.
    FcntlArgument,
    /// An argument of the prctl operation in the first register.
    PrctlArgument,
    /// A signal.
    Signal,
    /// A set of signals.
    SignalSet,
    /// `struct sigaction`.
    Action,
    /// The address of a socket; its length is in this register.
    Address(usize),
    /// The same, left out if there is none.
    SomeAddress(usize),
    /// A message with its address.
    Message,
    /// Messages with their addresses; this register holds their number.
    Messages(usize),
    /// Milliseconds; a negative number is no timeout.
    Milliseconds,
    /// `struct timespec`.
    Timespec,
    /// `struct timeval`.
    Timeval,
    /// `struct itimerspec`.
    TimerSpec,
    /// `struct itimerval`.
    TimerVal,
    /// Two times of a file, `struct timespec`.
    FileTimes,
    /// `struct pollfd`; this register holds their number.
    PollFds(usize),
    /// `fd_set`; this register holds the number of fds.
    FdSet(usize),
    /// `struct epoll_event`.
    EpollEvent,
    /// `struct open_how`.
    How,
    /// `struct clone_args`.
    CloneArgs,
    /// `struct rlimit`.
    Limit,
    /// `struct rlimit64`.
    Limit64,
    /// `struct sched_param`.
    Priority,
    /// Memory that the kernel fills.
    Out(Output),
}

/// Memory that the kernel fills. If the call fails or has not ended, its address is shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Output {
    /// As many bytes as the call returns.
    Payload,
    /// Text as long as the call returns, such as the target of a link.
    Text,
    /// The address of a socket, left out if the call does not ask for it; this register points to
    /// its length.
    Address(usize),
    /// A received message with the address of its sender.
    Message,
    /// Received messages; the call returns their number.
    Messages,
    /// The value of a socket option; this register points to its length.
    OptionValue(usize),
    /// Two fds.
    Pair,
    /// The status of a child.
    Status,
    /// A number of 32 bits.
    Int,
    /// An offset of 64 bits.
    Offset,
    /// As [`Kind::Timespec`].
    Timespec,
    /// As [`Kind::Timeval`].
    Timeval,
    /// As [`Kind::TimerSpec`].
    TimerSpec,
    /// As [`Kind::TimerVal`].
    TimerVal,
    /// As [`Kind::SignalSet`].
    SignalSet,
    /// As [`Kind::Action`].
    Action,
    /// Events of epoll; the call returns their number.
    EpollEvents,
    /// As [`Kind::Limit`].
    Limit,
    /// As [`Kind::Limit64`].
    Limit64,
}
