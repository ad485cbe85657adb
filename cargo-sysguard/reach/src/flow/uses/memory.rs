//! Accesses to memory at a followed address, by instructions and by the kernel.

use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};
use sysguard::unstable::model::decode::argument_count;
use sysguard::unstable::model::kernel::syscall::Syscall;

use super::taint::{Tag, Taint};
use super::{Access, AccessKind, Uses};
use crate::code::Next;
use crate::flow::operands::{address_without_index, may_be_frame};
use crate::flow::step::Step;
use crate::flow::{Atom, State, Value, settled};
use crate::program::{Place, Program};

/// An access of any number of bytes.
const ALL: i64 = 1 << 32;

/// Records an access through the address.
pub(super) fn access(
    (info, reader): (&mut InstructionInfoFactory, &Step<'_, '_>),
    instruction: &Instruction,
    state: &State,
    taint: &Taint,
    uses: &mut Uses,
) {
    let info = info.info(instruction);
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
        let value = if is_move { reader.operand(instruction, 1, state) } else { Value::Unknown };
        push(AccessKind::Store(value));
        let is_read_too = !is_move && memory.access() != OpAccess::Write;
        if is_read_too && size >= 8 {
            push(AccessKind::Copy);
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
pub(super) fn kernel(instruction: &Instruction, state: &State, taint: &Taint, uses: &mut Uses) {
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
                (address_without_index(instruction, &state), instruction.memory_size().size() as i64)
            };
            let is_indexed = instruction.memory_index() != Register::None;
            // The address may be one in the frame that was computed.
            let is_anywhere = is_indexed && to.may_be_frame()
                || may_be_frame(instruction.memory_index(), &state)
                || to.may_be_frame() && to.frame().is_none()
                || to == Value::Unknown && state.is_whole_shared() && !state.is_unknown();
            let is_here = is_anywhere || to.frame().is_some_and(|to| to < at + 4 && to + size > at);
            let is_call = matches!(Next::of(instruction), Next::Call(_) | Next::CallThrough);
            step.apply(instruction, &mut state);
            if is_written && is_here && !is_call {
                values.push(if is_anywhere { Value::Unknown } else { state.load(at, 4) });
            }
        });
    }
    values
}
