//! How the registers of each call are read: which one selects what the call does, and which one
//! names the object. Main type: [`Shape`].
//!
//! There is one row per call name. Architectures differ in numbers. Where they differ in arguments,
//! the call has another name or is unpacked by [`decode`](super::decode::decode). A call without a
//! row has neither argument nor object.

mod rows;

use std::sync::OnceLock;

use rows::CALLS;

use super::values::{Value, flags, table as values};
use crate::model::kernel::syscall::{Abi, Syscall, table};

/// How the registers of a call are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) selector: Selector,
    pub(crate) subject: Subject,
}

/// The selector of a multiplexing call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Selector {
    /// None: the call does only one thing.
    None,
    /// A masked register holds a value of a table.
    Value(usize, u64, &'static [Value]),
    /// A masked register holds flags of a table.
    Flags(usize, u64, &'static [Value]),
    /// As [`Selector::Flags`], in the first eight bytes of the memory that a register points to.
    FlagsAt(usize, &'static [Value]),
    /// The first four bytes of the memory that a register points to are a value of a table.
    ValueAt(usize, &'static [Value]),
    /// Protection bits, shown only with PROT_EXEC.
    Protection(usize),
    /// As [`Selector::Protection`] in the third register; flags in the fourth say whether the
    /// mapping is anonymous.
    Mapping,
    /// The persona and its flags in the first register, which may also be a query.
    Personality,
    /// A clock id: a value of the table, or one computed from a process, a thread or an fd.
    Clock(usize),
    /// The name of a filesystem in the memory that a register points to, unless the flags in
    /// another register make it unused.
    Filesystem(usize, Option<usize>),
    /// Family, type and protocol of a socket.
    Family,
    /// Level and option. True: the call reads the option.
    SocketOption(bool),
    /// The command of an ioctl.
    Command,
    /// The flags of an open, at the place that [`Subject::Opened`] names. A call without flags is
    /// creat(2).
    Opening,
    /// The class of the address that a register points to, or that a message names.
    Address(Addressing),
    /// The name of the executed program.
    Program,
}

/// The registers that name the address of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addressing {
    /// The socket is connected to the address in the second register; its length is in the third.
    Connect,
    /// The socket is bound to it, likewise.
    Bind,
    /// A message is sent to the address in the fifth register, with its length in the sixth.
    Send,
    /// The second register points to a `struct msghdr`, which names the address.
    Message,
    /// The second register points to as many `struct mmsghdr` as the third says.
    Messages,
}

/// The object of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// None.
    None,
    /// The fd in a register. Data or control moves through it, so its kind says what is reached.
    Fd(usize),
    /// The fd in a register, but the call is about the descriptor itself.
    Descriptor(usize),
    /// The object of the returned fd. A file opened with O_PATH is not reached.
    Opened(Flags),
    /// The ring in the first register. It is an fd, or an index in a table of the task's own if
    /// this bit is set in that register.
    Ring(usize, u64),
    /// A new object, of a kind that follows from the call.
    Made(&'static str),
    /// A new socket; the first three registers give its kind.
    Socket,
    /// The object at a path before the call. Afterwards the path may be gone, or mean another
    /// object.
    PathBefore(Path),
    /// The object at a path after the call.
    PathAfter(Path),
    /// The program that execve started.
    Program,
    /// The mapped file, if any.
    Mapped,
}

impl Subject {
    /// Returns whether the object says what was reached: data or control moves through it, or the
    /// call makes it.
    pub(crate) fn is_reached(self) -> bool {
        matches!(self, Self::Fd(_) | Self::Made(_) | Self::Ring(..) | Self::Socket | Self::Opened(_))
    }
}

/// The place of the flags of an open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flags {
    /// There are none.
    None,
    /// In a register.
    In(usize),
    /// In the first eight bytes of the memory that a register points to.
    At(usize),
}

/// The registers that hold a path and the directory where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) directory: Option<usize>,
    pub(crate) at: usize,
    /// The meaning of a symbolic link at its end.
    pub(crate) link: Link,
}

/// Whether a symbolic link at the end of a path is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// It is followed.
    Followed,
    /// It is not followed.
    Itself,
    /// It is followed unless AT_SYMLINK_NOFOLLOW is set in this register.
    FollowedUnless(usize),
    /// It is followed only if AT_SYMLINK_FOLLOW is set in this register.
    ItselfUnless(usize),
}

/// Returns the shape of a call. The names are compared once only, because this is asked of every
/// call, often several times.
pub(super) fn shape_of(syscall: Syscall) -> Option<Shape> {
    static SHAPES: [OnceLock<Vec<Option<Shape>>>; Abi::ALL.len()] = [const { OnceLock::new() }; Abi::ALL.len()];
    let at = table::place(syscall.abi, syscall.number)?;
    let shapes = || table::rows(syscall.abi).iter().map(|row| shape(row.name)).collect();
    SHAPES[syscall.abi as usize].get_or_init(shapes)[at]
}

/// Returns whether the call is about a descriptor itself (close, dup, fstat, lseek, …), so that
/// nothing moves through it.
pub(crate) fn is_housekeeping(syscall: Syscall) -> bool {
    shape_of(syscall).is_some_and(|shape| matches!(shape.subject, Subject::Descriptor(_)))
}

/// Returns whether the call acts on the object behind an fd.
pub(crate) fn is_on_fd(syscall: Syscall) -> bool {
    shape_of(syscall).is_some_and(|shape| matches!(shape.subject, Subject::Fd(_) | Subject::Mapped))
}

/// Returns the shape of the calls with this name.
pub(in crate::model) fn shape(name: &str) -> Option<Shape> {
    CALLS.binary_search_by_key(&name, |&(name, ..)| name).ok().map(|at| {
        let (_, selector, subject) = CALLS[at];
        Shape { selector, subject }
    })
}

/// Returns all call names with a shape.
pub(crate) fn shapes() -> impl Iterator<Item = (&'static str, Shape)> {
    CALLS.iter().map(|&(name, selector, subject)| (name, Shape { selector, subject }))
}

impl Selector {
    /// Returns the named values that it can select. Those of ioctl, of socket options and of
    /// addresses are in tables of their own.
    pub(crate) fn values(self) -> impl Iterator<Item = &'static Value> {
        let none: &[Value] = &[];
        let (first, second) = match self {
            Self::Value(_, _, table) | Self::Flags(_, _, table) | Self::FlagsAt(_, table) | Self::ValueAt(_, table) => {
                (table, none)
            }
            Self::Protection(_) => (&values::PROTECTION[..], none),
            Self::Mapping => (&values::PROTECTION[..], &flags::MAPPING[..]),
            Self::Personality => (&flags::PERSONA[..], &flags::PERSONALITY[..]),
            Self::Clock(_) => (&values::CLOCK[..], none),
            Self::Family => (&values::FAMILY[..], none),
            Self::SocketOption(_) => (&values::LEVEL[..], none),
            Self::Opening => (&flags::OPENING[..], none),
            Self::None | Self::Filesystem(..) | Self::Command | Self::Address(_) | Self::Program => (none, none),
        };
        first.iter().chain(second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::{Abi, Syscall};

    #[test]
    fn calls_are_sorted_and_exist_under_some_abi() {
        assert!(CALLS.is_sorted_by(|a, b| a.0 < b.0));
        // Operations of i386's socketcall without a syscall of their own.
        let only_inside = ["recv", "send"];
        for (name, ..) in CALLS {
            let exists = Abi::ALL.into_iter().any(|abi| Syscall::from_name(abi, name).is_some());
            assert!(exists || only_inside.contains(name), "{name}");
        }
    }
}
