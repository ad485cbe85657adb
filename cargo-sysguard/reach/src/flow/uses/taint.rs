//! Which registers and places of the stack hold a followed address. Main type: [`Taint`].

use std::collections::BTreeMap;

use iced_x86::{Instruction, Register, UsedMemory};

use crate::flow::operands::{address_without_index, has_thread_segment, may_be_frame};
use crate::flow::state::{ARGUMENTS, CALLER_SAVED, number};
use crate::flow::{Atom, Slot, State, Value};

/// The distance of an address from the followed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Offset {
    /// It is this.
    At(i64),
    /// It is not known.
    Anywhere,
}

pub(super) use Offset as Tag;

impl Offset {
    /// Returns the distance of an address this far behind.
    pub(crate) fn plus(self, by: i64) -> Self {
        match self {
            Self::At(offset) => Self::At(offset.wrapping_add(by)),
            Self::Anywhere => Self::Anywhere,
        }
    }
}

/// What holds the address.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Taint {
    registers: [Option<Tag>; 16],
    stack: BTreeMap<i64, Tag>,
}

impl Taint {
    /// Returns the taint where any register may hold the address.
    pub(super) fn anything() -> Self {
        let mut taint =
            Self { registers: [Some(Tag::Anywhere); 16], stack: BTreeMap::from([(i64::MIN, Tag::Anywhere)]) };
        taint.set(Register::RSP, None);
        taint
    }

    /// Returns the part that an exception of a call leaves: in the registers that calls keep, and
    /// on the stack.
    pub(super) fn kept(&self) -> Self {
        let mut kept = self.clone();
        kept.call();
        kept
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stack.is_empty() && self.registers.iter().all(Option::is_none)
    }

    /// Adds what the caller leaves.
    pub(super) fn enter(&mut self, slot: Slot, tag: Tag) {
        match slot {
            Slot::Register(register) => self.registers[usize::from(register) % 16] = Some(tag),
            Slot::Stack(at) => drop(self.stack.insert(at, tag)),
            Slot::Field(..) => {}
        }
    }

    /// Adds the tags of another taint. Returns whether that changed this one.
    pub(super) fn join(&mut self, other: &Self) -> bool {
        let before = self.clone();
        for (own, its) in self.registers.iter_mut().zip(other.registers) {
            *own = joined(*own, its);
        }
        for (at, tag) in &other.stack {
            let own = self.stack.get(at).copied();
            self.stack.extend(joined(own, Some(*tag)).map(|tag| (*at, tag)));
        }
        *self != before
    }

    pub(super) fn get(&self, register: Register) -> Option<Tag> {
        if register.is_gpr() { self.registers[number(register)] } else { None }
    }

    pub(super) fn set(&mut self, register: Register, tag: Option<Tag>) {
        if register.is_gpr() {
            self.registers[number(register)] = tag;
        }
    }

    pub(super) fn add(&mut self, register: Register, tag: Option<Tag>) {
        let tag = joined(self.get(register), tag);
        self.set(register, tag);
    }

    /// Applies a call: the registers that it may use are overwritten.
    pub(super) fn call(&mut self) {
        for register in CALLER_SAVED {
            self.set(register, None);
        }
    }

    pub(super) fn slot(&self, at: i64) -> Option<Tag> {
        self.stack.get(&at).copied()
    }

    pub(super) fn set_slot(&mut self, at: i64, tag: Option<Tag>) {
        match tag {
            Some(tag) => drop(self.stack.insert(at, tag)),
            None => drop(self.stack.remove(&at)),
        }
    }

    /// Applies a `push` of this. Returns false if the place of the stack is not known.
    pub(super) fn push(&mut self, tag: Option<Tag>, state: &State) -> bool {
        match state.register(Register::RSP).frame() {
            Some(top) => self.set_slot(top - 8, tag),
            None => return tag.is_none(),
        }
        true
    }

    /// Returns what the next `pop` gets.
    pub(super) fn top(&self, state: &State) -> Option<Tag> {
        match state.register(Register::RSP).frame() {
            Some(top) => self.slot(top),
            None => self.any_slot(),
        }
    }

    /// Returns what a place of the stack that is not known may hold.
    fn any_slot(&self) -> Option<Tag> {
        (!self.stack.is_empty()).then_some(Tag::Anywhere)
    }

    /// Returns what the memory operand of an instruction loads from the stack.
    pub(super) fn load(&self, instruction: &Instruction, state: &State) -> Option<Tag> {
        if self.stack.is_empty() || has_thread_segment(instruction) {
            return None;
        }
        let size = i64::try_from(instruction.memory_size().size()).unwrap_or(i64::MAX);
        let is_indexed = instruction.memory_index() != Register::None;
        match address_without_index(instruction, state) {
            _ if may_be_frame(instruction.memory_index(), state) => self.any_slot(),
            address if address.may_be_frame() && (is_indexed || address.frame().is_none()) => self.any_slot(),
            Value::One(Atom::Frame(at)) if size == 8 => self.slot(at),
            // A part of an address is none; a copy of several words may be.
            Value::One(Atom::Frame(at)) if size > 8 => self.stack.range(at..at + size).next().map(|_| Tag::Anywhere),
            Value::Unknown if matches!(instruction.memory_base(), Register::RSP | Register::RBP) => self.any_slot(),
            Value::Unknown if state.is_whole_shared() && !state.is_unknown() => self.any_slot(),
            _ => None,
        }
    }

    /// Returns the distance of the address that a memory operand computes.
    pub(super) fn address(&self, instruction: &Instruction) -> Option<Tag> {
        if has_thread_segment(instruction) {
            return None;
        }
        let (base, index) = (instruction.memory_base(), instruction.memory_index());
        self.sum(base, index, instruction.memory_displacement64())
    }

    pub(super) fn address_of(&self, memory: &UsedMemory) -> Option<Tag> {
        if matches!(memory.segment(), Register::FS | Register::GS) {
            return None;
        }
        self.sum(memory.base(), memory.index(), memory.displacement())
    }

    fn sum(&self, base: Register, index: Register, displacement: u64) -> Option<Tag> {
        match (self.get(base), self.get(index)) {
            (None, None) => None,
            (Some(tag), None) if index == Register::None => Some(tag.plus(displacement as i64)),
            _ => Some(Tag::Anywhere),
        }
    }

    /// Returns whether other code may find the address in this function's frame.
    pub(super) fn is_shared(&self, state: &State) -> bool {
        state.shared().is_some_and(|shared| self.stack.range(shared..).next().is_some_and(|(at, _)| *at < 0))
    }

    /// Returns whether a call or jump passes the address on.
    pub(super) fn is_argument(&self, is_jump: bool, state: &State) -> bool {
        self.slots(is_jump, state).is_none_or(|slots| !slots.is_empty())
    }

    /// Returns where the code that is called or jumped to finds the address. `None` if the stack
    /// is not known. A jump may lead to another part of the same function, which uses all.
    pub(super) fn slots(&self, is_jump: bool, state: &State) -> Option<Vec<(Slot, Tag)>> {
        let top = state.register(Register::RSP).frame();
        let is_whole = is_jump && top != Some(0);
        let is_passed = |index: usize| {
            is_whole
                || ARGUMENTS.iter().any(|it| number(*it) == index)
                || index == number(Register::RAX)
                || index == number(Register::R10)
        };
        let registers = self.registers.iter().enumerate().filter(|(index, _)| is_passed(*index));
        let mut slots: Vec<(Slot, Tag)> =
            registers.filter_map(|(index, tag)| Some((Slot::Register(u8::try_from(index).ok()?), (*tag)?))).collect();
        if !self.stack.is_empty() {
            let top = top?;
            let bottom = if is_jump { top } else { top - 8 };
            slots.extend(self.stack.range(top..).map(|(at, tag)| (Slot::Stack(at - bottom), *tag)));
        }
        Some(slots)
    }
}

fn joined(own: Option<Tag>, its: Option<Tag>) -> Option<Tag> {
    match (own, its) {
        (Some(own), Some(its)) => Some(if own == its { own } else { Tag::Anywhere }),
        (own, its) => own.or(its),
    }
}
