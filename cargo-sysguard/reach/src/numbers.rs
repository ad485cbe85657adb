//! The numbers of syscalls, followed back from each instruction that makes one. Main type:
//! [`Numbers`].

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use crate::flow::{Access, AccessKind, Atom, Flow, From, Offset, Slot, Start, Value, stores_in_frame};
use crate::graph::Graph;
use crate::program::{Place, Program};
use crate::spread::{Spread, Spreads};

/// Finds numbers of syscalls.
pub(crate) struct Numbers<'g, 'p, 'd> {
    program: &'p Program<'d>,
    graph: &'g Graph<'p, 'd>,
    flows: RefCell<HashMap<Place, Rc<Flow>>>,
    pub(crate) spreads: Spreads<'g, 'p, 'd>,
    /// Once it was asked for.
    names: RefCell<Option<Names<'d>>>,
}

/// The names that code looks up, unless one is not known.
type Names<'d> = Option<Rc<HashSet<&'d [u8]>>>;

/// The number of an instruction that makes a syscall.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Each number with the file of the code that sets it, and the calls that lead on from there:
    /// code and its instruction.
    pub(crate) numbers: BTreeMap<(u64, usize), Vec<(Place, u64)>>,
    /// Where it could not be followed further, with the calls from there.
    pub(crate) lost: Vec<(Lost, Vec<(Place, u64)>)>,
}

/// Why a number could not be followed further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lost {
    /// This code computes it, or reads it from memory.
    Computed(Place),
    /// It is an argument of this code, which is called through a pointer.
    Pointer(Place),
    /// A jump that could not be followed may lead to it.
    Jump(Place, u64),
}

/// A value that is followed, with the calls to the instruction.
struct Trace {
    place: Place,
    value: Value,
    calls: Vec<(Place, u64)>,
    /// Set if the value was stored: then no call leads from here to the instruction.
    is_stored: bool,
}

impl<'g, 'p, 'd> Numbers<'g, 'p, 'd> {
    /// Returns the numbers of the code in a graph.
    pub(crate) fn of(program: &'p Program<'d>, graph: &'g Graph<'p, 'd>) -> Self {
        Self {
            program,
            graph,
            flows: RefCell::default(),
            spreads: Spreads::of(program, graph),
            names: RefCell::default(),
        }
    }

    fn flow(&self, place: Place) -> Rc<Flow> {
        if let Some(flow) = self.flows.borrow().get(&place) {
            return flow.clone();
        }
        let flow = Rc::new(Flow::of(self.program, place));
        self.flows.borrow_mut().insert(place, flow.clone());
        flow
    }

    /// Returns the numbers with which an instruction makes syscalls.
    pub(crate) fn at(&self, place: Place, site: u64) -> Found {
        let mut found = Found::default();
        let flow = self.flow(place);
        let calls = vec![(place, site)];
        if let Some(jump) = flow.jumps.first() {
            found.lost.push((Lost::Jump(place, *jump), calls.clone()));
        }
        let value = flow.sites.get(&site).cloned().unwrap_or(Value::Unknown);
        self.follow(Trace { place, value, calls, is_stored: false }, &mut found);
        found
    }

    /// Follows a value back to where it is set.
    fn follow(&self, trace: Trace, found: &mut Found) {
        let mut open = vec![trace];
        let (mut seen, mut seen_words) = (HashSet::new(), HashSet::new());
        while let Some(trace) = open.pop() {
            let Some(atoms) = trace.value.atoms() else {
                found.lost.push((Lost::Computed(trace.place), trace.calls));
                continue;
            };
            for atom in atoms {
                match atom {
                    Atom::Number(number) => {
                        found.numbers.entry((*number, trace.place.module)).or_insert_with(|| trace.calls.clone());
                    }
                    Atom::Entry(slot) if seen.insert((trace.place, *slot)) => {
                        self.follow_callers(&trace, *slot, &mut open, found);
                    }
                    Atom::Entry(_) => {}
                    Atom::Word(word) if seen_words.insert((trace.place.module, *word, None)) => {
                        self.follow_word(&trace, *word, None, &mut open, found);
                    }
                    Atom::BehindWord(word, offset) if seen_words.insert((trace.place.module, *word, Some(*offset))) => {
                        self.follow_word(&trace, *word, Some(*offset), &mut open, found);
                    }
                    Atom::Word(_) | Atom::BehindWord(..) => {}
                    Atom::Function(_) | Atom::Frame(_) => {
                        found.lost.push((Lost::Computed(trace.place), trace.calls.clone()));
                    }
                }
            }
        }
        let mut seen = HashSet::new();
        found.lost.retain(|(lost, _)| seen.insert(*lost));
    }

    /// Returns whether reached code looks up functions by names that are not known.
    pub(crate) fn looks_up_others(&self) -> bool {
        let mut lookups = self.graph.lookups.iter();
        lookups.any(|lookup| self.graph.nodes.contains_key(lookup)) && self.names().is_none()
    }

    /// Returns the names that reached code looks up with dlsym(3), unless one is not known.
    fn names(&self) -> Names<'d> {
        // A lookup of the lookup itself has an unknown name.
        let known = self.names.replace(Some(None));
        let names = known.unwrap_or_else(|| self.looked_up().map(Rc::new));
        self.names.replace(Some(names.clone()));
        names
    }

    fn looked_up(&self) -> Option<HashSet<&'d [u8]>> {
        /// The number of %rsi, which holds the name.
        const NAME: u8 = 6;
        let mut names = HashSet::new();
        for place in &self.graph.lookups {
            let mut found = Found::default();
            let value = Value::One(Atom::Entry(Slot::Register(NAME)));
            self.follow(Trace { place: *place, value, calls: Vec::new(), is_stored: true }, &mut found);
            if !found.lost.is_empty() {
                return None;
            }
            for (address, module) in found.numbers.into_keys() {
                names.insert(self.program.image(module).string(address)?);
            }
        }
        Some(names)
    }

    /// Follows what is stored in a word of a file's data, or what lies behind an address there.
    fn follow_word(&self, trace: &Trace, word: u64, offset: Option<i64>, open: &mut Vec<Trace>, found: &mut Found) {
        let module = trace.place.module;
        let initial = self.program.image(module).initial_number(word);
        // A zero that nothing stores is set in a way that is not seen. An address that nothing
        // stores is zero, and nothing lies behind it.
        let stores = self.spreads.stores(module, word);
        let Some(stores) = stores.filter(|it| offset.is_some() || initial != 0 || !it.is_empty()) else {
            found.lost.push((Lost::Computed(trace.place), trace.calls.clone()));
            return;
        };
        for (place, at) in &stores {
            let flow = self.flow(*place);
            let value = match (flow.stores.get(at).filter(|store| store.word == word), offset) {
                (Some(store), None) => store.value.clone(),
                (Some(store), Some(offset)) => {
                    self.follow_frame(trace, *place, &store.value, offset, open);
                    store.state.behind(&store.value, offset)
                }
                (None, _) => Value::Unknown,
            };
            open.push(Trace { place: *place, value, calls: trace.calls.clone(), is_stored: true });
        }
        if let Some(offset) = offset.filter(|_| !stores.is_empty()) {
            match self.spreads.loads(module, word) {
                Some(loads) => {
                    for (place, at) in loads {
                        self.follow_stores(trace, &self.spreads.named(place, at), offset, open, found);
                    }
                }
                None => found.lost.push((Lost::Computed(trace.place), trace.calls.clone())),
            }
        }
        if offset.is_none() {
            found.numbers.entry((initial, module)).or_insert_with(|| trace.calls.clone());
        }
    }

    /// Follows what is stored at a distance from an address, wherever that goes.
    fn follow_stores(&self, trace: &Trace, spread: &Spread, offset: i64, open: &mut Vec<Trace>, found: &mut Found) {
        /// The bytes of a number.
        const LENGTH: i64 = 4;
        if spread.is_lost {
            found.lost.push((Lost::Computed(trace.place), trace.calls.clone()));
            return;
        }
        for (place, access) in spread.accesses.iter().filter(|(_, access)| access.touches(offset, LENGTH)) {
            let Access { size, kind: AccessKind::Store(value), .. } = access else { continue };
            let is_whole = access.offset == Offset::At(offset) && (LENGTH..=8).contains(size);
            let value = if is_whole { value.clone() } else { Value::Unknown };
            open.push(Trace { place: *place, value, calls: trace.calls.clone(), is_stored: true });
        }
    }

    /// Follows all that a function stores at a distance from an address in its own frame.
    fn follow_frame(&self, trace: &Trace, place: Place, address: &Value, offset: i64, open: &mut Vec<Trace>) {
        let Some(at) = address.frame() else { return };
        for value in stores_in_frame(self.program, place, at.wrapping_add(offset)) {
            open.push(Trace { place, value, calls: trace.calls.clone(), is_stored: true });
        }
    }

    /// Follows a value that the callers of a function leave for it.
    fn follow_callers(&self, trace: &Trace, slot: Slot, open: &mut Vec<Trace>, found: &mut Found) {
        let Some(node) = self.graph.nodes.get(&trace.place) else { return };
        let mut is_called_through_pointer = node.has_unknown_callers;
        if !is_called_through_pointer && !node.looked_up.is_empty() {
            // If a name is not known, the result says so.
            let is_one = |names: Rc<HashSet<_>>| node.looked_up.iter().any(|name| names.contains(name));
            is_called_through_pointer = self.names().is_some_and(is_one);
        }
        // Other code may change what lies behind an address, before this code reads it.
        let mut is_kept = false;
        if let Slot::Field(register, offset) = slot {
            let start = Start { from: From::Caller(Slot::Register(register)), offset: Offset::At(0) };
            let spread = self.spreads.from(trace.place, start);
            is_kept = spread.is_kept;
            self.follow_stores(trace, &spread, offset, open, found);
        }
        for (caller, at) in &node.callers {
            let flow = self.flow(*caller);
            if let Some(jump) = flow.jumps.first() {
                found.lost.push((Lost::Jump(*caller, *jump), trace.calls.clone()));
            }
            let call = flow.calls.get(at).filter(|call| call.targets.contains(&trace.place));
            if let (Some(call), Slot::Field(register, offset), true) = (call, slot, is_kept) {
                self.follow_frame(trace, *caller, &call.state.slot(Slot::Register(register), false), offset, open);
            }
            let value = call.map_or(Value::Unknown, |call| call.state.slot(slot, call.is_jump));
            open.push(trace.from(*caller, *at, value));
        }
        let mut calls = Vec::new();
        for (taker, at) in &node.takers {
            let spread = self.spreads.named(*taker, *at);
            is_called_through_pointer |= spread.is_lost;
            calls.extend(spread.calls.iter().cloned());
        }
        for (module, word) in &node.held {
            match self.spreads.calls_through(*module, *word) {
                Some(through) => calls.extend(through),
                None => is_called_through_pointer = true,
            }
        }
        for call in calls {
            open.push(trace.from(call.place, call.at, call.state.slot(slot, call.is_jump)));
        }
        if is_called_through_pointer {
            found.lost.push((Lost::Pointer(trace.place), trace.calls.clone()));
        }
    }
}

impl Trace {
    /// Returns the trace from a caller on.
    fn from(&self, place: Place, at: u64, value: Value) -> Self {
        let calls = if self.is_stored {
            self.calls.clone()
        } else {
            [(place, at)].into_iter().chain(self.calls.iter().copied()).collect()
        };
        Self { place, value, calls, is_stored: self.is_stored }
    }
}
