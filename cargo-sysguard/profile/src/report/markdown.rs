//! A profile as a page in Markdown.

use std::io;

use sysguard::unstable::report::markup::markdown as cell;

use super::record::ProfileRecord;
use super::tables::{self, Table};
use super::words;

pub(super) fn write(out: &mut dyn io::Write, record: &ProfileRecord) -> io::Result<()> {
    writeln!(out, "## Profile of {}\n", cell(&words::command(record)))?;
    let shown = [
        tables::totals(record),
        tables::origins(record),
        tables::subsystems(record),
        tables::sections(record),
        tables::kernel_functions(record),
        tables::modules(record),
    ];
    shown.iter().try_for_each(|shown| table(out, shown))?;
    words::runs(record).iter().try_for_each(|line| writeln!(out, "- {}", cell(line)))
}

fn table(out: &mut dyn io::Write, table: &Table) -> io::Result<()> {
    if table.rows.is_empty() {
        return Ok(());
    }
    let mut line = |cells: Vec<String>| writeln!(out, "| {} |", cells.join(" | "));
    line(table.head.clone())?;
    let alignment = |column| if table.is_number(column) { "--:" } else { "---" }.to_owned();
    line((0..table.head.len()).map(alignment).collect())?;
    table.rows.iter().try_for_each(|row| line(row.iter().map(|text| cell(text)).collect()))?;
    writeln!(out)
}
