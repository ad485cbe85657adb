//! A program or library as code and data at addresses. Main type: [`Image`].
//!
//! Addresses are those of the file, before it is loaded.

#[cfg(test)]
pub(crate) mod fixture;
mod functions;
mod go;
mod header;
mod pointers;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use object::LittleEndian;
use object::elf;
use object::read::elf::{Dyn, ElfFile64, FileHeader, ProgramHeader, SectionHeader, Sym};

pub use header::Header;
pub(crate) use pointers::{Pointers, Target};

use crate::result::{Fault, Module, Reached};

/// A program or library.
#[derive(Debug, Default)]
pub(crate) struct Image<'d> {
    bytes: &'d [u8],
    /// What is loaded: addresses, and the part of the file.
    segments: Vec<(Range<u64>, &'d [u8])>,
    /// The sections with code, ordered.
    text: Vec<Range<u64>>,
    /// Those of them with stubs that jump to imported functions (`.plt`).
    stubs: Vec<Range<u64>>,
    /// The other sections that are loaded.
    data: Vec<Range<u64>>,
    /// Words for the linker's use, each of which is read alone (`.got`).
    got: Vec<Range<u64>>,
    /// Data that no code can write, relocations aside.
    constant: Vec<Range<u64>>,
    /// Addresses of functions, ordered.
    pub(crate) functions: Vec<Range<u64>>,
    names: HashMap<u64, &'d [u8]>,
    /// Functions that choose the implementation of another one (STT_GNU_IFUNC).
    resolvers: HashSet<u64>,
    /// Data objects with symbols, ordered by start.
    objects: Vec<Range<u64>>,
    /// The first word of `.data`.
    handle: Option<u64>,
    pub(crate) pointers: Pointers<'d>,
    pub(crate) exports: HashMap<&'d [u8], Vec<u64>>,
    /// What runs without being called by code of a file.
    pub(crate) roots: Vec<(u64, Reached)>,
    /// Constructors that are given by a symbol, which may be another file's.
    pub(crate) named_roots: Vec<Target<'d>>,
    /// The initial data of each thread.
    pub(crate) thread_data: Option<Range<u64>>,
    /// Set if it is loaded at any address, so that each address in data has a relocation.
    pub(crate) is_relocatable: bool,
    /// Set if the Go compiler made some of the functions. Its data refers to functions by offsets.
    pub(crate) go: Option<Range<u64>>,
    /// Set if its own definitions come before those of other files (DF_SYMBOLIC).
    pub(crate) is_symbolic: bool,
}

impl<'d> Image<'d> {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`Fault`] if it is no program or library for x86_64.
    pub(crate) fn read(module: &'d Module) -> Result<Self, Fault> {
        let header = header::checked(&module.path, &module.bytes)?;
        let read = || -> object::read::Result<Self> {
            let file = ElfFile64::<LittleEndian>::parse(&*module.bytes)?;
            let mut image = Self { bytes: &module.bytes, ..Self::default() };
            image.read_segments(&file)?;
            image.read_sections(&file)?;
            image.read_symbols(&file);
            image.add_functions(&file)?;
            let (pointers, resolvers) = Pointers::read(&file, &image)?;
            image.pointers = pointers;
            image.resolvers.extend(&resolvers);
            image.roots.extend(resolvers.into_iter().map(|resolver| (resolver, Reached::Resolver)));
            image.read_roots(&file)?;
            let entry = header.e_entry(LittleEndian);
            if entry != 0 && image.is_code(entry) {
                image.roots.push((entry, Reached::Entry));
            }
            Ok(image)
        };
        read().map_err(|error| Fault::Malformed { path: module.path.clone(), reason: error.to_string() })
    }

    fn read_segments(&mut self, file: &ElfFile64<'d, LittleEndian>) -> object::read::Result<()> {
        for segment in file.elf_program_headers() {
            let start = segment.p_vaddr(LittleEndian);
            let range = start..start.saturating_add(segment.p_memsz(LittleEndian));
            match segment.p_type(LittleEndian) {
                elf::PT_LOAD => {
                    let data = segment.data(LittleEndian, self.bytes).unwrap_or_default();
                    self.segments.push((range, data));
                }
                elf::PT_TLS => self.thread_data = Some(range),
                _ => {}
            }
        }
        // A file with fixed addresses has no segment at 0.
        self.is_relocatable = self.segments.iter().any(|(range, _)| range.start == 0);
        Ok(())
    }

    fn read_sections(&mut self, file: &ElfFile64<'d, LittleEndian>) -> object::read::Result<()> {
        let sections = file.elf_section_table();
        for section in sections.iter() {
            let name = sections.section_name(LittleEndian, section).unwrap_or_default();
            let start = section.sh_addr(LittleEndian);
            let range = start..start.saturating_add(section.sh_size(LittleEndian));
            let flags = section.sh_flags(LittleEndian);
            let has = |flag: u32| flags & u64::from(flag) != 0;
            if !has(elf::SHF_ALLOC) || range.is_empty() {
                continue;
            }
            if has(elf::SHF_EXECINSTR) {
                if name.starts_with(b".plt") {
                    self.stubs.push(range.clone());
                }
                self.text.push(range);
                continue;
            }
            if name == b".data" {
                self.handle = Some(start);
            }
            if name.starts_with(b".got") {
                self.got.push(range.clone());
            }
            // Relocations apply to data that can be written, and `.tbss` shares its addresses.
            if !has(elf::SHF_WRITE) {
                self.constant.push(range.clone());
            }
            let is_for_loader = matches!(
                section.sh_type(LittleEndian),
                elf::SHT_DYNSYM | elf::SHT_STRTAB | elf::SHT_RELA | elf::SHT_HASH | elf::SHT_GNU_HASH | elf::SHT_NOTE
            );
            let is_for_unwinding = name.starts_with(b".eh_frame") || name == b".gcc_except_table";
            let is_empty = has(elf::SHF_TLS) && section.sh_type(LittleEndian) == elf::SHT_NOBITS;
            if !is_for_loader && !is_for_unwinding && !is_empty {
                self.data.push(range);
            }
        }
        if self.text.is_empty() {
            // A packed program, or one without section headers.
            let executable = |segment: &&elf::ProgramHeader64<LittleEndian>| {
                segment.p_type(LittleEndian) == elf::PT_LOAD && segment.p_flags(LittleEndian) & elf::PF_X != 0
            };
            let segments = file.elf_program_headers().iter().filter(executable);
            self.text.extend(segments.map(|segment| {
                let start = segment.p_vaddr(LittleEndian);
                start..start.saturating_add(segment.p_filesz(LittleEndian))
            }));
        }
        for ranges in [&mut self.text, &mut self.stubs, &mut self.data, &mut self.got, &mut self.constant] {
            ranges.sort_by_key(|range| range.start);
        }
        Ok(())
    }

    fn read_symbols(&mut self, file: &ElfFile64<'d, LittleEndian>) {
        for (table, is_dynamic) in [(file.elf_symbol_table(), false), (file.elf_dynamic_symbol_table(), true)] {
            for symbol in table.iter() {
                let address = symbol.st_value(LittleEndian);
                let name = symbol.name(LittleEndian, table.strings()).unwrap_or_default();
                if symbol.st_shndx(LittleEndian) == elf::SHN_UNDEF || symbol.st_type() == elf::STT_TLS {
                    continue;
                }
                if symbol.st_type() == elf::STT_OBJECT && symbol.st_size(LittleEndian) > 0 {
                    self.objects.push(address..address.saturating_add(symbol.st_size(LittleEndian)));
                }
                if symbol.st_type() == elf::STT_GNU_IFUNC {
                    self.resolvers.insert(address);
                }
                if self.is_code(address) && is_function(symbol) {
                    self.names.entry(address).or_insert(name);
                }
                if is_dynamic && symbol.st_bind() != elf::STB_LOCAL && !name.is_empty() {
                    self.exports.entry(name).or_default().push(address);
                }
            }
        }
        self.objects.sort_by_key(|object| (object.start, object.end));
    }

    /// Adds what the loader calls: DT_INIT and the like of elf(5), or the sections of these names
    /// in a static program.
    fn read_roots(&mut self, file: &ElfFile64<'d, LittleEndian>) -> object::read::Result<()> {
        let sections = file.elf_section_table();
        let mut arrays = Vec::new();
        for section in sections.iter() {
            let start = section.sh_addr(LittleEndian);
            let name = sections.section_name(LittleEndian, section).unwrap_or_default();
            let is_array = matches!(
                section.sh_type(LittleEndian),
                elf::SHT_INIT_ARRAY | elf::SHT_FINI_ARRAY | elf::SHT_PREINIT_ARRAY
            );
            if is_array {
                arrays.push(start..start.saturating_add(section.sh_size(LittleEndian)));
            } else if name == b".init" || name == b".fini" {
                self.roots.push((start, Reached::Constructor));
            }
        }
        for entry in sections.dynamic_table(LittleEndian, self.bytes)?.dynamics() {
            let value = entry.val(LittleEndian);
            match entry.tag(LittleEndian) {
                elf::DT_INIT | elf::DT_FINI if value != 0 => self.roots.push((value, Reached::Constructor)),
                elf::DT_SYMBOLIC => self.is_symbolic = true,
                elf::DT_FLAGS => self.is_symbolic |= value & u64::from(elf::DF_SYMBOLIC) != 0,
                _ => {}
            }
        }
        for at in arrays.into_iter().flat_map(|array| array.step_by(8)) {
            let target = match self.pointers.at(at) {
                Some(Target::Address(target)) => Some(target),
                Some(target) => {
                    self.named_roots.push(target);
                    None
                }
                None => self.word(at),
            };
            self.roots.extend(target.filter(|it| self.is_code(*it)).map(|target| (target, Reached::Constructor)));
        }
        Ok(())
    }
}

/// Returns whether a symbol in code names a function. A label of hand-written code counts if other
/// files of the program could use it.
fn is_function(symbol: &elf::Sym64<LittleEndian>) -> bool {
    matches!(symbol.st_type(), elf::STT_FUNC | elf::STT_GNU_IFUNC)
        || symbol.st_type() == elf::STT_NOTYPE && symbol.st_bind() != elf::STB_LOCAL
}

/// What is at an address.
impl<'d> Image<'d> {
    /// Returns at most this many bytes of the file from an address on, within its segment.
    pub(crate) fn bytes(&self, address: u64, length: u64) -> Option<&'d [u8]> {
        let (range, data) = self.segments.iter().find(|(range, _)| range.contains(&address))?;
        let data = data.get(usize::try_from(address - range.start).ok()?..)?;
        Some(&data[..data.len().min(usize::try_from(length).ok()?)])
    }

    /// Returns the word at an address, as it is in the file.
    pub(crate) fn word(&self, address: u64) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(address, 8)?.try_into().ok()?))
    }

    /// Returns the number of 32 bits that data holds at first. What the file does not hold is zero.
    pub(crate) fn initial_number(&self, address: u64) -> u64 {
        let bytes = self.bytes(address, 4).unwrap_or_default();
        bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    /// Returns the text at an address, without the zero byte that ends it. `None` if it is longer
    /// than 128 bytes: a lookup of such a name counts as one of a name that is not known.
    pub(crate) fn string(&self, address: u64) -> Option<&'d [u8]> {
        /// Data without zero bytes is long, and code may refer to every part of it.
        const LONGEST: u64 = 128;
        let bytes = self.bytes(address, LONGEST + 1)?;
        bytes.iter().position(|byte| *byte == 0).map(|end| &bytes[..end])
    }

    /// Returns a number in constant data.
    pub(crate) fn constant(&self, address: u64, length: u64) -> Option<u64> {
        if !is_within(&self.constant, address) {
            return None;
        }
        let bytes = self.bytes(address, length).filter(|bytes| bytes.len() as u64 == length)?;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// Returns whether there is code at an address.
    pub(crate) fn is_code(&self, address: u64) -> bool {
        is_within(&self.text, address)
    }

    /// Returns whether a stub of the linker is at an address.
    pub(crate) fn is_stub(&self, address: u64) -> bool {
        is_within(&self.stubs, address)
    }

    /// Returns whether a word of the linker is at an address. No code uses it to reach its
    /// neighbours.
    pub(crate) fn is_linker_word(&self, address: u64) -> bool {
        is_within(&self.got, address)
    }

    /// Returns whether code at an address only chooses the code that is called instead.
    pub(crate) fn is_resolver(&self, address: u64) -> bool {
        self.resolvers.contains(&address)
    }

    /// Returns whether the word at an address is the handle by which a file is known to the C
    /// library: `__dso_handle` in crtstuff.c of GCC. It holds its own address, and comes first. No
    /// code writes behind it. Other data of this form would be taken for it.
    pub(crate) fn is_own_handle(&self, address: u64) -> bool {
        let holds_itself = |at: u64| self.pointers.at(at) == Some(Target::Address(address));
        self.handle == Some(address) && holds_itself(address) && !holds_itself(address + 8)
    }

    /// Returns the data object that an address is in, and whether a symbol gives its size. Without
    /// one, that is all data up to the neighbouring symbols of the section.
    pub(crate) fn data_around(&self, address: u64) -> Option<(Range<u64>, bool)> {
        let section = self.data.iter().rev().find(|section| section.contains(&address))?;
        let around = |object: &&Range<u64>| object.contains(&address);
        let objects = self.objects.iter().filter(around);
        if let Some(object) = objects.max_by_key(|object| object.end - object.start) {
            return Some((object.clone(), true));
        }
        let start = self.objects.iter().map(|object| object.end).filter(|end| *end <= address).max();
        let end = self.objects.iter().map(|object| object.start).filter(|start| *start > address).min();
        Some((start.unwrap_or(0).max(section.start)..end.unwrap_or(u64::MAX).min(section.end), false))
    }

    /// Returns whether there is data at an address.
    pub(crate) fn is_data(&self, address: u64) -> bool {
        is_within(&self.data, address)
    }

    /// Returns whether a number is likely to be an address. In code, only that of a function is:
    /// unwind entries may start one byte before it.
    pub(crate) fn is_plausible_pointer(&self, value: u64) -> bool {
        let is_start = |address: u64| self.functions.binary_search_by_key(&address, |it| it.start).is_ok();
        if self.is_code(value) {
            return self.is_stub(value) || is_start(value) || is_start(value.wrapping_sub(1));
        }
        self.is_data(value)
    }

    /// Returns the function that an address is in, or the code without a function from there to the
    /// next one.
    pub(crate) fn function(&self, address: u64) -> Option<Range<u64>> {
        let next = self.functions.partition_point(|function| function.start <= address);
        if let Some(function) = next.checked_sub(1).and_then(|index| self.functions.get(index))
            && function.contains(&address)
        {
            return Some(function.clone());
        }
        let section = self.text.iter().find(|section| section.contains(&address))?;
        let end = self.functions.get(next).map_or(section.end, |function| function.start.min(section.end));
        Some(address..end)
    }

    /// Returns whether a symbol or an unwind entry says that there is a function at an address.
    pub(crate) fn is_function(&self, address: u64) -> bool {
        let next = self.functions.partition_point(|function| function.start <= address);
        next.checked_sub(1).is_some_and(|index| self.functions[index].contains(&address))
    }

    /// Returns the symbol of the function at an address.
    pub(crate) fn name(&self, start: u64) -> Option<&'d [u8]> {
        self.names.get(&start).copied().filter(|name| !name.is_empty())
    }

    /// Returns the data that code with an address in it may use. Without a symbol for it, that is
    /// all data up to the neighbouring symbols of the section.
    pub(crate) fn object(&self, address: u64) -> Option<Range<u64>> {
        let next = self.objects.partition_point(|object| object.start <= address);
        let before = &self.objects[..next];
        // Symbols may overlap: a table, and an entry of it.
        if let Some(object) = before.iter().rev().take(8).find(|object| object.contains(&address)) {
            return Some(object.clone());
        }
        let section = self.data.iter().rev().find(|section| section.contains(&address))?;
        let start = before.iter().rev().take(8).map(|object| object.end).max().unwrap_or_default();
        let end = self.objects.get(next).map_or(section.end, |object| object.start);
        Some(start.max(section.start).min(address)..end.min(section.end))
    }
}

/// Returns whether an address is in one of these ordered ranges.
fn is_within(ranges: &[Range<u64>], address: u64) -> bool {
    let next = ranges.partition_point(|range| range.start <= address);
    ranges[..next].iter().rev().take(2).any(|range| range.contains(&address))
}
