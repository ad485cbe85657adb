//! Where an address goes within a function: what is read and written through it, which code gets
//! it, and whether it is lost. Main type: [`Uses`].
//!
//! All of this is "may": an address that one of two branches leaves in a register is in it.

mod taint;

use std::collections::HashMap;

use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};

use sysguard::unstable::model::decode::argument_count;
use sysguard::unstable::model::kernel::syscall::Syscall;

use super::operands::has_thread_segment;
use super::state::number;
use super::step::Step;
use super::{Atom, Slot, State, Value, settled, targets};
use crate::code::{Code, Next, Site};
use crate::program::{Place, Program};
use taint::{Tag, Taint};

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

/// An access of any number of bytes.
const ALL: i64 = 1 << 32;

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
        let mut visit = Visit {
            program,
            place,
            code: &code,
            start,
            info: InstructionInfoFactory::new(),
            reader: Step::new(program, place),
        };
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
            let others = blocks.states().map(|(block, _)| block).filter(|block| *block != first);
            open.extend(others);
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

/// What instructions do with tags.
struct Visit<'a, 'p, 'd> {
    program: &'p Program<'d>,
    place: Place,
    code: &'a Code,
    start: Start,
    info: InstructionInfoFactory,
    reader: Step<'p, 'd>,
}

impl Visit<'_, '_, '_> {
    fn apply(&mut self, instruction: &Instruction, state: &State, taint: &mut Taint, uses: &mut Uses) {
        let names = self.start.from == From::Instruction(instruction.ip());
        let result = match self.start.from {
            From::Result(at, register) if at == instruction.ip() => Some((Slot::Register(register), self.start.offset)),
            _ => None,
        };
        if taint.is_empty() && !names && result.is_none() {
            return;
        }
        if taint.is_shared(state) && matches!(Next::of(instruction), Next::Call(_) | Next::CallThrough) {
            uses.lose(instruction);
        }
        if Site::of(instruction).is_some() {
            kernel(instruction, state, taint, uses);
            for register in [Register::RAX, Register::RCX, Register::R11] {
                taint.set(register, None);
            }
            return;
        }
        match Next::of(instruction) {
            Next::Step => self.step(instruction, state, taint, uses),
            Next::End => {
                if instruction.mnemonic() == Mnemonic::Ret {
                    let results = [Register::RAX, Register::RDX].map(|it| (number(it) as u8, taint.get(it)));
                    uses.returned.extend(results.into_iter().filter_map(|(register, tag)| Some((register, tag?))));
                }
                return;
            }
            next => {
                self.transfer(instruction, next, state, taint, uses, names);
                if matches!(next, Next::Call(_) | Next::CallThrough) {
                    taint.call();
                    if let Some((slot, offset)) = result {
                        taint.enter(slot, offset);
                    }
                }
                return;
            }
        }
        if instruction.next_ip() == self.code.range.end && Next::of(instruction) == Next::Step {
            let targets = self.program.called(self.place.module, self.code.range.end);
            self.pass(&targets, instruction, true, state, taint, uses);
        }
    }

    /// Applies a call or a jump.
    fn transfer(
        &self,
        instruction: &Instruction,
        next: Next,
        state: &State,
        taint: &Taint,
        uses: &mut Uses,
        names: bool,
    ) {
        let at = instruction.ip();
        let is_jump = !matches!(next, Next::Call(_) | Next::CallThrough);
        let is_through = matches!(next, Next::CallThrough | Next::JumpThrough);
        if is_through && names {
            // It calls what it loads.
            uses.called.push((at, state.clone(), is_jump));
        } else if is_through && instruction.op0_kind() == OpKind::Register {
            if taint.get(instruction.op0_register()).is_some() {
                uses.called.push((at, state.clone(), is_jump));
            }
        } else if is_through && let Some(offset) = taint.address(instruction) {
            let kind = AccessKind::Call(Box::new(state.clone()), is_jump);
            uses.accesses.push(Access { at, offset, size: 8, kind });
        }
        let is_within = match next {
            Next::Jump(target) | Next::Branch(target) => self.code.range.contains(&target),
            Next::JumpThrough => {
                self.code.tables.get(&at).is_some_and(|targets| targets.iter().all(|it| self.code.range.contains(it)))
            }
            _ => false,
        };
        if is_within {
            if matches!(next, Next::Branch(_)) && instruction.next_ip() == self.code.range.end {
                let targets = self.program.called(self.place.module, self.code.range.end);
                self.pass(&targets, instruction, true, state, taint, uses);
            }
            return;
        }
        let known = targets(self.program, self.place.module, self.code, instruction, state);
        let known = known.map(|(targets, _)| targets).unwrap_or_default();
        let is_certain = !known.is_empty()
            && (!is_through || self.is_certain(instruction, state))
            && !known.iter().any(|place| self.program.image(place.module).is_resolver(place.address));
        if is_certain {
            self.pass(&known, instruction, is_jump, state, taint, uses);
        } else {
            uses.lose_if(taint.is_argument(is_jump, state), instruction);
        }
    }

    /// Returns whether the targets of a call through a register or word are all known.
    fn is_certain(&self, instruction: &Instruction, state: &State) -> bool {
        let image = self.program.image(self.place.module);
        if instruction.is_ip_rel_memory_operand() {
            return image.is_linker_word(instruction.ip_rel_memory_address());
        }
        let is_code = |atom: &Atom| match atom {
            Atom::Number(address) => image.is_code(*address),
            Atom::Function(_) => true,
            _ => false,
        };
        instruction.op0_kind() == OpKind::Register
            && state.register(instruction.op0_register()).atoms().is_some_and(|atoms| atoms.iter().all(is_code))
    }

    /// Records that code gets the address in registers or on the stack.
    fn pass(
        &self,
        targets: &[Place],
        instruction: &Instruction,
        is_jump: bool,
        state: &State,
        taint: &Taint,
        uses: &mut Uses,
    ) {
        for target in targets {
            let slots = taint.slots(is_jump, state);
            match slots {
                Some(slots) => uses.passed.extend(
                    slots.into_iter().map(|(slot, offset)| (*target, Start { from: From::Caller(slot), offset })),
                ),
                None => uses.lose(instruction),
            }
        }
        uses.lose_if(targets.is_empty(), instruction);
    }

    /// Applies any other instruction.
    fn step(&mut self, instruction: &Instruction, state: &State, taint: &mut Taint, uses: &mut Uses) {
        use Mnemonic as M;
        let (at, mnemonic) = (instruction.ip(), instruction.mnemonic());
        let names = self.start.from == From::Instruction(at);
        let (target, kind) = (instruction.op0_register(), instruction.op0_kind());
        let is_register = kind == OpKind::Register;
        let is_whole = is_register && target.is_gpr64();
        let source_tag = |taint: &Taint| match instruction.op1_kind() {
            OpKind::Register if instruction.op1_register().is_gpr64() => taint.get(instruction.op1_register()),
            OpKind::Register => taint.get(instruction.op1_register()).map(|_| Tag::Anywhere),
            OpKind::Memory => taint.load(instruction, state),
            _ => None,
        };
        let started = Some(self.start.offset);
        if mnemonic == M::Lea {
            let tag = if names && instruction.memory_index() == Register::None && target.is_gpr64() {
                started
            } else if names {
                Some(Tag::Anywhere)
            } else {
                taint.address(instruction)
            };
            taint.set(target, if target.is_gpr64() { tag } else { tag.map(|_| Tag::Anywhere) });
            return;
        }
        self.access(instruction, state, taint, uses);
        match mnemonic {
            M::Nop | M::Endbr64 | M::Cmp | M::Test | M::Prefetcht0 => {}
            M::Mov if is_register && target.is_gpr() => {
                let tag = if names { started } else { source_tag(taint) };
                let is_wide = target.is_gpr64() || target.is_gpr32();
                if is_wide {
                    taint.set(target, tag);
                } else {
                    taint.add(target, tag.map(|_| Tag::Anywhere));
                }
            }
            M::Mov if kind == OpKind::Memory => {
                let tag = if names { started } else { source_tag(taint) };
                self.store(instruction, tag, state, taint, uses);
            }
            M::Push => {
                let tag = match kind {
                    OpKind::Register => taint.get(target),
                    OpKind::Memory => taint.load(instruction, state),
                    _ => None,
                };
                let tag = if names { started } else { tag };
                uses.lose_if(!taint.push(tag, state), instruction);
            }
            M::Pop if is_whole => {
                let tag = taint.top(state);
                taint.set(target, tag);
            }
            M::Leave => {
                let tag = state.register(Register::RBP).frame().and_then(|at| taint.slot(at));
                taint.set(Register::RBP, tag);
            }
            M::Xchg if is_whole && instruction.op1_kind() == OpKind::Register => {
                let (own, its) = (taint.get(target), taint.get(instruction.op1_register()));
                taint.set(target, its);
                taint.set(instruction.op1_register(), own);
            }
            _ if super::operands::is_conditional_move(mnemonic) && is_register => {
                let tag = if names { started } else { source_tag(taint) };
                taint.add(target, tag);
            }
            M::Xor | M::Sub | M::Sbb
                if is_register
                    && instruction.op1_kind() == OpKind::Register
                    && instruction.op1_register() == target =>
            {
                taint.set(target, None);
            }
            M::Add | M::Sub | M::Inc | M::Dec if is_whole && !names && super::operands::is_immediate(instruction) => {
                let by = match mnemonic {
                    M::Add => instruction.immediate(1) as i64,
                    M::Sub => (instruction.immediate(1) as i64).wrapping_neg(),
                    M::Inc => 1,
                    _ => -1,
                };
                let tag = taint.get(target).map(|tag| tag.plus(by));
                taint.set(target, tag);
            }
            _ => self.other(instruction, names, state, taint, uses),
        }
    }

    /// Applies an instruction of which only the operands are known.
    fn other(&mut self, instruction: &Instruction, names: bool, state: &State, taint: &mut Taint, uses: &mut Uses) {
        let info = self.info.info(instruction);
        let is_write = |access: OpAccess| {
            !matches!(access, OpAccess::Read | OpAccess::CondRead | OpAccess::None | OpAccess::NoMemAccess)
        };
        let is_read = |access: OpAccess| {
            !matches!(access, OpAccess::Write | OpAccess::CondWrite | OpAccess::None | OpAccess::NoMemAccess)
        };
        // The registers of a memory operand are no input of the result.
        let in_address = [instruction.memory_base().full_register(), instruction.memory_index().full_register()];
        let is_operand = |register: Register| {
            (0..instruction.op_count()).any(|it| {
                instruction.op_kind(it) == OpKind::Register
                    && instruction.op_register(it).full_register() == register.full_register()
            })
        };
        let mut input = names || taint.load(instruction, state).is_some();
        for used in info.used_registers().iter().filter(|used| is_read(used.access())) {
            let register = used.register();
            let is_only_address = in_address.contains(&register.full_register()) && !is_operand(register);
            input |= register.is_gpr()
                && !is_only_address
                && register.full_register() != Register::RSP
                && taint.get(register).is_some();
        }
        let stores = info.used_memory().iter().any(|memory| is_write(memory.access()));
        let mut writes_vector = false;
        for used in info.used_registers().iter().filter(|used| is_write(used.access())) {
            let register = used.register();
            if register.is_gpr() {
                if register.full_register() != Register::RSP {
                    taint.set(register, input.then_some(Tag::Anywhere));
                }
            } else {
                writes_vector = true;
            }
        }
        uses.lose_if(input && (stores || writes_vector), instruction);
    }

    /// Stores a tag, or clears that of the place.
    fn store(&self, instruction: &Instruction, tag: Option<Tag>, state: &State, taint: &mut Taint, uses: &mut Uses) {
        let size = instruction.memory_size().size();
        let is_exact = instruction.memory_index() == Register::None && !has_thread_segment(instruction);
        match taint::address_in_state(instruction, state) {
            Value::One(Atom::Frame(at)) if is_exact && size == 8 => taint.set_slot(at, tag),
            Value::One(Atom::Number(word)) if is_exact && size == 8 && tag.is_some() => {
                uses.kept.extend(tag.map(|tag| (word, tag)));
            }
            // An address cannot be stored in less than a word.
            _ => uses.lose_if(tag.is_some() && size >= 8, instruction),
        }
    }

    /// Records an access through the address.
    fn access(&mut self, instruction: &Instruction, state: &State, taint: &Taint, uses: &mut Uses) {
        let info = self.info.info(instruction);
        let at = instruction.ip();
        for memory in info.used_memory() {
            let Some(offset) = taint.address_of(memory) else { continue };
            let is_repeated = instruction.has_rep_prefix() || instruction.has_repne_prefix();
            let size = if is_repeated { ALL } else { memory.memory_size().size() as i64 };
            let offset = if is_repeated { Tag::Anywhere } else { offset };
            let is_read_only = matches!(memory.access(), OpAccess::Read | OpAccess::CondRead);
            if matches!(memory.access(), OpAccess::NoMemAccess | OpAccess::None) {
                continue;
            }
            let is_compare = matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test);
            let is_load = is_read_only
                && instruction.mnemonic() == Mnemonic::Mov
                && instruction.op0_kind() == OpKind::Register
                && instruction.op0_register().is_gpr();
            let mut push = |kind| uses.accesses.push(Access { at, offset, size, kind });
            if is_read_only {
                let is_harmless = is_compare || size < 8;
                push(if is_load {
                    AccessKind::Load
                } else if is_harmless {
                    AccessKind::Read
                } else {
                    AccessKind::Copy
                });
                continue;
            }
            let is_move = instruction.mnemonic() == Mnemonic::Mov;
            let value = if is_move { self.reader.operand(instruction, 1, state) } else { Value::Unknown };
            push(AccessKind::Store(value));
            let is_read_too = !is_move && memory.access() != OpAccess::Write;
            if is_read_too && size >= 8 {
                push(AccessKind::Copy);
            }
        }
    }
}

/// Returns how many registers the call of a number reads.
fn arguments(number: &Atom) -> usize {
    let Atom::Number(number) = number else { return 6 };
    let syscall = Syscall::of_x86_64(i64::from(*number as u32 as i32));
    argument_count(&syscall.name()).unwrap_or(6)
}

/// Applies a syscall that gets the address.
fn kernel(instruction: &Instruction, state: &State, taint: &Taint, uses: &mut Uses) {
    /// The kernel accesses one word of 32 bits at each address: futex(2).
    const FUTEX: u64 = 202;
    use Register as R;
    let number = state.register(R::RAX);
    let is_futex = *number == Value::number(FUTEX);
    let count = number.atoms().and_then(|atoms| atoms.iter().map(arguments).max()).unwrap_or(6);
    for register in [R::RDI, R::RSI, R::RDX, R::R10, R::R8, R::R9].into_iter().take(count) {
        let Some(offset) = taint.get(register) else { continue };
        if is_futex {
            uses.accesses.push(Access {
                at: instruction.ip(),
                offset,
                size: 4,
                kind: AccessKind::Store(Value::Unknown),
            });
        } else {
            uses.lose(instruction);
        }
    }
}

/// Returns all values that a function stores in a place of its frame. One is unknown if a store may
/// change a part of the place.
pub(crate) fn stores_in_frame(program: &Program<'_>, place: Place, at: i64) -> Vec<Value> {
    let Some(code) = program.code(place) else { return vec![Value::Unknown] };
    let mut step = Step::new(program, place);
    let (blocks, _) = settled(program, place, &code, &mut step);
    let (mut values, mut info) = (Vec::new(), InstructionInfoFactory::new());
    for (start, state) in blocks.states() {
        let mut state = state.clone();
        blocks.walk(start, |_, instruction| {
            let memory = info.info(instruction).used_memory();
            let is_read = |access| matches!(access, OpAccess::Read | OpAccess::CondRead | OpAccess::NoMemAccess);
            let is_written = memory.iter().any(|it| !is_read(it.access()));
            let is_push = instruction.mnemonic() == Mnemonic::Push;
            let (to, size) = if is_push {
                (state.register(Register::RSP).plus(-8), 8)
            } else {
                (taint::address_in_state(instruction, &state), instruction.memory_size().size() as i64)
            };
            let is_indexed = instruction.memory_index() != Register::None;
            let is_here = to.frame().is_some_and(|to| is_indexed || to < at + 4 && to + size > at);
            let is_call = matches!(Next::of(instruction), Next::Call(_) | Next::CallThrough);
            step.apply(instruction, &mut state);
            if is_written && is_here && !is_call {
                values.push(if is_indexed { Value::Unknown } else { state.load(at, 4) });
            }
        });
    }
    values
}
