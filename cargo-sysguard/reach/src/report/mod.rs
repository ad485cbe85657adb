//! The reach of a program in every format. Main function: [`write()`].
//!
//! [`ReachRecord`] is the data for machines; the other formats are views of it. It writes to a
//! given writer and decides nothing.

mod lines;
mod markdown;
mod names;
mod record;
mod steps;
mod table;
mod tables;
mod words;

use std::io;
use std::str::FromStr;

use sysguard::unstable::report::{NotAFormat, Palette, format_named};

pub use lines::SourceLines;
pub use record::{Malformed, ReachRecord, digest};

/// The formats of a reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for a terminal.
    #[default]
    Table,
    /// Tables for a page.
    Markdown,
    /// One versioned object with everything.
    Json,
}

impl Format {
    /// Every format, the default first.
    pub const ALL: [Self; 3] = [Self::Table, Self::Markdown, Self::Json];

    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Markdown => "markdown",
            Self::Json => "json",
        }
    }
}

impl FromStr for Format {
    type Err = NotAFormat;

    fn from_str(text: &str) -> Result<Self, NotAFormat> {
        format_named(text, &Self::ALL, Self::name)
    }
}

/// What is analysed.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The workload; `None` for a program.
    pub workload: Option<String>,
    /// The program, and the arguments of its run.
    pub command: Vec<String>,
}

/// Writes a reach. Only [`Format::Table`] has colours.
pub fn write(out: &mut dyn io::Write, record: &ReachRecord, format: Format, palette: &Palette) -> io::Result<()> {
    match format {
        Format::Table => table::write(out, record, palette),
        Format::Markdown => markdown::write(out, record),
        Format::Json => {
            serde_json::to_writer(&mut *out, record)?;
            writeln!(out)
        }
    }
}

/// Writes the ways to calls, step by step. A call that is not reachable has a line that says so.
pub fn write_ways(
    out: &mut dyn io::Write,
    record: &ReachRecord,
    calls: &[String],
    format: Format,
    palette: &Palette,
) -> io::Result<()> {
    calls.iter().try_for_each(|call| match format {
        Format::Markdown => markdown::write_way(out, record, call),
        Format::Table | Format::Json => table::write_way(out, record, call, palette),
    })
}

impl ReachRecord {
    /// Returns the way to a call on one line, from `main` on: `main → Command::spawn → fork`.
    /// `None` if no way was found.
    pub fn way(&self, call: &str) -> Option<String> {
        let found = self.calls.iter().find(|it| it.name == call)?;
        Some(names::way(self, found.chain.as_ref()?))
    }

    /// Returns why the reachable calls are no upper bound, one reason per line; empty if they are.
    pub fn doubts(&self) -> Vec<String> {
        words::doubts(self)
    }
}

#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;
