//! Reads which files a task has mapped, and its vDSO: proc_pid_maps(5). Main type: [`Mapping`].

use std::ops::Range;

use super::sys;
use crate::model::kernel::call::Tid;

/// A mapping of a file or the vDSO.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mapping<'a> {
    pub(super) range: Range<u64>,
    pub(super) is_code: bool,
    /// Offset in the file where the mapping begins.
    pub(super) offset: u64,
    /// The fields that identify the file: device, inode and path.
    pub(super) file: &'a str,
    pub(super) path: &'a str,
}

/// The path of the library that the kernel maps into every program.
pub(super) const VDSO: &str = "[vdso]";

/// Returns all lines, for [`mappings`]; empty if the task is gone.
pub(super) fn text(task: Tid) -> String {
    String::from_utf8_lossy(&sys::read_proc(&format!("/proc/{task}/maps"))).into_owned()
}

/// Returns the mappings of files and the vDSO.
pub(super) fn mappings(text: &str) -> impl Iterator<Item = Mapping<'_>> {
    text.lines().filter_map(mapping)
}

/// `55d0-55e0 r-xp 00002000 fe:00 123    /usr/bin/demo`
fn mapping(line: &str) -> Option<Mapping<'_>> {
    let mut words = line.splitn(4, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    let is_code = words.next()?.contains('x');
    let offset = number(words.next()?)?;
    let file = words.next()?;
    let path = file.splitn(3, ' ').nth(2)?.trim_start();
    let is_named = path.starts_with('/') || path == VDSO;
    is_named.then_some(Mapping { range: number(start)?..number(end)?, is_code, offset, file, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_of_files_and_the_vdso_are_read() {
        let line = "7f10a000-7f10c000 r-xp 00002000 fe:00 123                      /usr/lib/a b.so";
        let file = "fe:00 123                      /usr/lib/a b.so";
        let path = "/usr/lib/a b.so";
        let read = Mapping { range: 0x7f10_a000..0x7f10_c000, is_code: true, offset: 0x2000, file, path };
        assert_eq!(mapping(line), Some(read));
        let vdso = mapping("7ffd0000-7ffd2000 r-xp 00000000 00:00 0                  [vdso]");
        assert_eq!(vdso.map(|mapping| (mapping.offset, mapping.path)), Some((0, VDSO)));
        assert_eq!(mapping("7ffd0000-7ffd2000 rw-p 00000000 00:00 0                  [stack]"), None);
        assert_eq!(mapping("7f10a000-7f10c000 rw-p 00000000 00:00 0 "), None);
    }
}
