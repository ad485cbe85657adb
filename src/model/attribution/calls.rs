//! How each call is read: which register selects what it does, and which tells what it does it on.
//!
//! One row a call, by its name: architectures differ in numbers, and where they differ in arguments
//! the call has another name or is undone by [`meant`](super::meant::meant). A call without a row
//! has neither argument nor object. Main type: [`Shape`].

mod rows;

use std::sync::OnceLock;

use rows::CALLS;

use super::values::{Value, flags, table as values};
use crate::model::kernel::syscall::{Abi, Syscall, table};

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
    /// As [`Selector::Protection`] in the third register, and whether the mapping is anonymous by
    /// the flags in the fourth.
    Mapping,
    /// The persona and its flags in the first register, which may also be a question.
    Personality,
    /// A clock: a value of the table, or made from a process or an fd.
    Clock(usize),
    /// The name of a filesystem where a register points, unless the flags in another one make it
    /// unused.
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
    /// What the returned fd stands for. Opened by a path of which only the place is wanted
    /// (O_PATH), it was not reached.
    Opened(Flags),
    /// The ring in the first register: an fd, or its index in a table of the task's own if this bit
    /// is in that register.
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

impl Subject {
    /// Whether data or control moves through it, or the call brings it about: then it says what was
    /// reached.
    pub(crate) fn is_reached(self) -> bool {
        matches!(self, Self::Fd(_) | Self::Made(_) | Self::Ring(..) | Self::Socket | Self::Opened(_))
    }
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

/// The shape of a call: of all that is asked of each one, this is asked most often, so that names
/// are compared once only.
pub(super) fn shape_of(syscall: Syscall) -> Option<Shape> {
    static SHAPES: [OnceLock<Vec<Option<Shape>>>; Abi::ALL.len()] = [const { OnceLock::new() }; Abi::ALL.len()];
    let at = table::place(syscall.abi, syscall.number)?;
    let shapes = || table::rows(syscall.abi).iter().map(|row| shape(row.name)).collect();
    SHAPES[syscall.abi as usize].get_or_init(shapes)[at]
}

/// Whether the call is about a descriptor itself (close, dup, fstat, lseek, …): nothing moves
/// through it.
pub(crate) fn is_housekeeping(syscall: Syscall) -> bool {
    shape_of(syscall).is_some_and(|shape| matches!(shape.subject, Subject::Descriptor(_)))
}

/// Whether the call acts on what stands behind an fd.
pub(crate) fn is_on_fd(syscall: Syscall) -> bool {
    shape_of(syscall).is_some_and(|shape| matches!(shape.subject, Subject::Fd(_) | Subject::Mapped))
}

/// The shape of the call of this name.
pub(in crate::model) fn shape(name: &str) -> Option<Shape> {
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
    /// The values by name that it can select; those of an ioctl and of a socket's options are kept
    /// apart.
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
            Self::None | Self::Filesystem(..) | Self::Command => (none, none),
        };
        first.iter().chain(second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::{Abi, Syscall};

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
