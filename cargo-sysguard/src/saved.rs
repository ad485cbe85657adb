//! Results that a command keeps for `report`, in the target directory beside what cargo builds.
//! Main type: [`SavedResults`].
//!
//! They are evidence of this machine, and no part of a baseline.

use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::exit_code::Failure;

/// The results of one command, one per workload.
#[derive(Debug)]
pub(crate) struct SavedResults {
    folder: PathBuf,
    /// The command that saves them again.
    command: &'static str,
}

impl SavedResults {
    /// Returns those in a target directory.
    pub(crate) fn below(target: &Path, folder: &str, command: &'static str) -> Self {
        Self { folder: target.join("sysguard").join(folder), command }
    }

    /// Saves the result of a workload, and returns its file.
    pub(crate) fn save(&self, package: &str, workload: &str, text: &[u8]) -> Result<PathBuf, Failure> {
        let file = self.file(package, workload);
        let write = || -> io::Result<()> {
            fs::create_dir_all(file.parent().unwrap_or(&self.folder))?;
            // Replaced as a whole: `report` may read it meanwhile.
            let mut new = tempfile::NamedTempFile::new_in(&self.folder)?;
            new.write_all(text)?;
            new.persist(&file).map(drop).map_err(|error| error.error)
        };
        write().map_err(|error| Failure::failed(format!("cannot write {}: {error}", file.display())))?;
        Ok(file)
    }

    /// Reads the result of a workload, if it was saved.
    pub(crate) fn load<T, E: Display>(
        &self,
        package: &str,
        workload: &str,
        read: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Result<Option<T>, Failure> {
        let file = self.file(package, workload);
        let cannot = |error: &dyn Display| {
            let remedy = format!("help: save it again with `{}`, or remove the file", self.command);
            Failure::failed(format!("cannot read {}: {error}\n{remedy}", file.display()))
        };
        match fs::read(&file) {
            Ok(bytes) => read(&bytes).map(Some).map_err(|error| cannot(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(cannot(&error)),
        }
    }

    fn file(&self, package: &str, workload: &str) -> PathBuf {
        // A slash would be a folder.
        self.folder.join(package).join(format!("{}.json", workload.replace('/', "%2F")))
    }
}
