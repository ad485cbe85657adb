//! What programs of workloads could call, as `reach --save` keeps it for `report`. Main type:
//! [`SavedReaches`].

use std::fs;
use std::path::{Path, PathBuf};

use reach::report::{Format, ReachRecord, digest, write};
use sysguard::unstable::report::Palette;
use sysguard::unstable::report::evidence::StaticReach;

use crate::exit_code::Failure;
use crate::saved::SavedResults;

/// The saved results of a workspace.
#[derive(Debug)]
pub(crate) struct SavedReaches(SavedResults);

impl SavedReaches {
    /// Returns those in a target directory.
    pub(crate) fn below(target: &Path) -> Self {
        Self(SavedResults::below(target, "reach", "cargo sysguard reach --workload NAME --save"))
    }

    /// Saves the result of a workload, and returns its file.
    pub(crate) fn save(&self, package: &str, workload: &str, record: &ReachRecord) -> Result<PathBuf, Failure> {
        let mut text = Vec::new();
        write(&mut text, record, Format::Json, &Palette::plain()).map_err(Failure::output)?;
        self.0.save(package, workload, &text)
    }

    /// Returns the result of a workload for the evidence, if it was saved.
    pub(crate) fn evidence(&self, package: &str, workload: &str) -> Result<Option<StaticReach>, Failure> {
        let Some(record) = self.0.load(package, workload, ReachRecord::read)? else { return Ok(None) };
        let observed = record.observed().unwrap_or_default();
        Ok(Some(StaticReach {
            observed: observed as u64,
            reachable: record.reachable().len() as u64,
            is_upper_bound: record.is_upper_bound(),
            changed: changed(&record),
        }))
    }
}

/// Returns the first file that has changed since the analysis.
fn changed(record: &ReachRecord) -> Option<String> {
    let is_changed = |(path, known): &(&Path, &str)| fs::read(path).map_or(true, |bytes| digest(&bytes) != *known);
    record.digests().find(is_changed).map(|(path, _)| path.to_string_lossy().into_owned())
}
