//! A profile as aligned columns for a terminal.

use std::io;

use sysguard::unstable::report::Palette;

use super::record::ProfileRecord;
use super::tables::{self, Table};
use super::words;

pub(super) fn write(out: &mut dyn io::Write, record: &ProfileRecord, palette: &Palette) -> io::Result<()> {
    heading(out, palette, &format!("Totals of {}", words::command(record)))?;
    let totals = tables::totals(record);
    aligned(&totals.rows, totals.numbers).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    writeln!(out)?;
    let shown = [
        tables::origins(record),
        tables::subsystems(record),
        tables::sections(record),
        tables::kernel_functions(record),
        tables::modules(record),
    ];
    shown.iter().try_for_each(|shown| table(out, palette, shown))?;
    for line in words::runs(record) {
        writeln!(out, "{}{line}{:#}", palette.hint, palette.hint)?;
    }
    Ok(())
}

fn heading(out: &mut dyn io::Write, palette: &Palette, text: &str) -> io::Result<()> {
    writeln!(out, "{}{text}{:#}", palette.heading, palette.heading)
}

fn table(out: &mut dyn io::Write, palette: &Palette, table: &Table) -> io::Result<()> {
    if table.rows.is_empty() {
        return Ok(());
    }
    let rows: Vec<Vec<String>> = [&table.head].into_iter().chain(&table.rows).cloned().collect();
    let lines = aligned(&rows, table.numbers);
    let (head, lines) = lines.split_first().unwrap_or_else(|| unreachable!("the head is a row"));
    heading(out, palette, head)?;
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    writeln!(out)
}

/// Returns rows as lines with aligned columns, the first ones to the right.
fn aligned(rows: &[Vec<String>], numbers: usize) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    let cell = |(column, text): (usize, &String)| {
        // A width in a format string panics above 65535, and names may be longer.
        let space = " ".repeat(widths[column].saturating_sub(text.chars().count()));
        if column < numbers { space + text } else { text.clone() + &space }
    };
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        format!("  {}", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
