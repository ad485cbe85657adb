//! Differences as JSON: `sysguard.diff/1`. Field names and their order are a public interface.

use std::io;

use serde::Serialize;

use super::Base;
use crate::model::judge::revisions::{BaselineDrift, Change, Drift, Entered};

#[derive(Serialize)]
struct DiffRecord<'a> {
    schema: &'static str,
    base: &'a str,
    /// Whether both revisions were run on this machine. Otherwise their files were compared.
    traced: bool,
    workloads: Vec<DriftRecord<'a>>,
}

#[derive(Serialize)]
struct DriftRecord<'a> {
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
pub fn json(out: &mut dyn io::Write, base: Base<'_>, drifts: &[Drift]) -> io::Result<()> {
    let workloads = drifts.iter().map(drift_record).collect();
    serde_json::to_writer_pretty(
        &mut *out,
        &DiffRecord { schema: "sysguard.diff/1", base: base.revision, traced: base.traced, workloads },
    )?;
    writeln!(out)
}

fn drift_record(drift: &Drift) -> DriftRecord<'_> {
    let baseline = |BaselineDrift { platform, change, new, gone }: &BaselineDrift| {
        let records = |entered: &[Entered]| entered.iter().map(|entered| record(&drift.workload, entered)).collect();
        BaselineRecord { platform: platform.to_string(), change: name(*change), new: records(new), gone: records(gone) }
    };
    DriftRecord {
        workload: &drift.workload,
        file: &drift.file,
        change: name(drift.change),
        document_changed: drift.document,
        baselines: drift.baselines.iter().map(baseline).collect(),
    }
}

/// Returns the record of a finding. Its kind is the depth of the fact; the list that contains it
/// says whether it is new or gone.
fn record(workload: &str, Entered { finding, why, owner }: &Entered) -> FindingRecord {
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
