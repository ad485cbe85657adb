//! The true source file of each function of a kernel, by its debug information. Main type:
//! [`Truth`].

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use addr2line::gimli::{self, AttributeValue, EndianSlice, LittleEndian};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

type Slice<'d> = EndianSlice<'d, LittleEndian>;

/// The functions of a kernel.
pub(crate) struct Truth {
    /// Symbols in the format of `/proc/kallsyms`.
    pub(crate) symbols: String,
    /// The file that declares the function at an address, and the compiled file.
    functions: HashMap<u64, (String, String)>,
    /// Compiled files by address: assembly functions have no other information.
    units: Vec<(u64, u64, String)>,
}

impl Truth {
    /// Reads a kernel with debug information.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let data = fs::read(path).map_err(|cause| format!("cannot read {path:?}: {cause}"))?;
        let file = object::File::parse(&*data).map_err(|cause| format!("cannot read {path:?}: {cause}"))?;
        let section = |id: gimli::SectionId| {
            let section = file.section_by_name(id.name());
            let bytes = section.and_then(|section| section.uncompressed_data().ok()).unwrap_or_default();
            Ok::<_, gimli::Error>(bytes)
        };
        let sections = gimli::DwarfSections::load(section).map_err(failed)?;
        let dwarf = sections.borrow(|bytes| EndianSlice::new(bytes, LittleEndian));
        let mut truth = Self { symbols: symbols(&file), functions: HashMap::new(), units: Vec::new() };
        let mut units = dwarf.units();
        while let Some(header) = units.next().map_err(failed)? {
            truth.unit(&dwarf, dwarf.unit(header).map_err(failed)?).map_err(failed)?;
        }
        truth.units.sort();
        truth.make_relative()?;
        Ok(truth)
    }

    /// Returns the files that declare and compile the function at this start address.
    pub(crate) fn at(&self, address: u64) -> Option<(&str, &str)> {
        if let Some((declared, compiled)) = self.functions.get(&address) {
            return Some((declared, compiled));
        }
        let after = self.units.partition_point(|(start, ..)| *start <= address);
        let (_, end, name) = self.units.get(after.checked_sub(1)?)?;
        (address < *end && name.ends_with(".S")).then_some((name, name))
    }

    fn unit<'d>(&mut self, dwarf: &gimli::Dwarf<Slice<'d>>, unit: gimli::Unit<Slice<'d>>) -> gimli::Result<()> {
        let text = |bytes: Slice<'d>| bytes.to_string_lossy().into_owned();
        let folder = unit.comp_dir.map(text).unwrap_or_default();
        let name = joined(&folder, &unit.name.map(text).unwrap_or_default());
        let mut ranges = dwarf.unit_ranges(&unit)?;
        while let Some(range) = ranges.next()? {
            self.units.push((range.begin, range.end, name.clone()));
        }
        let files = files(dwarf, &unit, &folder)?;
        let mut entries = unit.entries();
        entries.next_dfs()?;
        let mut is_below = entries.next_dfs()?.is_some();
        while is_below {
            let Some(entry) = entries.current() else { break };
            if entry.tag() == gimli::DW_TAG_subprogram {
                let declared = declared(&unit, entry, &files).unwrap_or_else(|| name.clone());
                let mut ranges = dwarf.die_ranges(&unit, entry)?;
                while let Some(range) = ranges.next()? {
                    self.functions.insert(range.begin, (declared.clone(), name.clone()));
                }
            }
            is_below = entries.next_sibling()?.is_some();
        }
        Ok(())
    }

    /// Removes the folder of the tree from all paths.
    fn make_relative(&mut self) -> Result<(), String> {
        let main = self.units.iter().find_map(|(.., name)| name.strip_suffix("init/main.c"));
        let root = main.ok_or("its debug information does not name init/main.c")?.to_owned();
        let relative = |path: &mut String| {
            if let Some(rest) = path.strip_prefix(&root) {
                *path = rest.to_owned();
            }
        };
        self.units.iter_mut().for_each(|(.., name)| relative(name));
        for (declared, compiled) in self.functions.values_mut() {
            relative(declared);
            relative(compiled);
        }
        Ok(())
    }
}

fn failed(cause: gimli::Error) -> String {
    format!("cannot read its debug information: {cause}")
}

/// Returns the file that declares a function, by itself or by its abstract origin.
fn declared<'d>(
    unit: &gimli::Unit<Slice<'d>>,
    entry: &gimli::DebuggingInformationEntry<Slice<'d>>,
    files: &HashMap<u64, String>,
) -> Option<String> {
    let mut entry = entry.clone();
    for _ in 0..4 {
        if let Some(AttributeValue::FileIndex(at)) = entry.attr_value(gimli::DW_AT_decl_file) {
            return files.get(&at).cloned();
        }
        let origin = [gimli::DW_AT_abstract_origin, gimli::DW_AT_specification].into_iter();
        let AttributeValue::UnitRef(at) = origin.filter_map(|name| entry.attr_value(name)).next()? else { return None };
        entry = unit.entry(at).ok()?;
    }
    None
}

/// Returns the files of a unit by their number.
fn files(
    dwarf: &gimli::Dwarf<Slice<'_>>,
    unit: &gimli::Unit<Slice<'_>>,
    folder: &str,
) -> gimli::Result<HashMap<u64, String>> {
    let Some(program) = &unit.line_program else { return Ok(HashMap::new()) };
    let header = program.header();
    let text = |value| Ok::<_, gimli::Error>(dwarf.attr_string(unit, value)?.to_string_lossy().into_owned());
    let mut files = HashMap::new();
    for (at, file) in (0..).zip(header.file_names()) {
        let at = if header.version() >= 5 { at } else { at + 1 };
        let its = file.directory(header).map_or_else(|| Ok(String::new()), text)?;
        files.insert(at, joined(&joined(folder, &its), &text(file.path_name())?));
    }
    Ok(files)
}

/// Returns the path without `..`, below the folder unless it is absolute.
fn joined(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut parts = Vec::new();
    for part in whole.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    format!("/{}", parts.join("/"))
}

/// Returns the symbols of the text sections, in the format of `/proc/kallsyms`.
fn symbols(file: &object::File<'_>) -> String {
    let line = |symbol: object::Symbol<'_, '_>| {
        let section = file.section_by_index(symbol.section_index()?).ok()?;
        let is_text = section.kind() == object::SectionKind::Text;
        let name = symbol.name().ok().filter(|name| !name.is_empty() && !name.starts_with(['$', '.']))?;
        let letter = match (symbol.is_weak(), symbol.is_global()) {
            (true, _) => 'W',
            (false, true) => 'T',
            (false, false) => 't',
        };
        let is_function =
            !matches!(symbol.kind(), object::SymbolKind::Section | object::SymbolKind::File | object::SymbolKind::Data);
        (is_text && is_function).then(|| format!("{:016x} {letter} {name}\n", symbol.address()))
    };
    file.symbols().filter_map(line).collect()
}
