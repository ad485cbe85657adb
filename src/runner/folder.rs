//! Temporary folders that are removed even if this process is killed. Main type:
//! [`TemporaryFolder`].
//!
//! A folder that a workload or a test can write to is removed by [`remove_tree`] only. A failed
//! removal is not an error: [`left_behind`] returns what is left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::guardian;
use crate::linux::remove_tree;
use crate::model::text::remains::Remains;
use crate::store::create_unique;

static LEFT: Mutex<Vec<Remains>> = Mutex::new(Vec::new());

/// A fresh folder of this process. It is removed with its content when this is dropped, or by the
/// guardian process.
#[derive(Debug)]
pub struct TemporaryFolder {
    path: PathBuf,
}

impl TemporaryFolder {
    /// Creates a folder in the directory for temporary files.
    ///
    /// Its mode is what the umask leaves, because a workload that runs as root may become another
    /// user.
    ///
    /// # Errors
    ///
    /// The error of mkdir(2).
    pub fn create(prefix: &str) -> io::Result<Self> {
        // The kernel's own path: getcwd(2) and mountinfo show this one.
        let place = std::env::temp_dir().canonicalize()?;
        // The guardian is notified before the folder exists, so that a kill in between leaves
        // nothing behind.
        let make = |path: &Path| {
            guardian::remember(path);
            fs::create_dir(path).inspect_err(|_| guardian::forget(path))
        };
        let (path, ()) = create_unique(&place, prefix, "", make)?;
        Ok(Self { path })
    }

    /// Leaves the removal after a kill to another process; the guardian no longer removes the
    /// folder.
    pub fn leave_to_other_process(&self) {
        guardian::forget(&self.path);
    }

    /// Returns the path, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(remains) = remove_tree(&self.path) {
            LEFT.lock().unwrap_or_else(PoisonError::into_inner).push(remains);
        }
        guardian::forget(&self.path);
    }
}

/// Returns what could not be removed of temporary folders since the last call.
pub fn left_behind() -> Vec<Remains> {
    std::mem::take(&mut LEFT.lock().unwrap_or_else(PoisonError::into_inner))
}
