//! Where the functions of a file are: by symbols, unwind entries (`.eh_frame`) and Go's table.

use std::collections::{BTreeMap, HashMap};

use addr2line::gimli::{BaseAddresses, CieOrFde, EhFrame, LittleEndian as Little, UnwindSection};
use object::elf;
use object::read::elf::{ElfFile64, SectionHeader, Sym};
use object::{LittleEndian, SectionIndex};

use super::{Image, go, is_function};

/// Ends of functions by their starts. An end at the start is not known.
type Ends = BTreeMap<u64, u64>;

impl<'d> Image<'d> {
    /// Finds the functions. The sections with code must be known.
    pub(super) fn add_functions(&mut self, file: &ElfFile64<'d, LittleEndian>) -> object::read::Result<()> {
        let mut ends = Ends::new();
        let mut add = |start: u64, length: u64| {
            let end = ends.entry(start).or_insert(start);
            *end = (*end).max(start.saturating_add(length));
        };
        for table in [file.elf_symbol_table(), file.elf_dynamic_symbol_table()] {
            for symbol in table.iter().filter(|symbol| is_function(symbol)) {
                if symbol.st_shndx(LittleEndian) != elf::SHN_UNDEF {
                    add(symbol.st_value(LittleEndian), symbol.st_size(LittleEndian));
                }
            }
        }
        let sections = file.elf_section_table();
        let section = |name: &[u8]| {
            let (_, section): (SectionIndex, _) = sections.section_by_name(LittleEndian, name)?;
            Some((section.sh_addr(LittleEndian), section.data(LittleEndian, file.data()).ok()?))
        };
        if let Some((address, bytes)) = section(b".eh_frame") {
            let text = self.text.first().map_or(0, |text| text.start);
            unwind_entries(address, bytes, text, &mut add);
        }
        if let Some((_, bytes)) = section(b".gopclntab") {
            let text = section(b".text").map_or(0, |(address, _)| address);
            let functions = go::functions(bytes, text);
            self.go = functions.first().zip(functions.last()).map(|((first, _), (last, _))| *first..*last + 1);
            for (start, name) in functions {
                add(start, 0);
                if let Some(name) = name {
                    self.names.entry(start).or_insert(name);
                }
            }
        }
        ends.retain(|start, _| self.is_code(*start) && !self.is_stub(*start));
        let starts: Vec<u64> = ends.keys().copied().chain([u64::MAX]).collect();
        for ((start, end), next) in ends.into_iter().zip(&starts[1..]) {
            let section = self.text.iter().find(|section| section.contains(&start));
            let limit = section.map_or(start, |section| section.end).min(*next);
            let end = if end <= start { limit } else { end.min(limit) };
            if end > start {
                self.functions.push(start..end);
            }
        }
        Ok(())
    }
}

/// Adds the functions that have unwind entries.
fn unwind_entries(address: u64, bytes: &[u8], text: u64, add: &mut impl FnMut(u64, u64)) {
    let section = EhFrame::new(bytes, Little);
    let bases = BaseAddresses::default().set_eh_frame(address).set_text(text);
    let mut entries = section.entries(&bases);
    let mut shared = HashMap::new();
    // An entry that cannot be read ends the walk: its length, and so the next entry, is unknown.
    while let Ok(Some(entry)) = entries.next() {
        let CieOrFde::Fde(partial) = entry else { continue };
        let parsed = partial.parse(|section, bases, offset| match shared.get(&offset) {
            Some(common) => Ok(Clone::clone(common)),
            None => {
                let common = section.cie_from_offset(bases, offset)?;
                shared.insert(offset, common.clone());
                Ok(common)
            }
        });
        if let Ok(entry) = parsed {
            add(entry.initial_address(), entry.len());
        }
    }
}
