//! The errors of expectation files. Main type: [`StoreError`].

use std::io;
use std::path::PathBuf;

use crate::model::expectation::Malformed;

/// Why expectations cannot be found, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operating system refused an operation.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// The operation.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The text is not an expectation.
    #[error("{file}:{malformed}")]
    Malformed {
        /// The file, relative to its package.
        file: String,
        /// Where and why.
        malformed: Malformed,
    },
    /// A path with the name of an expectation that is not a regular file.
    #[error("cannot read {}: it is {kind}, not a regular file: remove it or replace it", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is instead.
        kind: &'static str,
    },
    /// The folder of expectations is not a folder.
    #[error("cannot search {}: it is not a folder: remove it or rename it", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// The folder of the package does not exist.
    #[error(
        "cannot find the package {}: there is no such folder; if it was moved after the build, set CARGO_MANIFEST_DIR to the \
         package or SYSGUARD_WORKSPACE_ROOT to its workspace",
        path.display()
    )]
    NoPackage {
        /// The path.
        path: PathBuf,
    },
    /// A file that looks like an expectation but has no valid workload name.
    #[error("cannot use {} as an expectation: {reason}", path.display())]
    BadName {
        /// The file, relative to its package.
        path: PathBuf,
        /// The reason, and what to do.
        reason: &'static str,
    },
    /// Two files for one workload.
    #[error("cannot tell which file is workload {name}: {} or {}: rename or remove one", first.display(), second.display())]
    SameName {
        /// The workload.
        name: String,
        /// One file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// A text above the size limit for reading a file.
    #[error(
        "cannot write {}: its {bytes} bytes exceed the limit of {most} MiB: split what it runs into several workloads \
         or tests",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The size of the text in bytes.
        bytes: usize,
        /// The limit in MiB.
        most: usize,
    },
    /// Another process wrote the file after it was read.
    #[error("cannot write {}: it changed during the run: run it again", file.display())]
    Changed {
        /// The file, relative to its package.
        file: PathBuf,
    },
    /// A proposal that no longer fits its file.
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
        /// The difference.
        reason: String,
    },
}

impl StoreError {
    /// Returns whether a file was not found.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Returns whether the write failed because the place is read-only.
    pub fn is_read_only(&self) -> bool {
        let kinds = [io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::PermissionDenied];
        matches!(self, Self::Io { source, .. } if kinds.contains(&source.kind()))
    }

    /// Returns a function for `map_err` that adds the operation and its path.
    pub(super) fn io(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { operation, path, source }
    }
}
