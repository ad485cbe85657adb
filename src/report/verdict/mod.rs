//! Verdicts as text and in machine formats.
//!
//! [`summary`] writes one line, [`verdict`] the whole verdict, [`verdicts`] those of a run in any
//! format. A verdict is also written as a line of JSON, from the harness to the subcommand.

#[cfg(feature = "unstable")]
mod alerts;
#[cfg(feature = "unstable")]
mod batch;
mod changes;
#[cfg(feature = "unstable")]
mod closing;
mod columns;
#[cfg(feature = "unstable")]
mod csv;
mod diff;
mod excerpt;
mod findings;
#[cfg(feature = "unstable")]
mod github;
#[cfg(feature = "unstable")]
mod gitlab;
mod grouped;
#[cfg(feature = "unstable")]
mod json;
#[cfg(feature = "unstable")]
mod junit;
#[cfg(feature = "unstable")]
mod markdown;
mod next;
mod record;
#[cfg(feature = "unstable")]
mod sarif;
mod site;

use std::io;

use super::Palette;
use super::style::Painted;
use super::words::{counted, escaped, len};
#[cfg(feature = "unstable")]
use super::{Format, VerdictFormat};
use crate::model::engine::{Engine, UsedEngine};
use crate::model::facts::finding::Comparison;
use crate::model::judge::verdict::{Status, Verdict};
use crate::model::run::recording::Growth;
use crate::model::run::workload::Exit;
use findings::{counts_by_kind, write_drift, write_findings, write_keys, write_suspects};
#[cfg(feature = "unstable")]
pub(super) use {
    batch::SourceLine,
    changes::ChangeRecord,
    github::placed_at as annotation,
    json::{GroupRecord, VerdictsRecord},
    junit::allowed as allowed_in_xml,
    record::StatusRecord,
    sarif::{place_at_line as sarif_place, rule as sarif_rule},
    site::SiteRecord,
};

pub use grouped::ShownGroups;
pub use record::write_json_line;
#[cfg(feature = "unstable")]
pub use {
    batch::PackageVerdicts,
    closing::Closing,
    diff::write as change,
    grouped::shared_causes,
    next::pending_dir_flag,
    record::{NotAVerdict, read_json_line},
};

/// The number of lines that are shown of a workload's own output.
const OUTPUT_LINES: usize = 20;

/// Writes one line on a workload: `echo: 1 new subsystem, 2 new system calls`.
pub fn summary(out: &mut dyn io::Write, verdict: &Verdict, palette: &Palette) -> io::Result<()> {
    let style = match verdict.status {
        Status::Passed | Status::Blessed => palette.same,
        Status::Ignored { .. } => palette.hint,
        _ => palette.error,
    };
    writeln!(out, "{}: {}", Painted(palette.heading, &verdict.workload), Painted(style, headline(verdict)))
}

/// Writes everything on a workload: findings, the change of its file, and the next commands.
#[cfg(feature = "unstable")]
pub fn verdict(out: &mut dyn io::Write, verdict: &Verdict, palette: &Palette) -> io::Result<()> {
    verdict_with_diff(out, verdict, None, &mut ShownGroups::default(), palette)
}

/// Like [`verdict()`], with the change of its file as another program printed it. Causes that other
/// workloads have shown take one line each.
pub fn verdict_with_diff(
    out: &mut dyn io::Write,
    verdict: &Verdict,
    diff: Option<&str>,
    shown: &mut ShownGroups,
    palette: &Palette,
) -> io::Result<()> {
    let is_known = grouped::are_shown(verdict, shown);
    summary(out, verdict, palette)?;
    match &verdict.status {
        Status::WrongExit { output, .. } => write_output(out, output, palette)?,
        Status::Malformed { message } => write_rest(out, message)?,
        Status::NotStarted { reason } | Status::Untraceable { reason } | Status::Broken { reason } => {
            write_rest(out, reason)?;
        }
        Status::Failed | Status::NoBaseline { .. } | Status::Passed | Status::Blessed | Status::Ignored { .. } => {}
    }
    write_findings(out, verdict, shown, palette)?;
    write_suspects(out, verdict, palette)?;
    write_drift(out, verdict, palette)?;
    write_keys(out, verdict, palette)?;
    if is_known {
        return Ok(());
    }
    if let Some(change) = &verdict.change {
        writeln!(out)?;
        match diff {
            Some(diff) => write!(out, "{diff}{}", if diff.ends_with('\n') { "" } else { "\n" })?,
            // The findings of a first baseline are an outline, so the change is shown whole.
            None if matches!(verdict.status, Status::NoBaseline { .. }) => {
                diff::write(out, &verdict.file, change, palette)?;
            }
            None => diff::write_beside(out, &verdict.file, change, palette)?,
        }
    }
    next::write(out, verdict, palette)
}

/// Writes one line on what was not checked of guarded workloads; nothing if there are none.
pub fn fast_mode_note(out: &mut dyn io::Write, workloads: usize, palette: &Palette) -> io::Result<()> {
    if workloads == 0 {
        return Ok(());
    }
    let workloads = counted(workloads as u64, "workload", "workloads");
    let limits = "counts, errnos and removed calls were not checked (use --engine ptrace)";
    writeln!(out, "{}", Painted(palette.hint, format_args!("{workloads} ran in fast mode: {limits}")))
}

/// Writes one line on baselines of an older version of the format; nothing if there are none.
/// `command` upgrades them.
pub fn older_baselines_note(
    out: &mut dyn io::Write,
    baselines: usize,
    command: &str,
    palette: &Palette,
) -> io::Result<()> {
    if baselines == 0 {
        return Ok(());
    }
    let are = counted(baselines as u64, "baseline is", "baselines are");
    let limits = "arguments were compared without their objects";
    writeln!(out, "{}", Painted(palette.hint, format_args!("{are} of version 1: {limits} (upgrade: {command})")))
}

/// Writes the last line of a run, coloured by its outcome.
#[cfg(feature = "unstable")]
pub fn closing(out: &mut dyn io::Write, closing: &Closing, palette: &Palette) -> io::Result<()> {
    let style = if closing.is_good() { palette.same } else { palette.error };
    writeln!(out, "{}", Painted(style, closing))
}

/// Writes the verdicts of a whole run of `command`, without colours.
#[cfg(feature = "unstable")]
pub fn verdicts(
    out: &mut dyn io::Write,
    command: &str,
    packages: &[PackageVerdicts],
    format: VerdictFormat,
) -> io::Result<()> {
    match format {
        VerdictFormat::Report(Format::Table) => table(out, packages),
        VerdictFormat::Report(Format::Markdown) => markdown::write(out, packages),
        VerdictFormat::Report(Format::Json) => {
            serde_json::to_writer_pretty(&mut *out, &VerdictsRecord::of(command, packages))?;
            writeln!(out)
        }
        VerdictFormat::Report(Format::Yaml) => {
            serde_yaml::to_writer(out, &VerdictsRecord::of(command, packages)).map_err(io::Error::other)
        }
        VerdictFormat::Report(Format::Csv) => csv::write(out, packages),
        VerdictFormat::Junit => junit::write(out, packages),
        VerdictFormat::Sarif => sarif::write(out, packages),
        VerdictFormat::Github => github::write(out, packages),
        VerdictFormat::Gitlab => gitlab::write(out, packages),
    }
}

/// Returns the page for `$GITHUB_STEP_SUMMARY` with at most `limit` bytes; empty if not even the
/// title fits. `files` is the address of the repository's files at the tested commit, for links.
#[cfg(feature = "unstable")]
pub fn step_summary(packages: &[PackageVerdicts], limit: usize, files: Option<&str>) -> String {
    markdown::page(packages, limit, files)
}

/// Writes failures and suspects in full, the others on one line each, and the numbers.
#[cfg(feature = "unstable")]
fn table(out: &mut dyn io::Write, packages: &[PackageVerdicts]) -> io::Result<()> {
    let palette = Palette::plain();
    for (_, item) in batch::all(packages) {
        if item.status.is_failure() || !item.comparison.suspects.is_empty() {
            verdict(out, item, &palette)?;
            writeln!(out)?;
        } else {
            summary(out, item, &palette)?;
        }
    }
    writeln!(out, "{}", batch::Tally::of(packages))
}

/// Returns the outcome in a few words.
pub(super) fn headline(verdict: &Verdict) -> String {
    match &verdict.status {
        Status::Passed => format!("as expected{}", extras(verdict)),
        Status::Blessed if verdict.change.is_none() => {
            format!("blessed, nothing changed{}{}", extras(verdict), grown(&verdict.growth))
        }
        Status::Blessed => {
            let Comparison { findings, notes, .. } = &verdict.comparison;
            // Without findings, only notes were written: new members of a recorded family.
            let written = if findings.is_empty() { notes } else { findings };
            format!("blessed, {}{}{}", counts_by_kind(written), extras(verdict), grown(&verdict.growth))
        }
        Status::Failed => counts_by_kind(&verdict.comparison.findings),
        Status::NoBaseline { platform } => format!("no baseline for {platform} yet{}", grown(&verdict.growth)),
        Status::WrongExit { expected, actual: Exit::TimedOut, .. } => format!("timed out, expected {expected}"),
        Status::WrongExit { expected, actual, .. } => format!("ended with {actual}, expected {expected}"),
        Status::Ignored { reason } => format!("ignored, {}", first_line(reason)),
        Status::Malformed { message } => format!("malformed expectation, {}", first_line(message)),
        Status::NotStarted { reason } => format!("not started, {}", first_line(reason)),
        Status::Untraceable { reason } => format!("not traced, {}", first_line(reason)),
        Status::Broken { reason } if verdict.comparison.findings.is_empty() => {
            format!("no verdict, {}", first_line(reason))
        }
        Status::Broken { reason } => {
            format!("{}, but {}", counts_by_kind(&verdict.comparison.findings), first_line(reason))
        }
    }
}

/// Returns what does not fail but is worth a mention, and the engine: ` (1 suspect, 2 notes, 1
/// gone)`.
fn extras(verdict: &Verdict) -> String {
    let Comparison { suspects, notes, gone, .. } = &verdict.comparison;
    let words = [
        (len(suspects), counted(len(suspects), "suspect", "suspects").to_string()),
        (len(notes), counted(len(notes), "note", "notes").to_string()),
        (len(gone), format!("{} gone", len(gone))),
    ];
    let words: Vec<String> = words.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words).collect();
    let passing = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
    let UsedEngine { engine, fallback } = &verdict.comparison.used;
    match (engine, fallback) {
        (_, Some(reason)) => format!("{passing}, fallback to ptrace: {}", first_line(reason)),
        (Engine::Ptrace, None) => passing,
        (Engine::Guard, None) => format!("{passing}, fast mode"),
        (Engine::Notify, None) => format!("{passing}, by notifications"),
    }
}

/// Returns how a recording grew: `; 10 runs, nothing new since run 2`.
fn grown(growth: &Growth) -> String {
    let runs = counted(growth.runs().into(), "run", "runs");
    match (growth.runs(), growth.last_new()) {
        (0, _) => String::new(),
        (1, _) => format!("; {runs}"),
        (_, last) if growth.is_never_quiet() => format!("; {runs}, still not quiet: new facts in run {last}"),
        (count, last) if count == last => format!("; {runs}, new facts in the last"),
        (_, last) => format!("; {runs}, nothing new since run {last}"),
    }
}

fn first_line(text: &str) -> String {
    escaped(text.lines().next().unwrap_or_default())
}

/// Writes the lines that the headline has left out.
fn write_rest(out: &mut dyn io::Write, text: &str) -> io::Result<()> {
    text.lines().skip(1).try_for_each(|line| writeln!(out, "  {}", escaped(line)))
}

/// Writes the end of the workload's output.
fn write_output(out: &mut dyn io::Write, output: &str, palette: &Palette) -> io::Result<()> {
    let lines: Vec<&str> = output.lines().collect();
    let cut = lines.len().saturating_sub(OUTPUT_LINES);
    writeln!(out)?;
    match (lines.len(), cut) {
        (0, _) => writeln!(out, "no output")?,
        (_, 0) => writeln!(out, "output:")?,
        _ => writeln!(out, "last lines of output ({} before):", counted(len(&lines[..cut]), "line", "lines"))?,
    }
    lines[cut..].iter().try_for_each(|line| writeln!(out, "  {} {}", Painted(palette.hint, "|"), escaped(line)))
}

#[cfg(test)]
pub(super) use sarif::tests::schema as sarif_schema;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
