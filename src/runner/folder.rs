//! Temporary folders that are removed however this process ends. Main type: [`TemporaryFolder`].
//!
//! What a workload or a test can write to is removed by [`remove_tree`] only. What cannot be
//! removed fails nothing: [`left_behind`] names it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::guardian;
use crate::linux::remove_tree;
use crate::model::text::remains::Remains;

static LEFT: Mutex<Vec<Remains>> = Mutex::new(Vec::new());

/// A fresh folder of this process, removed with all that is in it when this is dropped, or by the
/// guardian.
#[derive(Debug)]
pub struct TemporaryFolder {
    path: PathBuf,
}

impl TemporaryFolder {
    /// Makes one in the directory for temporary files. A workload of root may become another user,
    /// so its mode is what the umask leaves.
    ///
    /// # Errors
    ///
    /// That of mkdir(2).
    pub fn create(prefix: &str) -> io::Result<Self> {
        // The kernel's path: that of the working directory of a workload, and of what is mounted
        // below.
        let place = std::env::temp_dir().canonicalize()?;
        // Named to the guardian before it is there, so that no moment is left in which it would
        // stay.
        let make = |path: &Path| {
            guardian::remember(path);
            fs::create_dir(path).inspect_err(|_| guardian::forget(path))
        };
        let made = tempfile::Builder::new().prefix(prefix).make_in(place, make)?;
        // Not removed by tempfile, which would follow mounts.
        let path = made.into_temp_path().keep().map_err(|error| error.error)?;
        Ok(Self { path })
    }

    /// Says that another process removes the folder if this one is ended: the guardian does not.
    pub fn hand_over(&self) {
        guardian::forget(&self.path);
    }

    /// Where it is, without symbolic links.
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

/// Returns what could not be removed of temporary folders since this was last called.
pub fn left_behind() -> Vec<Remains> {
    std::mem::take(&mut LEFT.lock().unwrap_or_else(PoisonError::into_inner))
}
