//! The blocks of a function, and the states with which they are entered. Main type: [`Blocks`].

use std::cell::Cell;
use std::collections::BTreeSet;

use iced_x86::Instruction;

use super::state::State;
use super::step::Step;
use crate::code::{Code, Next};
use crate::program::{Place, Program};

/// The states at the places where branches meet. Instructions and blocks have indices.
pub(super) struct Blocks<'c, 'p, 'd> {
    program: &'p Program<'d>,
    module: usize,
    code: &'c Code,
    /// The block that starts at each instruction.
    starting: Vec<Option<u32>>,
    /// What follows each instruction, once it was asked for.
    following: Vec<Cell<Following>>,
    blocks: Vec<Block>,
    /// The blocks that were entered since they were last asked for.
    new: Vec<usize>,
    /// By their addresses: code is laid out about in the order in which it runs, so that few blocks
    /// are followed again.
    open: BTreeSet<(u64, usize)>,
}

struct Block {
    /// Its first instruction.
    start: usize,
    /// The state with which it is entered, if it is.
    state: Option<State>,
    is_open: bool,
}

/// What follows an instruction without a jump.
#[derive(Clone, Copy)]
enum Following {
    NotAsked,
    Nothing,
    Instruction(u32),
}

/// How often each block is followed at most, on average. Then nothing is known in the function.
const PATIENCE: usize = 100;

impl<'c, 'p, 'd> Blocks<'c, 'p, 'd> {
    /// Returns the blocks of the code at a place. None is entered.
    pub(super) fn of(program: &'p Program<'d>, place: Place, code: &'c Code) -> Self {
        let mut blocks = Self {
            program,
            module: place.module,
            code,
            starting: vec![None; code.instructions.len()],
            following: vec![Cell::new(Following::NotAsked); code.instructions.len()],
            blocks: Vec::new(),
            new: Vec::new(),
            open: BTreeSet::new(),
        };
        let mut starts = vec![code.range.start];
        for instruction in &code.instructions {
            if let Next::Jump(target) | Next::Branch(target) = Next::of(instruction) {
                starts.push(target);
            }
        }
        starts.extend(code.tables.values().flatten());
        for index in starts.into_iter().filter_map(|start| code.index(start)) {
            blocks.start(index);
        }
        blocks
    }

    /// Returns the block that starts at an instruction. From now on, one does.
    fn start(&mut self, index: usize) -> usize {
        let block = self.starting[index].get_or_insert_with(|| {
            self.blocks.push(Block { start: index, state: None, is_open: false });
            (self.blocks.len() - 1) as u32
        });
        *block as usize
    }

    /// Adds a state to those with which code is entered at an address.
    pub(super) fn enter(&mut self, address: u64, state: &State) {
        let Some(index) = self.code.index(address) else { return };
        let block = self.start(index);
        let Block { state: known, is_open, .. } = &mut self.blocks[block];
        let has_changed = match known {
            Some(known) => known.join(state),
            None => {
                *known = Some(state.clone());
                self.new.push(index);
                true
            }
        };
        if has_changed && !*is_open {
            *is_open = true;
            self.open.insert((address, block));
        }
    }

    /// Follows open blocks until no state changes. Returns false if that takes too long.
    pub(super) fn settle(&mut self, step: &mut Step<'_, '_>) -> bool {
        let mut left = PATIENCE * (self.blocks.len() + 10);
        while let Some((_, block)) = self.open.pop_first() {
            let block = &mut self.blocks[block];
            block.is_open = false;
            let Some(mut state) = block.state.clone() else { continue };
            let Some(fewer) = left.checked_sub(1) else { return false };
            left = fewer;
            let mut at = block.start;
            loop {
                let instruction = &self.code.instructions[at];
                step.apply(instruction, &mut state);
                match Next::of(instruction) {
                    Next::Branch(target) | Next::Jump(target) => self.enter(target, &state),
                    Next::JumpThrough => {
                        let code = self.code;
                        for target in code.tables.get(&instruction.ip()).into_iter().flatten() {
                            self.enter(*target, &state);
                        }
                    }
                    _ => {}
                }
                let Some(next) = self.following(at) else { break };
                if self.starting[next].is_some() {
                    self.enter(self.code.instructions[next].ip(), &state);
                    break;
                }
                at = next;
            }
        }
        true
    }

    /// Returns the first instructions of the blocks that were entered since the last call.
    pub(super) fn take_new(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.new)
    }

    /// Visits the instructions of a block with their indices, from its first one on.
    pub(super) fn walk(&self, start: usize, mut visit: impl FnMut(usize, &Instruction)) {
        let mut at = start;
        loop {
            visit(at, &self.code.instructions[at]);
            match self.following(at) {
                Some(next) if self.starting[next].is_none() => at = next,
                _ => return,
            }
        }
    }

    /// Returns the first instruction of each block that is entered, with the state there.
    pub(super) fn states(&self) -> impl Iterator<Item = (usize, &State)> {
        self.blocks.iter().filter_map(|block| Some((block.start, block.state.as_ref()?)))
    }

    /// Forgets what is known in all blocks.
    pub(super) fn forget(&mut self) {
        for state in self.blocks.iter_mut().filter_map(|block| block.state.as_mut()) {
            *state = State::unknown();
        }
    }

    /// Returns the instruction that follows another one without a jump.
    fn following(&self, index: usize) -> Option<usize> {
        if let Following::NotAsked = self.following[index].get() {
            let instruction = &self.code.instructions[index];
            let next = self.goes_on(instruction).then(|| self.code.index(instruction.next_ip())).flatten();
            let next = next.map_or(Following::Nothing, |next| Following::Instruction(next as u32));
            self.following[index].set(next);
        }
        match self.following[index].get() {
            Following::Instruction(next) => Some(next as usize),
            Following::NotAsked | Following::Nothing => None,
        }
    }

    /// Returns whether code goes on after an instruction.
    fn goes_on(&self, instruction: &Instruction) -> bool {
        match Next::of(instruction) {
            Next::End | Next::Jump(_) | Next::JumpThrough => false,
            Next::Call(target) => self.program.any_returns(&self.program.called(self.module, target)),
            Next::CallThrough if instruction.is_ip_rel_memory_operand() => {
                self.program.any_returns(&self.program.through(self.module, instruction.ip_rel_memory_address()))
            }
            _ => true,
        }
    }
}
