//! Functions of the running kernel. Main function: [`kernel`].

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use object::elf;
use object::{Object, ObjectSegment, ObjectSymbol, ReadCache};

use super::instructions::{Processor, decode, with_samples};
use super::{Annotation, Fault, Instruction};
use crate::kernel::Kernel;
use crate::recording::Recording;

/// Where the kernel's code is read.
#[derive(Debug, Clone, Copy)]
pub enum Code<'a> {
    /// The kernel's memory: an ELF file such as `/proc/kcore`.
    Memory(&'a Path),
    /// An uncompressed kernel (vmlinux).
    File(&'a Path),
}

/// Returns the samples in kernel functions of this name by address, and the number of all samples.
fn in_function(kernel: &Kernel, recordings: &[Recording], function: &str) -> (BTreeMap<u64, u64>, u64) {
    let (mut addresses, mut all) = (BTreeMap::new(), 0);
    for sample in recordings.iter().flat_map(|recording| &recording.samples) {
        all += sample.count;
        if let Some(&address) = sample.kernel.first().filter(|_| sample.in_kernel)
            && kernel.function(address).name == function
        {
            *addresses.entry(address).or_default() += sample.count;
        }
    }
    (addresses, all)
}

/// Returns the instructions of the kernel function of this name.
///
/// # Errors
///
/// [`Fault`], with a remedy.
pub fn kernel(recordings: &[Recording], kernel: &Kernel, function: &str, code: Code<'_>) -> Result<Annotation, Fault> {
    let (samples, all) = in_function(kernel, recordings, function);
    let Some(&sampled) = samples.keys().next() else {
        let mut names = BTreeMap::new();
        for sample in recordings.iter().flat_map(|recording| &recording.samples) {
            if let Some(&address) = sample.kernel.first() {
                *names.entry(kernel.function(address).name.clone()).or_default() += sample.count;
            }
        }
        return Err(Fault::not_sampled(function, names));
    };
    let body = kernel.extent(sampled).ok_or_else(|| Fault::unreadable(function, "/proc/kallsyms does not list it"))?;
    let read = match code {
        Code::Memory(path) => memory(path, body.clone()),
        Code::File(path) => file(path, kernel, body.clone()),
    };
    let bytes = read.map_err(|reason| Fault::unreadable(function, reason))?;
    let decoded = decode(Processor::own(), &bytes, body.start).map_err(|reason| Fault::unreadable(function, reason))?;
    // Several functions may have this name: show only the one with the first sample.
    let every: u64 = samples.values().sum();
    let samples: BTreeMap<u64, u64> = samples.into_iter().filter(|(address, _)| body.contains(address)).collect();
    let instructions = with_samples(decoded, &samples);
    let note = match code {
        Code::Memory(_) => None,
        Code::File(_) => Some("as linked: the running kernel may have replaced instructions".to_owned()),
    };
    let instruction = |(address, text, samples)| Instruction { address, samples, text, source: None };
    Ok(Annotation {
        function: function.to_owned(),
        file: match code {
            Code::Memory(path) | Code::File(path) => path.display().to_string(),
        },
        samples: samples.values().sum(),
        all,
        instructions: instructions.into_iter().map(instruction).collect(),
        notes: note.into_iter().chain(super::of_others(every - samples.values().sum::<u64>())).collect(),
    })
}

/// Reads the kernel's memory.
fn memory(path: &Path, addresses: Range<u64>) -> Result<Vec<u8>, String> {
    let cannot = |error: io::Error| {
        format!(
            "{}: {error}\nhelp: run as root on a kernel with CONFIG_PROC_KCORE, or give --vmlinux FILE",
            path.display()
        )
    };
    let file = File::open(path).map_err(cannot)?;
    // The structures Elf64_Ehdr and Elf64_Phdr of elf(5), in the byte order of this machine.
    let mut header = [0; 64];
    file.read_exact_at(&mut header, 0).map_err(cannot)?;
    if !header.starts_with(&elf::ELFMAG) {
        return Err(format!("{} is not an ELF file", path.display()));
    }
    let (first, count) = (word(&header, 32), u16::from_ne_bytes([header[56], header[57]]));
    for at in 0..u64::from(count) {
        let mut segment = [0; SEGMENT];
        file.read_exact_at(&mut segment, first + at * SEGMENT as u64).map_err(cannot)?;
        let kind = u32::from_ne_bytes([segment[0], segment[1], segment[2], segment[3]]);
        let (offset, start, size) = (word(&segment, 8), word(&segment, 16), word(&segment, 40));
        if kind == elf::PT_LOAD && start <= addresses.start && addresses.end - start <= size {
            let mut code = vec![0; (addresses.end - addresses.start) as usize];
            file.read_exact_at(&mut code, offset + (addresses.start - start)).map_err(cannot)?;
            return Ok(code);
        }
    }
    Err(format!("{} does not hold the kernel's code", path.display()))
}

/// The size of Elf64_Phdr.
const SEGMENT: usize = 56;

/// Returns the 64 bits at an offset.
fn word(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].try_into().map(u64::from_ne_bytes).unwrap_or_default()
}

/// Reads an uncompressed kernel. The running kernel may be at other addresses than it was linked
/// for.
fn file(path: &Path, kernel: &Kernel, addresses: Range<u64>) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let opened = File::open(path).map_err(|error| format!("{shown}: {error}"))?;
    let cache = ReadCache::new(opened);
    let file = object::File::parse(&cache).map_err(|error| format!("{shown}: {error}"))?;
    let Some((running, linked)) = reference(&file, kernel) else {
        return Err(format!("{shown} has no symbols of the running kernel: it is not an uncompressed kernel"));
    };
    if let (Ok(Some(its)), Some(own)) = (file.build_id(), build_id())
        && its != own
    {
        return Err(format!("{shown} is another kernel: its build ID differs from /sys/kernel/notes"));
    }
    let start = addresses.start.wrapping_sub(running).wrapping_add(linked);
    let size = addresses.end - addresses.start;
    let code = file.segments().find_map(|segment| segment.data_range(start, size).ok().flatten().map(<[u8]>::to_vec));
    code.ok_or_else(|| format!("{shown} does not hold the function"))
}

/// Returns the address of one function in the running kernel, and its linked address. They differ
/// by the offset of the whole kernel (CONFIG_RANDOMIZE_BASE).
fn reference<'d>(file: &impl Object<'d>, kernel: &Kernel) -> Option<(u64, u64)> {
    let mut linked: HashMap<String, Option<u64>> = HashMap::new();
    for symbol in file.symbols().filter(|symbol| symbol.is_definition()) {
        // Names of several static functions are ambiguous.
        let name = symbol.name().ok()?.to_owned();
        linked.entry(name).and_modify(|address| *address = None).or_insert(Some(symbol.address()));
    }
    let own = kernel.functions().filter(|(_, function)| function.module.is_none());
    own.into_iter().find_map(|(running, function)| Some((running, (*linked.get(&function.name)?)?)))
}

/// Returns the build ID of the running kernel (the note NT_GNU_BUILD_ID of elf(5)).
fn build_id() -> Option<Vec<u8>> {
    let notes = std::fs::read("/sys/kernel/notes").ok()?;
    let mut rest = &notes[..];
    while rest.len() >= 12 {
        let word = |at: usize| u32::from_ne_bytes([rest[at], rest[at + 1], rest[at + 2], rest[at + 3]]);
        let (name, data, kind) = (word(0) as usize, word(4) as usize, word(8));
        let start = 12 + name.next_multiple_of(4);
        if kind == elf::NT_GNU_BUILD_ID && rest.get(12..12 + name) == Some(b"GNU\0") {
            return rest.get(start..start + data).map(<[u8]>::to_vec);
        }
        rest = rest.get(start + data.next_multiple_of(4)..)?;
    }
    None
}
