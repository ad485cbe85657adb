//! What can go wrong with expectation files. Main type: [`StoreError`].

use std::io;
use std::path::PathBuf;

use crate::model::expectation::Malformed;

/// Why expectations cannot be found, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operating system refused something.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The text is no expectation.
    #[error("{file}:{malformed}")]
    Malformed {
        /// The file, relative to its package.
        file: String,
        /// Where and why.
        malformed: Malformed,
    },
    /// A name that is a file's in a listing but not on reading.
    #[error("cannot read {}: it is {kind}, not a regular file: remove it or replace it", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// Something else lies where the folder of expectations should be.
    #[error("cannot search {}: it is not a folder: remove it or rename it", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// The folder of the package is gone.
    #[error(
        "cannot find the package {}: there is no such folder; if it was moved after the build, set CARGO_MANIFEST_DIR to the \
         package or SYSGUARD_WORKSPACE_ROOT to its workspace",
        path.display()
    )]
    NoPackage {
        /// The path.
        path: PathBuf,
    },
    /// A file that looks like an expectation and has no name for a workload.
    #[error("cannot use {} as an expectation: {reason}", path.display())]
    BadName {
        /// The file, relative to its package.
        path: PathBuf,
        /// Why, and what to do.
        reason: &'static str,
    },
    /// Two files for one workload.
    #[error("cannot tell which file is workload {name}: {} or {}: rename or remove one", first.display(), second.display())]
    SameName {
        /// The workload.
        name: String,
        /// The one.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A proposal that cannot be decided on any more.
    #[error(
        "the proposal {} does not fit {}: {reason}: `cargo sysguard test {name}` makes a new one, `cargo sysguard reject {name}` removes it",
        proposal.display(), file.display()
    )]
    Unfit {
        /// The workload.
        name: String,
        /// The proposal.
        proposal: PathBuf,
        /// Its file, relative to the package.
        file: PathBuf,
        /// What is different.
        reason: String,
    },
}

impl StoreError {
    /// Whether it says that there is no such file.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// For `map_err`: the operation and its path.
    pub(super) fn io(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { operation, path, source }
    }
}
