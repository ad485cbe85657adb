//! Properties of instructions and their operands.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::state::State;
use super::value::Value;

/// Returns whether an operand is a register of at least 32 bits.
pub(super) fn is_wide(register: Register, kind: OpKind) -> bool {
    kind == OpKind::Register && (register.is_gpr32() || register.is_gpr64())
}

/// Returns whether the second operand is a number.
pub(super) fn is_immediate(instruction: &Instruction) -> bool {
    !matches!(instruction.op1_kind(), OpKind::Register | OpKind::Memory)
}

/// Returns the size of an operand in bytes.
pub(super) fn operand_size(instruction: &Instruction, operand: u32) -> usize {
    match instruction.op_kind(operand) {
        OpKind::Register => instruction.op_register(operand).size(),
        _ => instruction.memory_size().size(),
    }
}

/// Returns whether a memory operand is relative to the thread's own data.
pub(super) fn has_thread_segment(instruction: &Instruction) -> bool {
    matches!(instruction.segment_prefix(), Register::FS | Register::GS)
}

/// Returns the address of a memory operand, as far as its index does not change it.
pub(super) fn address_without_index(instruction: &Instruction, state: &State) -> Value {
    if has_thread_segment(instruction) {
        return Value::Unknown;
    }
    if instruction.is_ip_rel_memory_operand() {
        return Value::number(instruction.ip_rel_memory_address());
    }
    match instruction.memory_base() {
        Register::None => Value::number(instruction.memory_displacement64()),
        base if base.is_gpr64() => state.register(base).plus(instruction.memory_displacement64() as i64),
        _ => Value::Unknown,
    }
}

/// Returns whether an instruction is `cmovcc`.
pub(super) fn is_conditional_move(mnemonic: Mnemonic) -> bool {
    matches!(
        mnemonic,
        Mnemonic::Cmova
            | Mnemonic::Cmovae
            | Mnemonic::Cmovb
            | Mnemonic::Cmovbe
            | Mnemonic::Cmove
            | Mnemonic::Cmovg
            | Mnemonic::Cmovge
            | Mnemonic::Cmovl
            | Mnemonic::Cmovle
            | Mnemonic::Cmovne
            | Mnemonic::Cmovno
            | Mnemonic::Cmovnp
            | Mnemonic::Cmovns
            | Mnemonic::Cmovo
            | Mnemonic::Cmovp
            | Mnemonic::Cmovs
    )
}

/// Returns whether an instruction is `setcc`.
pub(super) fn is_condition_as_number(mnemonic: Mnemonic) -> bool {
    matches!(
        mnemonic,
        Mnemonic::Seta
            | Mnemonic::Setae
            | Mnemonic::Setb
            | Mnemonic::Setbe
            | Mnemonic::Sete
            | Mnemonic::Setg
            | Mnemonic::Setge
            | Mnemonic::Setl
            | Mnemonic::Setle
            | Mnemonic::Setne
            | Mnemonic::Setno
            | Mnemonic::Setnp
            | Mnemonic::Setns
            | Mnemonic::Seto
            | Mnemonic::Setp
            | Mnemonic::Sets
    )
}

/// Returns whether a register may hold an address in the frame.
pub(super) fn may_be_frame(register: Register, state: &State) -> bool {
    register.is_gpr64() && state.register(register).may_be_frame()
}

/// Returns whether an instruction makes a register from an address in the frame, in any way but a
/// copy from memory. A difference or a few low bits of addresses are none.
pub(super) fn computes_with_frame(instruction: &Instruction, state: &State) -> bool {
    use Mnemonic as M;
    if instruction.op0_kind() != OpKind::Register || !instruction.op0_register().is_gpr64() {
        return false;
    }
    let is_frame = |register| may_be_frame(register, state);
    let is_second = instruction.op1_kind() == OpKind::Register && is_frame(instruction.op1_register());
    match instruction.mnemonic() {
        M::Cmp | M::Test | M::Push | M::Pop | M::Movzx | M::Movsx => false,
        M::Mov | M::Movsxd => is_second,
        M::Lea => is_frame(instruction.memory_base()) || is_frame(instruction.memory_index()),
        M::And if is_immediate(instruction) && instruction.immediate(1) < 4096 => false,
        M::Sub if is_second => false,
        _ => is_second || is_frame(instruction.op0_register()),
    }
}

/// Returns the address in the frame that an instruction copies to a vector register.
pub(super) fn frame_in_vector(instruction: &Instruction, state: &State) -> Option<Value> {
    let is_vector = instruction.op0_kind() == OpKind::Register && instruction.op0_register().is_vector_register();
    let mut sources = (1..instruction.op_count()).filter(|operand| instruction.op_kind(*operand) == OpKind::Register);
    let source = sources.find(|operand| may_be_frame(instruction.op_register(*operand), state))?;
    is_vector.then(|| state.register(instruction.op_register(source)).clone())
}

/// Returns whether a register is the second byte of another one.
pub(super) fn is_second_byte(register: Register) -> bool {
    matches!(register, Register::AH | Register::BH | Register::CH | Register::DH)
}
