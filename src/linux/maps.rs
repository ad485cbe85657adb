//! What a task has mapped of files: proc_pid_maps(5). Main type: [`Mapping`].

use std::fs;
use std::ops::Range;

use crate::model::event::Tid;

/// A line that names a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mapping<'a> {
    pub(super) range: Range<u64>,
    pub(super) is_code: bool,
    /// Where in the file it begins.
    pub(super) offset: u64,
    pub(super) path: &'a str,
}

/// All lines, to be read by [`mappings`]; empty where the task is gone.
pub(super) fn text(task: Tid) -> String {
    fs::read_to_string(format!("/proc/{task}/maps")).unwrap_or_default()
}

/// Those of files.
pub(super) fn mappings(text: &str) -> impl Iterator<Item = Mapping<'_>> {
    text.lines().filter_map(mapping)
}

/// `55d0-55e0 r-xp 00002000 fe:00 123    /usr/bin/demo`
fn mapping(line: &str) -> Option<Mapping<'_>> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    let is_code = words.next()?.contains('x');
    let offset = number(words.next()?)?;
    let path = words.nth(2)?.trim_start();
    path.starts_with('/').then_some(Mapping { range: number(start)?..number(end)?, is_code, offset, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_file_is_read_and_no_other() {
        let line = "7f10a000-7f10c000 r-xp 00002000 fe:00 123                      /usr/lib/a b.so";
        let read = Mapping { range: 0x7f10_a000..0x7f10_c000, is_code: true, offset: 0x2000, path: "/usr/lib/a b.so" };
        assert_eq!(mapping(line), Some(read));
        assert_eq!(mapping("7ffd0000-7ffd2000 r-xp 00000000 00:00 0                  [vdso]"), None);
        assert_eq!(mapping("7f10a000-7f10c000 rw-p 00000000 00:00 0 "), None);
    }
}
