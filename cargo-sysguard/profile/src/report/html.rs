//! The shares of a profile as a part of a page in HTML.

use std::io;

use sysguard::unstable::report::markup::html as text;

use super::record::ProfileRecord;
use super::tables::{self, Table};
use super::words;

pub(super) fn write(out: &mut dyn io::Write, record: &ProfileRecord) -> io::Result<()> {
    for shown in [tables::first_origins(record), tables::subsystems(record), tables::modules(record)] {
        table(out, &shown)?;
    }
    writeln!(out, "<ul>")?;
    words::runs(record).iter().try_for_each(|line| writeln!(out, "<li>{}</li>", text(line)))?;
    writeln!(out, "</ul>")
}

fn table(out: &mut dyn io::Write, table: &Table) -> io::Result<()> {
    if table.rows.is_empty() {
        return Ok(());
    }
    let cells: String = table.head.iter().map(|name| format!("<th>{}</th>", text(name))).collect();
    writeln!(out, "<table>\n<thead><tr>{cells}</tr></thead>\n<tbody>")?;
    for row in &table.rows {
        let cell = |(column, value): (usize, &String)| {
            let class = if table.is_number(column) { " class=\"n\"" } else { "" };
            format!("<td{class}>{}</td>", text(value))
        };
        writeln!(out, "<tr>{}</tr>", row.iter().enumerate().map(cell).collect::<String>())?;
    }
    writeln!(out, "</tbody>\n</table>")
}
