//! Functions of programs and libraries. Main function: [`user`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use object::{Object, ObjectSegment, ObjectSymbol, SymbolKind};
use sysguard::unstable::linux::SymbolFiles;

use super::instructions::{Processor, decode, with_samples};
use super::{Annotation, Fault, Instruction};
use crate::recording::Recording;
use crate::user::Programs;

/// The samples of a function in one file.
#[derive(Default)]
struct Sampled {
    /// Samples by offset in the file.
    offsets: BTreeMap<u64, u64>,
    /// One of them: its run, process, time, and address less offset.
    example: Option<(usize, u32, u64, u64)>,
    /// The name of the file as it was mapped.
    shown: String,
}

/// Returns the instructions of the user function of this name, as a profile names it. The end of a
/// path (`parse_line` of `demo::parse_line`) suffices if only one function has it. If several files
/// have the function, the one with the most samples is shown.
///
/// # Errors
///
/// [`Fault`], with a remedy.
pub fn user(recordings: &[Recording], function: &str) -> Result<Annotation, Fault> {
    let files: Vec<SymbolFiles> = recordings.iter().map(|_| SymbolFiles::default()).collect();
    let programs: Vec<Programs<'_>> =
        recordings.iter().zip(&files).map(|(recording, files)| Programs::new(recording, files)).collect();
    let mut sampled: BTreeMap<PathBuf, Sampled> = BTreeMap::new();
    let (mut within, mut names, mut all, mut unreadable) = (BTreeSet::new(), BTreeMap::new(), 0, None);
    for (run, (recording, programs)) in recordings.iter().zip(&programs).enumerate() {
        for sample in &recording.samples {
            all += sample.count;
            let Some(&address) = sample.user.first().filter(|_| !sample.in_kernel) else { continue };
            let functions = programs.functions(sample.pid, sample.time, address);
            // The last function holds the instruction; the others are inlined in it.
            let Some(name) = functions.last().and_then(|holder| holder.name.as_deref()) else { continue };
            if name != function {
                let is_inlined = functions.iter().any(|inlined| inlined.name.as_deref() == Some(function));
                within.extend(is_inlined.then(|| name.to_owned()));
                *names.entry(name.to_owned()).or_default() += sample.count;
                continue;
            }
            let Some(place) = programs.place(sample.pid, sample.time, address) else {
                unreadable = functions.last().map(|holder| holder.file.clone());
                continue;
            };
            let of_file = sampled.entry(place.file).or_default();
            *of_file.offsets.entry(place.offset).or_default() += sample.count;
            let base = address.wrapping_sub(place.offset);
            of_file.example.get_or_insert((run, sample.pid, sample.time, base));
            of_file.shown = place.shown;
        }
    }
    let most = sampled.into_iter().max_by_key(|(_, sampled)| sampled.offsets.values().sum::<u64>());
    let Some((file, Sampled { offsets, example: Some((run, pid, time, base)), shown })) = most else {
        if let Some(file) = unreadable {
            return Err(Fault::unreadable(function, format!("{file} cannot be read as a file")));
        }
        if !within.is_empty() {
            return Err(Fault::Inlined { name: function.to_owned(), within: within.into_iter().collect() });
        }
        return match ends_of_paths(function, &names)[..] {
            [] => Err(Fault::not_sampled(function, names)),
            [only] => user(recordings, only),
            ref several => Err(Fault::ambiguous(function, several)),
        };
    };
    let unreadable = |reason: String| Fault::unreadable(function, reason);
    let bytes = fs::read(&file).map_err(|error| unreadable(format!("{shown}: {error}")))?;
    let object = object::File::parse(&*bytes).map_err(|error| unreadable(format!("{shown}: {error}")))?;
    let (body, offsets, others) = hottest(&object, offsets)
        .ok_or_else(|| unreadable(format!("{shown} has no symbol with the bounds of the function")))?;
    let code = body.code(&bytes).ok_or_else(|| unreadable(format!("{shown} is too short")))?;
    let decoded = decode(Processor::of(&object), code, body.address).map_err(unreadable)?;
    // Converts offsets in the file to addresses of the file.
    let samples = offsets.into_iter().map(|(offset, count)| (offset - body.offset + body.address, count)).collect();
    let instruction = |(address, text, samples): (u64, String, u64)| {
        let mapped = base.wrapping_add(address - body.address + body.offset);
        let functions = programs[run].functions(pid, time, mapped);
        let source = functions.first().and_then(|function| function.source.clone());
        Instruction { address, samples, text, source }
    };
    let instructions: Vec<Instruction> = with_samples(decoded, &samples).into_iter().map(instruction).collect();
    let has_lines = instructions.iter().any(|instruction| instruction.source.is_some());
    let no_lines = (!has_lines).then(|| format!("no source lines: {shown} has no line table"));
    Ok(Annotation {
        function: function.to_owned(),
        file: shown,
        samples: samples.values().sum(),
        all,
        instructions,
        notes: no_lines.into_iter().chain(super::of_others(others)).collect(),
    })
}

/// Address, offset and size of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Body {
    address: u64,
    offset: u64,
    size: u64,
}

impl Body {
    fn holds(&self, offset: u64) -> bool {
        offset.checked_sub(self.offset).is_some_and(|within| within < self.size)
    }

    fn code<'a>(&self, file: &'a [u8]) -> Option<&'a [u8]> {
        let end = self.offset.checked_add(self.size)?;
        file.get(usize::try_from(self.offset).ok()?..usize::try_from(end).ok()?)
    }
}

/// Returns the function with the most samples of those that have the name, with its samples, and
/// the number of samples in the others: static functions of several source files may share a name.
fn hottest(file: &object::File<'_>, offsets: BTreeMap<u64, u64>) -> Option<(Body, BTreeMap<u64, u64>, u64)> {
    let all: u64 = offsets.values().sum();
    let mut bodies: Vec<(Body, BTreeMap<u64, u64>)> = Vec::new();
    for (offset, count) in offsets {
        match bodies.last_mut() {
            Some((body, samples)) if body.holds(offset) => drop(samples.insert(offset, count)),
            _ => bodies.extend(body(file, offset).map(|body| (body, BTreeMap::from([(offset, count)])))),
        }
    }
    let sum = |samples: &BTreeMap<u64, u64>| samples.values().sum::<u64>();
    let (body, samples) = bodies.into_iter().max_by_key(|(_, samples)| sum(samples))?;
    let others = all - sum(&samples);
    Some((body, samples, others))
}

/// Returns the function at an offset of a file, by its symbols.
fn body(file: &object::File<'_>, offset: u64) -> Option<Body> {
    let segment = file.segments().find(|segment| {
        let (start, size) = segment.file_range();
        offset.checked_sub(start).is_some_and(|within| within < size)
    })?;
    let start = segment.file_range().0;
    let address = segment.address().checked_add(offset - start)?;
    let of_functions = file.symbols().chain(file.dynamic_symbols()).filter(|symbol| symbol.kind() == SymbolKind::Text);
    let mut holding = of_functions
        .filter(|symbol| address.checked_sub(symbol.address()).is_some_and(|within| within < symbol.size()));
    let symbol = holding.next()?;
    let offset = symbol.address().checked_sub(segment.address())?.checked_add(start)?;
    Some(Body { address: symbol.address(), offset, size: symbol.size() })
}

/// Returns the names of functions that are paths with this end.
fn ends_of_paths<'a>(function: &str, names: &'a BTreeMap<String, u64>) -> Vec<&'a str> {
    let is_end = |name: &&str| name.strip_suffix(function).is_some_and(|path| path.ends_with("::"));
    names.keys().map(String::as_str).filter(is_end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_of_a_path_names_a_function() {
        let names = ["demo::parse", "other::parse", "demo::reparse", "parse_all"].map(|name| (name.to_owned(), 1));
        let names = names.into_iter().collect();
        assert_eq!(ends_of_paths("parse", &names), ["demo::parse", "other::parse"]);
        assert_eq!(ends_of_paths("reparse", &names), ["demo::reparse"]);
        assert!(ends_of_paths("all", &names).is_empty());
    }
}
