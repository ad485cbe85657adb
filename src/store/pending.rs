//! Reads a proposal with its file, and writes the result of a decision. The model computes that
//! result.

use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::shared::test_in;
use super::{Store, StoreError};
use crate::model::expectation::format::{self, Parsed};
use crate::model::judge::pending::{Pending, Settled};
use crate::model::run::test_name;

impl Store {
    /// Returns what is pending of a workload; `None` if there is no proposal, or if the file
    /// already holds all of it.
    pub fn pending_of(&self, name: &str) -> Result<Option<Pending>, StoreError> {
        let Some(proposal) = self.proposal(name)? else { return Ok(None) };
        if test_name::tests_of(name).is_some() {
            return Err(self.unfit(name, "that file is shared by tests, which have proposals of their own"));
        }
        let file = match self.load(name) {
            Err(error) if error.is_not_found() && test_name::shared_file(name).is_some() => {
                match test_in(&proposal.expectation).filter(|test| test.workload() == name) {
                    Some(test) if self.is_shared(name) => self.load_test(&test)?,
                    Some(_) => proposal.clone().without_baselines(),
                    None => return Err(self.unfit(name, "it names another test than its path does")),
                }
            }
            Err(error) if error.is_not_found() => {
                if !proposal.expectation.document.workload.program.needs_no_file() {
                    return Err(self.unfit(name, "there is no such file"));
                }
                proposal.clone().without_baselines()
            }
            file => file?,
        };
        Pending::between(file, &proposal).map_err(|misfit| self.unfit(name, misfit))
    }

    /// Reads what is pending, decides on it and writes the result, while no other process writes in
    /// this package. Returns whether anything was pending.
    pub fn decide(&self, name: &str, decision: impl FnOnce(&Pending) -> Settled) -> Result<bool, StoreError> {
        let lock = self.lock()?;
        let Some(pending) = self.pending_of(name)? else { return Ok(false) };
        self.settle(&lock, name, &decision(&pending))?;
        Ok(true)
    }

    /// Writes a workload's file unless another process changed it since `before` was read. Returns
    /// whether a byte changed.
    pub fn save_over(&self, name: &str, before: &Parsed, text: &str) -> Result<bool, StoreError> {
        let lock = self.lock()?;
        match self.load(name) {
            Ok(now) if now.expectation != before.expectation => Err(StoreError::Changed { file: self.file(name) }),
            Err(error) if !error.is_not_found() => Err(error),
            _ => self.save_locked(&lock, name, text),
        }
    }

    /// Writes the result of a decision. The file is written first, so that nothing is lost if the
    /// second write fails. A rejection does not create a missing file.
    fn settle(&self, lock: &Lock, name: &str, settled: &Settled) -> Result<(), StoreError> {
        let holds_something =
            || format::read(settled.file.as_bytes()).is_ok_and(|file| !file.expectation.baselines.is_empty());
        if self.all_names().contains(name) || holds_something() {
            self.save_locked(lock, name, &settled.file)?;
        }
        match &settled.proposal {
            Some(rest) => self.propose_locked(lock, name, rest)?,
            None => self.remove_proposal_locked(lock, name)?,
        };
        Ok(())
    }

    fn unfit(&self, name: &str, reason: impl ToString) -> StoreError {
        let path = self.proposal_file(name);
        let proposal = path.strip_prefix(&self.package).unwrap_or(&path).to_owned();
        StoreError::Unfit { name: name.to_owned(), proposal, file: self.file(name), reason: reason.to_string() }
    }
}

/// Returns the folder for a package's proposals below the folder for those of the workspace. It
/// mirrors the package's place in the workspace. A relative folder starts at the workspace.
pub fn proposals_below(folder: &Path, workspace: &Path, package: &Path) -> PathBuf {
    let place = package.strip_prefix(workspace).unwrap_or(Path::new(""));
    workspace.join(folder).join(place)
}
