//! Decides which source file a function is from. Main function: [`places`].
//!
//! If only one file defines the name, the name decides. Otherwise neighbours decide: the linker
//! puts the functions of an object file side by side in each section, and the object files of a
//! folder side by side. So a function between two functions of one file belongs to that file, and a
//! function between two files of one folder belongs to that folder. Inline functions of headers may
//! be anywhere.

mod candidates;

use std::collections::{BTreeSet, HashMap};

use super::index::Found;
use super::symbols::{Symbol, Symbols};
use crate::profile::KnownBy;
use candidates::Candidates;

/// A file with at least this many functions has one that is found by name, if the kernel contains
/// the file.
const TELLING: usize = 5;

/// The most rounds of decisions by neighbours: each round uses the decisions of the last one.
const ROUNDS: usize = 6;

/// Returns the file of each symbol, as a position in [`Found::files`], and how it was found.
pub(crate) fn places(symbols: &Symbols, found: &Found) -> Vec<(Option<usize>, KnownBy)> {
    let mut places = Places::new(symbols, found);
    places.decide_by_name();
    places.drop_contradicted();
    for _ in 0..ROUNDS {
        if !places.decide_by_neighbours() {
            break;
        }
    }
    places.decide_by_module();
    places.decide_parts();
    places.decided
}

struct Places<'f> {
    symbols: &'f [Symbol],
    found: &'f Found,
    /// Symbols with different numbers are not neighbours.
    regions: Vec<usize>,
    candidates: Vec<Candidates>,
    decided: Vec<(Option<usize>, KnownBy)>,
    /// Number of functions of each file that were found by name.
    named: Vec<usize>,
}

/// The nearest functions with a known source file on both sides.
#[derive(Clone, Copy)]
struct Sides {
    before: Option<usize>,
    after: Option<usize>,
}

impl<'f> Places<'f> {
    fn new(symbols: &'f Symbols, found: &'f Found) -> Self {
        let all = symbols.all();
        let arch = candidates::arch(all);
        Self {
            symbols: all,
            found,
            regions: symbols.regions(),
            candidates: all.iter().map(|symbol| Candidates::of(symbol, found, arch)).collect(),
            decided: vec![(None, KnownBy::Nothing); all.len()],
            named: vec![0; found.files.len()],
        }
    }

    fn decide_by_name(&mut self) {
        for (at, candidates) in self.candidates.iter().enumerate() {
            if let [file] = candidates.files[..] {
                self.decided[at] = (Some(file), KnownBy::Name);
                self.named[file] += 1;
            }
        }
    }

    /// Reverts decisions that both neighbours contradict: between two functions of one object file,
    /// there can be no function of another. Then a macro that the index does not understand made
    /// the name.
    fn drop_contradicted(&mut self) {
        let sides = self.sides();
        let is_contradicted = |at: &usize| {
            let (Some(file), Sides { before: Some(before), after: Some(after) }) = (self.decided[*at].0, sides[*at])
            else {
                return false;
            };
            let object = self.object(before);
            // In a module, functions of the same file may end one section and begin the next.
            let is_of_module = self.symbols[*at].module.is_some();
            let is_between = object == self.object(after) && object != self.object(file);
            is_between && !is_of_module && !self.is_header(file)
        };
        let contradicted: Vec<usize> = (0..self.symbols.len()).filter(is_contradicted).collect();
        for at in contradicted {
            if let (Some(file), _) = self.decided[at] {
                self.named[file] -= 1;
            }
            self.decided[at] = (None, KnownBy::Nothing);
            self.candidates[at].files.clear();
        }
    }

    /// Decides by neighbours, and returns whether a decision was added.
    fn decide_by_neighbours(&mut self) -> bool {
        let sides = self.sides();
        let mut is_new = false;
        for (at, sides) in sides.into_iter().enumerate() {
            if self.decided[at].0.is_none()
                && let Some(file) = self.neighbourly(&self.candidates[at].files, sides)
            {
                self.decided[at] = (Some(file), KnownBy::Neighbours);
                is_new = true;
            }
        }
        is_new
    }

    /// Returns the file that fits both sides, if there is only one.
    fn neighbourly(&self, files: &[usize], sides: Sides) -> Option<usize> {
        let Sides { before: Some(before), after: Some(after) } = sides else { return None };
        let objects = [self.object(before), self.object(after)];
        if objects[0] == objects[1] {
            let inside: Vec<usize> = files.iter().copied().filter(|&file| self.object(file) == objects[0]).collect();
            let inlined: Vec<usize> = files.iter().copied().filter(|&file| self.is_visible(file, before)).collect();
            return match (&inside[..], &inlined[..]) {
                ([file], _) | ([], [file]) => Some(*file),
                // A macro or one of several headers defines it: it is compiled with its neighbours.
                ([], _) if before == after => Some(before),
                _ => None,
            };
        }
        let folder = common_folder(self.path(before), self.path(after));
        let possible: Vec<usize> =
            files.iter().copied().filter(|&file| self.is_possible(file, folder, objects)).collect();
        match possible[..] {
            [file] if !self.is_header(file) && (!folder.is_empty() || objects.contains(&self.object(file))) => {
                Some(file)
            }
            _ => None,
        }
    }

    /// Returns whether the file is a header that the source may include.
    fn is_visible(&self, header: usize, source: usize) -> bool {
        let path = self.path(header);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.is_header(header)
            && (path.starts_with("include/") || path.contains("/include/") || self.path(source).starts_with(folder))
    }

    /// Returns whether a function of the file may be between these objects of this folder.
    fn is_possible(&self, file: usize, folder: &str, objects: [usize; 2]) -> bool {
        if self.is_header(file) || objects.contains(&self.object(file)) {
            return true;
        }
        // A file with functions found by name is linked elsewhere. A large file without any is
        // missing from the kernel.
        let is_elsewhere = self.named[file] > 0 || self.found.sizes[file] >= TELLING;
        self.path(file).starts_with(folder) && !is_elsewhere
    }

    /// Decides within modules. A function of a module is from a file of its other functions, or from
    /// the file with the name of the module.
    fn decide_by_module(&mut self) {
        let mut objects = HashMap::<&str, BTreeSet<usize>>::new();
        for (at, symbol) in self.symbols.iter().enumerate() {
            if let (Some(module), Some(file)) = (&symbol.module, self.source(at)) {
                objects.entry(module).or_default().insert(self.object(file));
            }
        }
        for (at, symbol) in self.symbols.iter().enumerate() {
            let (None, Some(module)) = (self.decided[at].0, symbol.module.as_deref()) else { continue };
            let candidates = &self.candidates[at].files;
            let shown = objects.entry(module).or_insert_with(|| self.named_like(module));
            let own: Vec<usize> =
                candidates.iter().copied().filter(|&file| shown.contains(&self.object(file))).collect();
            let file = match own[..] {
                [file] => Some(file),
                [] if candidates.is_empty() && shown.len() == 1 => shown.first().copied(),
                _ => None,
            };
            if file.is_some() {
                self.decided[at] = (file, KnownBy::Neighbours);
            }
        }
    }

    /// Returns the object file of the source with the name of a module, if there is only one such
    /// source. A module of several sources has none (Documentation/kbuild/makefiles.rst).
    fn named_like(&self, module: &str) -> BTreeSet<usize> {
        let is_named = |&file: &usize| {
            let name = self.path(file).rsplit('/').next().and_then(|name| name.strip_suffix(".c"));
            let as_module =
                |name: &str| name.bytes().map(|byte| if byte == b'-' { b'_' } else { byte }).eq(module.bytes());
            name.is_some_and(as_module)
        };
        let named: BTreeSet<usize> = (0..self.found.files.len()).filter(is_named).collect();
        if named.len() == 1 { named.into_iter().map(|file| self.object(file)).collect() } else { BTreeSet::new() }
    }

    /// Decides parts of functions (`.cold`): they belong to the file of the whole function, if its
    /// name has only one.
    fn decide_parts(&mut self) {
        let mut wholes = HashMap::<(&str, Option<&str>), Vec<usize>>::new();
        for (at, symbol) in self.symbols.iter().enumerate() {
            if !symbol.name.contains('.') {
                wholes.entry((&symbol.name, symbol.module.as_deref())).or_default().push(at);
            }
        }
        for (at, symbol) in self.symbols.iter().enumerate() {
            let Some((name, _)) = symbol.name.split_once('.') else { continue };
            if let (None, Some([whole])) =
                (self.decided[at].0, wholes.get(&(name, symbol.module.as_deref())).map(Vec::as_slice))
            {
                self.decided[at] = self.decided[*whole];
            }
        }
    }

    /// Returns the neighbours of each symbol.
    fn sides(&self) -> Vec<Sides> {
        let mut sides = vec![Sides { before: None, after: None }; self.symbols.len()];
        let in_region = |last: Option<(usize, usize)>, at: usize| {
            last.filter(|&(region, _)| region == self.regions[at]).map(|(_, file)| file)
        };
        let mut last = None;
        for (at, sides) in sides.iter_mut().enumerate() {
            sides.before = in_region(last, at);
            last = self.source(at).map(|file| (self.regions[at], file)).or(last);
        }
        last = None;
        for (at, sides) in sides.iter_mut().enumerate().rev() {
            sides.after = in_region(last, at);
            last = self.source(at).map(|file| (self.regions[at], file)).or(last);
        }
        sides
    }

    /// Returns the file of a symbol if it identifies the object file at this position.
    fn source(&self, at: usize) -> Option<usize> {
        self.decided[at].0.filter(|&file| !self.is_header(file))
    }

    fn path(&self, file: usize) -> &str {
        &self.found.files[file].place.file
    }

    fn object(&self, file: usize) -> usize {
        self.found.files[file].object
    }

    fn is_header(&self, file: usize) -> bool {
        self.path(file).ends_with(".h")
    }
}

/// Returns the deepest common folder of two paths, with its slash: `fs/` of `fs/ext4/a.c` and
/// `fs/b.c`.
fn common_folder<'p>(a: &'p str, b: &str) -> &'p str {
    let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    a[..shared].rfind('/').map_or("", |slash| &a[..=slash])
}

#[cfg(test)]
mod tests;
