//! What can go wrong, each message phrased once: operation, subject, cause.

use std::io;

use crate::linux::TraceError;
use crate::store::StoreError;

/// An error of sysguard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something.
    #[error("cannot {operation} {subject}: {source}")]
    Io {
        /// What was tried: `read`, `create`, …
        operation: &'static str,
        /// With what: a path, a program.
        subject: String,
        /// What the system said.
        source: io::Error,
    },
    /// An expectation file cannot be found, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A command could not be traced.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// cargo could not tell what must be known.
    #[error("{0}")]
    Cargo(String),
}
