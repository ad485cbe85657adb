//! An exploration as text: findings with their place, their differences and the command that
//! replays them, then how the runs ended and what was not tried.

use std::io;

use super::{headline, replay_command};
use crate::model::facts::error_path::RunOutcome;
use crate::model::judge::exploration::difference::Difference;
use crate::model::judge::exploration::{
    ExplorationVerdict, FoundPath, NotTried, PathFinding, PathFindingKind, PathSummary,
};
use crate::model::judge::verdict::Status;
use crate::report::Palette;
use crate::report::style::Painted;
use crate::report::words::{counted, escaped};

/// The number of further ids that are named.
const MORE: usize = 3;

/// The number of notes, suspects and outcomes without a finding that are shown.
const LISTED: usize = 20;

/// Writes one line on a workload: `demo: 1 panic; 120 of 718 error paths tried`.
pub fn summary(out: &mut dyn io::Write, verdict: &ExplorationVerdict, palette: &Palette) -> io::Result<()> {
    let style = match verdict.status {
        Status::Passed | Status::Blessed => palette.same,
        Status::Ignored { .. } => palette.hint,
        _ => palette.error,
    };
    let name = Painted(palette.heading, &verdict.workload);
    writeln!(out, "{name}: {}", Painted(style, escaped(&headline(verdict))))
}

/// Writes everything on a workload. `command` is the one that explored it.
pub fn write(
    out: &mut dyn io::Write,
    verdict: &ExplorationVerdict,
    command: &str,
    palette: &Palette,
) -> io::Result<()> {
    summary(out, verdict, palette)?;
    match &verdict.status {
        Status::WrongExit { output, .. } => {
            output.lines().try_for_each(|line| writeln!(out, "  {} {}", Painted(palette.hint, "|"), escaped(line)))?;
        }
        Status::Malformed { message: text }
        | Status::NotStarted { reason: text }
        | Status::Untraceable { reason: text }
        | Status::Broken { reason: text }
        | Status::Ignored { reason: text } => {
            text.lines().skip(1).try_for_each(|line| writeln!(out, "  {}", escaped(line)))?;
        }
        Status::Passed | Status::Blessed | Status::Failed | Status::NoBaseline { .. } => {}
    }
    for finding in &verdict.findings {
        write_finding(out, verdict, finding, command, palette)?;
    }
    write_listed(out, verdict, palette)?;
    if let Some(summary) = &verdict.summary {
        write_summary(out, summary, palette)?;
    }
    if let (Some(written), Status::Blessed) = (written(verdict), &verdict.status) {
        writeln!(out, "{} {}", Painted(palette.hint, "written:"), escaped(&written))?;
    }
    write_next(out, verdict, command, palette)
}

fn written(verdict: &ExplorationVerdict) -> Option<String> {
    verdict.change.as_ref()?.written.clone()
}

/// Writes a finding and the injections that showed it.
fn write_finding(
    out: &mut dyn io::Write,
    verdict: &ExplorationVerdict,
    finding: &PathFinding,
    command: &str,
    palette: &Palette,
) -> io::Result<()> {
    let reason = finding.forbidden.as_ref().map(|reason| format!("  ({reason})")).unwrap_or_default();
    let rule = match &finding.kind {
        PathFindingKind::Outcome(_, outcome) if finding.forbidden.is_some() => format!("forbidden {outcome}"),
        _ => finding.rule().to_owned(),
    };
    let subject = escaped(&format!("{}{reason}", finding.subject()));
    writeln!(out, "\n  {}  {subject}", Painted(palette.error, rule))?;
    if let PathFindingKind::Fact(fact) = &finding.kind {
        let details: Vec<String> = fact.details.iter().map(|detail| detail.value().into_owned()).collect();
        if !details.is_empty() {
            writeln!(out, "    {}", escaped(&details.join(", ")))?;
        }
    }
    let mut shown: Option<&FoundPath> = None;
    for path in &finding.paths {
        if let PathFindingKind::Fact(_) = finding.kind {
            writeln!(out, "    after {}: {}", escaped(&path.call.to_string()), path.outcome.name())?;
        }
        // Injections often show the same, which is written once.
        let is_same_place = |shown: &FoundPath| shown.example == path.example && shown.site == path.site;
        if !shown.is_some_and(is_same_place) {
            write_place(out, path, palette)?;
        }
        if path.same < path.runs {
            writeln!(out, "    the same in {} of {} further runs", path.same, path.runs)?;
        }
        if shown.is_none_or(|shown| shown.differences != path.differences) {
            write_differences(out, &path.differences, palette)?;
        }
        shown = Some(path);
        let replay = replay_command(command, &verdict.workload, &path.id);
        writeln!(out, "    replay: {}", Painted(palette.hint, escaped(&replay)))?;
    }
    if !finding.more.is_empty() {
        let ids: Vec<&str> = finding.more.iter().take(MORE).map(String::as_str).collect();
        let etc = if finding.more.len() > MORE { ", …" } else { "" };
        let more = counted(finding.more.len() as u64, "more injection", "more injections");
        writeln!(out, "    {more} showed it, once each: {}{etc}", escaped(&ids.join(", ")))?;
    }
    Ok(())
}

/// Writes the failing call, its process and its call site.
fn write_place(out: &mut dyn io::Write, path: &FoundPath, palette: &Palette) -> io::Result<()> {
    let example = path.example.as_ref();
    let call = example.map(|example| example.call.clone());
    let process = example.filter(|example| !example.process.is_empty());
    let process = process.map(|example| format!("in: {}", example.origin()));
    let site = match (&path.site, path.no_site) {
        (Some(site), _) => Some(format!("by {}", site.words)),
        (None, Some(reason)) => Some(format!("call site not known: {}", reason.name().replace('_', " "))),
        (None, None) => None,
    };
    for line in call.into_iter().chain(process).chain(site) {
        writeln!(out, "    {}", Painted(palette.hint, escaped(&line)))?;
    }
    Ok(())
}

/// Writes how a run differs from one without an injection.
pub(super) fn write_differences(
    out: &mut dyn io::Write,
    differences: &[Difference],
    palette: &Palette,
) -> io::Result<()> {
    for Difference { part, lines, cut, varies } in differences {
        let varies = if *varies { " differs, in other lines in each run" } else { ":" };
        writeln!(out, "    {}{varies}", escaped(part))?;
        for line in lines {
            let style = if line.starts_with('-') { palette.gone } else { palette.new };
            writeln!(out, "      {}", Painted(style, escaped(line)))?;
        }
        if *cut > 0 {
            let more = counted(*cut as u64, "more line", "more lines");
            writeln!(out, "      {}", Painted(palette.hint, format_args!("… {more}")))?;
        }
    }
    Ok(())
}

/// Writes what does not fail: notes, suspects and what is gone.
fn write_listed(out: &mut dyn io::Write, verdict: &ExplorationVerdict, palette: &Palette) -> io::Result<()> {
    let after = |finding: &PathFinding| {
        let first = finding.paths.first().map(|path| path.call.to_string()).unwrap_or_default();
        format!("{} (after {first})", finding.subject())
    };
    let notes = verdict.notes.iter().map(after).collect();
    let title =
        if verdict.is_recorded { "new on error paths, but it does not fail" } else { "used only on error paths" };
    write_list(out, "note:", &format!("{title}:"), notes, palette)?;
    let suspect = |finding: &PathFinding| {
        let path = finding.paths.first();
        let repeats = path.map(|path| format!("{} of {} further runs: {}", path.same, path.runs, path.id));
        format!("{} {}, in {}", finding.rule(), finding.subject(), repeats.unwrap_or_default())
    };
    let suspects = verdict.suspects.iter().map(suspect).collect();
    write_list(out, "suspect:", "not repeatable, so it does not fail:", suspects, palette)?;
    let gone = verdict.gone.iter().map(|(outcome, call)| format!("{outcome} {call}")).collect();
    write_list(out, "gone:", "recorded, but did not occur:", gone, palette)
}

fn write_list(
    out: &mut dyn io::Write,
    label: &str,
    title: &str,
    items: Vec<String>,
    palette: &Palette,
) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{} {title}", Painted(palette.hint, label))?;
    for item in items.iter().take(LISTED) {
        writeln!(out, "  {}", escaped(item))?;
    }
    match items.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "  {}", Painted(palette.hint, format_args!("… {more} more"))),
    }
}

/// Writes how the runs ended, and what was not tried.
fn write_summary(out: &mut dyn io::Write, summary: &PathSummary, palette: &Palette) -> io::Result<()> {
    let outcomes = outcomes(summary);
    if !outcomes.is_empty() {
        writeln!(out, "\n{} {outcomes}", Painted(palette.hint, "outcomes:"))?;
    }
    if !summary.untried.is_empty() {
        let untried: Vec<String> = summary.untried.iter().map(not_tried).collect();
        writeln!(out, "{} {}", Painted(palette.hint, "not tried:"), escaped(&untried.join("; ")))?;
    }
    for limit in &summary.limits {
        writeln!(out, "{} {}", Painted(palette.hint, "note:"), escaped(limit))?;
    }
    Ok(())
}

/// `13 injections (the budget was used up)`, `some calls (the dynamic loader makes the call)`
pub(super) fn not_tried(NotTried { reason, injections }: &NotTried) -> String {
    match injections {
        Some(count) => format!("{} ({reason})", counted(*count, "injection", "injections")),
        None => format!("some calls ({reason})"),
    }
}

/// `80 absorbed, 33 reported, 2 silent (1 recorded)`
pub(super) fn outcomes(summary: &PathSummary) -> String {
    let counts = RunOutcome::ALL.into_iter().filter_map(|outcome| {
        let count = summary.outcomes.get(&outcome).copied().filter(|count| *count > 0)?;
        Some(format!("{count} {outcome}"))
    });
    let varying = (summary.varying > 0).then(|| format!("{} with an outcome that varies", summary.varying));
    let counts = counts.chain(varying);
    let set_apart = [(summary.recorded, "recorded"), (summary.excepted, "excepted")];
    let set_apart = set_apart.into_iter().filter(|(count, _)| *count > 0);
    let set_apart: Vec<String> = set_apart.map(|(count, word)| format!("{count} {word}")).collect();
    let counts = counts.collect::<Vec<_>>().join(", ");
    if set_apart.is_empty() { counts } else { format!("{counts} ({})", set_apart.join(", ")) }
}

/// Writes the next commands.
fn write_next(
    out: &mut dyn io::Write,
    verdict: &ExplorationVerdict,
    command: &str,
    palette: &Palette,
) -> io::Result<()> {
    let ExplorationVerdict { workload, file, .. } = verdict;
    let is_forbidden = verdict.findings.iter().any(|finding| finding.forbidden.is_some());
    let steps = match &verdict.status {
        Status::Failed if is_forbidden => vec![(
            format!("{command} {workload}"),
            format!("after the workload stops doing this, or after changing its rules in {file}"),
        )],
        Status::Failed => vec![
            (format!("{command} {workload}"), "after fixing it".to_owned()),
            (format!("{command} {workload} --bless"), format!("record these error paths; writes {file}")),
        ],
        Status::NoBaseline { .. } => {
            vec![(format!("cargo sysguard bless {workload}"), format!("record a baseline first; writes {file}"))]
        }
        _ => return Ok(()),
    };
    let width = steps.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    writeln!(out, "\n{}", Painted(palette.heading, "next:"))?;
    for (command, purpose) in steps {
        let command = crate::report::words::padded(&escaped(&command), width);
        writeln!(out, "  {}  {}", Painted(palette.hint, command), escaped(&purpose))?;
    }
    Ok(())
}
