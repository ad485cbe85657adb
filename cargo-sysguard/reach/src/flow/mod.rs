//! Follows values through a function, to know them at its calls. Main type: [`Flow`].

mod arithmetic;
mod operands;
mod state;
mod step;
mod uses;
mod value;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

pub(crate) use state::State;
pub(crate) use uses::{Access, AccessKind, From, Offset, Start, Uses, stores_in_frame};
pub(crate) use value::{Atom, Slot, Value};

use crate::code::{Code, Next, Site, is_padding};
use crate::program::{Place, Program};
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

/// The states at the places where branches meet.
struct Blocks {
    /// Where blocks start.
    starts: HashSet<u64>,
    states: HashMap<u64, State>,
    /// The blocks that were entered since they were last asked for.
    new: Vec<u64>,
    open: VecDeque<u64>,
    waiting: HashSet<u64>,
}

/// How often each block is followed at most, on average. Then nothing is known in the function.
const PATIENCE: usize = 100;

impl Flow {
    /// Follows the code from a place on.
    pub(crate) fn of(program: &Program<'_>, place: Place) -> Self {
        let Some(code) = program.code(place) else { return Self::default() };
        let mut step = Step::new(program, place);
        let (blocks, _) = settled(program, place, &code, &mut step);
        Self::at_last(program, place, &code, &mut step, &blocks)
    }

    /// Collects what is known once the states have settled.
    fn at_last(program: &Program<'_>, place: Place, code: &Code, step: &mut Step<'_, '_>, blocks: &Blocks) -> Self {
        let mut flow = Self::default();
        for (start, state) in &blocks.states {
            let mut state = state.clone();
            blocks.walk(program, place.module, code, *start, |instruction| {
                let at = instruction.ip();
                if Site::of(instruction).is_some() {
                    flow.sites
                        .entry(at)
                        .or_insert_with(|| state.register(Register::RAX).clone())
                        .join(state.register(Register::RAX));
                }
                let is_unknown_jump = code.jumps.contains(&at) && !instruction.is_ip_rel_memory_operand();
                // A jump with the stack as it was at the entry is a call that does not come back.
                let leaves =
                    state.register(Register::RSP).frame() == Some(0) || replaces_stack(code, instruction, &state);
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
        flow
    }
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

/// Returns the states at the places where branches meet, and those of these places to which no known
/// way leads.
fn settled(program: &Program<'_>, place: Place, code: &Code, step: &mut Step<'_, '_>) -> (Blocks, Vec<u64>) {
    let mut blocks = Blocks::of(code);
    blocks.enter(code.range.start, &State::entry());
    let mut is_known = blocks.settle(program, place.module, code, step);
    // Exceptions and unknown jumps lead to the other code.
    // Padding after a call that never returns does not lead on.
    let is_code = |instruction: &&Instruction| !is_padding(instruction);
    let mut addresses: Vec<u64> = code.instructions.iter().filter(is_code).map(Instruction::ip).collect();
    addresses.sort_unstable();
    let (mut reached, mut unknown) = (HashSet::new(), Vec::new());
    for other in addresses {
        for start in std::mem::take(&mut blocks.new) {
            blocks.walk(program, place.module, code, start, |instruction| {
                reached.insert(instruction.ip());
            });
        }
        if !reached.contains(&other) {
            blocks.starts.insert(other);
            unknown.push(other);
            blocks.enter(other, &State::unknown());
            is_known &= blocks.settle(program, place.module, code, step);
        }
    }
    if !is_known {
        blocks.states.values_mut().for_each(|state| *state = State::unknown());
    }
    (blocks, unknown)
}

impl Blocks {
    fn of(code: &Code) -> Self {
        let mut starts = HashSet::from([code.range.start]);
        for instruction in &code.instructions {
            if let Next::Jump(target) | Next::Branch(target) = Next::of(instruction) {
                starts.insert(target);
            }
        }
        starts.extend(code.tables.values().flatten());
        starts.retain(|start| code.index(*start).is_some());
        Self { starts, states: HashMap::new(), new: Vec::new(), open: VecDeque::new(), waiting: HashSet::new() }
    }

    /// Adds a state to those with which a block is entered.
    fn enter(&mut self, start: u64, state: &State) {
        let has_changed = match self.states.get_mut(&start) {
            Some(known) => known.join(state),
            None => {
                self.states.insert(start, state.clone());
                self.new.push(start);
                true
            }
        };
        if has_changed && self.waiting.insert(start) {
            self.open.push_back(start);
        }
    }

    /// Follows open blocks until no state changes. Returns false if that takes too long.
    fn settle(&mut self, program: &Program<'_>, module: usize, code: &Code, step: &mut Step<'_, '_>) -> bool {
        let mut left = PATIENCE * (self.starts.len() + 10);
        while let Some(start) = self.open.pop_front() {
            self.waiting.remove(&start);
            let Some(known) = self.states.get(&start) else { continue };
            let Some(fewer) = left.checked_sub(1) else { return false };
            left = fewer;
            let mut state = known.clone();
            let mut edges = Vec::new();
            let end = self.walk(program, module, code, start, |instruction| {
                step.apply(instruction, &mut state);
                match Next::of(instruction) {
                    Next::Branch(target) | Next::Jump(target) => edges.push((target, state.clone())),
                    Next::JumpThrough => {
                        let targets = code.tables.get(&instruction.ip()).into_iter().flatten();
                        edges.extend(targets.map(|target| (*target, state.clone())));
                    }
                    _ => {}
                }
            });
            edges.extend(end.map(|end| (end, state)));
            for (target, state) in edges {
                if code.index(target).is_some() {
                    self.enter(target, &state);
                }
            }
        }
        true
    }

    /// Visits the instructions of a block. Returns the block that follows without a jump.
    fn walk(
        &self,
        program: &Program<'_>,
        module: usize,
        code: &Code,
        start: u64,
        mut visit: impl FnMut(&Instruction),
    ) -> Option<u64> {
        let mut at = start;
        loop {
            let instruction = code.at(at)?;
            visit(instruction);
            match Next::of(instruction) {
                Next::End | Next::Jump(_) | Next::JumpThrough => return None,
                Next::Call(target) if !program.any_returns(&program.called(module, target)) => return None,
                Next::CallThrough if instruction.is_ip_rel_memory_operand() => {
                    let targets = program.through(module, instruction.ip_rel_memory_address());
                    if !program.any_returns(&targets) {
                        return None;
                    }
                }
                _ => {}
            }
            at = instruction.next_ip();
            if self.starts.contains(&at) {
                return Some(at);
            }
        }
    }
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
