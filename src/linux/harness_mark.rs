//! Detects programs that contain our harness: [`may_be_harness`].

use std::fs::File;
use std::io;
use std::path::Path;

use object::read::elf::{ElfFile32, ElfFile64};
use object::read::{Object, ReadCache};
use object::{FileKind, read};

use super::sys::HARNESS_SECTION;

/// Returns whether the file has the section that [`mark_harness`](super::mark_harness) leaves.
/// Reads headers only.
///
/// A program can contain the function and never call it, so its answer to a handshake decides.
///
/// The file cannot be opened. A file of another format is no harness.
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
            // This test does not use the harness, so the linker has dropped the section.
            assert!(!may_be_harness(Path::new(file)).expect(file), "{file}");
        }
        assert!(may_be_harness(Path::new("/no/such/file")).is_err());
    }
}
