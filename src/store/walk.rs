//! Every file below a folder, each once: [`files`].
//!
//! Symbolic links to folders are followed, since expectations may be shared. One that leads to a
//! folder of the tree itself, or to one above it, is passed over: its files are found at their own
//! place.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::StoreError;

/// What was seen of a tree so far.
#[derive(Debug, Default)]
struct Walk {
    files: Vec<PathBuf>,
    /// Symbolic links to folders. They come last, so that a file has the name of its own place.
    links: BTreeSet<PathBuf>,
    /// Folders without symbolic links in their paths.
    seen: BTreeSet<PathBuf>,
}

/// The paths of all files and folders below a folder, ordered; nothing where there is no such
/// folder.
///
/// # Errors
///
/// Where it is no folder, or one of them cannot be read.
pub(super) fn files(root: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let canonical = match fs::canonicalize(root) {
        Ok(path) if path.is_dir() => path,
        Ok(path) => return Err(StoreError::NotAFolder { path }),
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(root).is_err() => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(StoreError::io("search", root)(error)),
    };
    let mut walk = Walk::default();
    walk.folder(root, canonical.clone())?;
    while let Some(link) = walk.links.pop_first() {
        let target = fs::canonicalize(&link).map_err(StoreError::io("search", &link))?;
        if !canonical.starts_with(&target) {
            walk.folder(&link, target)?;
        }
    }
    walk.files.sort();
    Ok(walk.files)
}

impl Walk {
    /// Takes in a folder and all below it, unless it was seen before.
    fn folder(&mut self, path: &Path, canonical: PathBuf) -> Result<(), StoreError> {
        let mut folders = vec![(path.to_owned(), canonical)];
        while let Some((path, canonical)) = folders.pop() {
            if !self.seen.insert(canonical.clone()) {
                continue;
            }
            for entry in fs::read_dir(&path).map_err(StoreError::io("search", &path))? {
                let entry = entry.map_err(StoreError::io("search", &path))?;
                let kind = entry.file_type().map_err(StoreError::io("search", entry.path()))?;
                if kind.is_dir() {
                    folders.push((entry.path(), canonical.join(entry.file_name())));
                } else if kind.is_symlink() && entry.path().is_dir() {
                    self.links.insert(entry.path());
                }
                self.files.push(entry.path());
            }
        }
        Ok(())
    }
}
