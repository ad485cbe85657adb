//! What a name means: for people, as Markdown and, versioned, as JSON; and in one line each for a
//! reviewer.

mod brief;
mod record;
mod sheet;

use std::io;

use super::Palette;
use super::markup::{code, markdown as cell};
use super::style::Painted;
use super::words::escaped;
use crate::model::explain::{Explanation, Kernel};
use sheet::{Sheet, sheets};

pub(super) use brief::{CALL, brief};
pub use record::json;
pub(super) use sheet::section;

/// The words that a line has at most; what is more stands below it.
const WIDTH: usize = 100;

/// For a terminal.
pub fn text(out: &mut dyn io::Write, explained: &Explanation, kernel: &Kernel, palette: &Palette) -> io::Result<()> {
    for (index, Sheet { title, kind, rows }) in sheets(explained, kernel).iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}  {kind}", Painted(palette.heading, escaped(title)))?;
        for (label, lines) in rows {
            for (at, line) in lines.iter().flat_map(|line| wrapped(line)).enumerate() {
                let label = if at == 0 { label } else { "" };
                writeln!(out, "  {}  {}", Painted(palette.hint, format_args!("{label:<11}")), escaped(&line))?;
            }
        }
    }
    Ok(())
}

/// For a page.
pub fn markdown(out: &mut dyn io::Write, explained: &Explanation, kernel: &Kernel) -> io::Result<()> {
    for (index, Sheet { title, kind, rows }) in sheets(explained, kernel).iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "### {}: {kind}\n\n| | |\n|---|---|", code(title))?;
        for (label, lines) in rows {
            let lines: Vec<String> = lines.iter().map(|line| cell(line)).collect();
            writeln!(out, "| {label} | {} |", lines.join("<br>"))?;
        }
    }
    Ok(())
}

/// A line in lines of a width that people read.
fn wrapped(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("there is one from the start");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests;
