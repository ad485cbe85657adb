//! Differences as JSON: `sysguard.diff/1`. Field names and their order are a public interface.

use std::io;

use serde::Serialize;

use super::Base;
use super::reachable::{ReachDiff, ReachDiffRecord};
use crate::model::judge::revisions::{BaselineDiff, Change, EntryDifference, ExpectationDiff};
#[cfg(test)]
use crate::report::schema::FactKey;

/// What `cargo sysguard diff --format json` writes. Within version 1, fields may be added and none
/// changes its meaning.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "sysguard.diff/1"))]
pub(in crate::report) struct DiffRecord<'a> {
    #[cfg_attr(test, schemars(extend("const" = "sysguard.diff/1")))]
    schema: &'static str,
    /// The revision, as the user named it.
    base: &'a str,
    /// Whether both revisions were run on this machine. Otherwise their files were compared.
    traced: bool,
    workloads: Vec<WorkloadRecord<'a>>,
    /// The workloads with a program that could make other calls; empty unless both revisions were
    /// run.
    reach: Vec<ReachDiffRecord<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct WorkloadRecord<'a> {
    workload: &'a str,
    /// The expectation file, relative to its package.
    file: &'a str,
    #[cfg_attr(test, schemars(extend("enum" = ["added", "removed", "changed"])))]
    change: &'static str,
    /// Whether the author's document has changed.
    document_changed: bool,
    baselines: Vec<BaselineRecord>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct BaselineRecord {
    platform: String,
    #[cfg_attr(test, schemars(extend("enum" = ["added", "removed", "changed"])))]
    change: &'static str,
    new: Vec<FindingRecord>,
    gone: Vec<FindingRecord>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FindingRecord {
    #[cfg_attr(test, schemars(extend("enum" = ["subsystem", "blind-spot", "abi", "syscall", "argument", "object", "error"])))]
    kind: &'static str,
    #[cfg_attr(test, schemars(with = "FactKey"))]
    key: String,
    /// Arguments and objects of a new call: argument=… and object=….
    details: Vec<String>,
    /// Why the workload needs it, if the file says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String"))]
    why: Option<String>,
    /// The owner, if the file names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String"))]
    owner: Option<String>,
}

/// Writes the differences since a revision as one object.
pub fn json(out: &mut dyn io::Write, base: Base<'_>, diffs: &[ExpectationDiff], reach: &[ReachDiff]) -> io::Result<()> {
    let workloads = diffs.iter().map(workload_record).collect();
    serde_json::to_writer_pretty(
        &mut *out,
        &DiffRecord {
            schema: "sysguard.diff/1",
            base: base.revision,
            traced: base.traced,
            workloads,
            reach: reach.iter().map(ReachDiffRecord::from).collect(),
        },
    )?;
    writeln!(out)
}

fn workload_record(diff: &ExpectationDiff) -> WorkloadRecord<'_> {
    let baseline = |BaselineDiff { platform, change, new, gone }: &BaselineDiff| {
        let records =
            |entered: &[EntryDifference]| entered.iter().map(|entered| record(&diff.workload, entered)).collect();
        BaselineRecord { platform: platform.to_string(), change: name(*change), new: records(new), gone: records(gone) }
    };
    WorkloadRecord {
        workload: &diff.workload,
        file: &diff.file,
        change: name(diff.change),
        document_changed: diff.document,
        baselines: diff.baselines.iter().map(baseline).collect(),
    }
}

/// Returns the record of a finding. Its kind is the depth of the fact; the list that contains it
/// says whether it is new or gone.
fn record(workload: &str, EntryDifference { finding, why, owner }: &EntryDifference) -> FindingRecord {
    let kind = finding.kind.name();
    FindingRecord {
        kind: kind.strip_prefix("new-").unwrap_or(kind),
        key: finding.fact.key(workload),
        details: finding.details.iter().map(ToString::to_string).collect(),
        why: why.clone(),
        owner: owner.clone(),
    }
}

fn name(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Removed => "removed",
        Change::Changed => "changed",
    }
}
