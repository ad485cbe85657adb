//! The change of an expectation file, as a unified diff.

use std::io;

use similar::TextDiff;

use crate::model::judge::verdict::Change;
use crate::report::Palette;
use crate::report::style::Painted;
use crate::report::words::{counted, escaped, len};

/// The number of diff lines that are shown.
const LINES: usize = 60;

/// The lines around a change: usually enough to reach from a syscall to its subsystem.
const CONTEXT: usize = 3;

/// Writes the change of a file as a unified diff.
pub fn write(out: &mut dyn io::Write, file: &str, change: &Change, palette: &Palette) -> io::Result<()> {
    let unwritten = format!("{file} (not written)");
    let new_file = change.written.as_deref().unwrap_or(&unwritten);
    let diff = TextDiff::from_lines(&change.before, &change.after);
    let unified = diff.unified_diff().context_radius(CONTEXT).header(&escaped(file), &escaped(new_file)).to_string();
    let lines: Vec<&str> = unified.lines().collect();
    let (shown, cut) = lines.split_at(lines.len().min(LINES));
    for line in shown {
        writeln!(out, "{}", Painted(style(line, palette), escaped(line)))?;
    }
    if !cut.is_empty() {
        let rest = counted(len(cut), "more line", "more lines");
        let whole = change.written.as_deref().filter(|&written| written != file);
        let whole = whole.map(|written| format!(": diff -u {file} {written}")).unwrap_or_default();
        writeln!(out, "{}", Painted(palette.hint, format_args!("… {rest}{}", escaped(&whole))))?;
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
