//! Registers and stack of a function at one of its instructions. Main type: [`State`].

use std::collections::BTreeMap;
use std::rc::Rc;

use iced_x86::Register;

use super::value::{Atom, Slot, Value};

/// The number of general registers.
const REGISTERS: usize = 16;

/// What is shared if a computed address may lead to any place of the frame.
const WHOLE: i64 = i64::MIN + 1;

/// The registers that calls may use for their own work, System V ABI for AMD64, 3.2.1.
pub(super) const CALLER_SAVED: [Register; 9] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
];

/// The registers for arguments, System V ABI for AMD64, 3.2.3.
pub(super) const ARGUMENTS: [Register; 6] =
    [Register::RDI, Register::RSI, Register::RDX, Register::RCX, Register::R8, Register::R9];

/// What registers and stack hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    registers: [Value; REGISTERS],
    /// Values by their distance from the return address, with their sizes in bytes. States share it
    /// until one of them changes it.
    stack: Rc<BTreeMap<i64, (Value, u8)>>,
    /// The lowest address of the frame that other code may know.
    shared: Option<i64>,
}

impl State {
    /// Returns the state where a function is entered.
    pub(crate) fn entry() -> Self {
        let mut registers =
            std::array::from_fn(|number| Value::One(Atom::Entry(Slot::Register(u8::try_from(number).unwrap_or(0)))));
        registers[number(Register::RSP)] = Value::One(Atom::Frame(0));
        Self { registers, stack: Rc::default(), shared: None }
    }

    /// Returns the state of which nothing is known.
    pub(crate) fn unknown() -> Self {
        Self { registers: std::array::from_fn(|_| Value::Unknown), stack: Rc::default(), shared: Some(i64::MIN) }
    }

    /// Returns whether code may be entered here in a state of which nothing is known.
    pub(super) fn is_unknown(&self) -> bool {
        self.shared == Some(i64::MIN)
    }

    /// Forgets what the frame holds.
    pub(super) fn forget_frame(&mut self) {
        self.forget(i64::MIN / 2, i64::MAX);
    }

    /// Adds the possibilities of another state. Returns whether that changed this one.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        let (mut has_changed, mut is_whole) = (false, false);
        for (own, others) in self.registers.iter_mut().zip(&other.registers) {
            let may_be_frame = own.may_be_frame() || others.may_be_frame();
            has_changed |= own.join(others);
            is_whole |= may_be_frame && *own == Value::Unknown;
        }
        has_changed |= self.join_stack(other);
        // A pointer that a loop moves is no longer known to be one.
        let whole = is_whole.then_some(WHOLE);
        let shared = [self.shared, other.shared, whole].into_iter().flatten().min();
        has_changed |= shared != self.shared;
        self.shared = shared;
        has_changed
    }

    fn join_stack(&mut self, other: &Self) -> bool {
        if Rc::ptr_eq(&self.stack, &other.stack) || self.stack == other.stack {
            return false;
        }
        let mut has_changed = false;
        let stack = Rc::make_mut(&mut self.stack);
        stack.retain(|at, (value, size)| {
            // What only one of them has written is not known. Above the return address, an unknown
            // value hides the caller's argument.
            let is_same = match other.stack.get(at) {
                Some((others, its)) if its == size => {
                    has_changed |= value.join(others);
                    true
                }
                _ => false,
            };
            if !is_same {
                has_changed |= *value != Value::Unknown;
                *value = Value::Unknown;
            }
            *value != Value::Unknown || *at >= 0
        });
        for at in other.stack.range(0..).map(|(at, _)| *at) {
            stack.entry(at).or_insert_with(|| {
                has_changed = true;
                (Value::Unknown, 8)
            });
        }
        has_changed
    }

    /// Returns what a register holds.
    pub(crate) fn register(&self, register: Register) -> &Value {
        &self.registers[number(register)]
    }

    /// Sets a register.
    pub(crate) fn set(&mut self, register: Register, value: Value) {
        self.registers[number(register)] = value;
    }

    /// Returns what a place of the frame holds.
    pub(crate) fn load(&self, at: i64, size: u8) -> Value {
        let end = at + i64::from(size);
        let before = self.stack.range(at - 7..=at).next_back();
        let Some((start, (value, _))) = before.filter(|(start, (_, its))| **start + i64::from(*its) >= end) else {
            // The caller's arguments are above the return address.
            let is_argument = at >= 8 && size >= 4 && !self.is_overwritten(at, size);
            return if is_argument { Value::One(Atom::Entry(Slot::Stack(at))) } else { Value::Unknown };
        };
        match size {
            8 => value.clone(),
            4 if *start == at => value.lower_half(),
            _ => value.map(|number| (number >> (8 * (at - start))) & ((1 << (8 * u32::from(size))) - 1)),
        }
    }

    fn is_overwritten(&self, at: i64, size: u8) -> bool {
        let is_shared = self.shared.is_some_and(|shared| (0..=at).contains(&shared));
        is_shared
            || self.stack.range(at - 16..at + i64::from(size)).any(|(start, (_, its))| start + i64::from(*its) > at)
    }

    /// Stores a value in a place of the frame.
    pub(crate) fn store(&mut self, at: i64, size: u8, value: Value) {
        self.forget(at, i64::from(size));
        self.share(&value);
        // An unknown value above the return address hides the argument there.
        if value != Value::Unknown || at >= 0 {
            Rc::make_mut(&mut self.stack).insert(at, (value, size));
        }
    }

    /// Forgets what this many bytes from a place of the frame on hold.
    pub(crate) fn forget(&mut self, at: i64, size: i64) {
        let end = at.saturating_add(size);
        // Stores of vectors are the longest, with 64 bytes, but are never kept.
        let overlapping = self.stack.range(at.saturating_sub(8)..end);
        let overlapping: Vec<i64> =
            overlapping.filter(|(start, (_, its))| **start + i64::from(*its) > at).map(|(start, _)| *start).collect();
        for start in overlapping {
            let stack = Rc::make_mut(&mut self.stack);
            stack.remove(&start);
            if start >= 0 {
                stack.insert(start, (Value::Unknown, 8));
            }
        }
    }

    /// Forgets what other code may overwrite: what lies at addresses that it may know, and above,
    /// up to the return address.
    pub(crate) fn forget_shared(&mut self) {
        let Some(shared) = self.shared.filter(|shared| *shared < 0) else { return };
        if self.stack.range(shared..0).next().is_some() {
            Rc::make_mut(&mut self.stack).retain(|at, _| *at < shared || *at >= 0);
        }
    }

    /// Returns the lowest address of the frame that other code may know.
    pub(super) fn shared(&self) -> Option<i64> {
        self.shared
    }

    /// Returns whether a value that is not known may be an address in the frame.
    pub(super) fn is_whole_shared(&self) -> bool {
        self.shared.is_some_and(|shared| shared <= WHOLE)
    }

    /// Records that a value that is not known may be an address in the frame.
    pub(super) fn share_whole(&mut self) {
        self.shared = Some(self.shared.map_or(WHOLE, |shared| shared.min(WHOLE)));
    }

    /// Records that other code may know a value.
    pub(crate) fn share(&mut self, value: &Value) {
        for atom in value.atoms().unwrap_or_default() {
            if let Atom::Frame(at) = atom {
                self.shared = Some(self.shared.map_or(*at, |shared| shared.min(*at)));
            }
        }
    }

    /// Does to the state what a call does. The registers of Go's calling convention are all saved
    /// by the caller: abi-internal.md of the Go sources. Arguments on the stack belong to the
    /// function that is called, but no compiler reads them again after the call.
    pub(crate) fn call(&mut self, is_go: bool) {
        for register in ARGUMENTS {
            let value = self.register(register).clone();
            self.share(&value);
        }
        self.forget_shared();
        if !is_go {
            for register in CALLER_SAVED {
                self.set(register, Value::Unknown);
            }
            return;
        }
        let stack = self.register(Register::RSP).clone();
        self.registers = std::array::from_fn(|_| Value::Unknown);
        self.set(Register::RSP, stack);
    }

    /// Returns what this state, at a call, leaves in a place for the function that it calls. A jump
    /// to the function leaves the return address where it is.
    pub(crate) fn slot(&self, slot: Slot, is_jump: bool) -> Value {
        match slot {
            Slot::Register(register) => self.registers[usize::from(register) % REGISTERS].clone(),
            Slot::Stack(at) => match self.register(Register::RSP).frame() {
                Some(top) => self
                    .load(top + at - if is_jump { 0 } else { 8 }, 8)
                    .or_half(|| self.load(top + at - if is_jump { 0 } else { 8 }, 4)),
                None => Value::Unknown,
            },
            Slot::Field(register, offset) => self.behind(&self.registers[usize::from(register) % REGISTERS], offset),
        }
    }

    /// Returns what memory holds at this distance from an address, as far as this function or its
    /// callers set it.
    pub(crate) fn behind(&self, address: &Value, offset: i64) -> Value {
        match address {
            Value::One(Atom::Frame(at)) => {
                let at = at.wrapping_add(offset);
                self.load(at, 8).or_half(|| self.load(at, 4))
            }
            Value::One(Atom::Entry(Slot::Register(register))) => {
                Value::One(Atom::Entry(Slot::Field(*register, offset)))
            }
            Value::One(Atom::Word(word)) => Value::One(Atom::BehindWord(*word, offset)),
            _ => Value::Unknown,
        }
    }
}

impl Value {
    /// Returns the value, or another one if it is unknown.
    fn or_half(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::Unknown { other() } else { self }
    }
}

/// Returns the number of a register in machine code.
pub(super) fn number(register: Register) -> usize {
    register.full_register().number() % REGISTERS
}
