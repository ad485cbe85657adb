//! The evidence as a single file of HTML: no script, no external resources, printable.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::METHOD;
use super::error_path_words::{COLUMNS, MEANING, rows, sentences};
use super::named::{SignalRecord, SpotRecord};
use super::record::{
    BaselineRecord, EvidenceRecord, GroupRecord, MatrixRecord, ReachedRecord, RuleRecord, WorkloadRecord,
};
use super::static_reach;
use super::wording::{Markup, workloads};
use crate::report::explain::section;
use crate::report::markup::html as text;

const MARKUP: Markup = Markup { text, code: |value| format!("<code>{}</code>", text(value)) };

const PROFILED: &str = "<p class=\"note\">Samples of one machine, by <code>cargo sysguard profile --save</code>: for information only, not part of a \
                        baseline.</p>";

/// The style sheet for screen and paper.
const STYLE: &str = include_str!("page.css");

/// Profiles as markup, by file and name of the workload.
pub(super) type Profiles<'a> = BTreeMap<(&'a str, &'a str), &'a str>;

pub(super) fn write(out: &mut dyn Write, record: &EvidenceRecord<'_>, profiles: &Profiles<'_>) -> io::Result<()> {
    let title = "What the workloads use of the Linux kernel";
    writeln!(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>")?;
    writeln!(out, "<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{}</p>", text(METHOD))?;
    let summary = &record.summary;
    let rows = [
        ("Workloads", workloads(summary)),
        ("Subsystems", format!("{}, by the taxonomy {}", summary.groups, record.taxonomy)),
        ("System calls", summary.syscalls.to_string()),
        ("Entries with a reason", format!("{} of {}", summary.entries_with_why, summary.entries)),
        ("Tables", format!("Linux {}, made from {}", record.tables.kernel, record.tables.releases.join(", "))),
        ("Made by", format!("sysguard {}", record.sysguard)),
    ];
    writeln!(out, "<table>")?;
    rows.iter().try_for_each(|(name, value)| writeln!(out, "<tr><th>{name}</th><td>{}</td></tr>", text(value)))?;
    writeln!(out, "</table>")?;
    matrix(out, record)?;
    observed_of_reachable(out, record)?;
    reached(out, "Sections of MAINTAINERS", "Section", &record.sections)?;
    reached(out, "Kernel options", "Option", &record.configs)?;
    writeln!(
        out,
        "<p class=\"note\">For information: a kernel without such an option lacks these calls or what they reach. Other calls are in every kernel.</p>"
    )?;
    blind_spots(out, &record.blind_spots)?;
    signals(out, &record.signals)?;
    error_paths(out, record)?;
    writeln!(out, "<h2>Workloads</h2>")?;
    for one in &record.workloads {
        workload(out, one)?;
        if let Some(profile) = profiles.get(&(one.file, one.name)) {
            writeln!(out, "<h4>Where the time goes</h4>\n{PROFILED}\n{profile}")?;
        }
    }
    writeln!(out, "</body>\n</html>")
}

fn head(out: &mut dyn Write, names: &[&str]) -> io::Result<()> {
    let cells: String = names.iter().map(|name| format!("<th>{}</th>", text(name))).collect();
    writeln!(out, "<table>\n<thead><tr>{cells}</tr></thead>\n<tbody>")
}

fn end(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</tbody>\n</table>")
}

fn matrix(out: &mut dyn Write, record: &EvidenceRecord<'_>) -> io::Result<()> {
    writeln!(
        out,
        "<h2>Subsystems by workload</h2>\n<p>Number of system calls by which a workload reaches a subsystem.</p>"
    )?;
    let names: Vec<&str> = record.workloads.iter().map(|workload| workload.name).collect();
    head(out, &[&["Subsystem"], &names[..]].concat())?;
    for MatrixRecord { group, syscalls } in &record.matrix {
        let cell = |name: &&str| match syscalls.get(name) {
            Some(count) => format!("<td class=\"n y\">{count}</td>"),
            None => "<td></td>".to_owned(),
        };
        writeln!(out, "<tr><th>{}</th>{}</tr>", text(group), names.iter().map(cell).collect::<String>())?;
    }
    end(out)
}

/// Writes how many reachable calls were observed, for workloads with a saved result.
fn observed_of_reachable(out: &mut dyn Write, record: &EvidenceRecord<'_>) -> io::Result<()> {
    let mut rows =
        record.workloads.iter().filter_map(|workload| Some((workload.name, workload.reach.as_ref()?))).peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "<h2>{}</h2>\n<p>{}</p>", static_reach::TITLE, text(static_reach::MEANING))?;
    head(out, &static_reach::COLUMNS)?;
    rows.try_for_each(|(name, reach)| {
        let limits = text(&reach.limits());
        writeln!(out, "<tr><td>{}</td><td class=\"n\">{}</td><td>{limits}</td></tr>", text(name), reach.share())
    })?;
    end(out)
}

fn reached(out: &mut dyn Write, title: &str, column: &str, records: &[ReachedRecord<'_>]) -> io::Result<()> {
    writeln!(out, "<h2>{title}</h2>")?;
    head(out, &[column, "System calls", "Workloads"])?;
    for ReachedRecord { name, expert, syscalls, workloads } in records {
        let expert = if *expert == Some(true) { " (offered to experts only)" } else { "" };
        let workloads = workloads.iter().copied().collect::<Vec<_>>().join(", ");
        let calls = MARKUP.codes(syscalls.iter().copied());
        writeln!(
            out,
            "<tr><td>{}{expert}</td><td>{calls}</td><td>{}</td></tr>",
            text(&section(name)),
            text(&workloads)
        )?;
    }
    end(out)
}

fn blind_spots(out: &mut dyn Write, spots: &[SpotRecord<'_>]) -> io::Result<()> {
    writeln!(out, "<h2>Blind spots</h2>")?;
    if spots.is_empty() {
        return writeln!(out, "<p>None was observed.</p>");
    }
    writeln!(out, "<ul>")?;
    for SpotRecord { name, meaning, workloads } in spots {
        let meaning = text(meaning.unwrap_or("not known to this version"));
        let workloads = workloads.iter().copied().collect::<Vec<_>>().join(", ");
        writeln!(out, "<li><code>{}</code>: {meaning} ({})</li>", text(name), text(&workloads))?;
    }
    writeln!(out, "</ul>")
}

fn signals(out: &mut dyn Write, signals: &[SignalRecord<'_>]) -> io::Result<()> {
    if signals.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>Signals that end processes</h2>\n<ul>")?;
    for SignalRecord { name, meaning, workloads } in signals {
        let workloads = workloads.iter().copied().collect::<Vec<_>>().join(", ");
        let meaning = text(meaning.unwrap_or_default());
        writeln!(out, "<li><code>{}</code>: {meaning} ({})</li>", text(name), text(&workloads))?;
    }
    writeln!(out, "</ul>")
}

fn error_paths(out: &mut dyn Write, record: &EvidenceRecord<'_>) -> io::Result<()> {
    let rows = rows(&record.workloads, &MARKUP);
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>Error paths</h2>\n<p>{MEANING}</p>")?;
    head(out, &COLUMNS)?;
    for row in rows {
        let cells: String = row.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        writeln!(out, "<tr>{cells}</tr>")?;
    }
    end(out)
}

fn workload(out: &mut dyn Write, workload: &WorkloadRecord<'_>) -> io::Result<()> {
    let WorkloadRecord { name, file, command, level, ambient, .. } = workload;
    writeln!(out, "<h3>{}</h3>", text(name))?;
    writeln!(
        out,
        "<p>Runs <code>{}</code>, by <code>{}</code>. New facts fail down to level {level}; ambient calls: {ambient}.</p>",
        text(&command.join(" ")),
        text(file)
    )?;
    if let Some(reason) = workload.ignored {
        writeln!(out, "<p>Run only on request: {}.</p>", text(reason))?;
    }
    for (word, rules) in [("Forbidden", &workload.forbid), ("Tolerated", &workload.tolerate)] {
        for RuleRecord { rule, why } in rules {
            let why = why.map(|why| format!(" ({})", text(why))).unwrap_or_default();
            writeln!(out, "<p>{word}: {}{why}.</p>", text(rule))?;
        }
    }
    if workload.baselines.is_empty() {
        writeln!(out, "<p>No baseline yet.</p>")?;
    }
    workload.baselines.iter().try_for_each(|one| baseline(out, one))
}

fn baseline(out: &mut dyn Write, baseline: &BaselineRecord<'_>) -> io::Result<()> {
    let recorded = MARKUP.recorded(baseline);
    writeln!(out, "<p><strong>{}</strong>{recorded}.</p>", text(&baseline.platform))?;
    head(out, &["Subsystem", "System call", "Arguments", "Objects", "Why", "Owner"])?;
    for GroupRecord { name, syscalls } in &baseline.groups {
        for used in syscalls {
            let cells: String = MARKUP.columns(used).iter().map(|cell| format!("<td>{cell}</td>")).collect();
            writeln!(out, "<tr><td>{}</td>{cells}</tr>", text(name))?;
        }
    }
    end(out)?;
    if !baseline.blind_spots.is_empty() {
        writeln!(out, "<p>Blind spots: {}.</p>", MARKUP.codes(baseline.blind_spots.iter().copied()))?;
    }
    if !baseline.signals.is_empty() {
        let signals = MARKUP.codes(baseline.signals.iter().map(|name| &**name));
        writeln!(out, "<p>Signals that end processes: {signals}.</p>")?;
    }
    for sentence in baseline.error_paths().into_iter().flat_map(|paths| sentences(paths, &MARKUP)) {
        writeln!(out, "<p>{sentence}</p>")?;
    }
    Ok(())
}
