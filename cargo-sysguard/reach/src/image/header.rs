//! What the headers of an ELF file say: its kind, and the files that it needs. Main type:
//! [`Header`].

use std::path::Path;

use object::LittleEndian;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

use crate::result::Fault;

/// The headers of a program or library for x86_64. Paths and names are as the file has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The dynamic loader (PT_INTERP). A program without one is static, or is a loader itself.
    pub interpreter: Option<Vec<u8>>,
    /// The names of the libraries it needs (DT_NEEDED), in order.
    pub needed: Vec<Vec<u8>>,
    /// Where it looks for them first, colons included (DT_RPATH). Without effect if there is a
    /// `runpath`.
    pub rpath: Option<Vec<u8>>,
    /// Where it looks for its own (DT_RUNPATH).
    pub runpath: Option<Vec<u8>>,
    /// Its name among libraries (DT_SONAME).
    pub soname: Option<Vec<u8>>,
    /// Its build ID in hexadecimal digits (NT_GNU_BUILD_ID).
    pub build_id: Option<String>,
    /// Set if it has a dynamic section: it is no static program without position independence.
    pub is_dynamic: bool,
    /// Set if it is a library that ignores the default libraries' folders (DF_1_NODEFLIB).
    pub ignores_default_folders: bool,
}

/// Names of processors, e_machine in elf(5).
const MACHINES: &[(u16, &str)] = &[
    (elf::EM_386, "i386"),
    (elf::EM_AARCH64, "aarch64"),
    (elf::EM_ARM, "arm"),
    (elf::EM_LOONGARCH, "loongarch"),
    (elf::EM_MIPS, "mips"),
    (elf::EM_PPC, "powerpc"),
    (elf::EM_PPC64, "powerpc64"),
    (elf::EM_RISCV, "riscv"),
    (elf::EM_S390, "s390x"),
    (elf::EM_SPARCV9, "sparc64"),
    (elf::EM_X86_64, "x86_64"),
    (elf::EM_BPF, "bpf"),
];

impl Header {
    /// Reads the headers of a file. The path is only for messages.
    ///
    /// # Errors
    ///
    /// [`Fault`] if it is no program or library for x86_64.
    pub fn read(path: &Path, bytes: &[u8]) -> Result<Self, Fault> {
        let file = checked(path, bytes)?;
        let malformed =
            |error: object::read::Error| Fault::Malformed { path: path.to_owned(), reason: error.to_string() };
        let mut header = Self::default();
        for segment in file.program_headers(LittleEndian, bytes).map_err(malformed)? {
            if let Some(name) = segment.interpreter(LittleEndian, bytes).map_err(malformed)? {
                header.interpreter = Some(name.to_vec());
            }
            header.build_id = header.build_id.or_else(|| build_id(segment, bytes));
        }
        let sections = file.sections(LittleEndian, bytes).map_err(malformed)?;
        let table = match sections.dynamic_table(LittleEndian, bytes).map_err(malformed)? {
            table if !table.is_empty() => table,
            // Without section headers.
            _ => return header.without_sections(path, file, bytes),
        };
        header.is_dynamic = true;
        for entry in table.dynamics() {
            let tag = entry.tag(LittleEndian);
            let string = || {
                let strings = table.strings();
                let offset = u32::try_from(entry.val(LittleEndian)).unwrap_or(u32::MAX);
                strings.get(offset).ok().map(<[u8]>::to_vec)
            };
            match tag {
                elf::DT_NEEDED => header.needed.extend(string()),
                elf::DT_RPATH => header.rpath = string(),
                elf::DT_RUNPATH => header.runpath = string(),
                elf::DT_SONAME => header.soname = string(),
                elf::DT_FLAGS_1 => {
                    header.ignores_default_folders = entry.val(LittleEndian) & u64::from(elf::DF_1_NODEFLIB) != 0;
                }
                _ => {}
            }
        }
        Ok(header)
    }

    /// Completes the headers of a file that may have a dynamic segment, but no section for it.
    fn without_sections(mut self, path: &Path, file: &FileHeader64<LittleEndian>, bytes: &[u8]) -> Result<Self, Fault> {
        let segments = file.program_headers(LittleEndian, bytes).unwrap_or_default();
        if segments.iter().any(|segment| segment.p_type(LittleEndian) == elf::PT_DYNAMIC) {
            let reason = "it has no section headers, so its symbols cannot be found".to_owned();
            return Err(Fault::Malformed { path: path.to_owned(), reason });
        }
        self.is_dynamic = false;
        Ok(self)
    }
}

/// Returns the file header if the file is a program or a library for x86_64.
pub(super) fn checked<'data>(path: &Path, bytes: &'data [u8]) -> Result<&'data FileHeader64<LittleEndian>, Fault> {
    let path = path.to_owned();
    // e_ident, elf(5): the magic number, the class and the byte order.
    let (class, order) = match bytes {
        [0x7f, b'E', b'L', b'F', class, order, ..] => (*class, *order),
        _ => return Err(Fault::NotElf { path }),
    };
    let Some(machine) = bytes.get(18..20) else {
        return Err(Fault::Malformed { path, reason: "its header is cut off".to_owned() });
    };
    let is_little = order == elf::ELFDATA2LSB;
    let machine = [machine[0], machine[1]];
    let machine = if is_little { u16::from_le_bytes(machine) } else { u16::from_be_bytes(machine) };
    if class != elf::ELFCLASS64 || !is_little || machine != elf::EM_X86_64 {
        let known = MACHINES.iter().find(|(number, _)| *number == machine);
        let name = known.map_or_else(|| format!("machine {machine}"), |(_, name)| (*name).to_owned());
        let name = if class == elf::ELFCLASS32 { format!("32-bit {name}") } else { name };
        return Err(Fault::Machine { path, machine: name });
    }
    let header = FileHeader64::<LittleEndian>::parse(bytes)
        .map_err(|error| Fault::Malformed { path: path.clone(), reason: error.to_string() })?;
    let kind = match header.e_type(LittleEndian) {
        elf::ET_EXEC | elf::ET_DYN => return Ok(header),
        elf::ET_REL => "an object file",
        elf::ET_CORE => "a core dump",
        _ => "a file of unknown kind",
    };
    Err(Fault::Kind { path, kind })
}

/// Returns the build ID in a segment of notes.
fn build_id(segment: &elf::ProgramHeader64<LittleEndian>, bytes: &[u8]) -> Option<String> {
    let mut notes = segment.notes(LittleEndian, bytes).ok()??;
    while let Ok(Some(note)) = notes.next() {
        if note.name() == elf::ELF_NOTE_GNU && note.n_type(LittleEndian) == elf::NT_GNU_BUILD_ID {
            return Some(note.desc().iter().map(|byte| format!("{byte:02x}")).collect());
        }
    }
    None
}
