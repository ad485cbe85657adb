//! The shares of a profile as a part of a page in HTML.

use std::io;

use sysguard::unstable::report::markup::html as text;

use super::record::{GroupRecord, ProfileRecord};
use super::words;

pub(super) fn write(out: &mut dyn io::Write, record: &ProfileRecord) -> io::Result<()> {
    let head =
        ["% time", "Calls", "µs/call", "Errors", "System call", "Subsystem (entry)", "Subsystems that did the work"];
    let (shown, rest) = words::cut(&record.origins, |origin| origin.share);
    let rows = shown.iter().map(|origin| {
        vec![
            words::percent(origin.share),
            words::count(origin.calls),
            words::microseconds(origin, record),
            words::count(origin.errors),
            words::origin(origin, record),
            origin.subsystem.as_deref().map(words::escaped).unwrap_or_default(),
            words::work(origin),
        ]
    });
    let rest = rest.map(|(count, share)| {
        let mut row = vec![String::new(); head.len()];
        (row[0], row[4]) = (words::percent(share), format!("({count} more)"));
        row
    });
    let mut user = vec![String::new(); head.len()];
    (user[0], user[4]) = (words::percent(record.user), "(user code)".to_owned());
    table(out, &head, 4, rows.chain(rest).chain([user]))?;
    groups(out, "Kernel time by subsystem", &record.subsystems)?;
    groups(out, "User time by program or library", &record.modules)?;
    writeln!(out, "<ul>")?;
    words::runs(record).iter().try_for_each(|line| writeln!(out, "<li>{}</li>", text(line)))?;
    writeln!(out, "</ul>")
}

fn groups(out: &mut dyn io::Write, title: &str, groups: &[GroupRecord]) -> io::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    let (shown, rest) = words::cut(groups, |group| group.share);
    let rows = shown.iter().map(|group| {
        vec![words::percent(group.share), words::escaped(&group.name), words::functions(&group.functions)]
    });
    let rest = rest.map(|(count, share)| vec![words::percent(share), format!("({count} more)"), String::new()]);
    table(out, &["% time", title, "Functions (% time)"], 1, rows.chain(rest))
}

/// Writes a table. Its first columns are numbers.
fn table(
    out: &mut dyn io::Write,
    head: &[&str],
    numbers: usize,
    rows: impl Iterator<Item = Vec<String>>,
) -> io::Result<()> {
    let cells: String = head.iter().map(|name| format!("<th>{}</th>", text(name))).collect();
    writeln!(out, "<table>\n<thead><tr>{cells}</tr></thead>\n<tbody>")?;
    for row in rows {
        let cell = |(column, value): (usize, &String)| {
            let class = if column < numbers { " class=\"n\"" } else { "" };
            format!("<td{class}>{}</td>", text(value))
        };
        writeln!(out, "<tr>{}</tr>", row.iter().enumerate().map(cell).collect::<String>())?;
    }
    writeln!(out, "</tbody>\n</table>")
}
