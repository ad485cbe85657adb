//! Follows values through a function, to know them at its calls. Main type: [`Flow`].

mod arithmetic;
mod blocks;
mod operands;
mod state;
mod step;
mod uses;
mod value;

use std::collections::BTreeMap;

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

pub(crate) use state::State;
pub(crate) use uses::{Access, AccessKind, From, Offset, Start, Uses, stores_in_frame};
pub(crate) use value::{Atom, Slot, Value};

use crate::code::{Code, Next, Site, is_padding};
use crate::program::{Place, Program};
use blocks::Blocks;
use step::Step;

/// What is known at the calls and syscalls of a function.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// The states at calls, and at jumps that leave the function, by address.
    pub(crate) calls: BTreeMap<u64, Call>,
    /// What %rax holds at each instruction that makes a syscall.
    pub(crate) sites: BTreeMap<u64, Value>,
    /// What is stored in words of the file's data, by the address of the instruction.
    pub(crate) stores: BTreeMap<u64, Store>,
    /// Jumps within the function, probably, that could not be followed.
    pub(crate) jumps: Vec<u64>,
}

/// A call of other code.
#[derive(Debug)]
pub(crate) struct Call {
    /// The code, as far as it is known.
    pub(crate) targets: Vec<Place>,
    /// Set if the return address stays that of the caller.
    pub(crate) is_jump: bool,
    /// The state before it.
    pub(crate) state: State,
}

/// A value that is stored in the file's data.
#[derive(Debug)]
pub(crate) struct Store {
    /// The address of the word.
    pub(crate) word: u64,
    /// What is stored.
    pub(crate) value: Value,
    /// The state before.
    pub(crate) state: State,
}

impl Flow {
    /// Follows the code from a place on.
    pub(crate) fn of(program: &Program<'_>, place: Place) -> Self {
        let Some(code) = program.code(place) else { return Self::default() };
        let mut step = Step::new(program, place);
        let (blocks, _) = settled(program, place, &code, &mut step);
        Self::at_last(program, place, &code, &mut step, &blocks)
    }

    /// Collects what is known once the states have settled.
    fn at_last(
        program: &Program<'_>,
        place: Place,
        code: &Code,
        step: &mut Step<'_, '_>,
        blocks: &Blocks<'_, '_, '_>,
    ) -> Self {
        let mut flow = Self::default();
        for (start, state) in blocks.states() {
            let mut state = state.clone();
            blocks.walk(start, |_, instruction| {
                let at = instruction.ip();
                if Site::of(instruction).is_some() {
                    flow.sites
                        .entry(at)
                        .or_insert_with(|| state.register(Register::RAX).clone())
                        .join(state.register(Register::RAX));
                }
                let is_unknown_jump = code.jumps.contains(&at) && !instruction.is_ip_rel_memory_operand();
                // A jump with the stack as it was at the entry is a call that does not come back.
                let is_call = state.register(Register::RSP).frame() == Some(0) && !uses_table(code, instruction);
                let leaves = is_call || replaces_stack(code, instruction, &state);
                if is_unknown_jump && !leaves {
                    flow.jumps.push(at);
                }
                let falls = matches!(Next::of(instruction), Next::Step | Next::Branch(_));
                let leaves = targets(program, place.module, code, instruction, &state);
                let left = leaves.map(|(targets, is_jump)| Call { targets, is_jump, state: state.clone() });
                let is_store = instruction.op0_kind() == OpKind::Memory && instruction.is_ip_rel_memory_operand();
                let before = is_store.then(|| state.clone());
                step.apply(instruction, &mut state);
                if let Some(call) = left {
                    // Where a function goes on into the next one, the instruction has had its
                    // effect.
                    let state = if falls { state.clone() } else { call.state };
                    flow.calls.insert(at, Call { state, ..call });
                }
                if let Some(((word, value), state)) = step.stored.take().zip(before) {
                    flow.stores.insert(at, Store { word, value, state });
                }
            });
        }
        flow.jumps.sort_unstable();
        flow
    }
}

/// Returns whether a jump takes its target from a table, as those of `switch` do: by an index, or
/// as a distance from somewhere. Calls through tables are then announced as unknown, too.
fn uses_table(code: &Code, jump: &Instruction) -> bool {
    /// How many instructions before the jump are looked at.
    const WINDOW: usize = 16;
    if jump.op0_kind() == OpKind::Memory {
        return jump.memory_index() != Register::None;
    }
    let register = jump.op0_register();
    let mut before = std::iter::successors(code.before(jump.ip()), |it| code.before(it.ip())).take(WINDOW);
    let setter = before.find(|it| it.op0_kind() == OpKind::Register && it.op0_register() == register);
    setter
        .is_some_and(|it| matches!(it.mnemonic(), Mnemonic::Add | Mnemonic::Sub) || it.memory_index() != Register::None)
}

/// Returns whether a jump goes on with another stack, as longjmp(3) does: code elsewhere, after a
/// call that returns a second time.
fn replaces_stack(code: &Code, jump: &Instruction, state: &State) -> bool {
    if *state.register(Register::RSP) != Value::Unknown || state.is_unknown() {
        return false;
    }
    let before = std::iter::successors(code.before(jump.ip()), |it| code.before(it.ip()));
    let writes = |it: &&Instruction| {
        let is_target = it.op0_kind() == OpKind::Register && it.op0_register() == Register::RSP;
        is_target || matches!(it.mnemonic(), Mnemonic::Push | Mnemonic::Pop | Mnemonic::Leave | Mnemonic::Call)
    };
    let last = before.take(16).find(writes);
    last.is_some_and(|it| it.mnemonic() == Mnemonic::Mov && it.op1_register() != Register::RBP)
}

/// Follows values through the code at a place until no state changes. Also returns the first
/// instructions of the blocks to which no known way leads.
fn settled<'c, 'p, 'd>(
    program: &'p Program<'d>,
    place: Place,
    code: &'c Code,
    step: &mut Step<'_, '_>,
) -> (Blocks<'c, 'p, 'd>, Vec<usize>) {
    let mut blocks = Blocks::of(program, place, code);
    blocks.enter(code.range.start, &State::entry());
    let mut is_known = blocks.settle(step);
    // Exceptions and unknown jumps lead to the other code.
    // Padding after a call that never returns does not lead on.
    let is_code = |(_, instruction): &(usize, &Instruction)| !is_padding(instruction);
    let mut others: Vec<(u64, usize)> =
        code.instructions.iter().enumerate().filter(is_code).map(|(index, it)| (it.ip(), index)).collect();
    others.sort_unstable();
    let (mut reached, mut unknown) = (vec![false; code.instructions.len()], Vec::new());
    for (address, index) in others {
        for start in blocks.take_new() {
            blocks.walk(start, |index, _| reached[index] = true);
        }
        if !reached[index] {
            unknown.push(index);
            blocks.enter(address, &State::unknown());
            is_known &= blocks.settle(step);
        }
    }
    if !is_known {
        blocks.forget();
    }
    (blocks, unknown)
}

/// Returns the code that an instruction calls or jumps to, if it leaves the function.
fn targets(
    program: &Program<'_>,
    module: usize,
    code: &Code,
    instruction: &Instruction,
    state: &State,
) -> Option<(Vec<Place>, bool)> {
    let next = Next::of(instruction);
    let is_last = instruction.next_ip() == code.range.end;
    match next {
        Next::Call(target) => Some((program.called(module, target), false)),
        Next::Jump(target) | Next::Branch(target) if !code.range.contains(&target) => {
            Some((program.called(module, target), true))
        }
        Next::CallThrough | Next::JumpThrough => {
            let mut targets = through(program, module, instruction, state);
            let table = code.tables.get(&instruction.ip()).into_iter().flatten();
            let outside = table.filter(|target| !code.range.contains(target));
            targets.extend(outside.flat_map(|target| program.called(module, *target)));
            Some((targets, next == Next::JumpThrough))
        }
        Next::Step | Next::Branch(_) if is_last => Some((program.called(module, code.range.end), true)),
        _ => None,
    }
}

/// Returns the code that a call through a register or memory reaches, as far as the value is known.
fn through(program: &Program<'_>, module: usize, instruction: &Instruction, state: &State) -> Vec<Place> {
    if instruction.is_ip_rel_memory_operand() {
        return program.through(module, instruction.ip_rel_memory_address());
    }
    if instruction.op0_kind() != OpKind::Register || !instruction.op0_register().is_gpr64() {
        return Vec::new();
    }
    let atoms = state.register(instruction.op0_register()).atoms().unwrap_or_default();
    let places = atoms.iter().flat_map(|atom| match atom {
        Atom::Number(address) => program.called(module, *address),
        Atom::Function(place) => program.called(place.module, place.address),
        _ => Vec::new(),
    });
    places.collect()
}

#[cfg(test)]
mod tests;
