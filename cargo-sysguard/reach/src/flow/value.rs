//! What is known of a value: a few possibilities, or nothing. Main type: [`Value`].

use std::rc::Rc;

use crate::program::Place;

/// One possibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Atom {
    /// A number, or an address in the same file.
    Number(u64),
    /// The address of code in any file.
    Function(Place),
    /// An address in the function's own stack frame: the distance from the return address.
    Frame(i64),
    /// What the caller left in this place.
    Entry(Slot),
    /// What the word at this address of the file's data holds, at some time.
    Word(u64),
    /// What memory holds at this distance from the address in such a word.
    BehindWord(u64, i64),
}

/// Where a caller leaves a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Slot {
    /// A register, by its number in machine code.
    Register(u8),
    /// The stack, at this distance from the return address.
    Stack(i64),
    /// Memory at this distance from the address in a register.
    Field(u8, i64),
}

/// The possibilities of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nothing is known.
    Unknown,
    /// It is this.
    One(Atom),
    /// It is one of these, which are ordered and different.
    Many(Rc<[Atom]>),
}

/// The most possibilities of a value.
const MOST: usize = 32;

impl Value {
    /// Returns a value that is this number.
    pub(crate) fn number(value: u64) -> Self {
        Self::One(Atom::Number(value))
    }

    /// Returns the value of these possibilities. Without any, or with too many, it is unknown.
    pub(crate) fn of(atoms: impl IntoIterator<Item = Atom>) -> Self {
        let mut atoms: Vec<Atom> = atoms.into_iter().collect();
        atoms.sort_unstable();
        atoms.dedup();
        match atoms[..] {
            [] => Self::Unknown,
            [one] => Self::One(one),
            _ if atoms.len() > MOST => Self::Unknown,
            _ => Self::Many(atoms.into()),
        }
    }

    /// Returns the possibilities, or `None` for an unknown value.
    pub(crate) fn atoms(&self) -> Option<&[Atom]> {
        match self {
            Self::Unknown => None,
            Self::One(atom) => Some(std::slice::from_ref(atom)),
            Self::Many(atoms) => Some(atoms),
        }
    }

    /// Adds the possibilities of another value. Returns whether that changed this one.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        *self = match (self.atoms(), other.atoms()) {
            (None, _) => return false,
            (Some(_), None) => Self::Unknown,
            (Some(own), Some(others)) if has_all(own, others) => return false,
            (Some(own), Some(others)) => Self::of(own.iter().chain(others).copied()),
        };
        true
    }

    /// Returns the value after a function of numbers. Anything else becomes unknown.
    pub(crate) fn map(&self, function: impl Fn(u64) -> u64) -> Self {
        let Some(atoms) = self.atoms() else { return Self::Unknown };
        let numbers: Option<Vec<Atom>> = atoms
            .iter()
            .map(|atom| match atom {
                Atom::Number(number) => Some(Atom::Number(function(*number))),
                _ => None,
            })
            .collect();
        numbers.map_or(Self::Unknown, Self::of)
    }

    /// Returns the value plus a number. Addresses in the frame stay known.
    pub(crate) fn plus(&self, number: i64) -> Self {
        match self {
            Self::One(Atom::Frame(offset)) => Self::One(Atom::Frame(offset.wrapping_add(number))),
            _ if number == 0 => self.clone(),
            _ => self.map(|value| value.wrapping_add_signed(number)),
        }
    }

    /// Returns the lower half. What a caller left stays known: a syscall's number has 32 bits.
    pub(crate) fn lower_half(&self) -> Self {
        const LOWER: u64 = u32::MAX as u64;
        let is_kept = |atom: &Atom| match atom {
            Atom::Number(number) => *number <= LOWER,
            Atom::Entry(_) | Atom::Word(_) | Atom::BehindWord(..) => true,
            Atom::Function(_) | Atom::Frame(_) => false,
        };
        match self.atoms() {
            Some(atoms) if atoms.iter().all(is_kept) => self.clone(),
            _ => self.map(|value| value & LOWER),
        }
    }

    /// Returns whether this may be an address in the frame.
    pub(crate) fn may_be_frame(&self) -> bool {
        self.atoms().unwrap_or_default().iter().any(|atom| matches!(atom, Atom::Frame(_)))
    }

    /// Returns the address in the frame that this is.
    pub(crate) fn frame(&self) -> Option<i64> {
        match self {
            Self::One(Atom::Frame(offset)) => Some(*offset),
            _ => None,
        }
    }
}

/// Returns whether ordered atoms are all among other ordered atoms.
fn has_all(own: &[Atom], others: &[Atom]) -> bool {
    let mut own = own.iter();
    others.iter().all(|other| own.find(|it| *it >= other) == Some(other))
}
