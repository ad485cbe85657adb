//! A profile as a page in Markdown.

use std::io;

use sysguard::unstable::report::markup::markdown as cell;

use super::record::{GroupRecord, ProfileRecord};
use super::words;

pub(super) fn write(out: &mut dyn io::Write, record: &ProfileRecord) -> io::Result<()> {
    writeln!(out, "## Profile of {}\n", cell(&words::command(record)))?;
    table(
        out,
        &["Total", "Event", "Note"],
        "--: | --- | ---",
        words::totals(&record.totals).into_iter().map(|line| vec![line.value, line.event, line.note]),
    )?;
    origins(out, record)?;
    groups(out, "Kernel time by subsystem", &record.subsystems)?;
    groups(out, "Kernel time by section of MAINTAINERS", &record.sections)?;
    groups(out, "User time by program or library", &record.modules)?;
    words::runs(record).iter().try_for_each(|line| writeln!(out, "- {}", cell(line)))
}

fn origins(out: &mut dyn io::Write, record: &ProfileRecord) -> io::Result<()> {
    let head =
        ["% time", "calls", "usecs/call", "errors", "System call", "Subsystem (entry)", "Subsystems that did the work"];
    let rows = record.origins.iter().map(|origin| {
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
    let mut user = vec![String::new(); 7];
    (user[0], user[4]) = (words::percent(record.user), "(user code)".to_owned());
    table(out, &head, "--: | --: | --: | --: | --- | --- | ---", rows.chain([user]))
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
    table(out, &["% time", title, "Functions (% time)"], "--: | --- | ---", rows.chain(rest))
}

fn table(
    out: &mut dyn io::Write,
    head: &[&str],
    columns: &str,
    rows: impl Iterator<Item = Vec<String>>,
) -> io::Result<()> {
    writeln!(out, "| {} |\n| {columns} |", head.join(" | "))?;
    for row in rows {
        let cells: Vec<String> = row.iter().map(|text| cell(text)).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    writeln!(out)
}
