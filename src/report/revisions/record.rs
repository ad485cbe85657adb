//! Differences as JSON: `sysguard.diff/1`. Field names and their order are a public interface.

use std::io;

use serde::Serialize;

use super::Base;
use crate::model::judge::revisions::{BaselineDiff, Change, ExpectationDiff, EntryDifference};

#[derive(Serialize)]
struct DiffRecord<'a> {
    schema: &'static str,
    base: &'a str,
    /// Whether both revisions were run on this machine. Otherwise their files were compared.
    traced: bool,
    workloads: Vec<WorkloadRecord<'a>>,
}

#[derive(Serialize)]
struct WorkloadRecord<'a> {
    workload: &'a str,
    file: &'a str,
    change: &'static str,
    document_changed: bool,
    baselines: Vec<BaselineRecord>,
}

#[derive(Serialize)]
struct BaselineRecord {
    platform: String,
    change: &'static str,
    new: Vec<FindingRecord>,
    gone: Vec<FindingRecord>,
}

#[derive(Serialize)]
struct FindingRecord {
    kind: &'static str,
    key: String,
    details: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
}

/// Writes the differences since a revision as one object.
pub fn json(out: &mut dyn io::Write, base: Base<'_>, diffs: &[ExpectationDiff]) -> io::Result<()> {
    let workloads = diffs.iter().map(workload_record).collect();
    serde_json::to_writer_pretty(
        &mut *out,
        &DiffRecord { schema: "sysguard.diff/1", base: base.revision, traced: base.traced, workloads },
    )?;
    writeln!(out)
}

fn workload_record(diff: &ExpectationDiff) -> WorkloadRecord<'_> {
    let baseline = |BaselineDiff { platform, change, new, gone }: &BaselineDiff| {
        let records = |entered: &[EntryDifference]| entered.iter().map(|entered| record(&diff.workload, entered)).collect();
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
