//! The error type of sysguard. Each message names the operation, the subject and the cause.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::linux::TraceError;
use crate::store::StoreError;

/// An error of sysguard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused an operation.
    #[error("cannot {operation} {subject}: {source}")]
    Io {
        /// The operation: `read`, `create`, …
        operation: &'static str,
        /// What it was done to: a path, a program.
        subject: String,
        /// The error of the system.
        source: io::Error,
    },
    /// An expectation file cannot be found, read or written.
    #[doc(hidden)]
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A command could not be traced.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// cargo could not answer a question that must be answered.
    #[doc(hidden)]
    #[error(transparent)]
    Cargo(#[from] CargoError),
}

/// cargo could not answer a question about a package.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CargoError {
    /// `cargo metadata` failed.
    #[error("cannot ask cargo about {}: {source}", manifest.display())]
    Metadata {
        /// The manifest that it was asked about.
        manifest: PathBuf,
        /// Its error.
        source: cargo_metadata::Error,
    },
    /// `cargo metadata` lists no package with this manifest.
    #[error("cargo finds no package with the manifest {}", .0.display())]
    NoPackage(PathBuf),
}

/// The reason why cargo built no executable of a target, mostly cargo's own message. Processes pass
/// it on as text, and a verdict shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{0}")]
#[serde(transparent)]
pub struct NotBuilt(pub String);

impl From<CargoError> for NotBuilt {
    fn from(error: CargoError) -> Self {
        Self(error.to_string())
    }
}
