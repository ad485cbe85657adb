//! A reach as a page in Markdown.

use std::io;

use sysguard::unstable::report::markup::markdown as cell;

use super::record::ReachRecord;
use super::tables::{self, Table};
use super::words;

pub(super) fn write(out: &mut dyn io::Write, record: &ReachRecord) -> io::Result<()> {
    writeln!(out, "## {}\n", cell(&words::title(record)))?;
    table(out, &tables::calls(record))?;
    table(out, &tables::modules(record))?;
    words::lines(record).iter().try_for_each(|line| writeln!(out, "- {}", cell(line.trim_start())))
}

/// Writes the way to a call.
pub(super) fn write_way(out: &mut dyn io::Write, record: &ReachRecord, call: &str) -> io::Result<()> {
    let (title, chain) = tables::way_title(record, call);
    writeln!(out, "### {}\n", cell(&title))?;
    match chain {
        Some(chain) => table(out, &tables::steps(record, &chain)),
        None => Ok(()),
    }
}

fn table(out: &mut dyn io::Write, table: &Table) -> io::Result<()> {
    let mut line = |cells: Vec<String>| writeln!(out, "| {} |", cells.join(" | "));
    line(table.head.clone())?;
    line(vec!["---".to_owned(); table.head.len()])?;
    table.rows.iter().try_for_each(|row| line(row.iter().map(|text| cell(text)).collect()))?;
    writeln!(out)
}
