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
struct Sampled<'a> {
    /// Samples by offset in the file.
    offsets: BTreeMap<u64, u64>,
    /// One of them: its run, process, time, and address less offset.
    example: Option<(usize, u32, u64, u64)>,
    /// The name of the file as it was mapped.
    shown: &'a str,
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
    let mut sampled: BTreeMap<PathBuf, Sampled<'_>> = BTreeMap::new();
    let (mut within, mut names, mut all) = (BTreeSet::new(), BTreeMap::new(), 0);
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
            let Some(place) = programs.place(sample.pid, sample.time, address) else { continue };
            let of_file = sampled.entry(place.file).or_default();
            *of_file.offsets.entry(place.offset).or_default() += sample.count;
            let base = address.wrapping_sub(place.offset);
            of_file.example.get_or_insert((run, sample.pid, sample.time, base));
            of_file.shown = place.shown;
        }
    }
    let most = sampled.into_iter().max_by_key(|(_, sampled)| sampled.offsets.values().sum::<u64>());
    let Some((file, Sampled { offsets, example: Some((run, pid, time, base)), shown })) = most else {
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
    let first = offsets.keys().next().copied().unwrap_or_default();
    let body = body(&object, first)
        .ok_or_else(|| unreadable(format!("{shown} has no symbol that says where the function starts and ends")))?;
    let code = bytes
        .get(body.offset as usize..(body.offset + body.size) as usize)
        .ok_or_else(|| unreadable(format!("{shown} is too short")))?;
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
    Ok(Annotation {
        function: function.to_owned(),
        file: shown.to_owned(),
        samples: samples.values().sum(),
        all,
        instructions,
        notes: if has_lines { Vec::new() } else { vec![format!("no source lines: {shown} has no line table")] },
    })
}

/// Address, offset and size of a function.
struct Body {
    address: u64,
    offset: u64,
    size: u64,
}

/// Returns the function at an offset of a file, by its symbols.
fn body(file: &object::File<'_>, offset: u64) -> Option<Body> {
    let segment = file.segments().find(|segment| {
        let (start, size) = segment.file_range();
        (start..start + size).contains(&offset)
    })?;
    let start = segment.file_range().0;
    let address = offset - start + segment.address();
    let of_functions = file.symbols().chain(file.dynamic_symbols()).filter(|symbol| symbol.kind() == SymbolKind::Text);
    let mut holding = of_functions
        .filter(|symbol| symbol.size() > 0 && (symbol.address()..symbol.address() + symbol.size()).contains(&address));
    let symbol = holding.next()?;
    Some(Body { address: symbol.address(), offset: symbol.address() - segment.address() + start, size: symbol.size() })
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
