//! All files of an analysis together: which code a symbol, a stub or a word leads to. Main type:
//! [`Program`].

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use iced_x86::{Decoder, DecoderOptions};

use crate::code::{Code, Next};
use crate::image::{Image, Target};
use crate::result::{Fault, Module, Origin};

/// An address in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// Index of the file.
    pub(crate) module: usize,
    /// The address in it.
    pub(crate) address: u64,
}

/// The files of an analysis.
#[derive(Debug)]
pub(crate) struct Program<'d> {
    pub(crate) modules: &'d [Module],
    images: Vec<Image<'d>>,
    /// The definitions of each exported symbol, in the order of the files.
    exports: HashMap<&'d [u8], Vec<Place>>,
    /// Whether a file is loaded when the program starts.
    at_start: Vec<bool>,
    /// The called addresses from which a function returns twice, as far as it was asked for.
    twice: RefCell<HashMap<Place, bool>>,
    /// What is known of functions: whether they return.
    returning: RefCell<HashMap<Place, bool>>,
}

/// How deep calls are followed to find out whether a function returns. One that is deeper is taken
/// to return, which can only add ways.
const DEEPEST: usize = 12;

impl<'d> Program<'d> {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// [`Fault`] for the first file that cannot be analysed.
    pub(crate) fn read(modules: &'d [Module]) -> Result<Self, Fault> {
        let images = modules.iter().map(Image::read).collect::<Result<Vec<_>, Fault>>()?;
        let mut exports: HashMap<&[u8], Vec<Place>> = HashMap::new();
        for (module, image) in images.iter().enumerate() {
            for (name, addresses) in &image.exports {
                let places = addresses.iter().map(|address| Place { module, address: *address });
                exports.entry(name).or_default().extend(places);
            }
        }
        let at_start = loaded_at_start(modules);
        Ok(Self { modules, images, exports, at_start, twice: RefCell::default(), returning: RefCell::default() })
    }

    /// Returns a file.
    pub(crate) fn image(&self, module: usize) -> &Image<'d> {
        &self.images[module]
    }

    /// Returns every file.
    pub(crate) fn images(&self) -> impl Iterator<Item = (usize, &Image<'d>)> {
        self.images.iter().enumerate()
    }

    /// Returns the code from a place to the end of its function.
    pub(crate) fn range(&self, place: Place) -> Option<Range<u64>> {
        let function = self.image(place.module).function(place.address)?;
        Some(place.address..function.end)
    }

    /// Decodes the code from a place to the end of its function.
    pub(crate) fn code(&self, place: Place) -> Option<Code> {
        Code::decode(self.image(place.module), self.range(place)?)
    }

    /// Returns the definitions of a symbol that a file uses. The loader chooses the first one in
    /// the order of the files; for files that are loaded later, the order is not known.
    pub(crate) fn definitions(&self, user: usize, name: &[u8]) -> Vec<Place> {
        let all = self.all_definitions(name);
        let first = all.iter().find(|place| self.at_start[place.module]).map(|place| place.module);
        let has_own = self.image(user).is_symbolic || !self.at_start[user];
        let is_chosen = |place: &&Place| Some(place.module) == first || has_own && place.module == user;
        let mut found: Vec<Place> = all.iter().filter(is_chosen).copied().collect();
        if found.is_empty() {
            found.extend(all);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Returns all definitions of a symbol, wherever they are.
    pub(crate) fn all_definitions(&self, name: &[u8]) -> &[Place] {
        self.exports.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns what a word of a file holds.
    pub(crate) fn targets(&self, module: usize, target: Target<'_>) -> Vec<Place> {
        match target {
            Target::Address(address) => vec![Place { module, address }],
            Target::Symbol { name, addend } => {
                let places = self.definitions(module, name).into_iter();
                places.map(|it| Place { address: it.address.wrapping_add_signed(addend), ..it }).collect()
            }
            Target::Copy(name) => {
                let others = self.all_definitions(name).iter().filter(|place| place.module != module);
                others.copied().collect()
            }
        }
    }

    /// Returns the code that a call of an address of a file reaches, behind any stub.
    pub(crate) fn called(&self, module: usize, address: u64) -> Vec<Place> {
        let image = self.image(module);
        if !image.is_stub(address) {
            return if image.is_code(address) { vec![Place { module, address }] } else { Vec::new() };
        }
        self.stub_word(module, address).map_or_else(Vec::new, |word| self.through(module, word))
    }

    /// Returns the word that the stub at an address jumps through.
    pub(crate) fn stub_word(&self, module: usize, address: u64) -> Option<u64> {
        /// The longest stub of x86-64 linkers, in bytes.
        const LONGEST: u64 = 16;
        let bytes = self.image(module).bytes(address, LONGEST)?;
        let mut stub = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE).into_iter();
        let jump = stub.find(|it| matches!(Next::of(it), Next::JumpThrough | Next::Jump(_)))?;
        jump.is_ip_rel_memory_operand().then(|| jump.ip_rel_memory_address())
    }

    /// Returns the code that a call through a word of a file reaches, as far as the word is known
    /// before the program runs.
    pub(crate) fn through(&self, module: usize, word: u64) -> Vec<Place> {
        let Some(target) = self.image(module).pointers.at(word) else { return Vec::new() };
        let places = self.targets(module, target).into_iter();
        let is_code = |place: &Place| self.image(place.module).is_code(place.address);
        places
            .filter(is_code)
            .flat_map(|place| {
                // A stub that leads to itself has no other definition.
                if self.image(place.module).is_stub(place.address) && place.module != module {
                    return self.called(place.module, place.address);
                }
                vec![place]
            })
            .filter(|place| !self.image(place.module).is_stub(place.address))
            .collect()
    }

    /// Returns whether a call of a place may come back, as far as direct jumps and calls tell.
    pub(crate) fn returns(&self, place: Place) -> bool {
        self.may_return(place, 0)
    }

    /// Returns whether a call of an address comes back again after other code ran on the same
    /// stack.
    pub(crate) fn returns_twice(&self, module: usize, address: u64) -> bool {
        const NAMES: [&str; 7] = ["setjmp", "_setjmp", "sigsetjmp", "__sigsetjmp", "getcontext", "vfork", "__vfork"];
        *self.twice.borrow_mut().entry(Place { module, address }).or_insert_with(|| {
            let is_one = |name: &[u8]| NAMES.iter().any(|it| it.as_bytes() == name);
            let called = self.called(module, address);
            called.iter().any(|it| self.image(it.module).name(it.address).is_some_and(is_one))
        })
    }

    /// Returns whether a call of any of these places may come back. An unknown place may.
    pub(crate) fn any_returns(&self, places: &[Place]) -> bool {
        places.is_empty() || places.iter().any(|place| self.returns(*place))
    }

    fn may_return(&self, place: Place, depth: usize) -> bool {
        if let Some(known) = self.returning.borrow().get(&place) {
            return *known;
        }
        /// Longer functions, in bytes, are taken to return, too.
        const LONGEST: u64 = 20_000;
        let is_short = self.range(place).is_some_and(|range| range.end - range.start <= LONGEST);
        if depth > DEEPEST || !is_short {
            return true;
        }
        let Some(code) = self.code(place) else { return true };
        // Until it is known, a function that calls itself returns.
        self.returning.borrow_mut().insert(place, true);
        let returns = self.reaches_return(place.module, &code, depth);
        self.returning.borrow_mut().insert(place, returns);
        returns
    }

    fn reaches_return(&self, module: usize, code: &Code, depth: usize) -> bool {
        let any = |places: Vec<Place>| places.is_empty() || places.iter().any(|it| self.may_return(*it, depth + 1));
        let (mut open, mut seen) = (vec![code.range.start], HashSet::new());
        while let Some(at) = open.pop() {
            if !code.range.contains(&at) {
                if any(self.called(module, at)) {
                    return true;
                }
                continue;
            }
            let Some(instruction) = code.at(at).filter(|_| seen.insert(at)) else { continue };
            let word = instruction.is_ip_rel_memory_operand().then(|| instruction.ip_rel_memory_address());
            let through = || word.map_or_else(Vec::new, |word| self.through(module, word));
            match Next::of(instruction) {
                Next::End if instruction.mnemonic() == iced_x86::Mnemonic::Ret => return true,
                Next::End => {}
                Next::Jump(target) => open.push(target),
                Next::Branch(target) => open.extend([target, instruction.next_ip()]),
                Next::JumpThrough => match code.tables.get(&at) {
                    Some(targets) => open.extend(targets),
                    None if any(through()) => return true,
                    None => {}
                },
                Next::Call(target) if !any(self.called(module, target)) => {}
                Next::CallThrough if !any(through()) => {}
                Next::Call(_) | Next::CallThrough | Next::Step => open.push(instruction.next_ip()),
            }
        }
        false
    }
}

/// Returns which files are loaded when the program starts: what it needs, and what that needs.
fn loaded_at_start(modules: &[Module]) -> Vec<bool> {
    let mut at_start: Vec<bool> =
        modules.iter().map(|module| matches!(module.origin, Origin::Program | Origin::Interpreter)).collect();
    loop {
        let paths: HashSet<_> =
            modules.iter().zip(&at_start).filter(|(_, is)| **is).map(|(module, _)| &module.path).collect();
        let mut has_changed = false;
        for (module, is_at_start) in modules.iter().zip(&mut at_start) {
            let Origin::NeededBy(user) = &module.origin else { continue };
            if !*is_at_start && paths.contains(user) {
                (*is_at_start, has_changed) = (true, true);
            }
        }
        if !has_changed {
            return at_start;
        }
    }
}
