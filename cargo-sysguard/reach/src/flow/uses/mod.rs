//! Where an address goes within a function: what is read and written through it, which code gets
//! it, and whether it is lost. Main type: [`Uses`].
//!
//! All of this is "may": an address that one of two branches leaves in a register is in it.

mod memory;
mod taint;
mod visit;

use std::collections::HashMap;

use iced_x86::{Instruction, Mnemonic, Register};

use super::step::Step;
use super::{Atom, Slot, State, Value, settled};
use crate::code::Next;
use crate::program::{Place, Program};
use taint::Taint;
use visit::Visit;

pub(crate) use memory::stores_in_frame;
pub(crate) use taint::Offset;

/// Where a function gets an address, and how far from the followed address it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Start {
    pub(crate) from: From,
    pub(crate) offset: Offset,
}

/// Where a function gets an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum From {
    /// Its caller leaves it here.
    Caller(Slot),
    /// This instruction names or loads it.
    Instruction(u64),
    /// The call at this address returns it in a register.
    Result(u64, u8),
}

/// What a function does with an address.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// What it reads, writes or calls through the address.
    pub(crate) accesses: Vec<Access>,
    /// Where it calls the address itself, with the state before.
    pub(crate) called: Vec<(u64, State, bool)>,
    /// The code that it passes the address to.
    pub(crate) passed: Vec<(Place, Start)>,
    /// The registers in which it returns the address.
    pub(crate) returned: Vec<(u8, Offset)>,
    /// Words of the file's data in which it keeps the address.
    pub(crate) kept: Vec<(u64, Offset)>,
    /// The instruction with which the address goes where it cannot be followed.
    pub(crate) lost: Option<u64>,
}

/// An access to memory at a followed address.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// The address of the instruction.
    pub(crate) at: u64,
    /// The distance from the followed address.
    pub(crate) offset: Offset,
    /// How many bytes.
    pub(crate) size: i64,
    pub(crate) kind: AccessKind,
}

/// What an access does.
#[derive(Debug, Clone)]
pub(crate) enum AccessKind {
    /// It loads a word into a general register.
    Load,
    /// It reads, and what is read goes no further than a comparison or arithmetic.
    Read,
    /// It copies more than a word, or into another kind of register.
    Copy,
    /// It stores this.
    Store(Value),
    /// It calls what is there, with this state; or jumps to it.
    Call(Box<State>, bool),
}

/// What %rax holds where a function is entered. A function that leaves it there returns no value.
const UNSET: Atom = Atom::Entry(Slot::Register(0));

impl Access {
    /// Returns whether this may access some of the bytes at a distance from the followed address.
    pub(crate) fn touches(&self, distance: i64, length: i64) -> bool {
        match self.offset {
            Offset::At(offset) => offset < distance + length && offset + self.size > distance,
            Offset::Anywhere => true,
        }
    }
}

impl Uses {
    /// Follows an address through the code from a place on.
    pub(crate) fn of(program: &Program<'_>, place: Place, start: Start) -> Self {
        let mut uses = Self::default();
        let Some(code) = program.code(place) else { return Self { lost: Some(place.address), ..uses } };
        // Go passes arguments in other registers.
        if program.image(place.module).go.as_ref().is_some_and(|range| range.contains(&place.address)) {
            return Self { lost: Some(place.address), ..uses };
        }
        let mut step = Step::new(program, place);
        let (blocks, unknown) = settled(program, place, &code, &mut step);
        let mut visit = Visit::new(program, place, &code, start);
        let Some(first) = code.index(code.range.start) else { return Self { lost: Some(place.address), ..uses } };
        let mut taints: HashMap<usize, Taint> = HashMap::from([(first, Taint::default())]);
        if let From::Caller(slot) = start.from {
            taints.entry(first).or_default().enter(slot, start.offset);
        }
        // An instruction in code that nothing is known to lead to has no state.
        let named = match start.from {
            From::Instruction(at) | From::Result(at, _) => Some(at),
            From::Caller(_) => None,
        };
        let mut open: Vec<usize> = vec![first];
        if named.is_some() {
            open.extend(blocks.states().map(|(block, _)| block).filter(|block| *block != first));
            taints.extend(blocks.states().map(|(block, _)| (block, Taint::default())));
        }
        let (mut found, mut thrown, mut is_void) = (HashMap::new(), Taint::default(), false);
        while let Some(block) = open.pop() {
            let Some(mut state) = blocks.state(block).cloned() else { continue };
            let mut taint = taints.get(&block).cloned().unwrap_or_default();
            let mut edges = Vec::new();
            let end = blocks.walk(block, |_, instruction| {
                let mut own = Self::default();
                visit.apply(instruction, &state, &mut taint, &mut own);
                found.insert((block, instruction.ip()), own);
                step.apply(instruction, &mut state);
                match Next::of(instruction) {
                    Next::Branch(target) | Next::Jump(target) => {
                        edges.extend(code.index(target).map(|target| (target, taint.clone())));
                    }
                    Next::JumpThrough => {
                        let targets = code.tables.get(&instruction.ip()).into_iter().flatten();
                        let targets = targets.filter_map(|target| code.index(*target));
                        edges.extend(targets.map(|target| (target, taint.clone())));
                    }
                    _ => {}
                }
                // Exceptions and unknown jumps lead to code that is entered in an unknown state.
                if !code.jumps.is_empty() && !taint.is_empty() {
                    thrown = Taint::anything();
                } else if matches!(Next::of(instruction), Next::Call(_) | Next::CallThrough) {
                    thrown.join(&taint.kept());
                }
                let is_kept = |value: &Value| value.atoms().is_some_and(|atoms| atoms.contains(&UNSET));
                is_void |= instruction.mnemonic() == Mnemonic::Ret && is_kept(state.register(Register::RAX));
            });
            if !thrown.is_empty() {
                edges.extend(unknown.iter().map(|block| (*block, thrown.clone())));
            }
            edges.extend(end.map(|end| (end, taint)));
            for (target, taint) in edges {
                let is_new = !taints.contains_key(&target);
                if taints.entry(target).or_default().join(&taint) || is_new {
                    open.push(target);
                }
            }
        }
        for own in found.into_values() {
            uses.add(own);
        }
        if is_void {
            uses.returned.clear();
        }
        uses
    }

    fn lose(&mut self, instruction: &Instruction) {
        self.lost = Some(instruction.ip());
    }

    fn lose_if(&mut self, is_lost: bool, instruction: &Instruction) {
        if is_lost {
            self.lose(instruction);
        }
    }

    fn add(&mut self, other: Self) {
        self.accesses.extend(other.accesses);
        self.called.extend(other.called);
        self.passed.extend(other.passed);
        self.kept.extend(other.kept);
        self.returned.extend(other.returned);
        self.lost = self.lost.or(other.lost);
    }
}
