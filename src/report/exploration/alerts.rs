//! Findings on error paths as alerts for code quality tools, each at the source line of the failing
//! call, or else at the baseline. Main type: [`Alert`].
//!
//! Rules and fingerprints are a public interface: tools recognise an alert by them.

use std::collections::BTreeMap;
use std::io;

use serde_json::json;

use super::{PackageExplorations, all, headline, line};
use crate::model::facts::error_path::RunOutcome;
use crate::model::judge::exploration::{ExplorationVerdict, FoundPath, PathFinding};
use crate::model::judge::verdict::Status;
use crate::model::text::hash::fnv1a;
use crate::report::verdict::SourceLine;
use crate::report::words::escaped;

/// How severe an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// It fails.
    Error,
    /// A recorded outcome did not occur.
    Warning,
    /// It fails nothing.
    Note,
}

/// A finding at a place, or a workload that was not explored.
#[derive(Debug, Clone)]
pub(super) struct Alert<'a> {
    /// The rule without `sysguard/`.
    pub(super) rule: String,
    pub(super) level: Level,
    pub(super) key: String,
    /// What was found, in one line.
    pub(super) text: String,
    /// Further lines: the call, its place, what differs, and the command that replays it.
    pub(super) details: Vec<String>,
    pub(super) package: &'a PackageExplorations,
    pub(super) verdict: &'a ExplorationVerdict,
    pub(super) source: Option<SourceLine>,
}

/// Returns the rule of a kind of finding: `error-path-panic`, `error-path-new-syscall`.
pub(super) fn rule(name: &str) -> String {
    format!("error-path-{name}")
}

/// Returns the alerts of a run in the order of its findings.
pub(super) fn alerts(packages: &[PackageExplorations]) -> Vec<Alert<'_>> {
    all(packages).flat_map(|(package, verdict)| of(package, verdict)).collect()
}

fn of<'a>(package: &'a PackageExplorations, verdict: &'a ExplorationVerdict) -> Vec<Alert<'a>> {
    let whole = verdict.status.is_failure() && verdict.status != Status::Failed;
    let whole = whole.then(|| Alert {
        rule: verdict.status.name().to_owned(),
        level: Level::Error,
        key: verdict.workload.clone(),
        text: headline(verdict),
        details: Vec::new(),
        package,
        verdict,
        source: None,
    });
    let found = verdict.all().flat_map(|(list, finding)| {
        // Places in different lines are different faults.
        let mut lines: Vec<Option<SourceLine>> = Vec::new();
        let places = finding.paths.iter().filter(move |path| {
            let source = package.source(path);
            let is_new = !lines.contains(&source);
            lines.push(source);
            is_new
        });
        places.map(move |path| placed(package, verdict, list, finding, path))
    });
    let gone = verdict.gone.iter().map(|(outcome, call)| Alert {
        rule: rule("gone"),
        level: Level::Warning,
        key: format!("{}::errors::{outcome}::{call}", verdict.workload),
        text: format!("recorded, but did not occur: {outcome} {call}"),
        details: Vec::new(),
        package,
        verdict,
        source: None,
    });
    whole.into_iter().chain(found).chain(gone).collect()
}

fn placed<'a>(
    package: &'a PackageExplorations,
    verdict: &'a ExplorationVerdict,
    list: &str,
    finding: &PathFinding,
    path: &FoundPath,
) -> Alert<'a> {
    Alert {
        rule: rule(if list == "suspect" { list } else { finding.rule() }),
        level: if list == "finding" { Level::Error } else { Level::Note },
        key: finding.key(&verdict.workload),
        text: line(verdict, list, finding),
        details: details(package, verdict, path),
        package,
        verdict,
        source: package.source(path),
    }
}

/// Returns the failing call, its place, what differs, and the command that replays it.
fn details(package: &PackageExplorations, verdict: &ExplorationVerdict, path: &FoundPath) -> Vec<String> {
    let example = path.example.as_ref();
    let call = example.map(|example| example.call.clone());
    let process = example.filter(|example| !example.process.is_empty());
    let process = process.map(|example| format!("in: {}", example.origin()));
    let site = path.site.as_ref().map(|site| format!("by {}", site.words));
    let differences = path.differences.iter().flat_map(|difference| {
        let cut = (difference.cut > 0).then(|| format!("… {} more", difference.cut));
        std::iter::once(format!("{}:", difference.part)).chain(difference.lines.iter().cloned()).chain(cut)
    });
    let replay = format!("replay: {}", package.replay(verdict, &path.id));
    call.into_iter().chain(process).chain(site).chain(differences).chain([replay]).collect()
}

impl Alert<'_> {
    /// Returns the expectation file, relative to git's top level.
    pub(super) fn path(&self) -> String {
        self.package.path(self.verdict)
    }

    /// Returns the file and line that the alert is at.
    pub(super) fn place(&self) -> (String, usize) {
        // Tools require a line, so the first one is used if none is known.
        let expectation = || (self.path(), self.verdict.line.unwrap_or(1));
        self.source.clone().map_or_else(expectation, |source| (source.path, source.line))
    }

    /// Returns what identifies the alert in later runs: a hash of its file, its key, and its source
    /// file. Lines move, so they are left out.
    pub(super) fn fingerprint(&self) -> String {
        let source = self.source.as_ref().map_or("", |source| source.path.as_str());
        format!("{:016x}", fnv1a(&format!("{} {} {} {source}", self.path(), self.rule, self.key)))
    }

    /// Returns the text with the command that replays it, in one line.
    fn described(&self) -> String {
        let replay = self.details.last().map(|replay| format!("; {replay}")).unwrap_or_default();
        format!("{}{replay}", self.text)
    }

    /// Returns the text with its details.
    pub(super) fn whole(&self) -> String {
        let lines = std::iter::once(&self.text).chain(&self.details);
        lines.map(|line| escaped(line)).collect::<Vec<_>>().join("\n")
    }
}

/// Writes a Code Quality report of GitLab: see
/// <https://docs.gitlab.com/ci/testing/code_quality/>.
pub(super) fn write_gitlab(out: &mut dyn io::Write, packages: &[PackageExplorations]) -> io::Result<()> {
    let mut seen = BTreeMap::new();
    let violations = alerts(packages).into_iter().map(|alert| {
        let (path, begin) = alert.place();
        json!({
            "description": escaped(&alert.described()),
            "check_name": format!("sysguard/{}", alert.rule),
            "fingerprint": numbered(&mut seen, alert.fingerprint()),
            "severity": severity(&alert),
            "location": { "path": path, "lines": { "begin": begin } },
        })
    });
    serde_json::to_writer_pretty(&mut *out, &violations.collect::<Vec<_>>())?;
    writeln!(out)
}

/// Returns a fingerprint, with a number if it is not the first one: one file may have several
/// places of one finding.
pub(super) fn numbered(seen: &mut BTreeMap<String, u32>, fingerprint: String) -> String {
    let count = seen.entry(fingerprint.clone()).or_default();
    *count += 1;
    if *count == 1 { fingerprint } else { format!("{fingerprint}-{count}") }
}

/// Returns GitLab's word for an alert; it has five, and `info` fails nothing.
fn severity(alert: &Alert<'_>) -> &'static str {
    let is = |outcome: RunOutcome| alert.rule == rule(outcome.name());
    match alert.level {
        Level::Note | Level::Warning => "info",
        Level::Error if alert.rule == rule("forbidden") => "blocker",
        Level::Error if is(RunOutcome::Signal) || is(RunOutcome::Hang) || is(RunOutcome::Panic) => "critical",
        Level::Error => "major",
    }
}
