//! A verdict as machines read it: the record in [`json`](super::json), and a line of JSON that is
//! also read back. Main type: [`VerdictRecord`].
//!
//! Field names are a public interface.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::changes::{ChangeRecord, FingerprintChangeRecord};
use super::site::SiteRecord;
use crate::model::engine::{Engine, UsedEngine};
use crate::model::facts::example::Example;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::finding::Suspect;
use crate::model::facts::finding::{Comparison, Finding, FindingKind, RelatedSyscall};
use crate::model::facts::fingerprint::FingerprintChange;
use crate::model::facts::site::{NoSite, Site};
use crate::model::facts::version::Version;
use crate::model::judge::groups::Cause;
use crate::model::judge::verdict::{Asked, Change, Status, Verdict};
use crate::model::run::recording::Growth;
use crate::model::run::workload::Exit;
use crate::report::exit;
#[cfg(test)]
use crate::report::schema::FactKey;

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct VerdictRecord {
    workload: String,
    /// The expectation file, relative to its package.
    file: String,
    /// The line in the expectation file, counted from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    line: Option<usize>,
    #[serde(with = "StatusRecord")]
    #[cfg_attr(test, schemars(with = "StatusRecord"))]
    status: Status,
    /// The new facts that fail.
    findings: Vec<FindingRecord>,
    /// New facts that do not fail.
    notes: Vec<FindingRecord>,
    /// New facts that were not in every run; they do not fail.
    #[serde(default)]
    suspects: Vec<SuspectRecord>,
    /// Facts in the baseline that were not seen.
    #[cfg_attr(test, schemars(with = "Vec<FactKey>"))]
    gone: Vec<String>,
    /// What changed around the workload since the baseline was recorded.
    #[serde(default)]
    drift: Vec<FingerprintChangeRecord>,
    /// The number of new facts in each recorded run.
    #[serde(default)]
    growth: Vec<usize>,
    change: Option<ChangeRecord>,
    /// The engine that was used. The guard does not see counts, errnos and removed facts of
    /// expected calls. The reason says why ptrace was used instead of the requested engine.
    #[serde(default)]
    watched: WatchedRecord,
    /// The version of the baseline. Version 1 holds arguments and objects on their own, so their
    /// combination was not compared.
    #[serde(default = "latest")]
    #[cfg_attr(test, schemars(range(min = 1)))]
    version: u32,
}

fn latest() -> u32 {
    Version::LATEST.number()
}

/// The engine that was used, and why it is not the requested one.
#[derive(Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct WatchedRecord {
    #[cfg_attr(test, schemars(extend("enum" = ["ptrace", "guard", "notify"])))]
    engine: String,
    reason: Option<String>,
}

impl From<UsedEngine> for WatchedRecord {
    fn from(used: UsedEngine) -> Self {
        Self { engine: used.engine.name().to_owned(), reason: used.fallback }
    }
}

impl From<WatchedRecord> for UsedEngine {
    fn from(record: WatchedRecord) -> Self {
        let is_named = |engine: &Engine| engine.name() == record.engine;
        let engine = [Engine::Guard, Engine::Notify].into_iter().find(is_named).unwrap_or_default();
        record.reason.map_or(engine.into(), Self::instead)
    }
}

/// The outcome and its details: `{"kind": "no_baseline", "platform": "x86_64-linux-gnu"}`.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(remote = "Status", tag = "kind", rename_all = "snake_case")]
pub(in crate::report) enum StatusRecord {
    Passed,
    Blessed,
    Failed,
    NoBaseline {
        platform: String,
    },
    WrongExit {
        #[serde(with = "exit")]
        #[cfg_attr(test, schemars(with = "exit::ExitRecord"))]
        expected: Exit,
        #[serde(with = "exit")]
        #[cfg_attr(test, schemars(with = "exit::ExitRecord"))]
        actual: Exit,
        /// The end of the workload's output.
        output: String,
    },
    Ignored {
        reason: String,
    },
    Malformed {
        message: String,
    },
    NotStarted {
        reason: String,
    },
    Untraceable {
        reason: String,
    },
    Broken {
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FindingRecord {
    #[cfg_attr(test, schemars(with = "FactKey"))]
    key: String,
    #[cfg_attr(test, schemars(extend("enum" = FindingKind::ALL.map(FindingKind::name))))]
    kind: String,
    /// The line in the expectation file, counted from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    line: Option<usize>,
    calls: u64,
    /// Arguments and objects of a new system call, as argument=… and object=….
    #[cfg_attr(test, schemars(inner(regex(pattern = "^(argument|object|error|abi)="))))]
    details: Vec<String>,
    /// The reason of the `forbid:` rule that it breaks.
    forbidden: Option<String>,
    /// The family of related calls, and the member that is in the baseline.
    #[serde(rename = "kin")]
    related: Option<RelatedRecord>,
    /// A cause in the changed environment.
    cause: Option<String>,
    /// What made its first call, as an id. Findings of one cause share it, in every workload, run
    /// and format. `accept` and `reject` take it.
    #[serde(default)]
    #[cfg_attr(test, schemars(regex(pattern = "^@[0-9a-f]{8}$")))]
    group: String,
    /// The call site of its first call; null if it is not known.
    #[serde(default)]
    site: Option<SiteRecord>,
    /// Why no call site, or no function in it, is known; absent if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("enum" = NoSite::ALL.map(NoSite::name)), with = "String"))]
    site_reason: Option<String>,
    /// Its first call, decoded, with its result if the engine knows it. Long values are cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String"))]
    example: Option<String>,
    /// The commands from the workload down to the process of the first call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    process: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RelatedRecord {
    family: String,
    beside: String,
}

/// A finding that `seen` of `runs` runs showed.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SuspectRecord {
    #[serde(flatten)]
    finding: FindingRecord,
    seen: u32,
    runs: u32,
}

/// Why a line is not a verdict.
#[derive(Debug, thiserror::Error)]
pub enum NotAVerdict {
    /// The line is not JSON of this shape.
    #[error("cannot read a verdict: {0}")]
    Shape(#[from] serde_json::Error),
    /// A word in it is not known.
    #[error("cannot read the verdict on {workload}: `{word}` is not a {expected}")]
    Word {
        /// The workload.
        workload: String,
        /// The word.
        word: String,
        /// The expected kind of word.
        expected: &'static str,
    },
}

/// A line that a harness writes: a verdict and its package.
#[derive(Serialize, Deserialize)]
struct Line {
    /// The folder of the package.
    package: String,
    /// Outside of the verdict, which does not depend on the time.
    #[serde(default)]
    milliseconds: u64,
    verdict: VerdictRecord,
}

/// Writes the verdict on a workload of the package in this folder as one line of JSON.
pub fn write_json_line(out: &mut dyn io::Write, package: &str, verdict: &Verdict) -> io::Result<()> {
    let milliseconds = u64::try_from(verdict.elapsed.as_millis()).unwrap_or(u64::MAX);
    let line = Line { package: package.to_owned(), milliseconds, verdict: VerdictRecord::of(verdict) };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}

/// Reads a line of [`write_json_line`]. Returns the folder of the package and the verdict.
pub fn read_json_line(line: &str) -> Result<(String, Verdict), NotAVerdict> {
    let Line { package, milliseconds, verdict } = serde_json::from_str(line)?;
    Ok((package, Verdict { elapsed: Duration::from_millis(milliseconds), ..verdict.into_verdict()? }))
}

impl VerdictRecord {
    pub(super) fn of(verdict: &Verdict) -> Self {
        let Verdict { workload, file, line, status, comparison, growth, change, .. } = verdict.clone();
        let records =
            |findings: Vec<Finding>| findings.into_iter().map(|found| FindingRecord::of(found, &workload)).collect();
        Self {
            findings: records(comparison.findings),
            notes: records(comparison.notes),
            suspects: comparison
                .suspects
                .into_iter()
                .map(|Suspect { finding, seen, runs }| SuspectRecord {
                    finding: FindingRecord::of(finding, &workload),
                    seen,
                    runs,
                })
                .collect(),
            drift: comparison.drift.into_iter().map(FingerprintChangeRecord::from).collect(),
            growth: growth.counts().to_vec(),
            watched: comparison.used.into(),
            version: comparison.version.number(),
            gone: comparison.gone.iter().map(|fact| fact.key(&workload)).collect(),
            change: change.map(ChangeRecord::from),
            workload,
            file,
            line,
            status,
        }
    }

    fn into_verdict(self) -> Result<Verdict, NotAVerdict> {
        let Self {
            workload,
            file,
            line,
            status,
            findings,
            notes,
            suspects,
            gone,
            drift,
            growth,
            change,
            watched,
            version,
        } = self;
        let finding = |record: FindingRecord| record.into_finding(&workload);
        let suspect = |SuspectRecord { finding, seen, runs }: SuspectRecord| {
            finding.into_finding(&workload).map(|finding| Suspect { finding, seen, runs })
        };
        let comparison = Comparison {
            findings: findings.into_iter().map(finding).collect::<Result<_, _>>()?,
            notes: notes.into_iter().map(finding).collect::<Result<_, _>>()?,
            suspects: suspects.into_iter().map(suspect).collect::<Result<_, _>>()?,
            drift: drift.into_iter().map(FingerprintChange::from).collect(),
            used: watched.into(),
            version: Version::from_number(version).unwrap_or_default(),
            gone: gone.iter().map(|key| fact(key, &workload)).collect::<Result<_, _>>()?,
        };
        let change = change.map(Change::from);
        let growth = Growth::from_counts(growth);
        Ok(Verdict {
            workload,
            file,
            line,
            status,
            comparison,
            growth,
            change,
            elapsed: Duration::ZERO,
            asked: Asked::Test,
        })
    }
}

impl FindingRecord {
    fn of(finding: Finding, workload: &str) -> Self {
        let group = Cause::of(workload, &finding).id();
        let site_reason = finding.site_reason().map(|reason| reason.name().to_owned());
        let (example, process) = finding.example.map(|it| (Some(it.call), it.process)).unwrap_or_default();
        Self {
            key: finding.fact.key(workload),
            group,
            kind: finding.kind.name().to_owned(),
            line: finding.line,
            calls: finding.calls,
            details: finding.details.iter().map(Detail::to_string).collect(),
            forbidden: finding.forbidden,
            related: finding.related.map(|RelatedSyscall { family, beside }| RelatedRecord { family, beside }),
            cause: finding.cause,
            site: finding.site.map(SiteRecord::from),
            site_reason,
            example,
            process,
        }
    }

    fn into_finding(self, workload: &str) -> Result<Finding, NotAVerdict> {
        let Self {
            key,
            kind,
            line,
            calls,
            details,
            forbidden,
            related,
            cause,
            site,
            site_reason,
            example,
            process,
            ..
        } = self;
        let detail = |word: String| word.parse().map_err(|_| bad_word(&word, "detail", workload));
        Ok(Finding {
            kind: FindingKind::from_name(&kind).ok_or_else(|| bad_word(&kind, "kind of finding", workload))?,
            fact: fact(&key, workload)?,
            details: details.into_iter().map(detail).collect::<Result<_, _>>()?,
            calls,
            forbidden,
            line,
            related: related.map(|RelatedRecord { family, beside }| RelatedSyscall { family, beside }),
            cause,
            no_site: site_reason.as_deref().and_then(NoSite::from_name).filter(|reason| reason.is_of_run()),
            site: site.map(Site::from),
            example: example.map(|call| Example { call, process }),
        })
    }
}

fn fact(key: &str, workload: &str) -> Result<Fact, NotAVerdict> {
    Fact::from_key(key, workload).ok_or_else(|| bad_word(key, "key of this workload", workload))
}

fn bad_word(word: &str, expected: &'static str, workload: &str) -> NotAVerdict {
    NotAVerdict::Word { workload: workload.to_owned(), word: word.to_owned(), expected }
}
