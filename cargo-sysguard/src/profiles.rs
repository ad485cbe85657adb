//! Profiles that `profile --save` keeps for `report`. Main type: [`SavedProfiles`].
//!
//! They are in the target directory, since they describe this machine only. They never enter a
//! baseline.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use profile::report::{ProfileRecord, write_section};
use sysguard::unstable::report::Palette;

use crate::exit_code::Failure;

/// The saved profiles of a workspace.
#[derive(Debug)]
pub(crate) struct SavedProfiles {
    folder: PathBuf,
}

impl SavedProfiles {
    /// Returns the saved profiles in a target directory.
    pub(crate) fn below(target: &Path) -> Self {
        Self { folder: target.join("sysguard/profiles") }
    }

    /// Saves the profile of a workload, and returns its file.
    pub(crate) fn save(&self, package: &str, workload: &str, record: &ProfileRecord) -> Result<PathBuf, Failure> {
        let file = self.file(package, workload);
        let write = || -> io::Result<()> {
            fs::create_dir_all(file.parent().unwrap_or(&self.folder))?;
            let mut text = Vec::new();
            profile::report::write(&mut text, record, profile::report::Format::Json, &Palette::plain())?;
            // Replace the file as a whole, because `report` may read it at the same time.
            let mut new = tempfile::NamedTempFile::new_in(&self.folder)?;
            io::Write::write_all(&mut new, &text)?;
            new.persist(&file).map(drop).map_err(|error| error.error)
        };
        write().map_err(|error| Failure::failed(format!("cannot write {}: {error}", file.display())))?;
        Ok(file)
    }

    /// Returns the profile of a workload as a section of an HTML page, if it was saved.
    pub(crate) fn markup(&self, package: &str, workload: &str) -> Result<Option<String>, Failure> {
        let Some(record) = self.load(package, workload)? else { return Ok(None) };
        let mut markup = Vec::new();
        write_section(&mut markup, &record).map_err(Failure::output)?;
        Ok(Some(String::from_utf8_lossy(&markup).into_owned()))
    }

    /// Reads the profile of a workload, if it was saved.
    fn load(&self, package: &str, workload: &str) -> Result<Option<ProfileRecord>, Failure> {
        let file = self.file(package, workload);
        let cannot = |error: &dyn std::fmt::Display| {
            let remedy = "help: save it again with `cargo sysguard profile --save`, or remove the file";
            Failure::failed(format!("cannot read {}: {error}\n{remedy}", file.display()))
        };
        match fs::read(&file) {
            Ok(bytes) => ProfileRecord::read(&bytes).map(Some).map_err(|error| cannot(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(cannot(&error)),
        }
    }

    fn file(&self, package: &str, workload: &str) -> PathBuf {
        // A slash would create a folder.
        self.folder.join(package).join(format!("{}.json", workload.replace('/', "%2F")))
    }
}
