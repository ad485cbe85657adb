//! Profiles that `profile --save` keeps for `report`. Main type: [`SavedProfiles`].

use std::path::{Path, PathBuf};

use profile::report::{Format, ProfileRecord, write, write_section};
use sysguard::unstable::report::Palette;

use crate::exit_code::Failure;
use crate::saved::SavedResults;

/// The saved profiles of a workspace.
#[derive(Debug)]
pub(crate) struct SavedProfiles(SavedResults);

impl SavedProfiles {
    /// Returns the saved profiles in a target directory.
    pub(crate) fn below(target: &Path) -> Self {
        Self(SavedResults::below(target, "profiles", "cargo sysguard profile --save"))
    }

    /// Saves the profile of a workload, and returns its file.
    pub(crate) fn save(&self, package: &str, workload: &str, record: &ProfileRecord) -> Result<PathBuf, Failure> {
        let mut text = Vec::new();
        write(&mut text, record, Format::Json, &Palette::plain()).map_err(Failure::output)?;
        self.0.save(package, workload, &text)
    }

    /// Returns the profile of a workload as a section of an HTML page, if it was saved.
    pub(crate) fn markup(&self, package: &str, workload: &str) -> Result<Option<String>, Failure> {
        let Some(record) = self.0.load(package, workload, ProfileRecord::read)? else { return Ok(None) };
        let mut markup = Vec::new();
        write_section(&mut markup, &record).map_err(Failure::output)?;
        Ok(Some(String::from_utf8_lossy(&markup).into_owned()))
    }
}
