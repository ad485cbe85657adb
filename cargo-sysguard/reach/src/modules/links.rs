//! What an ELF file asks of its loader. Main type: [`Links`].
//!
//! Only program headers are read: a stripped file may lack section headers.

use std::path::Path;

use object::LittleEndian;
use object::elf::{
    DF_1_NODEFLIB, DF_1_PIE, DT_FLAGS_1, DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_SONAME, DT_STRSZ, DT_STRTAB,
    EM_AARCH64,
    EM_PPC64, EM_RISCV, EM_S390, EM_X86_64, ET_CORE, ET_DYN, ET_EXEC, ET_REL, FileHeader64, PT_LOAD, ProgramHeader64,
};
use object::read::StringTable;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

use crate::result::Fault;

/// The names in an ELF file that lead to other files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Links {
    /// The interpreter (PT_INTERP): the loader of a dynamic program.
    pub(super) interpreter: Option<String>,
    /// Its own name as a library (DT_SONAME).
    pub(super) soname: Option<String>,
    /// The libraries that it needs (DT_NEEDED), in order.
    pub(super) needed: Vec<String>,
    /// Folders for its libraries and those of the libraries (DT_RPATH). Ignored if there is a
    /// DT_RUNPATH.
    pub(super) rpath: Vec<String>,
    /// Folders for its own libraries (DT_RUNPATH).
    pub(super) runpath: Vec<String>,
    /// Whether default folders are not searched (DF_1_NODEFLIB).
    pub(super) has_no_default: bool,
    /// Whether it is a library and no program.
    pub(super) is_library: bool,
}

/// The bytes that every ELF file begins with.
const MAGIC: &[u8] = b"\x7fELF";

/// `EI_CLASS` and `EI_DATA`: elf(5).
const CLASS: usize = 4;
const DATA: usize = 5;
const CLASS_32: u8 = 1;
const BIG_ENDIAN: u8 = 2;

/// Reads the links of an ELF file. The path is for messages.
pub(super) fn links(path: &Path, bytes: &[u8]) -> Result<Links, Fault> {
    let header = header(path, bytes)?;
    let endian = LittleEndian;
    let damaged = |error: object::Error| malformed(path, error);
    let segments = header.program_headers(endian, bytes).map_err(damaged)?;
    let mut links = Links::default();
    for segment in segments {
        if let Some(name) = segment.interpreter(endian, bytes).map_err(damaged)? {
            links.interpreter = Some(text(name));
        }
        let Some(entries) = segment.dynamic(endian, bytes).map_err(damaged)? else { continue };
        let entries = entries.iter().map(|entry| (entry.tag(endian), entry.val(endian)));
        let entries: Vec<(i64, u64)> = entries.take_while(|(tag, _)| *tag != DT_NULL).collect();
        dynamic(&mut links, &entries, segments, bytes).map_err(|reason| malformed(path, reason))?;
    }
    Ok(links)
}

fn malformed(path: &Path, reason: impl ToString) -> Fault {
    Fault::Malformed { path: path.to_owned(), reason: reason.to_string() }
}

fn header<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a FileHeader64<LittleEndian>, Fault> {
    let machine = |machine: &str| Fault::Machine { path: path.to_owned(), machine: machine.to_owned() };
    let kind = |kind| Fault::Kind { path: path.to_owned(), kind };
    if !bytes.starts_with(MAGIC) {
        return Err(Fault::NotElf { path: path.to_owned() });
    }
    if bytes.get(CLASS) == Some(&CLASS_32) {
        return Err(machine("32-bit"));
    }
    if bytes.get(DATA) == Some(&BIG_ENDIAN) {
        return Err(machine("big-endian"));
    }
    let header = FileHeader64::<LittleEndian>::parse(bytes).map_err(|error| malformed(path, error))?;
    match (header.e_machine(LittleEndian), header.e_type(LittleEndian)) {
        (EM_X86_64, ET_EXEC | ET_DYN) => Ok(header),
        (EM_X86_64, ET_REL) => Err(kind("an object file")),
        (EM_X86_64, ET_CORE) => Err(kind("a core dump")),
        (EM_X86_64, _) => Err(kind("an ELF file of another type")),
        (number, _) => Err(machine(&processor(number))),
    }
}

/// Returns the name of a processor, or its number in the ELF header.
fn processor(machine: u16) -> String {
    let known = [(EM_AARCH64, "aarch64"), (EM_RISCV, "riscv64"), (EM_PPC64, "ppc64"), (EM_S390, "s390x")];
    let name = known.into_iter().find(|(number, _)| *number == machine).map(|(_, name)| name.to_owned());
    name.unwrap_or_else(|| format!("e_machine {machine}"))
}

const OUTSIDE: &str = "a name beyond its string table";

/// Reads the dynamic section.
fn dynamic(
    links: &mut Links,
    entries: &[(i64, u64)],
    segments: &[ProgramHeader64<LittleEndian>],
    bytes: &[u8],
) -> Result<(), &'static str> {
    let value = |tag: i64| entries.iter().find(|entry| entry.0 == tag).map(|entry| entry.1);
    let table = match (value(DT_STRTAB), value(DT_STRSZ)) {
        (Some(address), Some(size)) => {
            let start = offset(address, segments).ok_or("its string table is in no segment")?;
            StringTable::new(bytes, start, start.saturating_add(size))
        }
        _ => StringTable::default(),
    };
    let string = |at: u64| {
        let at = u32::try_from(at).map_err(|_| OUTSIDE)?;
        table.get(at).map(text).map_err(|()| OUTSIDE)
    };
    for &(tag, value) in entries {
        match tag {
            DT_NEEDED => links.needed.push(string(value)?),
            DT_SONAME => links.soname = Some(string(value)?),
            DT_RPATH => links.rpath = folders(&string(value)?),
            DT_RUNPATH => links.runpath = folders(&string(value)?),
            _ => {}
        }
    }
    let flags = value(DT_FLAGS_1).unwrap_or_default();
    links.has_no_default = flags & u64::from(DF_1_NODEFLIB) != 0;
    // A static program that is position-independent has no interpreter either, but it needs nothing.
    links.is_library = links.interpreter.is_none()
        && flags & u64::from(DF_1_PIE) == 0
        && (links.soname.is_some() || !links.needed.is_empty());
    Ok(())
}

/// Returns the file offset of an address.
fn offset(address: u64, segments: &[ProgramHeader64<LittleEndian>]) -> Option<u64> {
    let endian = LittleEndian;
    segments.iter().filter(|segment| segment.p_type(endian) == PT_LOAD).find_map(|segment| {
        let within = address.checked_sub(segment.p_vaddr(endian))?;
        (within < segment.p_filesz(endian)).then(|| segment.p_offset(endian).checked_add(within))?
    })
}

/// Splits a list of folders: `$ORIGIN/../lib:/opt/lib`.
fn folders(list: &str) -> Vec<String> {
    list.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
