//! The dependencies that moved since a baseline was last changed, according to git.
//!
//! Read-only. The answer is empty without git, without such a commit, or if the expectation has
//! uncommitted changes.

use super::git::Repository;
use super::suite::Suite;
use crate::model::observe::lockfile::Moves;

const LOCK: &str = "Cargo.lock";

impl Suite {
    /// Returns which dependencies moved since this file was last changed. `file` is relative to the
    /// package.
    pub(super) fn moves_since(&self, file: &str) -> Moves {
        self.known_moves(file).unwrap_or_default()
    }

    fn known_moves(&self, file: &str) -> Option<Moves> {
        let package = self.package();
        let workspace = package.ancestors().find(|folder| folder.join(LOCK).is_file())?;
        let repository = Repository::of(package);
        let now = std::fs::read_to_string(workspace.join(LOCK)).ok()?;
        if !repository.ask(package, &["status", "--porcelain", "--", file])?.is_empty() {
            return None;
        }
        let commit = repository.ask(package, &["log", "-1", "--format=%H", "--", file])?;
        let before =
            repository.ask(workspace, &["show", "--no-textconv", &format!("{}:./{LOCK}", commit.trim_end())])?;
        Some(Moves::between(&before, &now))
    }
}
