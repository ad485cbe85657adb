//! Reads a proposal with its file, and writes and undoes decisions. The model computes their
//! results.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::shared::test_in;
use super::{Store, StoreError, file};
use crate::model::expectation::format::{self, MAX_SHARED_BYTES, Parsed};
use crate::model::judge::pending::{Pending, Settled};
use crate::model::run::test_name;

/// The files of a workload before and after a decision, for [`Store::undo`].
#[derive(Debug)]
pub struct Decided {
    before: Texts,
    after: Texts,
}

/// The proposal and the file of a workload, each with its path and its text if it exists.
type Texts = [(PathBuf, Option<String>); 2];

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
        Ok(self.decide_undoably(name, decision)?.is_some())
    }

    /// As [`Store::decide`]. Returns what undoes the decision; `None` if nothing was pending.
    pub fn decide_undoably(
        &self,
        name: &str,
        decision: impl FnOnce(&Pending) -> Settled,
    ) -> Result<Option<Decided>, StoreError> {
        let lock = self.lock()?;
        let Some(pending) = self.pending_of(name)? else { return Ok(None) };
        let before = self.texts(name)?;
        self.settle(&lock, name, &decision(&pending))?;
        Ok(Some(Decided { before, after: self.texts(name)? }))
    }

    /// Restores the bytes from before decisions, which are given in their order. Returns the file
    /// that has changed since, if any; then nothing is written.
    pub fn undo(decisions: &[(&Self, &str, &Decided)]) -> Result<Option<PathBuf>, StoreError> {
        // Every process takes each lock once, and all in the same order, so they cannot deadlock.
        let packages: BTreeSet<&Path> = decisions.iter().map(|(store, ..)| store.package.as_path()).collect();
        let _locks: Vec<Lock> = packages.into_iter().map(Lock::of).collect::<Result<_, _>>()?;
        // Proposals and files. Tests share files, so that a file can belong to several decisions.
        let mut restored: [BTreeMap<PathBuf, Option<String>>; 2] = Default::default();
        for (store, name, decided) in decisions.iter().rev() {
            let sides = store.texts(name)?.into_iter().zip(&decided.after).zip(&decided.before);
            for (((now, after), (path, before)), restored) in sides.zip(&mut restored) {
                let (at, text) = now;
                let text = restored.get(&at).cloned().unwrap_or(text);
                if (&at, &text) != (&after.0, &after.1) {
                    return Ok(Some(at));
                }
                restored.insert(path.clone(), before.clone());
            }
        }
        // Proposals come first, so that nothing is lost if a later write fails.
        for (path, text) in restored.iter().flatten() {
            match text {
                Some(text) => file::replace(path, text)?,
                None => file::remove(path)?,
            };
        }
        Ok(None)
    }

    fn texts(&self, name: &str) -> Result<Texts, StoreError> {
        let text = |path: PathBuf| match file::read(&path, MAX_SHARED_BYTES) {
            // A decision writes UTF-8, so a file with other bytes has changed since.
            Ok(file::Content::Regular(bytes)) => Ok((path, Some(String::from_utf8_lossy(&bytes).into_owned()))),
            Ok(file::Content::Other(kind)) => Err(StoreError::NotAFile { path, kind }),
            Err(error) if error.is_not_found() => Ok((path, None)),
            Err(error) => Err(error),
        };
        Ok([text(self.proposal_file(name))?, text(self.package.join(self.file(name)))?])
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const FILE: &str = "version: 1\nbin: demo # as written\n";
    const PROPOSAL: &str = "version: 1\nbin: demo # as written\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  process:\n    execve:\n    exit:\n";

    /// Returns a store with a proposal, and the paths of its file and its proposal.
    fn with_proposal() -> (tempfile::TempDir, Store, [PathBuf; 2]) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [file, proposal] = ["a.yaml", "a.yaml.new"].map(|name| folder.path().join("expectations").join(name));
        fs::create_dir(folder.path().join("expectations")).expect("a folder");
        fs::write(&file, FILE).expect("a file");
        fs::write(&proposal, PROPOSAL).expect("a proposal");
        let store = Store::open(folder.path(), None).expect("the store opens");
        (folder, store, [file, proposal])
    }

    #[test]
    fn undo_restores_every_byte_once() {
        let (_folder, store, [file, proposal]) = with_proposal();
        let read = |path: &Path| fs::read_to_string(path).ok();
        for accepted in [true, false] {
            let decision = |of: &Pending| if accepted { of.accept(of.all(), None) } else { of.reject(of.all()) };
            let decided = store.decide_undoably("a", decision).expect("it is written").expect("something was pending");
            assert_eq!((read(&file).as_deref(), read(&proposal)), (Some(if accepted { PROPOSAL } else { FILE }), None));
            assert_eq!(Store::undo(&[(&store, "a", &decided)]).expect("it is restored"), None);
            assert_eq!((read(&file).as_deref(), read(&proposal).as_deref()), (Some(FILE), Some(PROPOSAL)));
            let again = Store::undo(&[(&store, "a", &decided)]).expect("nothing to write");
            assert_eq!(again.as_ref(), Some(&proposal), "it is undone already");
        }
    }

    #[test]
    fn undo_refuses_a_file_that_has_changed() {
        let (_folder, store, [file, proposal]) = with_proposal();
        let decided = store.decide_undoably("a", |pending| pending.accept(pending.all(), None));
        let decided = decided.expect("it is written").expect("something was pending");
        let edited = format!("# mine\n{PROPOSAL}");
        fs::write(&file, &edited).expect("an edit");
        assert_eq!(Store::undo(&[(&store, "a", &decided)]).expect("nothing to write").as_ref(), Some(&file));
        assert_eq!(fs::read_to_string(&file).expect("the file"), edited);
        assert!(!proposal.exists());
    }
}
