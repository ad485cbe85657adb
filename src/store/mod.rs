//! Reads and writes expectation files and proposals. Main type: [`Store`].
//!
//! Text is parsed and made by the model; files are found, read and replaced here. It must not judge
//! their content. A file is not rewritten if its bytes stay the same.

mod error;
mod file;
mod find;
mod layout;
mod lock;
mod pending;
mod place;
mod shared;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub use self::error::StoreError;
pub use self::layout::{Kept, KeptReason, Layout, Moved};
pub use self::lock::on_long_wait;
pub use self::pending::{Decided, proposals_below};

pub(crate) use self::file::{create_unique, text_if_regular};

use self::file::Content;
use self::lock::Lock;
use self::shared::SharedFiles;
use crate::model::expectation::format::{self, MAX_BYTES, Parsed};
use crate::model::run::test_name;

/// The folder of a package that holds its expectations.
pub const FOLDER: &str = "expectations";

/// The expectation files of one package, by the names of their workloads.
///
/// The set of workloads is the one that [`Store::open`] found. Each access looks up the file of its
/// workload again, because another process may move it.
#[derive(Debug)]
pub struct Store {
    package: PathBuf,
    /// The root of the tree of proposals, which mirrors the package.
    proposals: PathBuf,
    /// Each workload's own file at [`Store::open`] by workload name, relative to the package.
    files: BTreeMap<String, PathBuf>,
    shared: SharedFiles,
    names: OnceLock<BTreeSet<String>>,
    /// The proposal by workload name, relative to the root of proposals.
    pending: BTreeMap<String, PathBuf>,
    faults: Vec<StoreError>,
}

impl Store {
    /// Finds the expectations of a package and its proposals. A package without the folder has no
    /// workloads.
    ///
    /// Proposals are beside the expectations or in a tree of their own
    /// (`PENDING_DIR/expectations/…`).
    ///
    /// # Errors
    ///
    /// There is no such package, or its `expectations` cannot be searched.
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

    /// Returns the names of all workloads in order, as found by the first call.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all_names().iter().map(String::as_str)
    }

    fn all_names(&self) -> &BTreeSet<String> {
        self.names.get_or_init(|| self.files.keys().cloned().chain(self.names_in_shared()).collect())
    }

    /// Returns the files that look like expectations but cannot be used. They fail a run; the other
    /// workloads still run.
    pub fn faults(&self) -> &[StoreError] {
        &self.faults
    }

    /// Returns the names of all workloads that have a proposal, orphans included, in order.
    pub fn pending(&self) -> impl Iterator<Item = &str> {
        self.pending.keys().map(String::as_str)
    }

    /// Returns the proposals without a file, relative to the root of proposals.
    pub fn orphans(&self) -> impl Iterator<Item = &Path> {
        self.pending.iter().filter(|(name, _)| !self.all_names().contains(*name)).map(|(_, path)| path.as_path())
    }

    /// Returns the file that holds a workload, relative to the package, whether or not it exists.
    pub fn file(&self, name: &str) -> PathBuf {
        find::path_of(self.shared_of(name).as_deref().unwrap_or(name), find::EXPECTATION)
    }

    /// Returns whether the file that holds a workload can hold others too.
    pub fn is_shared(&self, name: &str) -> bool {
        self.shared_of(name).is_some()
    }

    /// Returns the path of a workload's proposal, whether or not it exists.
    pub fn proposal_file(&self, name: &str) -> PathBuf {
        self.proposals.join(find::path_of(name, find::PROPOSAL))
    }

    /// Checks that this is a valid workload name.
    pub fn check(&self, name: &str) -> Result<(), StoreError> {
        check(name)
    }

    /// Reads a workload's expectation.
    pub fn load(&self, name: &str) -> Result<Parsed, StoreError> {
        check(name)?;
        if test_name::tests_of(name).is_some() {
            return self.load_shared(name, name);
        }
        self.at_place(name, |shared| match shared {
            Some(shared) => self.load_shared(shared, name),
            None => {
                let file = find::path_of(name, find::EXPECTATION);
                parse(&file, &self.package.join(&file))
            }
        })
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

    /// Replaces or creates a workload's file, or replaces its part of a shared file. Returns
    /// whether a byte changed.
    pub fn save(&self, name: &str, text: &str) -> Result<bool, StoreError> {
        check(name)?;
        let lock = self.lock()?;
        self.save_locked(&lock, name, text)
    }

    fn save_locked(&self, _lock: &Lock, name: &str, text: &str) -> Result<bool, StoreError> {
        match self.shared_of(name) {
            Some(shared) => self.save_shared(&shared, name, text),
            None => self.save_own(name, text),
        }
    }

    /// Writes a workload's proposal. Returns whether a byte changed.
    pub fn propose(&self, name: &str, text: &str) -> Result<bool, StoreError> {
        check(name)?;
        let lock = self.lock()?;
        self.propose_locked(&lock, name, text)
    }

    fn propose_locked(&self, _lock: &Lock, name: &str, text: &str) -> Result<bool, StoreError> {
        let path = self.proposal_file(name);
        check_size(&path, text, MAX_BYTES)?;
        file::replace(&path, text)
    }

    /// Removes a workload's file, or its part of a shared file, and its proposal. Returns whether
    /// there was anything to remove.
    pub fn remove(&self, name: &str) -> Result<bool, StoreError> {
        check(name)?;
        let lock = self.lock()?;
        let removed = match self.shared_of(name) {
            Some(shared) => self.remove_from_shared(&shared, name)?,
            None => file::remove(&self.package.join(find::path_of(name, find::EXPECTATION)))?,
        };
        Ok(self.remove_proposal_locked(&lock, name)? || removed)
    }

    /// Waits until no other process writes expectations of this package.
    fn lock(&self) -> Result<Lock, StoreError> {
        Lock::of(&self.package)
    }

    /// Removes a workload's proposal. Returns whether there was one.
    pub fn remove_proposal(&self, name: &str) -> Result<bool, StoreError> {
        check(name)?;
        // A passing test usually has no proposal. It then needs no lock, which another process may
        // hold for long.
        if fs::symlink_metadata(self.proposal_file(name)).is_err() {
            return Ok(false);
        }
        let lock = self.lock()?;
        self.remove_proposal_locked(&lock, name)
    }

    fn remove_proposal_locked(&self, _lock: &Lock, name: &str) -> Result<bool, StoreError> {
        let proposal = self.proposal_file(name);
        let removed = file::remove(&proposal)?;
        if let Some(shared) = self.shared_of(name).filter(|_| removed) {
            // These folders contained only proposals.
            let shared = self.proposals.join(find::path_of(&shared, find::EXPECTATION));
            for (below, up_to) in proposal.parent().into_iter().zip(shared.parent()) {
                file::remove_empty_folders(below, up_to);
            }
        }
        Ok(removed)
    }
}

/// Checks a name, which may come from a command line: no valid name leads out of the folder.
fn check(name: &str) -> Result<(), StoreError> {
    if find::is_name(name) { Ok(()) } else { Err(find::bad_name(PathBuf::from(name))) }
}

/// Refuses to write a text above the size limit for reading it.
fn check_size(path: &Path, text: &str, most: usize) -> Result<(), StoreError> {
    if text.len() <= most {
        return Ok(());
    }
    Err(StoreError::TooLarge { path: path.to_owned(), bytes: text.len(), most: most / (1024 * 1024) })
}

/// Reads and parses a file; `shown` is its name in error messages.
fn parse(shown: &Path, path: &Path) -> Result<Parsed, StoreError> {
    match file::read(path, MAX_BYTES)? {
        Content::Regular(bytes) => format::read(&bytes)
            .map_err(|malformed| StoreError::Malformed { file: shown.display().to_string(), malformed }),
        Content::Other(kind) => Err(StoreError::NotAFile { path: path.to_owned(), kind }),
    }
}
