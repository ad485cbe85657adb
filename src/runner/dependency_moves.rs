//! The dependencies that moved since a baseline was last changed, according to git.
//!
//! Read-only. The answer is empty without git, without such a commit, or if the expectation has
//! uncommitted changes.

use std::path::Path;

use super::git::Repository;
use super::suite::Suite;
use crate::model::observe::lockfile::Moves;

const LOCK: &str = "Cargo.lock";

/// Returns the folder of the lock file that applies to a package, and its text.
pub(super) fn locked(package: &Path) -> Option<(&Path, String)> {
    let folder = package.ancestors().find(|folder| folder.join(LOCK).is_file())?;
    Some((folder, std::fs::read_to_string(folder.join(LOCK)).ok()?))
}

impl Suite {
    /// Returns which dependencies moved since this file was last changed. `file` is relative to the
    /// package.
    pub(super) fn moves_since(&self, file: &str) -> Moves {
        self.known_moves(file).unwrap_or_default()
    }

    fn known_moves(&self, file: &str) -> Option<Moves> {
        let package = self.package();
        let (workspace, now) = locked(package)?;
        let repository = Repository::of(package);
        if !repository.ask(package, &["status", "--porcelain", "--", file])?.is_empty() {
            return None;
        }
        let commit = repository.ask(package, &["log", "-1", "--format=%H", "--", file])?;
        let before =
            repository.ask(workspace, &["show", "--no-textconv", &format!("{}:./{LOCK}", commit.trim_end())])?;
        Some(Moves::between(&before, &now))
    }
}
