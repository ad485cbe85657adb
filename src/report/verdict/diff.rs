//! The change of an expectation file, as a unified diff.

use std::io;

use similar::TextDiff;

use super::excerpt::{Excerpt, excerpt};
use crate::model::judge::verdict::Change;
use crate::model::run::test_name;
use crate::report::Palette;
use crate::report::style::Painted;
use crate::report::words::{counted, escaped, len};

/// The number of diff lines that are shown.
const LINES: usize = 60;

/// The number of lines of a whole diff beside findings.
const WHOLE: usize = 16;

/// The number of lines of a longer one.
const BESIDE: usize = 13;

/// The number of calls that are named of what is left out.
const NAMED: usize = 4;

/// The lines around a change: usually enough to reach from a syscall to its subsystem.
const CONTEXT: usize = 3;

/// Writes the change of a file as a unified diff.
///
/// Of a shared file, only the part of one test is compared. Its line numbers are not those of the
/// file, so they are left out.
pub fn write(out: &mut dyn io::Write, file: &str, change: &Change, palette: &Palette) -> io::Result<()> {
    write_up_to(out, file, change, LINES, palette)
}

/// Like [`write`], beside findings that show the same in other words. A longer change is cut to
/// whole blocks, the heaviest first.
pub(super) fn write_beside(out: &mut dyn io::Write, file: &str, change: &Change, palette: &Palette) -> io::Result<()> {
    let unified =
        TextDiff::from_lines(&change.before, &change.after).unified_diff().context_radius(CONTEXT).to_string();
    if unified.lines().count() <= WHOLE {
        return write(out, file, change, palette);
    }
    let Excerpt { lines, cut, calls } = excerpt(&change.before, &change.after, BESIDE - HEADER);
    if lines.is_empty() {
        return write_up_to(out, file, change, BESIDE, palette);
    }
    let [old_file, new_file] = names(file, change);
    for line in [format!("--- {old_file}"), format!("+++ {new_file}"), "@@ … @@".to_owned()].into_iter().chain(lines)
    {
        writeln!(out, "{}", Painted(style(&line, palette), escaped(&line)))?;
    }
    let shown: Vec<&str> = calls.iter().take(NAMED).map(String::as_str).collect();
    let more = if calls.len() > NAMED { ", …" } else { "" };
    let of = if shown.is_empty() { String::new() } else { format!(" ({}{more})", shown.join(", ")) };
    write_rest(out, &format!("{}{of}", counted(cut as u64, "more line", "more lines")), file, change, palette)
}

/// The lines of an excerpt before its blocks, and the one after them.
const HEADER: usize = 4;

/// Returns the names of both files.
fn names(file: &str, change: &Change) -> [String; 2] {
    let is_part = test_name::is_path_of_shared_file(file);
    let old = if is_part { format!("{file} (the part of this test)") } else { file.to_owned() };
    let new = change.written.clone().unwrap_or_else(|| format!("{file} (not written)"));
    [escaped(&old), escaped(&new)]
}

/// Writes a line about omitted lines, with the command that shows them.
fn write_rest(out: &mut dyn io::Write, rest: &str, file: &str, change: &Change, palette: &Palette) -> io::Result<()> {
    let is_part = test_name::is_path_of_shared_file(file);
    let whole = change.written.as_deref().filter(|&written| written != file && !is_part);
    let whole = whole.map(|written| format!(": diff -u {file} {written}")).unwrap_or_default();
    writeln!(out, "{}", Painted(palette.hint, format_args!("… {}{}", escaped(rest), escaped(&whole))))
}

fn write_up_to(out: &mut dyn io::Write, file: &str, change: &Change, most: usize, palette: &Palette) -> io::Result<()> {
    let is_part = test_name::is_path_of_shared_file(file);
    let [old_file, new_file] = names(file, change);
    let diff = TextDiff::from_lines(&change.before, &change.after);
    let unified = diff.unified_diff().context_radius(CONTEXT).header(&old_file, &new_file).to_string();
    let lines: Vec<&str> = unified.lines().collect();
    let (shown, cut) = lines.split_at(lines.len().min(most));
    for line in shown {
        let line = if is_part && line.starts_with("@@ ") { "@@ … @@" } else { line };
        writeln!(out, "{}", Painted(style(line, palette), escaped(line)))?;
    }
    if !cut.is_empty() {
        write_rest(out, &counted(len(cut), "more line", "more lines"), file, change, palette)?;
    }
    Ok(())
}

/// Returns the style of a diff line by its first characters.
fn style(line: &str, palette: &Palette) -> anstyle::Style {
    match line.as_bytes() {
        [b'+', b'+', b'+', b' ', ..] | [b'-', b'-', b'-', b' ', ..] => palette.heading,
        [b'@', ..] => palette.hint,
        [b'+', ..] => palette.new,
        [b'-', ..] => palette.gone,
        _ => anstyle::Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(file: &str, written: &str) -> String {
        let change = Change {
            before: "one\n".to_owned(),
            after: "one\ntwo\n".to_owned(),
            written: Some(written.to_owned()),
            ..Change::default()
        };
        let mut out = Vec::new();
        write(&mut out, file, &change, &Palette::plain()).expect("a buffer");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn part_of_shared_file_has_no_line_numbers() {
        let whole = written("expectations/a.yaml", "expectations/a.yaml.new");
        assert!(whole.starts_with("--- expectations/a.yaml\n+++ expectations/a.yaml.new\n@@ -1 +1,2 @@\n"), "{whole}");
        let part = written("expectations/run/demo/tests.it.yaml", "expectations/run/demo/it/one.yaml.new");
        let lines: Vec<&str> = part.lines().collect();
        assert_eq!(
            lines,
            [
                "--- expectations/run/demo/tests.it.yaml (the part of this test)",
                "+++ expectations/run/demo/it/one.yaml.new",
                "@@ … @@",
                " one",
                "+two"
            ]
        );
    }
}
