//! Explorations as Markdown for a pull request: failures with their replay commands, then how the
//! runs of each workload ended.

use std::io;

use super::text::not_tried;
use super::{PackageExplorations, all, closing, headline};
use crate::model::facts::error_path::RunOutcome;
use crate::model::judge::exploration::{ExplorationVerdict, FoundPath, PathFinding, PathFindingKind};
use crate::report::markup::{code, markdown as cell};
use crate::report::words::counted;

/// The number of findings of a workload that are shown in full.
const FINDINGS: usize = 30;

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageExplorations]) -> io::Result<()> {
    writeln!(out, "### sysguard, error paths: {}", closing(packages))?;
    for (package, verdict) in all(packages) {
        writeln!(out, "\n#### {}: {}", cell(&verdict.workload), cell(&headline(verdict)))?;
        for finding in verdict.findings.iter().take(FINDINGS) {
            write_finding(out, package, verdict, finding)?;
        }
        let cut = verdict.findings.len().saturating_sub(FINDINGS);
        if cut > 0 {
            let more = counted(cut as u64, "more finding", "more findings");
            writeln!(out, "\n… {more}: `--format json` lists everything.")?;
        }
        let title =
            if verdict.is_recorded { "New on error paths, but it does not fail" } else { "Used only on error paths" };
        write_list(out, title, &verdict.notes)?;
        write_list(out, "Not repeatable, so it does not fail", &verdict.suspects)?;
        let gone: Vec<String> = verdict.gone.iter().map(|(outcome, call)| code(&format!("{outcome} {call}"))).collect();
        if !gone.is_empty() {
            writeln!(out, "\nRecorded, but did not occur: {}.", gone.join(", "))?;
        }
    }
    write_table(out, packages)
}

fn write_finding(
    out: &mut dyn io::Write,
    package: &PackageExplorations,
    verdict: &ExplorationVerdict,
    finding: &PathFinding,
) -> io::Result<()> {
    let reason = finding.forbidden.as_ref().map(|reason| format!(" ({})", cell(reason))).unwrap_or_default();
    writeln!(out, "\n- **{}** {}{reason}", finding.rule(), code(&finding.subject()))?;
    for path in &finding.paths {
        let FoundPath { example, site, .. } = path;
        if let PathFindingKind::Fact(_) = finding.kind {
            writeln!(out, "  - after {}: {}", code(&path.call.to_string()), path.outcome)?;
        }
        let call = example.as_ref().map(|example| code(&example.call));
        let site = site.as_ref().map(|site| format!("by {}", code(&site.words)));
        let place: Vec<String> = call.into_iter().chain(site).collect();
        if !place.is_empty() {
            writeln!(out, "  - {}", place.join(" "))?;
        }
        for difference in &path.differences {
            let lines: Vec<String> = difference.lines.iter().map(|line| code(line)).collect();
            let more = if difference.cut > 0 { format!(", … {} more", difference.cut) } else { String::new() };
            writeln!(out, "  - {}: {}{more}", cell(&difference.part), lines.join(", "))?;
        }
        writeln!(out, "  - {}", code(&package.replay(verdict, &path.id)))?;
    }
    if !finding.more.is_empty() {
        writeln!(out, "  - {}", counted(finding.more.len() as u64, "more injection", "more injections"))?;
    }
    Ok(())
}

fn write_list(out: &mut dyn io::Write, title: &str, findings: &[PathFinding]) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let after = |finding: &PathFinding| {
        let first = finding.paths.first().map(|path| path.call.to_string()).unwrap_or_default();
        match finding.kind {
            PathFindingKind::Outcome(_, outcome) => format!("{outcome} {}", code(&finding.subject())),
            PathFindingKind::Fact(_) => format!("{} (after {})", code(&finding.subject()), code(&first)),
        }
    };
    let (shown, cut) = findings.split_at(findings.len().min(FINDINGS));
    let more = if cut.is_empty() { String::new() } else { format!(", … {} more", cut.len()) };
    writeln!(out, "\n{title}: {}{more}.", shown.iter().map(after).collect::<Vec<_>>().join(", "))
}

/// Writes how the runs ended, one workload a row.
fn write_table(out: &mut dyn io::Write, packages: &[PackageExplorations]) -> io::Result<()> {
    let explored: Vec<_> = all(packages).filter_map(|(_, it)| Some((it, it.summary.as_ref()?))).collect();
    if explored.is_empty() {
        return Ok(());
    }
    let outcomes = RunOutcome::ALL.map(RunOutcome::name).join(" | ");
    writeln!(out, "\n| Workload | Tried | Reachable | {outcomes} |")?;
    writeln!(out, "|---|---:|---:|{}", "---:|".repeat(RunOutcome::ALL.len()))?;
    for (verdict, summary) in &explored {
        let counts = RunOutcome::ALL.map(|outcome| summary.outcomes.get(&outcome).copied().unwrap_or(0).to_string());
        let name = cell(&verdict.workload);
        writeln!(out, "| {name} | {} | {} | {} |", summary.tried, summary.reachable, counts.join(" | "))?;
    }
    for (verdict, summary) in explored {
        let untried: Vec<String> = summary.untried.iter().map(|it| cell(&not_tried(it))).collect();
        if !untried.is_empty() {
            writeln!(out, "\nNot tried of {}: {}.", cell(&verdict.workload), untried.join("; "))?;
        }
        for limit in &summary.limits {
            writeln!(out, "\n{}: {}.", cell(&verdict.workload), cell(limit))?;
        }
    }
    Ok(())
}
