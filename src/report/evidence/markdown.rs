//! The evidence as a page of Markdown.

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
use crate::report::markup::{code, markdown as cell};

const MARKUP: Markup = Markup { text: cell, code };

pub(super) fn write(out: &mut dyn Write, record: &EvidenceRecord<'_>) -> io::Result<()> {
    let summary = &record.summary;
    writeln!(out, "# What the workloads use of the Linux kernel\n\n{METHOD}\n")?;
    writeln!(out, "| | |\n|---|---|")?;
    writeln!(out, "| Workloads | {} |", workloads(summary))?;
    writeln!(out, "| Subsystems | {}, by the taxonomy {} |", summary.groups, cell(record.taxonomy))?;
    writeln!(out, "| System calls | {} |", summary.syscalls)?;
    writeln!(out, "| Entries with a reason | {} of {} |", summary.entries_with_why, summary.entries)?;
    let releases = record.tables.releases.join(", ");
    writeln!(out, "| Tables | Linux {}, made from {} |", cell(record.tables.kernel), cell(&releases))?;
    writeln!(out, "| Made by | sysguard {} |", record.sysguard)?;
    matrix(out, record)?;
    observed_of_reachable(out, record)?;
    reached(out, "Sections of MAINTAINERS", "Section", &record.sections)?;
    reached(out, "Kernel options", "Option", &record.configs)?;
    writeln!(
        out,
        "\nFor information: a kernel without such an option lacks these calls or what they reach. Other calls are in every kernel."
    )?;
    blind_spots(out, &record.blind_spots)?;
    signals(out, &record.signals)?;
    error_paths(out, record)?;
    writeln!(out, "\n## Workloads")?;
    record.workloads.iter().try_for_each(|one| workload(out, one))
}

fn matrix(out: &mut dyn Write, record: &EvidenceRecord<'_>) -> io::Result<()> {
    let names: Vec<&str> = record.workloads.iter().map(|workload| workload.name).collect();
    writeln!(out, "\n## Subsystems by workload\n\nNumber of system calls by which a workload reaches a subsystem.\n")?;
    let heads: Vec<String> = names.iter().map(|name| cell(name)).collect();
    writeln!(out, "| Subsystem | {} |\n|---|{}", heads.join(" | "), "---:|".repeat(names.len()))?;
    for MatrixRecord { group, syscalls } in &record.matrix {
        let counts = names.iter().map(|name| syscalls.get(name).map(u64::to_string).unwrap_or_default());
        writeln!(out, "| {} | {} |", cell(group), counts.collect::<Vec<_>>().join(" | "))?;
    }
    Ok(())
}

/// Writes how many reachable calls were observed, for workloads with a saved result.
fn observed_of_reachable(out: &mut dyn Write, record: &EvidenceRecord<'_>) -> io::Result<()> {
    let mut rows =
        record.workloads.iter().filter_map(|workload| Some((workload.name, workload.reach.as_ref()?))).peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "\n## {}\n\n{}\n", static_reach::TITLE, static_reach::MEANING)?;
    writeln!(out, "| {} |\n|---|---:|---|", static_reach::COLUMNS.join(" | "))?;
    rows.try_for_each(|(name, reach)| {
        writeln!(out, "| {} | {} | {} |", cell(name), reach.share(), cell(&reach.limits()))
    })
}

fn reached(out: &mut dyn Write, title: &str, column: &str, records: &[ReachedRecord<'_>]) -> io::Result<()> {
    writeln!(out, "\n## {title}\n\n| {column} | System calls | Workloads |\n|---|---|---|")?;
    for ReachedRecord { name, expert, syscalls, workloads } in records {
        let expert = if *expert == Some(true) { " (offered to experts only)" } else { "" };
        let workloads: Vec<String> = workloads.iter().map(|name| cell(name)).collect();
        let calls = MARKUP.codes(syscalls.iter().copied());
        writeln!(out, "| {}{expert} | {calls} | {} |", cell(&section(name)), workloads.join(", "))?;
    }
    Ok(())
}

fn blind_spots(out: &mut dyn Write, spots: &[SpotRecord<'_>]) -> io::Result<()> {
    writeln!(out, "\n## Blind spots\n")?;
    if spots.is_empty() {
        return writeln!(out, "None was observed.");
    }
    for SpotRecord { name, meaning, workloads } in spots {
        let workloads: Vec<String> = workloads.iter().map(|name| cell(name)).collect();
        writeln!(
            out,
            "- {}: {} ({})",
            code(name),
            cell(meaning.unwrap_or("not known to this version")),
            workloads.join(", ")
        )?;
    }
    Ok(())
}

fn signals(out: &mut dyn Write, signals: &[SignalRecord<'_>]) -> io::Result<()> {
    if signals.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Signals that end processes\n")?;
    for SignalRecord { name, meaning, workloads } in signals {
        let workloads: Vec<String> = workloads.iter().map(|name| cell(name)).collect();
        writeln!(out, "- {}: {} ({})", code(name), cell(meaning.unwrap_or_default()), workloads.join(", "))?;
    }
    Ok(())
}

fn error_paths(out: &mut dyn Write, record: &EvidenceRecord<'_>) -> io::Result<()> {
    let rows = rows(&record.workloads, &MARKUP);
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Error paths\n\n{MEANING}\n\n| {} |", COLUMNS.join(" | "))?;
    writeln!(out, "|---|---|---|---:|---:|---:|---:|---:|")?;
    rows.iter().try_for_each(|row| writeln!(out, "| {} |", row.join(" | ")))
}

fn workload(out: &mut dyn Write, workload: &WorkloadRecord<'_>) -> io::Result<()> {
    writeln!(out, "\n### {}\n", cell(workload.name))?;
    writeln!(
        out,
        "Runs {}, by {}. New facts fail down to level {}; ambient calls: {}.",
        code(&workload.command.join(" ")),
        code(workload.file),
        workload.level,
        workload.ambient
    )?;
    if let Some(reason) = workload.ignored {
        writeln!(out, "Run only on request: {}.", cell(reason))?;
    }
    for (word, rules) in [("Forbidden", &workload.forbid), ("Tolerated", &workload.tolerate)] {
        for RuleRecord { rule, why } in rules {
            writeln!(out, "{word}: {}{}.", cell(rule), why.map(|why| format!(" ({})", cell(why))).unwrap_or_default())?;
        }
    }
    if workload.baselines.is_empty() {
        writeln!(out, "\nNo baseline yet.")?;
    }
    workload.baselines.iter().try_for_each(|one| baseline(out, one))
}

fn baseline(out: &mut dyn Write, baseline: &BaselineRecord<'_>) -> io::Result<()> {
    writeln!(out, "\n**{}**{}.\n", cell(&baseline.platform), MARKUP.recorded(baseline))?;
    writeln!(out, "| Subsystem | System call | Arguments | Objects | Why | Owner |\n|---|---|---|---|---|---|")?;
    for GroupRecord { name, syscalls } in &baseline.groups {
        for used in syscalls {
            writeln!(out, "| {} | {} |", cell(name), MARKUP.columns(used).join(" | "))?;
        }
    }
    if !baseline.blind_spots.is_empty() {
        writeln!(out, "\nBlind spots: {}.", MARKUP.codes(baseline.blind_spots.iter().copied()))?;
    }
    if !baseline.signals.is_empty() {
        writeln!(out, "\nSignals that end processes: {}.", MARKUP.codes(baseline.signals.iter().map(|name| &**name)))?;
    }
    for sentence in baseline.error_paths().into_iter().flat_map(|paths| sentences(paths, &MARKUP)) {
        writeln!(out, "\n{sentence}")?;
    }
    Ok(())
}
