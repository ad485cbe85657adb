//! A reach as aligned columns for a terminal.

use std::io;

use sysguard::unstable::report::Palette;

use super::record::ReachRecord;
use super::tables::{self, Table};
use super::words;

pub(super) fn write(out: &mut dyn io::Write, record: &ReachRecord, palette: &Palette) -> io::Result<()> {
    heading(out, palette, &words::title(record))?;
    table(out, palette, &tables::calls(record))?;
    table(out, palette, &tables::modules(record))?;
    words::lines(record).iter().try_for_each(|line| writeln!(out, "{}{line}{:#}", palette.hint, palette.hint))
}

/// Writes the way to a call.
pub(super) fn write_way(
    out: &mut dyn io::Write,
    record: &ReachRecord,
    call: &str,
    palette: &Palette,
) -> io::Result<()> {
    let (title, chain) = tables::way_title(record, call);
    heading(out, palette, &title)?;
    match chain {
        Some(chain) => table(out, palette, &tables::steps(record, &chain)),
        None => writeln!(out),
    }
}

fn heading(out: &mut dyn io::Write, palette: &Palette, text: &str) -> io::Result<()> {
    writeln!(out, "{}{text}{:#}", palette.heading, palette.heading)
}

fn table(out: &mut dyn io::Write, palette: &Palette, table: &Table) -> io::Result<()> {
    let rows: Vec<&Vec<String>> = [&table.head].into_iter().chain(&table.rows).collect();
    let lines = aligned(&rows);
    let (head, lines) = lines.split_first().unwrap_or_else(|| unreachable!("the head is a row"));
    heading(out, palette, head)?;
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    writeln!(out)
}

/// Returns rows as lines with aligned columns.
fn aligned(rows: &[&Vec<String>]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..rows.first().map_or(0, |row| row.len())).map(width).collect();
    let cell = |(column, text): (usize, &String)| {
        // A width in a format string panics above 65535, and names may be longer.
        text.clone() + &" ".repeat(widths[column].saturating_sub(text.chars().count()))
    };
    let line = |row: &&Vec<String>| {
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        format!("  {}", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
