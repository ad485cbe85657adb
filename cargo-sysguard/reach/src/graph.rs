//! Which functions can be reached, from the roots over calls and over addresses in code and data.
//! Main type: [`Graph`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::ops::Range;

use crate::code::{Body, Code, Next, Site};
use crate::image::Target;
use crate::program::{Place, Program};
use crate::result::{Origin, Reached};

/// Functions that look up others by name.
pub(crate) const LOOKUPS: [&str; 2] = ["dlsym", "dlvsym"];

/// Code that is reached: a function, or the part of one from some address on.
#[derive(Debug)]
pub(crate) struct Node<'d> {
    /// The code that leads here, and the instruction in it. Roots have none.
    pub(crate) from: Option<(Place, u64)>,
    /// How that code leads here.
    pub(crate) how: Reached,
    /// Its instructions that make a syscall.
    pub(crate) sites: Vec<Site>,
    /// Where its instructions cannot be decoded.
    pub(crate) undecodable: Vec<u64>,
    /// All instructions that call it.
    pub(crate) callers: Vec<(Place, u64)>,
    /// All code that takes its address, with the instruction.
    pub(crate) takers: Vec<(Place, u64)>,
    /// Words of data that hold its address: file and address.
    pub(crate) held: Vec<(usize, u64)>,
    /// Set if anything else leads here, such as the loader.
    pub(crate) has_unknown_callers: bool,
    /// The names by which dlsym(3) may find it.
    pub(crate) looked_up: Vec<&'d [u8]>,
}

impl Node<'_> {
    /// Returns whether it may be called by other code than its callers.
    pub(crate) fn is_called_otherwise(&self) -> bool {
        self.has_unknown_callers || !self.takers.is_empty() || !self.held.is_empty() || !self.looked_up.is_empty()
    }
}

/// All code that is reached.
#[derive(Debug)]
pub(crate) struct Graph<'p, 'd> {
    program: &'p Program<'d>,
    pub(crate) nodes: HashMap<Place, Node<'d>>,
    /// The nodes in the order in which they were reached.
    pub(crate) order: Vec<Place>,
    /// Calls and jumps that lead to no code.
    pub(crate) dead_ends: Vec<(Place, u64)>,
    /// Addresses among code that are taken, and are those of data: what is there is no code.
    pub(crate) data_in_code: BTreeSet<Place>,
    code: VecDeque<Place>,
    data: VecDeque<(usize, Range<u64>, (Place, u64))>,
    seen_data: HashSet<(usize, u64)>,
    /// Names of exported functions that reached code has as strings, and the code.
    names: BTreeMap<&'d [u8], (Place, u64)>,
    /// The functions that look up others by name.
    pub(crate) lookups: HashSet<Place>,
    looks_up: bool,
}

impl<'p, 'd> Graph<'p, 'd> {
    /// Finds all code that is reached. What the program itself reaches is found first, so that its
    /// ways are preferred to those of the loader.
    pub(crate) fn of(program: &'p Program<'d>) -> Self {
        let lookups = LOOKUPS.iter().flat_map(|name| program.all_definitions(name.as_bytes()));
        let mut graph = Self {
            program,
            nodes: HashMap::new(),
            order: Vec::new(),
            dead_ends: Vec::new(),
            data_in_code: BTreeSet::new(),
            code: VecDeque::new(),
            data: VecDeque::new(),
            seen_data: HashSet::new(),
            names: BTreeMap::new(),
            lookups: lookups.copied().collect(),
            looks_up: false,
        };
        for reached in [Reached::Entry, Reached::Constructor, Reached::Resolver] {
            for (module, image) in program.images() {
                let is_entered = matches!(program.modules[module].origin, Origin::Program | Origin::Interpreter);
                let roots = image.roots.iter().filter(|(_, how)| *how == reached);
                for (address, _) in roots.filter(|_| is_entered || reached != Reached::Entry) {
                    graph.root(Place { module, address: *address }, reached, true);
                    graph.drain();
                }
            }
        }
        for (module, image) in program.images() {
            for place in image.named_roots.iter().flat_map(|target| program.targets(module, *target)) {
                graph.root(place, Reached::Constructor, true);
            }
            graph.add_initial_data(module, image.thread_data.clone(), image.go.clone());
            if program.modules[module].origin.is_loaded_at_run_time() {
                graph.add_exports(module);
            }
            graph.drain();
        }
        graph
    }

    /// Adds what thread-local data and Go's data refer to.
    fn add_initial_data(&mut self, module: usize, thread_data: Option<Range<u64>>, go: Option<Range<u64>>) {
        let image = self.program.image(module);
        let mut targets: Vec<Target<'_>> = Vec::new();
        if let Some(range) = thread_data {
            targets.extend(image.pointers.within(&range).iter().map(|(_, target)| *target));
        }
        if let Some(range) = go {
            targets.extend(image.pointers.all().iter().map(|(_, target)| *target));
            for function in image.functions.iter().filter(|function| range.contains(&function.start)) {
                self.root(Place { module, address: function.start }, Reached::InitialData, false);
            }
        }
        for place in targets.into_iter().flat_map(|target| self.program.targets(module, target)) {
            if self.program.image(place.module).is_code(place.address) {
                self.root(place, Reached::InitialData, true);
            }
        }
    }

    /// Adds what a file exports that is loaded at run time.
    fn add_exports(&mut self, module: usize) {
        let mut addresses: Vec<u64> = self.program.image(module).exports.values().flatten().copied().collect();
        addresses.sort_unstable();
        for address in addresses {
            let place = Place { module, address };
            if self.program.image(module).is_code(address) {
                self.root(place, Reached::Exported, true);
            } else {
                self.open(place, (place, address));
            }
        }
    }

    /// Adds code that nothing in a file calls.
    fn root(&mut self, place: Place, how: Reached, is_called: bool) {
        for place in self.program.called(place.module, place.address) {
            if let Some(node) = self.reach(place, how, None) {
                // Go calls its own functions directly, or through addresses in data.
                node.has_unknown_callers |= is_called;
            }
        }
    }

    /// Returns the node of a place, which is reached now if it was not.
    fn reach(&mut self, place: Place, how: Reached, from: Option<(Place, u64)>) -> Option<&mut Node<'d>> {
        if !self.nodes.contains_key(&place) {
            if self.program.range(place).is_none() {
                self.dead_ends.extend(from);
                return None;
            }
            self.order.push(place);
            self.code.push_back(place);
            self.looks_up |= self.lookups.contains(&place);
        }
        Some(self.nodes.entry(place).or_insert_with(|| Node {
            from,
            how,
            sites: Vec::new(),
            undecodable: Vec::new(),
            callers: Vec::new(),
            takers: Vec::new(),
            held: Vec::new(),
            has_unknown_callers: false,
            looked_up: Vec::new(),
        }))
    }

    /// Follows everything that is open.
    fn drain(&mut self) {
        loop {
            if let Some(place) = self.code.pop_front() {
                self.follow_code(place);
            } else if let Some((module, range, by)) = self.data.pop_front() {
                self.follow_data(module, &range, by);
            } else if self.looks_up && !self.names.is_empty() {
                for (name, by) in std::mem::take(&mut self.names) {
                    self.look_up(name, by, false);
                }
            } else {
                return;
            }
        }
    }

    fn follow_code(&mut self, place: Place) {
        let image = self.program.image(place.module);
        let Some(code) = self.program.code(place) else { return };
        let body = Body::of(image, &code);
        for (at, target) in &body.calls {
            let targets = self.program.called(place.module, *target);
            // Address 0 is that of a weak function that no file defines, and a stub may be for one.
            let is_undefined =
                *target == 0 || image.is_stub(*target) && self.program.stub_word(place.module, *target).is_some();
            if targets.is_empty() && !is_undefined {
                self.dead_ends.push((place, *at));
            }
            self.call(place, *at, targets);
        }
        if let Some(at) = body.falls.filter(|at| self.goes_on(place, &code, *at)) {
            let targets = self.program.called(place.module, code.range.end);
            self.call(place, at, targets);
        }
        for (at, word) in &body.through {
            let targets = self.program.through(place.module, *word);
            self.call(place, *at, targets);
        }
        for (at, word) in &body.loads {
            let target = image.pointers.at(*word);
            for target in target.map(|it| self.program.targets(place.module, it)).unwrap_or_default() {
                self.refer((place, *at), target);
            }
        }
        for (at, address) in &body.refers {
            // Addresses of labels within a function are for its own jumps.
            if !code.range.contains(address) || *address == code.range.start {
                self.refer((place, *at), Place { module: place.module, address: *address });
            }
        }
        if let Some(node) = self.nodes.get_mut(&place) {
            node.sites = body.sites;
            node.undecodable = body.undecodable;
        }
    }

    /// Returns whether the code after the last instruction of a function runs.
    fn goes_on(&self, place: Place, code: &Code, at: u64) -> bool {
        let Some(instruction) = code.at(at) else { return false };
        match Next::of(instruction) {
            Next::Call(target) => {
                let targets = self.program.called(place.module, target);
                !targets.is_empty() && self.program.any_returns(&targets)
            }
            Next::CallThrough => false,
            _ => true,
        }
    }

    fn call(&mut self, by: Place, at: u64, targets: Vec<Place>) {
        for target in targets {
            if let Some(node) = self.reach(target, Reached::Called, Some((by, at))) {
                node.callers.push((by, at));
            }
        }
    }

    /// Follows an address in code.
    fn refer(&mut self, by: (Place, u64), target: Place) {
        if self.program.image(target.module).is_code(target.address) {
            for place in self.program.called(target.module, target.address) {
                if self.is_data(place) {
                    continue;
                }
                if let Some(node) = self.reach(place, Reached::AddressTaken, Some(by)) {
                    node.takers.push(by);
                }
            }
        } else {
            self.open(target, by);
        }
    }

    /// Returns whether there is data among the code at a place. Hand-written code has such tables.
    fn is_data(&mut self, place: Place) -> bool {
        let image = self.program.image(place.module);
        if image.is_function(place.address) || self.nodes.contains_key(&place) {
            return false;
        }
        let is_data = self.data_in_code.contains(&place) || Code::is_data(image, place.address);
        if is_data {
            self.data_in_code.insert(place);
        }
        is_data
    }

    /// Follows the address of data.
    fn open(&mut self, target: Place, by: (Place, u64)) {
        let image = self.program.image(target.module);
        if let Some(name) = image.string(target.address).filter(|name| !name.is_empty()) {
            self.find_name(name, by);
        }
        let Some(range) = image.object(target.address) else { return };
        if self.seen_data.insert((target.module, range.start)) {
            self.data.push_back((target.module, range, by));
        }
    }

    fn follow_data(&mut self, module: usize, range: &Range<u64>, by: (Place, u64)) {
        let image = self.program.image(module);
        for (at, target) in image.pointers.within(range) {
            for place in self.program.targets(module, *target) {
                if !self.program.image(place.module).is_code(place.address) {
                    self.open(place, by);
                    continue;
                }
                for place in self.program.called(place.module, place.address) {
                    if let Some(node) = self.reach(place, Reached::InData, Some(by)) {
                        node.held.push((module, *at));
                    }
                }
            }
        }
    }

    /// Keeps a string that names an exported function. The loader and the C library look up such
    /// functions, and other code does so with dlsym(3).
    fn find_name(&mut self, name: &'d [u8], by: (Place, u64)) {
        if self.program.all_definitions(name).is_empty() {
            return;
        }
        let user = by.0.module;
        let is_loader = self.program.modules[user].origin == Origin::Interpreter
            || self.lookups.iter().any(|lookup| lookup.module == user);
        if is_loader {
            self.look_up(name, by, true);
        } else {
            self.names.entry(name).or_insert(by);
        }
    }

    fn look_up(&mut self, name: &'d [u8], by: (Place, u64), is_loader: bool) {
        for &place in self.program.all_definitions(name) {
            if !self.program.image(place.module).is_code(place.address) {
                self.open(place, by);
            } else if let Some(node) = self.reach(place, Reached::LookedUp, Some(by)) {
                node.has_unknown_callers |= is_loader;
                node.looked_up.push(name);
            }
        }
    }
}
