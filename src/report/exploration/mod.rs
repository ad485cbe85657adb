//! Explorations of error paths as text and in machine formats.
//!
//! [`exploration`] writes a whole verdict, [`explorations`] those of a run in any format, and
//! [`replay`] a single injection.

mod alerts;
mod csv;
mod github;
mod junit;
mod markdown;
mod record;
mod replay;
mod sarif;
mod text;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use super::verdict::SourceLine;
use super::words::counted;
use super::{Format, Palette, VerdictFormat};
use crate::model::facts::error_path::RunOutcome;
use crate::model::facts::finding::Comparison;
use crate::model::judge::exploration::{ExplorationVerdict, FoundPath, PathFinding, PathFindingKind, PathSummary};
use crate::model::judge::verdict::{Asked, Status, Verdict};
use crate::model::run::recording::Growth;

pub(super) use record::ExplorationsRecord;
pub use replay::replay;
pub use text::{summary as exploration_summary, write as exploration};

/// The explorations of one package.
#[derive(Debug, Clone, Default)]
pub struct PackageExplorations {
    /// Cargo's name of the package.
    pub name: String,
    /// Its folder relative to git's top level, with `/`; empty if it is the top level itself.
    pub folder: String,
    /// The verdict on each workload.
    pub verdicts: Vec<ExplorationVerdict>,
    /// The source files of call sites that are in the repository: as call sites name them, and
    /// relative to git's top level.
    pub sources: BTreeMap<String, String>,
    /// The command that explored them: `cargo sysguard explore --release`.
    pub command: String,
}

impl PackageExplorations {
    /// Returns the expectation file of a verdict, relative to git's top level.
    fn path(&self, verdict: &ExplorationVerdict) -> String {
        let folder = self.folder.trim_matches('/');
        if folder.is_empty() { verdict.file.clone() } else { format!("{folder}/{}", verdict.file) }
    }

    /// Returns the line of the repository that made the failing call, if it is known.
    fn source(&self, path: &FoundPath) -> Option<SourceLine> {
        let location = path.site.as_ref()?.location.as_ref()?;
        let path = self.sources.get(location.file.as_ref()?)?.clone();
        Some(SourceLine { path, line: usize::try_from(location.line?).ok()? })
    }

    /// Returns the command that replays an injection.
    fn replay(&self, verdict: &ExplorationVerdict, id: &str) -> String {
        replay_command(&self.command, &verdict.workload, id)
    }
}

/// `cargo sysguard explore demo --replay write-EIO-1f3c9a20`
fn replay_command(command: &str, workload: &str, id: &str) -> String {
    format!("{command} {workload} --replay {id}")
}

/// Returns every verdict with its package.
fn all(packages: &[PackageExplorations]) -> impl Iterator<Item = (&PackageExplorations, &ExplorationVerdict)> {
    packages.iter().flat_map(|package| package.verdicts.iter().map(move |verdict| (package, verdict)))
}

/// Writes the explorations of a whole run, without colours.
pub fn explorations(
    out: &mut dyn io::Write,
    packages: &[PackageExplorations],
    format: VerdictFormat,
) -> io::Result<()> {
    match format {
        VerdictFormat::Report(Format::Table) => {
            for (package, verdict) in all(packages) {
                text::write(out, verdict, &package.command, &Palette::plain())?;
                writeln!(out)?;
            }
            writeln!(out, "{}", closing(packages))
        }
        VerdictFormat::Report(Format::Markdown) => markdown::write(out, packages),
        VerdictFormat::Report(Format::Json) => {
            serde_json::to_writer_pretty(&mut *out, &ExplorationsRecord::of(packages))?;
            writeln!(out)
        }
        VerdictFormat::Report(Format::Yaml) => {
            serde_yaml::to_writer(out, &ExplorationsRecord::of(packages)).map_err(io::Error::other)
        }
        VerdictFormat::Report(Format::Csv) => csv::write(out, packages),
        VerdictFormat::Junit => junit::write(out, packages),
        VerdictFormat::Sarif => sarif::write(out, packages),
        VerdictFormat::Github => github::write(out, packages),
        VerdictFormat::Gitlab => alerts::write_gitlab(out, packages),
    }
}

/// Returns the page for `$GITHUB_STEP_SUMMARY`; empty if it has more than `limit` bytes.
pub fn exploration_step_summary(packages: &[PackageExplorations], limit: usize) -> String {
    let mut page = Vec::new();
    let written = markdown::write(&mut page, packages).is_ok() && page.len() <= limit;
    if written { String::from_utf8(page).unwrap_or_default() } else { String::new() }
}

/// `1 of 3 workloads failed, 1 ignored`
pub fn closing(packages: &[PackageExplorations]) -> String {
    let [explored, failed, ignored] = numbers(packages);
    let workloads = counted(explored, "workload", "workloads");
    let run = match (explored, failed) {
        (0, _) => "no workload was explored".to_owned(),
        (_, 0) => format!("{workloads} as expected"),
        _ => format!("{failed} of {workloads} failed"),
    };
    if ignored > 0 { format!("{run}, {ignored} ignored") } else { run }
}

/// Returns the numbers of workloads: explored or failed, failed, ignored.
fn numbers(packages: &[PackageExplorations]) -> [u64; 3] {
    let count = |is: fn(&Status) -> bool| all(packages).filter(|(_, verdict)| is(&verdict.status)).count() as u64;
    let ignored = count(|status| matches!(status, Status::Ignored { .. }));
    [all(packages).count() as u64 - ignored, count(Status::is_failure), ignored]
}

/// Returns the outcome in a few words.
fn headline(verdict: &ExplorationVerdict) -> String {
    let extent = verdict.summary.as_ref().map(extent).unwrap_or_default();
    match &verdict.status {
        Status::Passed if verdict.suspects.is_empty() => format!("as expected; {extent}"),
        Status::Passed => {
            format!("as expected ({}); {extent}", counted(verdict.suspects.len() as u64, "suspect", "suspects"))
        }
        Status::Blessed if verdict.change.is_none() => format!("blessed, nothing changed; {extent}"),
        Status::Blessed => format!("blessed, {}; {extent}", counts(&verdict.findings)),
        Status::Failed => format!("{}; {extent}", counts(&verdict.findings)),
        status => super::verdict::headline(&without_comparison(verdict, status)),
    }
}

/// Returns a verdict of which the status says everything.
fn without_comparison(verdict: &ExplorationVerdict, status: &Status) -> Verdict {
    Verdict {
        workload: verdict.workload.clone(),
        file: verdict.file.clone(),
        line: verdict.line,
        status: status.clone(),
        comparison: Comparison::default(),
        growth: Growth::default(),
        change: None,
        elapsed: Duration::ZERO,
        asked: Asked::Test,
    }
}

/// `120 of 718 error paths tried`
fn extent(PathSummary { tried, reachable, .. }: &PathSummary) -> String {
    format!("{tried} of {} tried", counted(u64::from(*reachable), "error path", "error paths"))
}

/// `1 hang, 2 silent differences, 3 new facts on error paths`
fn counts(findings: &[PathFinding]) -> String {
    let count = |is: &dyn Fn(&PathFinding) -> bool| findings.iter().filter(|finding| is(finding)).count() as u64;
    let forbidden = count(&|finding| finding.forbidden.is_some());
    let outcomes = RunOutcome::JUDGED.into_iter().rev().map(|outcome| {
        let of = |finding: &PathFinding| {
            finding.forbidden.is_none()
                && matches!(&finding.kind, PathFindingKind::Outcome(_, other) if *other == outcome)
        };
        let (one, more) = match outcome {
            RunOutcome::Hang => ("hang", "hangs"),
            RunOutcome::Signal => ("end by a signal", "ends by a signal"),
            RunOutcome::Panic => ("panic", "panics"),
            _ => ("silent difference", "silent differences"),
        };
        (count(&of), one, more)
    });
    let facts = |finding: &PathFinding| finding.forbidden.is_none() && matches!(finding.kind, PathFindingKind::Fact(_));
    let facts = [(count(&facts), "new fact on an error path", "new facts on error paths")];
    let words = [(forbidden, "forbidden finding", "forbidden findings")].into_iter().chain(outcomes).chain(facts);
    let words: Vec<String> =
        words.filter(|(count, ..)| *count > 0).map(|(count, one, more)| counted(count, one, more)).collect();
    if words.is_empty() { "nothing new".to_owned() } else { words.join(", ") }
}

/// Returns a finding in one line: `panic: demo::errors::panic::write EIO`.
fn line(verdict: &ExplorationVerdict, list: &str, finding: &PathFinding) -> String {
    let key = finding.key(&verdict.workload);
    let first = finding.paths.first();
    let by = match (&finding.kind, first) {
        (PathFindingKind::Fact(_), Some(path)) => format!(" after {}", path.call),
        _ => String::new(),
    };
    let reason = finding.forbidden.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    match (list, first) {
        ("suspect", Some(FoundPath { same, runs, .. })) => {
            format!("{}, but in {same} of {runs} further runs only: {key}{by}", finding.rule())
        }
        _ => format!("{}: {key}{by}{reason}", finding.rule()),
    }
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
