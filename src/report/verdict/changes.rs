//! What changes around a workload, and in its expectation file, as records.

use serde::{Deserialize, Serialize};

use crate::model::facts::fingerprint::FingerprintChange;
use crate::model::judge::verdict::Change;

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct FingerprintChangeRecord {
    part: String,
    recorded: String,
    now: String,
}

/// The expectation file before and after accepting everything.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::report) struct ChangeRecord {
    before: String,
    after: String,
    /// The file that `after` was written to, relative to the package; null if none. A proposal has
    /// comments after it.
    written: Option<String>,
    /// The folder of proposals, if they are not beside their files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String"))]
    pending_dir: Option<String>,
}

impl From<FingerprintChange> for FingerprintChangeRecord {
    fn from(FingerprintChange { part, recorded, now }: FingerprintChange) -> Self {
        Self { part, recorded, now }
    }
}

impl From<FingerprintChangeRecord> for FingerprintChange {
    fn from(FingerprintChangeRecord { part, recorded, now }: FingerprintChangeRecord) -> Self {
        Self { part, recorded, now }
    }
}

impl From<Change> for ChangeRecord {
    fn from(Change { before, after, written, pending_dir }: Change) -> Self {
        Self { before, after, written, pending_dir }
    }
}

impl From<ChangeRecord> for Change {
    fn from(ChangeRecord { before, after, written, pending_dir }: ChangeRecord) -> Self {
        Self { before, after, written, pending_dir }
    }
}
