//! What an instruction does to registers and stack. Main type: [`Step`].

use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};

use super::arithmetic::with_number;
use super::operands::{
    address_without_index, computes_with_frame, frame_in_vector, has_thread_segment, is_condition_as_number,
    is_conditional_move, is_immediate, is_second_byte, is_wide, may_be_frame, operand_size,
};
use super::state::State;
use super::value::{Atom, Slot, Value};
use crate::code::{Next, Site};
use crate::image::{Image, Target};
use crate::program::{Place, Program};

/// Applies instructions of a file to states.
pub(super) struct Step<'p, 'd> {
    program: &'p Program<'d>,
    module: usize,
    is_go: bool,
    info: InstructionInfoFactory,
    /// What the last instruction stored in a word of the file's data, if it did only that.
    pub(super) stored: Option<(u64, Value)>,
}

impl<'p, 'd> Step<'p, 'd> {
    /// Returns the steps of code at a place.
    pub(super) fn new(program: &'p Program<'d>, place: Place) -> Self {
        let is_go = program.image(place.module).go.as_ref().is_some_and(|range| range.contains(&place.address));
        Self { program, module: place.module, is_go, info: InstructionInfoFactory::new(), stored: None }
    }

    fn image(&self) -> &'p Image<'d> {
        self.program.image(self.module)
    }

    /// Applies an instruction.
    pub(super) fn apply(&mut self, instruction: &Instruction, state: &mut State) {
        self.stored = None;
        if Site::of(instruction).is_some() {
            // The kernel writes these three: entry_SYSCALL_64, arch/x86/entry/entry_64.S.
            for register in [Register::RAX, Register::RCX, Register::R11] {
                state.set(register, Value::Unknown);
            }
            return;
        }
        match Next::of(instruction) {
            Next::Call(_) | Next::CallThrough => {
                state.call(self.is_go);
                // When it returns again, the frame holds what was stored meanwhile.
                if let Next::Call(target) = Next::of(instruction)
                    && self.program.returns_twice(self.module, target)
                {
                    state.forget_frame();
                }
                return;
            }
            Next::Jump(_) | Next::Branch(_) | Next::JumpThrough | Next::End => return,
            Next::Step => {}
        }
        let copied = frame_in_vector(instruction, state);
        let is_computed = computes_with_frame(instruction, state);
        if !self.moves(instruction, state) && !self.computes(instruction, state) {
            self.writes_unknown(instruction, state);
        }
        if let Some(value) = copied {
            state.share(&value);
        }
        if is_computed && *state.register(instruction.op0_register()) == Value::Unknown {
            state.share_whole();
        }
    }

    /// Applies instructions that move values. Returns whether this is one.
    fn moves(&mut self, instruction: &Instruction, state: &mut State) -> bool {
        let (target, kind) = (instruction.op0_register(), instruction.op0_kind());
        match instruction.mnemonic() {
            Mnemonic::Endbr64 | Mnemonic::Nop | Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Prefetcht0 => true,
            Mnemonic::Push => {
                let value = self.operand(instruction, 0, state);
                let top = state.register(Register::RSP).plus(-8);
                if let Some(at) = top.frame() {
                    // A register that is saved is not shared.
                    state.forget(at, 8);
                    state.store(at, 8, value);
                }
                state.set(Register::RSP, top);
                true
            }
            Mnemonic::Pop if kind == OpKind::Register && target.is_gpr64() => {
                let top = state.register(Register::RSP).clone();
                let value = top.frame().map_or(Value::Unknown, |at| state.load(at, 8));
                state.set(Register::RSP, top.plus(8));
                state.set(target, value);
                true
            }
            Mnemonic::Leave => {
                let frame = state.register(Register::RBP).clone();
                let value = frame.frame().map_or(Value::Unknown, |at| state.load(at, 8));
                state.set(Register::RSP, frame.plus(8));
                state.set(Register::RBP, value);
                true
            }
            Mnemonic::Mov if kind == OpKind::Memory => {
                let value = self.operand(instruction, 1, state);
                if let Value::One(Atom::Number(address)) = address_without_index(instruction, state)
                    && instruction.memory_index() == Register::None
                {
                    self.stored = Some((address, value.clone()));
                }
                self.store(instruction, value, state);
                true
            }
            Mnemonic::Mov | Mnemonic::Movsxd | Mnemonic::Movzx if is_wide(target, kind) => {
                let value = self.operand(instruction, 1, state);
                let source = operand_size(instruction, 1);
                let value = match (instruction.mnemonic(), source) {
                    (Mnemonic::Movsxd, 4) => value.map_or_same(|number| number as u32 as i32 as i64 as u64),
                    _ => value,
                };
                state.set(target, if target.is_gpr32() { value.lower_half() } else { value });
                true
            }
            Mnemonic::Mov if target.is_gpr8() && instruction.op1_kind() == OpKind::Immediate8 => {
                self.low_byte(target, u64::from(instruction.immediate8()), state)
            }
            Mnemonic::Lea if is_wide(target, kind) => {
                let value = self.address(instruction, state);
                state.set(target, if target.is_gpr32() { value.lower_half() } else { value });
                true
            }
            Mnemonic::Cdqe => {
                let value = state.register(Register::RAX).map_or_same(|number| number as u32 as i32 as i64 as u64);
                state.set(Register::RAX, value);
                true
            }
            Mnemonic::Xchg if is_wide(target, kind) && instruction.op1_kind() == OpKind::Register => {
                let other = instruction.op1_register();
                let (own, its) = (state.register(target).clone(), state.register(other).clone());
                state.set(target, its);
                state.set(other, own);
                target.is_gpr64()
            }
            mnemonic if is_conditional_move(mnemonic) && is_wide(target, kind) => {
                let mut value = state.register(target).clone();
                value.join(&self.operand(instruction, 1, state));
                state.set(target, value);
                true
            }
            _ => false,
        }
    }

    /// Sets the lowest byte of a register.
    fn low_byte(&self, target: Register, byte: u64, state: &mut State) -> bool {
        if is_second_byte(target) {
            return false;
        }
        let value = state.register(target).map(|number| number & !0xff | byte);
        state.set(target, value);
        true
    }

    /// Applies arithmetic with numbers. Returns whether this is such an instruction.
    fn computes(&mut self, instruction: &Instruction, state: &mut State) -> bool {
        let (target, kind) = (instruction.op0_register(), instruction.op0_kind());
        let mnemonic = instruction.mnemonic();
        if is_condition_as_number(mnemonic) && kind == OpKind::Register && target.is_gpr8() {
            let is_high = is_second_byte(target);
            let zero = state.register(target).map(|number| number & !0xff);
            let mut value = zero.map(|number| number | 1);
            value.join(&zero);
            state.set(target, if is_high { Value::Unknown } else { value });
            return true;
        }
        if !is_wide(target, kind) {
            return false;
        }
        let is_same = instruction.op_count() == 2
            && instruction.op1_kind() == OpKind::Register
            && instruction.op1_register() == target;
        let own = state.register(target).clone();
        let value = match mnemonic {
            Mnemonic::Xor | Mnemonic::Sub if is_same => Value::number(0),
            Mnemonic::Sbb if is_same => Value::of([Atom::Number(0), Atom::Number(u64::MAX)]),
            Mnemonic::And | Mnemonic::Or if is_same => own,
            Mnemonic::Inc => own.plus(1),
            Mnemonic::Dec => own.plus(-1),
            Mnemonic::Neg => own.map(u64::wrapping_neg),
            Mnemonic::Not => own.map(|number| !number),
            Mnemonic::Add | Mnemonic::Sub | Mnemonic::And | Mnemonic::Or | Mnemonic::Xor | Mnemonic::Shl
                if is_immediate(instruction) =>
            {
                with_number(mnemonic, &own, instruction.immediate(1))
            }
            _ => return false,
        };
        state.set(target, if target.is_gpr32() { value.lower_half() } else { value });
        true
    }

    /// Applies an instruction of which only the places that it writes are known.
    fn writes_unknown(&mut self, instruction: &Instruction, state: &mut State) {
        let info = self.info.info(instruction);
        let is_write = |access: OpAccess| {
            matches!(access, OpAccess::Write | OpAccess::ReadWrite | OpAccess::CondWrite | OpAccess::ReadCondWrite)
        };
        let mut registers = Vec::new();
        for used in info.used_registers() {
            let register = used.register();
            if is_write(used.access()) && register.is_gpr() {
                registers.push(register);
            }
        }
        let writes_memory = info.used_memory().iter().any(|memory| is_write(memory.access()));
        if writes_memory {
            if instruction.has_rep_prefix() || instruction.has_repne_prefix() {
                // Any number of words from %rdi on.
                if may_be_frame(Register::RDI, state) {
                    state.forget_frame();
                }
                state.forget_shared();
            } else {
                self.store(instruction, Value::Unknown, state);
            }
        }
        for register in registers {
            state.set(register, Value::Unknown);
        }
    }

    /// Stores a value where the memory operand of an instruction is.
    fn store(&mut self, instruction: &Instruction, value: Value, state: &mut State) {
        let size = instruction.memory_size().size();
        let base = address_without_index(instruction, state);
        let is_exact = instruction.memory_index() == Register::None;
        match (base.frame(), u8::try_from(size)) {
            (Some(at), Ok(size @ (1 | 2 | 4 | 8))) if is_exact => {
                state.forget(at, size.into());
                state.store(at, size, value);
            }
            (Some(at), _) if is_exact => state.forget(at, size.max(8) as i64),
            // An index may be negative: loops count up to the end of an array.
            (Some(_), _) => {
                state.share(&value);
                state.forget_frame();
            }
            (None, _) => {
                state.share(&value);
                state.share(&base);
                if may_be_frame(instruction.memory_index(), state) {
                    state.forget_frame();
                }
                // Only an address that was shared, or is unknown, can lead to the frame.
                if !instruction.is_ip_rel_memory_operand() {
                    state.forget_shared();
                }
            }
        }
    }

    /// Returns the value of an operand.
    pub(super) fn operand(&self, instruction: &Instruction, operand: u32, state: &State) -> Value {
        match instruction.op_kind(operand) {
            OpKind::Register => {
                let register = instruction.op_register(operand);
                match register.size() {
                    8 if register.is_gpr() => state.register(register).clone(),
                    4 if register.is_gpr() => state.register(register).lower_half(),
                    _ if is_second_byte(register) => Value::Unknown,
                    2 if register.is_gpr() => state.register(register).map(|number| number & 0xffff),
                    1 if register.is_gpr() => state.register(register).map(|number| number & 0xff),
                    _ => Value::Unknown,
                }
            }
            OpKind::Memory => self.load(instruction, state),
            OpKind::Immediate32 => Value::number(u64::from(instruction.immediate32())),
            OpKind::Immediate8
            | OpKind::Immediate16
            | OpKind::Immediate64
            | OpKind::Immediate8to16
            | OpKind::Immediate8to32
            | OpKind::Immediate8to64
            | OpKind::Immediate32to64 => Value::number(instruction.immediate(operand)),
            _ => Value::Unknown,
        }
    }

    /// Returns what the memory operand of an instruction holds.
    fn load(&self, instruction: &Instruction, state: &State) -> Value {
        let Ok(size) = u8::try_from(instruction.memory_size().size()) else { return Value::Unknown };
        if instruction.memory_index() != Register::None || has_thread_segment(instruction) {
            return Value::Unknown;
        }
        match address_without_index(instruction, state) {
            Value::One(Atom::Frame(at)) => state.load(at, size),
            Value::One(Atom::Number(address)) => self.static_word(address, size),
            _ => self.behind(instruction, size, state),
        }
    }

    /// Returns what memory holds at an address that is not known, as far as it can be found later.
    fn behind(&self, instruction: &Instruction, size: u8, state: &State) -> Value {
        let base = instruction.memory_base();
        if !base.is_gpr64() || size < 4 {
            return Value::Unknown;
        }
        let offset = instruction.memory_displacement64() as i64;
        match state.register(base) {
            Value::One(Atom::Entry(Slot::Register(register))) => {
                Value::One(Atom::Entry(Slot::Field(*register, offset)))
            }
            Value::One(Atom::Word(address)) => Value::One(Atom::BehindWord(*address, offset)),
            _ => Value::Unknown,
        }
    }

    /// Returns what a word of the file holds.
    fn static_word(&self, address: u64, size: u8) -> Value {
        let image = self.image();
        match image.pointers.at(address) {
            Some(target) if size == 8 && image.is_linker_word(address) => {
                let places = self.program.targets(self.module, target);
                let atoms = places.into_iter().map(|place| match target {
                    Target::Address(address) => Atom::Number(address),
                    _ => Atom::Function(place),
                });
                Value::of(atoms)
            }
            Some(_) if size == 8 && image.is_data(address) => Value::One(Atom::Word(address)),
            Some(_) => Value::Unknown,
            None => match image.constant(address, size.into()) {
                Some(number) => Value::number(number),
                None if size >= 4 && image.is_data(address) => Value::One(Atom::Word(address)),
                None => Value::Unknown,
            },
        }
    }

    /// Returns what `lea` computes.
    fn address(&self, instruction: &Instruction, state: &State) -> Value {
        if instruction.memory_index() != Register::None {
            return Value::Unknown;
        }
        address_without_index(instruction, state)
    }
}

impl Value {
    /// Returns the value after a function of numbers, or the value itself if it is no number.
    fn map_or_same(&self, function: impl Fn(u64) -> u64) -> Self {
        match self.map(function) {
            Self::Unknown => self.clone(),
            value => value,
        }
    }
}
