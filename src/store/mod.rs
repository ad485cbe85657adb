//! The shell that touches expectation files and proposals. Main type: [`Store`].
//!
//! It must not judge what they say: text is read and made by the model, files are found, read and
//! replaced here. Nothing is rewritten when its bytes are the same.

mod error;
mod file;
mod find;
mod layout;
mod pending;
mod shared;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub use self::error::StoreError;
pub use self::layout::{Layout, Moved};
pub use self::pending::proposals_below;

use self::file::Content;
use self::shared::SharedFiles;
use crate::model::expectation::format::{self, MAX_BYTES, Parsed};
use crate::model::run::test_name;

/// The folder of a package that holds its expectations.
pub const FOLDER: &str = "expectations";

/// The expectation files of one package, by the names of their workloads.
#[derive(Debug)]
pub struct Store {
    package: PathBuf,
    /// Where proposals lie: the root of a tree like the package's own.
    proposals: PathBuf,
    /// Workload → file of its own, relative to the package.
    files: BTreeMap<String, PathBuf>,
    shared: SharedFiles,
    names: OnceLock<BTreeSet<String>>,
    /// Workload → proposal, relative to the root of proposals.
    pending: BTreeMap<String, PathBuf>,
    faults: Vec<StoreError>,
}

impl Store {
    /// Finds the expectations of a package and its proposals, which lie beside them or in a tree of
    /// their own (`PENDING_DIR/expectations/…`). A package without the folder has no workloads.
    ///
    /// # Errors
    ///
    /// Where there is no such package, or its `expectations` cannot be searched.
    pub fn open(package: &Path, pending_dir: Option<&Path>) -> Result<Self, StoreError> {
        if !package.is_dir() {
            return Err(StoreError::NoPackage { path: package.to_owned() });
        }
        let mut found = find::find(package)?;
        if let Some(root) = pending_dir.filter(|root| *root != package) {
            found.proposals = find::find(root)?.proposals;
        }
        Ok(Self {
            package: package.to_owned(),
            proposals: pending_dir.unwrap_or(package).to_owned(),
            shared: SharedFiles::taken_from(&mut found.expectations),
            files: found.expectations,
            names: OnceLock::new(),
            pending: found.proposals,
            faults: found.faults,
        })
    }

    /// The names of all workloads, ordered, as they were when they were first asked for.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all_names().iter().map(String::as_str)
    }

    fn all_names(&self) -> &BTreeSet<String> {
        self.names.get_or_init(|| self.files.keys().cloned().chain(self.names_in_shared()).collect())
    }

    /// Files that look like expectations and cannot be any. They fail a run; the other workloads
    /// still run.
    pub fn faults(&self) -> &[StoreError] {
        &self.faults
    }

    /// The names of all workloads that a proposal was found for, orphans included, ordered.
    pub fn pending(&self) -> impl Iterator<Item = &str> {
        self.pending.keys().map(String::as_str)
    }

    /// Proposals without their file, relative to the root of proposals.
    pub fn orphans(&self) -> impl Iterator<Item = &Path> {
        self.pending.iter().filter(|(name, _)| !self.all_names().contains(*name)).map(|(_, path)| path.as_path())
    }

    /// The file that holds a workload, relative to the package, whether or not it exists.
    pub fn file(&self, name: &str) -> PathBuf {
        find::path_of(self.shared_of(name).as_deref().unwrap_or(name), find::EXPECTATION)
    }

    /// Whether the file that holds a workload can hold others, too.
    pub fn is_shared(&self, name: &str) -> bool {
        self.shared_of(name).is_some()
    }

    /// Where a workload's proposal lies, whether or not it exists.
    pub fn proposal_file(&self, name: &str) -> PathBuf {
        self.proposals.join(find::path_of(name, find::PROPOSAL))
    }

    /// Whether this can be the name of a workload.
    pub fn check(&self, name: &str) -> Result<(), StoreError> {
        check(name)
    }

    /// Reads a workload's expectation.
    pub fn load(&self, name: &str) -> Result<Parsed, StoreError> {
        check(name)?;
        if let Some(shared) = self.shared_of(name) {
            return self.load_shared(&shared, name);
        }
        if test_name::tests_of(name).is_some() {
            return self.load_shared(name, name);
        }
        let file = self.file(name);
        parse(&file, &self.package.join(&file))
    }

    /// Reads a workload's proposal, if there is one.
    pub fn proposal(&self, name: &str) -> Result<Option<Parsed>, StoreError> {
        check(name)?;
        let path = self.proposal_file(name);
        match parse(&path, &path) {
            Err(error) if error.is_not_found() => Ok(None),
            parsed => parsed.map(Some),
        }
    }

    /// Replaces a workload's file, or creates it; of a shared file the part that is the workload's.
    /// Says whether a byte changed.
    pub fn save(&self, name: &str, text: &str) -> Result<bool, StoreError> {
        check(name)?;
        if let Some(shared) = self.shared_of(name) {
            return self.save_shared(&shared, name, text);
        }
        file::replace(&self.package.join(self.file(name)), text)
    }

    /// Writes a workload's proposal. Says whether a byte changed.
    pub fn propose(&self, name: &str, text: &str) -> Result<bool, StoreError> {
        check(name)?;
        file::replace(&self.proposal_file(name), text)
    }

    /// Removes a workload's file, or its part of a shared one, and its proposal. Says whether there
    /// was any.
    pub fn remove(&self, name: &str) -> Result<bool, StoreError> {
        check(name)?;
        let removed = match self.shared_of(name) {
            Some(shared) => self.remove_from_shared(&shared, name)?,
            None => file::remove(&self.package.join(self.file(name)))?,
        };
        Ok(self.remove_proposal(name)? || removed)
    }

    /// Removes a workload's proposal. Says whether there was one.
    pub fn remove_proposal(&self, name: &str) -> Result<bool, StoreError> {
        check(name)?;
        let proposal = self.proposal_file(name);
        let removed = file::remove(&proposal)?;
        if let Some(shared) = self.shared_of(name).filter(|_| removed) {
            // Only proposals had folders there. The folder of the shared file stays, for it may be
            // locked.
            let shared = self.proposals.join(find::path_of(&shared, find::EXPECTATION));
            for (below, up_to) in proposal.parent().into_iter().zip(shared.parent()) {
                file::remove_empty_folders(below, up_to);
            }
        }
        Ok(removed)
    }
}

/// A name may come from a command line: none leads out of the folder.
fn check(name: &str) -> Result<(), StoreError> {
    if find::is_name(name) { Ok(()) } else { Err(find::bad_name(PathBuf::from(name))) }
}

/// Reads and parses; `shown` is how the file is called in errors about its text.
fn parse(shown: &Path, path: &Path) -> Result<Parsed, StoreError> {
    match file::read(path, MAX_BYTES)? {
        Content::Regular(bytes) => format::read(&bytes)
            .map_err(|malformed| StoreError::Malformed { file: shown.display().to_string(), malformed }),
        Content::Other(kind) => Err(StoreError::NotAFile { path: path.to_owned(), kind }),
    }
}
