//! The error type of sysguard. Each message names the operation, the subject and the cause.

use std::io;

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
    #[error("{0}")]
    Cargo(String),
}
