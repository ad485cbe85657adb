//! Findings as alerts for code quality tools, each at the source line that caused it, or else at a
//! line of an expectation file. Main type: [`Alert`].
//!
//! It must not know a format. Rules and fingerprints are a public interface: tools recognise an
//! alert by them.

use std::borrow::Cow;

use super::batch::{PackageVerdicts, Ranked, SourceLine, all};
use super::findings::words;
use super::headline;
use crate::model::facts::example::Example;
use crate::model::facts::finding::Suspect;
use crate::model::judge::verdict::{Status, Verdict};
use crate::model::judge::weight::Weight;
use crate::model::text::hash::fnv1a;

/// How severe an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// It fails the test.
    Error,
    /// Something recorded was not seen.
    Warning,
    /// It fails nothing.
    Note,
}

/// A finding, or a workload that was not compared.
#[derive(Debug, Clone)]
pub(super) struct Alert<'a> {
    /// The kind of a finding, or the status of a workload.
    pub(super) rule: &'static str,
    pub(super) level: Level,
    pub(super) weight: Weight,
    pub(super) key: String,
    pub(super) text: String,
    pub(super) package: &'a PackageVerdicts,
    pub(super) verdict: &'a Verdict,
    /// The line in the expectation file, if one is known.
    pub(super) line: Option<usize>,
    /// The line of the repository that caused it, if one is known.
    pub(super) source: Option<SourceLine>,
    /// The id of its cause, if one is known.
    pub(super) group: Option<String>,
}

/// Returns the alerts of a run, the heaviest first.
pub(super) fn alerts(packages: &[PackageVerdicts]) -> Vec<Alert<'_>> {
    let mut alerts: Vec<Alert<'_>> = all(packages).flat_map(|(package, verdict)| of(package, verdict)).collect();
    alerts.sort_by_key(|alert| alert.weight);
    alerts
}

/// Returns one alert per finding, or one for a workload that was not compared.
fn of<'a>(package: &'a PackageVerdicts, verdict: &'a Verdict) -> Vec<Alert<'a>> {
    let alert = |rule, level, weight, key, text, line| {
        let (source, group) = (None, None);
        Alert { rule, level, weight, key, text, package, verdict, line, source, group }
    };
    let whole = verdict.status.is_failure() && verdict.status != Status::Failed;
    let whole = whole.then(|| {
        let (rule, key) = (verdict.status.name(), verdict.workload.clone());
        alert(rule, Level::Error, Weight::Forbidden, key, headline(verdict), verdict.line)
    });
    let findings = Ranked::of(verdict).into_iter().map(|line| {
        let level = if line.weight == Weight::Note { Level::Note } else { Level::Error };
        let alert = alert(line.finding.rule(), level, line.weight, line.key(), text(&line), line.finding.line);
        Alert { source: package.source(line.finding), group: line.group(), ..alert }
    });
    let suspects = verdict.comparison.suspects.iter().map(|Suspect { finding, seen, runs }| {
        let key = finding.fact.key(&verdict.workload);
        let text = format!("{}, but in {seen} of {runs} runs only: {key}", words(finding.kind).0);
        let alert = alert("suspect", Level::Note, Weight::Note, key, text, finding.line);
        Alert { source: package.source(finding), ..alert }
    });
    let gone = verdict.comparison.gone.iter().map(|fact| {
        let key = fact.key(&verdict.workload);
        let text = format!("no longer seen: {key}");
        alert("gone", Level::Warning, Weight::Note, key, text, verdict.line)
    });
    whole.into_iter().chain(findings).chain(suspects).chain(gone).collect()
}

/// `new system call: net::hello::network::socket (AF_INET)`
fn text(line: &Ranked<'_>) -> String {
    let by = line.site().map(|site| format!("by {site}"));
    let remarks: Vec<String> = line.reasons().chain(line.remarks().map(Cow::into_owned)).chain(by).collect();
    let remarks = if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) };
    let example = line.example().map(|example| format!(": {}", placed(example))).unwrap_or_default();
    format!("{}: {}{remarks}{example}", line.kind().0, line.key())
}

/// Returns a call and the process that made it: `connect(3, 127.0.0.1:4433) = 0 in sh → curl`.
pub(super) fn placed(example: &Example) -> String {
    let process = if example.process.is_empty() { String::new() } else { format!(" in {}", example.origin()) };
    format!("{}{process}", example.call)
}

impl Alert<'_> {
    /// Returns the expectation file, relative to git's top level.
    pub(super) fn path(&self) -> String {
        self.package.path(self.verdict)
    }

    /// Returns what identifies the alert in later runs: a hash of its file and key. The line alone
    /// would merge everything that is new in a subsystem.
    pub(super) fn fingerprint(&self) -> String {
        format!("{:016x}", fnv1a(&format!("{} {}", self.path(), self.key)))
    }
}
