//! Where an address goes from function to function. Main type: [`Spreads`].

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use iced_x86::{InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};

use crate::code::Next;
use crate::flow::{Access, AccessKind, From, Offset, Start, State, Uses, Value};
use crate::graph::Graph;
use crate::program::{Place, Program};
use crate::words::Words;

/// What reached code does with an address.
#[derive(Debug, Default)]
pub(crate) struct Spread {
    /// What it reads, writes and calls through the address.
    pub(crate) accesses: Vec<(Place, Access)>,
    /// Where it calls the address itself.
    pub(crate) calls: Vec<Through>,
    /// Set if it keeps the address in a word of data.
    pub(crate) is_kept: bool,
    /// Set if the address goes where it cannot be followed.
    pub(crate) is_lost: bool,
}

/// A call or jump through an address that is followed.
#[derive(Debug, Clone)]
pub(crate) struct Through {
    pub(crate) place: Place,
    pub(crate) at: u64,
    pub(crate) state: State,
    pub(crate) is_jump: bool,
}

/// Follows addresses.
pub(crate) struct Spreads<'g, 'p, 'd> {
    program: &'p Program<'d>,
    graph: &'g Graph<'p, 'd>,
    uses: RefCell<HashMap<(Place, Start), Rc<Uses>>>,
    found: RefCell<HashMap<(Place, Start), Rc<Spread>>>,
    words: RefCell<HashMap<usize, Rc<Words>>>,
    assumed: RefCell<BTreeSet<(usize, u64)>>,
}

/// The most functions through which an address is followed. Then it is lost.
const MOST: usize = 500;

impl<'g, 'p, 'd> Spreads<'g, 'p, 'd> {
    pub(crate) fn of(program: &'p Program<'d>, graph: &'g Graph<'p, 'd>) -> Self {
        Self {
            program,
            graph,
            uses: RefCell::default(),
            found: RefCell::default(),
            words: RefCell::default(),
            assumed: RefCell::default(),
        }
    }

    /// Returns the words of data that were taken to be no part of a larger object.
    pub(crate) fn assumed(&self) -> BTreeSet<(usize, u64)> {
        self.assumed.borrow().clone()
    }

    /// Returns where an address goes that an instruction names or loads.
    pub(crate) fn named(&self, place: Place, at: u64) -> Rc<Spread> {
        self.from(place, Start { from: From::Instruction(at), offset: Offset::At(0) })
    }

    /// Returns where an address goes from a start on.
    pub(crate) fn from(&self, place: Place, start: Start) -> Rc<Spread> {
        if let Some(known) = self.found.borrow().get(&(place, start)) {
            return known.clone();
        }
        let spread = Rc::new(self.follow(place, start));
        self.found.borrow_mut().insert((place, start), spread.clone());
        spread
    }

    fn follow(&self, place: Place, start: Start) -> Spread {
        let mut spread = Spread::default();
        let (mut open, mut seen) = (vec![(place, start)], HashSet::from([(place, start)]));
        while let Some((place, start)) = open.pop() {
            let uses = self.uses(place, start);
            spread.is_lost |= uses.lost.is_some() || seen.len() > MOST;
            spread.accesses.extend(uses.accesses.iter().map(|access| (place, access.clone())));
            let calls = uses.called.iter().cloned();
            spread.calls.extend(calls.map(|(at, state, is_jump)| Through { place, at, state, is_jump }));
            let mut next = uses.passed.clone();
            for (word, offset) in &uses.kept {
                spread.is_kept = true;
                match self.loads(place.module, *word) {
                    Some(loads) => next.extend(
                        loads
                            .into_iter()
                            .map(|(place, at)| (place, Start { from: From::Instruction(at), offset: *offset })),
                    ),
                    None => spread.is_lost = true,
                }
            }
            for (register, offset) in &uses.returned {
                match self.returns(place) {
                    Some(calls) => next.extend(
                        calls
                            .into_iter()
                            .map(|(caller, at)| (caller, Start { from: From::Result(at, *register), offset: *offset })),
                    ),
                    None => spread.is_lost = true,
                }
            }
            // What is known so far does not matter.
            if spread.is_lost {
                return spread;
            }
            open.extend(next.into_iter().filter(|it| seen.insert(*it)));
        }
        spread
    }

    /// Returns the calls that a function returns to. `None` if some are not known.
    fn returns(&self, place: Place) -> Option<Vec<(Place, u64)>> {
        let (mut open, mut seen, mut calls) = (vec![place], HashSet::from([place]), Vec::new());
        while let Some(place) = open.pop() {
            let node = self.graph.nodes.get(&place)?;
            if node.is_called_otherwise() || seen.len() > MOST {
                return None;
            }
            for (caller, at) in &node.callers {
                let code = self.program.code(*caller)?;
                if matches!(Next::of(code.at(*at)?), Next::Call(_) | Next::CallThrough) {
                    calls.push((*caller, *at));
                } else if seen.insert(*caller) {
                    // A jump leaves the return address where it is.
                    open.push(*caller);
                }
            }
        }
        Some(calls)
    }

    fn uses(&self, place: Place, start: Start) -> Rc<Uses> {
        if let Some(known) = self.uses.borrow().get(&(place, start)) {
            return known.clone();
        }
        let uses = Rc::new(Uses::of(self.program, place, start));
        self.uses.borrow_mut().insert((place, start), uses.clone());
        uses
    }

    fn words(&self, module: usize) -> Rc<Words> {
        if let Some(known) = self.words.borrow().get(&module) {
            return known.clone();
        }
        let words = Rc::new(Words::of(self.program, self.graph, module));
        self.words.borrow_mut().insert(module, words.clone());
        words
    }

    /// Returns the accesses to a word by the address of its object. `None` if an address is lost.
    fn accesses(&self, module: usize, word: u64) -> Option<Vec<(Place, Access)>> {
        let takers = self.words(module).takers(self.program, module, word)?;
        let mut found = Vec::new();
        for (address, place, at) in &takers.addresses {
            let spread = self.named(*place, *at);
            if spread.is_lost {
                return None;
            }
            if let Some(access) = self.indexed(*place, *at, &spread)? {
                found.push((*place, access));
                continue;
            }
            let distance = word.wrapping_sub(*address) as i64;
            let touching = spread.accesses.iter().filter(|(_, access)| access.touches(distance, 8));
            found.extend(touching.cloned());
        }
        if takers.is_assumed {
            self.assumed.borrow_mut().insert((module, word));
        }
        Some(found)
    }

    /// Returns the access of an instruction that adds an index to an address that it names, and so
    /// does not pass that address on.
    fn indexed(&self, place: Place, at: u64, spread: &Spread) -> Option<Option<Access>> {
        let code = self.program.code(place)?;
        let instruction = code.at(at)?;
        if instruction.mnemonic() == Mnemonic::Lea || instruction.memory_index() == Register::None {
            return Some(None);
        }
        let (size, is_read, is_written) = self.size(place, at)?;
        let is_load = instruction.mnemonic() == Mnemonic::Mov && instruction.op0_kind() == OpKind::Register;
        let kind = match spread.calls.first().filter(|call| call.at == at && call.place == place) {
            Some(call) => AccessKind::Call(Box::new(call.state.clone()), call.is_jump),
            // A store of something else is a change of the word.
            None if is_written && is_read => return None,
            None if is_written => AccessKind::Store(Value::Unknown),
            None if is_load => AccessKind::Load,
            None => AccessKind::Copy,
        };
        Some(Some(Access { at, offset: Offset::Anywhere, size: size as i64, kind }))
    }

    /// Returns the instructions that load a word. `None` if other code may do so.
    pub(crate) fn loads(&self, module: usize, word: u64) -> Option<Vec<(Place, u64)>> {
        let mut loads = Vec::new();
        for (place, access) in self.accesses(module, word)? {
            match access.kind {
                AccessKind::Load if access.size == 8 => loads.push((place, access.at)),
                AccessKind::Load | AccessKind::Read | AccessKind::Store(_) => {}
                AccessKind::Copy | AccessKind::Call(..) => return None,
            }
        }
        for (address, place, at) in self.words(module).direct(word.saturating_sub(63)..=word + 7) {
            let Some((size, is_read, _)) = self.size(place, at) else { continue };
            if is_read && size >= 8 && address + size > word {
                if address != word {
                    return None;
                }
                loads.push((place, at));
            }
        }
        Some(loads)
    }

    /// Returns the calls through a word of data that holds the address of code at first. `None` if
    /// the address may go elsewhere.
    pub(crate) fn calls_through(&self, module: usize, word: u64) -> Option<Vec<Through>> {
        let mut calls = Vec::new();
        for (place, access) in self.accesses(module, word)? {
            let Access { at, size, kind, .. } = access;
            match kind {
                AccessKind::Call(state, is_jump) => calls.push(Through { place, at, state: *state, is_jump }),
                AccessKind::Load if size < 8 => {}
                AccessKind::Load => self.add_calls(place, at, &mut calls)?,
                AccessKind::Read | AccessKind::Store(_) => {}
                AccessKind::Copy => return None,
            }
        }
        for (address, place, at) in self.words(module).direct(word.saturating_sub(63)..=word + 7) {
            let Some((size, is_read, _)) = self.size(place, at) else { continue };
            if is_read && size >= 8 && address + size > word {
                self.add_calls(place, at, &mut calls)?;
            }
        }
        Some(calls)
    }

    /// Adds the calls of the address that an instruction loads.
    fn add_calls(&self, place: Place, at: u64, calls: &mut Vec<Through>) -> Option<()> {
        let spread = self.named(place, at);
        calls.extend(spread.calls.iter().cloned());
        (!spread.is_lost).then_some(())
    }

    /// Returns the code that stores a value of at least 32 bits in a word. `None` if code may
    /// change it in another way.
    pub(crate) fn stores(&self, module: usize, word: u64) -> Option<Vec<(Place, u64)>> {
        let is_store = |(_, access): &(Place, Access)| matches!(access.kind, AccessKind::Store(_));
        if self.accesses(module, word)?.iter().any(is_store) {
            return None;
        }
        let mut stores = Vec::new();
        for (address, place, at) in self.words(module).direct(word.saturating_sub(63)..=word + 7) {
            let Some((size, _, is_written)) = self.size(place, at) else { continue };
            if !is_written || address + size <= word {
                continue;
            }
            let code = self.program.code(place)?;
            let instruction = code.at(at)?;
            let is_move = instruction.mnemonic() == Mnemonic::Mov && instruction.op0_kind() == OpKind::Memory;
            if address == word && is_move && size >= 4 {
                stores.push((place, at));
            } else if address < word + 4 {
                return None;
            }
        }
        Some(stores)
    }

    /// Returns how many bytes the memory operand of an instruction has, and whether it reads and
    /// writes them.
    fn size(&self, place: Place, at: u64) -> Option<(u64, bool, bool)> {
        let code = self.program.code(place)?;
        let instruction = code.at(at)?;
        let mut info = InstructionInfoFactory::new();
        let memory = info.info(instruction).used_memory();
        let access = |is: fn(OpAccess) -> bool| memory.iter().any(|memory| is(memory.access()));
        let size = memory.iter().map(|memory| memory.memory_size().size() as u64).max()?;
        let reads = access(|access| !matches!(access, OpAccess::Write | OpAccess::CondWrite | OpAccess::NoMemAccess));
        let writes = access(|access| !matches!(access, OpAccess::Read | OpAccess::CondRead | OpAccess::NoMemAccess));
        Some((size, reads, writes))
    }
}
