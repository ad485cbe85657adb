//! Whether a file is a program with our harness in it: [`may_be_harness`].

use std::fs::File;
use std::io;
use std::path::Path;

use object::read::elf::{ElfFile32, ElfFile64};
use object::read::{Object, ReadCache};
use object::{FileKind, read};

use super::sys::HARNESS_SECTION;

/// Whether the file has the section that [`mark_harness`](super::mark_harness) leaves. Reads
/// headers only.
///
/// A program can hold the function and never call it, so that its answer to a handshake decides.
///
/// # Errors
/// The file cannot be opened. What is no ELF file is no harness.
pub fn may_be_harness(executable: &Path) -> io::Result<bool> {
    let file = ReadCache::new(File::open(executable)?);
    let has_section = |found: read::Result<bool>| found.unwrap_or(false);
    Ok(match FileKind::parse(&file) {
        Ok(FileKind::Elf64) => has_section(
            ElfFile64::<object::Endianness, _>::parse(&file).map(|elf| elf.section_by_name(HARNESS_SECTION).is_some()),
        ),
        Ok(FileKind::Elf32) => has_section(
            ElfFile32::<object::Endianness, _>::parse(&file).map(|elf| elf.section_by_name(HARNESS_SECTION).is_some()),
        ),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_no_harness() {
        for file in ["/proc/self/exe", "/proc/self/cmdline", "/dev/null"] {
            // This test refers to no harness; the linker has dropped the section.
            assert!(!may_be_harness(Path::new(file)).expect(file), "{file}");
        }
        assert!(may_be_harness(Path::new("/no/such/file")).is_err());
    }
}
