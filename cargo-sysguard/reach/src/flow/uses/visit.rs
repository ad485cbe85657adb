//! What an instruction does with a followed address. Main type: [`Visit`].

use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};

use super::memory::{access, kernel};
use super::taint::{Tag, Taint};
use super::{Access, AccessKind, From, Start, Uses};
use crate::code::{Code, Next, Site};
use crate::flow::operands::{address_without_index, has_thread_segment, is_conditional_move, is_immediate};
use crate::flow::state::number;
use crate::flow::step::Step;
use crate::flow::{Atom, Slot, State, Value, targets};
use crate::program::{Place, Program};

/// What instructions do with tags.
pub(super) struct Visit<'a, 'p, 'd> {
    program: &'p Program<'d>,
    place: Place,
    code: &'a Code,
    start: Start,
    info: InstructionInfoFactory,
    reader: Step<'p, 'd>,
}

impl<'a, 'p, 'd> Visit<'a, 'p, 'd> {
    pub(super) fn new(program: &'p Program<'d>, place: Place, code: &'a Code, start: Start) -> Self {
        Self { program, place, code, start, info: InstructionInfoFactory::new(), reader: Step::new(program, place) }
    }

    /// Applies an instruction: to the taint, and to what is known of the function.
    pub(super) fn apply(&mut self, instruction: &Instruction, state: &State, taint: &mut Taint, uses: &mut Uses) {
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
        // Code that is called through %rax finds its own address there, and reads none: only
        // functions with variable arguments read it, and get a number.
        let mut taint = taint.clone();
        if next == Next::CallThrough && instruction.op0_register() == Register::RAX {
            taint.set(Register::RAX, None);
        }
        let taint = &taint;
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
        access((&mut self.info, &self.reader), instruction, state, taint, uses);
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
            _ if is_conditional_move(mnemonic) && is_register => {
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
            M::Add | M::Sub | M::Inc | M::Dec if is_whole && !names && is_immediate(instruction) => {
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
        match address_without_index(instruction, state) {
            Value::One(Atom::Frame(at)) if is_exact && size == 8 => taint.set_slot(at, tag),
            Value::One(Atom::Number(word)) if is_exact && size == 8 && tag.is_some() => {
                uses.kept.extend(tag.map(|tag| (word, tag)));
            }
            // An address cannot be stored in less than a word.
            _ => uses.lose_if(tag.is_some() && size >= 8, instruction),
        }
    }
}
