//! Keeps the files of a package from runs that have a copy of their working directory. Main types:
//! [`ProtectedFolders`] and [`Protection`].
//!
//! A copy does not hold absolute paths, links and git directories that lead back to the original. A
//! call that would change a file there is not made, and fails with EROFS.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::linux::WrittenFiles;
use crate::model::explore::injection::Fault;
use crate::model::kernel::call::{Call, Errno, Tid};
use crate::runner::git::Repository;

/// EROFS, errno(3)
const READ_ONLY: &str = "EROFS";

/// The folders in which no run changes a file.
#[derive(Debug, Default)]
pub(super) struct ProtectedFolders(Vec<PathBuf>);

/// The protection of one run.
#[derive(Debug)]
pub(super) struct Protection {
    folders: Vec<PathBuf>,
    /// Files here are the run's own.
    scratch: PathBuf,
    files: WrittenFiles,
    refused: BTreeSet<String>,
}

impl ProtectedFolders {
    /// Protects these folders, and for each the working tree and the directories of its git
    /// repository, if it has one.
    pub(super) fn of(folders: &[&Path]) -> Self {
        let git = folders.iter().flat_map(|folder| {
            let repository = Repository::of(folder);
            let ask = |what: &&str| repository.ask(folder, &["rev-parse", "--path-format=absolute", what]);
            let found: Vec<String> =
                ["--show-toplevel", "--git-dir", "--git-common-dir"].iter().filter_map(ask).collect();
            found.into_iter().map(|path| PathBuf::from(path.trim_end_matches('\n')))
        });
        let all = folders.iter().map(|folder| folder.to_path_buf()).chain(git);
        let all: BTreeSet<PathBuf> = all.filter_map(|folder| folder.canonicalize().ok()).collect();
        Self(all.into_iter().collect())
    }

    /// Starts a run in this scratch directory.
    pub(super) fn protect(&self, scratch: &Path) -> Protection {
        let files = WrittenFiles::default();
        Protection { folders: self.0.clone(), scratch: scratch.to_owned(), files, refused: BTreeSet::new() }
    }
}

impl Protection {
    /// Returns the fault of a call that would change a protected file.
    pub(super) fn fault(&mut self, task: Tid, call: &Call) -> Option<Fault> {
        if self.folders.is_empty() {
            return None;
        }
        let file = self.files.of(task, call).into_iter().find(|file| self.protects(Path::new(file)))?;
        self.refused.insert(format!("{} {file}", call.syscall));
        Errno::from_name(READ_ONLY).map(Fault::Errno)
    }

    fn protects(&self, file: &Path) -> bool {
        !file.starts_with(&self.scratch) && self.folders.iter().any(|folder| file.starts_with(folder))
    }

    /// Returns the calls that were refused, each with its file.
    pub(super) fn into_refused(self) -> BTreeSet<String> {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_below_a_protected_folder_is_writable() {
        let folders = ProtectedFolders(vec![PathBuf::from("/package")]);
        let protection = folders.protect(Path::new("/package/tmp/sysguard-1"));
        for (file, is_protected) in [
            ("/package/src/main.rs", true),
            ("/package", true),
            ("/package/tmp/sysguard-1/work/file", false),
            ("/package/tmp/sysguard-12/file", true),
            ("/package2/file", false),
            ("/tmp/file", false),
        ] {
            assert_eq!(protection.protects(Path::new(file)), is_protected, "{file}");
        }
    }

    #[test]
    fn folder_without_a_repository_is_protected_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().canonicalize().expect("a folder");
        assert_eq!(ProtectedFolders::of(&[folder.path()]).0, [own]);
    }
}
