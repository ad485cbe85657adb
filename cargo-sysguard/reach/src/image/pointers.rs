//! The words of a file that hold addresses once it is loaded. Main type: [`Pointers`].

use std::ops::Range;

use object::LittleEndian;
use object::elf;
use object::read::elf::{ElfFile64, Rela, SectionHeader, Sym};

use super::Image;

/// What a word holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target<'d> {
    /// The address of something in the same file.
    Address(u64),
    /// The address that a symbol resolves to, plus an offset.
    Symbol { name: &'d [u8], addend: i64 },
    /// A copy of a library's data, which starts at this word (R_X86_64_COPY).
    Copy(&'d [u8]),
}

/// The words that hold addresses, ordered by their own address.
#[derive(Debug, Default)]
pub(crate) struct Pointers<'d>(Vec<(u64, Target<'d>)>);

impl<'d> Pointers<'d> {
    /// Returns what the word at an address holds.
    pub(crate) fn at(&self, address: u64) -> Option<Target<'d>> {
        let index = self.0.binary_search_by_key(&address, |(at, _)| *at).ok()?;
        self.0.get(index).map(|(_, target)| *target)
    }

    /// Returns the words within a range.
    pub(crate) fn within(&self, range: &Range<u64>) -> &[(u64, Target<'d>)] {
        let first = self.0.partition_point(|(at, _)| *at < range.start);
        let end = self.0.partition_point(|(at, _)| *at < range.end);
        self.0.get(first..end).unwrap_or_default()
    }

    /// Returns all of them.
    pub(crate) fn all(&self) -> &[(u64, Target<'d>)] {
        &self.0
    }

    /// Reads the relocations of a file. Also returns the resolvers that run when it is loaded.
    pub(super) fn read(
        file: &ElfFile64<'d, LittleEndian>,
        image: &Image<'d>,
    ) -> Result<(Self, Vec<u64>), object::read::Error> {
        let (mut found, mut resolvers) = (Vec::new(), Vec::new());
        let names = dynamic_names(file);
        for section in file.elf_section_table().iter() {
            // Others are for the linker.
            if section.sh_flags(LittleEndian) & u64::from(elf::SHF_ALLOC) == 0 {
                continue;
            }
            if let Some((entries, _)) = section.rela(LittleEndian, file.data())? {
                for entry in entries {
                    let (at, addend) = (entry.r_offset(LittleEndian), entry.r_addend(LittleEndian));
                    let name = names.get(entry.r_sym(LittleEndian, false) as usize).copied().filter(|n| !n.is_empty());
                    match (entry.r_type(LittleEndian, false), name) {
                        (elf::R_X86_64_RELATIVE, _) => found.push((at, Target::Address(addend as u64))),
                        (elf::R_X86_64_IRELATIVE, _) => {
                            found.push((at, Target::Address(addend as u64)));
                            resolvers.push(addend as u64);
                        }
                        (elf::R_X86_64_GLOB_DAT | elf::R_X86_64_JUMP_SLOT, Some(name)) => {
                            found.push((at, Target::Symbol { name, addend: 0 }));
                        }
                        (elf::R_X86_64_64, Some(name)) => found.push((at, Target::Symbol { name, addend })),
                        (elf::R_X86_64_64, None) => found.push((at, Target::Address(addend as u64))),
                        (elf::R_X86_64_COPY, Some(name)) => found.push((at, Target::Copy(name))),
                        // The others are offsets of thread-local data.
                        _ => {}
                    }
                }
            }
            if let Some(words) = section.relr(LittleEndian, file.data())? {
                found.extend(words.filter_map(|at| Some((at, Target::Address(image.word(at)?)))));
            }
        }
        if !image.is_relocatable {
            found.extend(plain(image));
        }
        // Of several for a word, the relocation counts: it was found first, and the sort is stable.
        found.sort_by_key(|(at, _)| *at);
        found.dedup_by_key(|(at, _)| *at);
        Ok((Self(found), resolvers))
    }
}

/// Returns the names of the dynamic symbols.
fn dynamic_names<'d>(file: &ElfFile64<'d, LittleEndian>) -> Vec<&'d [u8]> {
    let table = file.elf_dynamic_symbol_table();
    let strings = table.strings();
    table.iter().map(|symbol| symbol.name(LittleEndian, strings).unwrap_or_default()).collect()
}

/// Returns the addresses in the data of a file that is always loaded at the same address, so that
/// its own addresses need no relocation. A number that looks like an address counts as one.
fn plain<'d>(image: &Image<'d>) -> impl Iterator<Item = (u64, Target<'d>)> {
    let words = image.data.iter().flat_map(|range| (range.start.next_multiple_of(8)..range.end).step_by(8));
    words.filter_map(|at| {
        let value = image.word(at)?;
        image.is_plausible_pointer(value).then_some((at, Target::Address(value)))
    })
}
