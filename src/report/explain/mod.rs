//! The meaning of a name, as text, Markdown and versioned JSON, and in a few lines for a reviewer.

mod brief;
mod record;
mod sheet;
mod ways;

use std::io;

use super::Palette;
use super::markup::{code, markdown as cell};
use super::style::Painted;
use super::words::escaped;
use crate::model::explain::{Explanation, Kernel};
use sheet::{Sheet, sheets};

pub(super) use brief::{CALL, brief};
#[cfg(test)]
pub(super) use record::ExplainRecord;
pub use record::json;
pub(super) use sheet::section;
pub use ways::Ways;

/// The maximum width of a line; longer text is wrapped.
const WIDTH: usize = 100;

/// Writes an explanation for a terminal, with the ways to it in a program if there is one.
pub fn text(
    out: &mut dyn io::Write,
    explained: &Explanation,
    kernel: &Kernel,
    ways: Option<&Ways>,
    palette: &Palette,
) -> io::Result<()> {
    let sheets = sheets(explained, kernel).into_iter().chain(ways.map(Ways::sheet));
    for (index, Sheet { title, kind, rows }) in sheets.enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}  {kind}", Painted(palette.heading, escaped(&title)))?;
        for (label, lines) in rows {
            for (at, line) in lines.iter().flat_map(|line| wrapped(line)).enumerate() {
                let label = if at == 0 { label } else { "" };
                writeln!(out, "  {}  {}", Painted(palette.hint, format_args!("{label:<11}")), escaped(&line))?;
            }
        }
    }
    Ok(())
}

/// Writes an explanation as Markdown, with the ways to it in a program if there is one.
pub fn markdown(
    out: &mut dyn io::Write,
    explained: &Explanation,
    kernel: &Kernel,
    ways: Option<&Ways>,
) -> io::Result<()> {
    let sheets = sheets(explained, kernel).into_iter().chain(ways.map(Ways::sheet));
    for (index, Sheet { title, kind, rows }) in sheets.enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "### {}: {kind}\n\n| | |\n|---|---|", code(&title))?;
        for (label, lines) in rows {
            let lines: Vec<String> = lines.iter().map(|line| cell(line)).collect();
            writeln!(out, "| {label} | {} |", lines.join("<br>"))?;
        }
    }
    Ok(())
}

/// Wraps a line at the maximum width.
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
