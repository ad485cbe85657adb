//! Lists every file below a folder once. Main function: [`files`].
//!
//! Symbolic links to folders are followed, because expectations may be shared. A link to a folder
//! of the same tree, or to a parent of it, is skipped: its files are found at their own paths.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::StoreError;

/// The state of a walk.
#[derive(Debug, Default)]
struct Walk {
    files: Vec<PathBuf>,
    /// Symbolic links to folders. They are followed last, so that a file is listed with its own
    /// path.
    links: BTreeSet<PathBuf>,
    /// The canonical paths of visited folders.
    seen: BTreeSet<PathBuf>,
}

/// Returns the paths of all files below a folder in order. The list is empty if there is no such
/// folder.
///
/// Another process may write and remove proposals, and their folders, at the same time. A folder
/// that vanishes during the walk counts as empty.
///
/// # Errors
///
/// The path is not a folder, or a folder cannot be read.
pub(super) fn files(root: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let canonical = match fs::canonicalize(root) {
        Ok(path) if path.is_dir() => path,
        Ok(path) => return Err(StoreError::NotAFolder { path }),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_symlink(root) => return Ok(Vec::new()),
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
    /// Adds a folder and everything below it, unless it was visited before.
    fn folder(&mut self, path: &Path, canonical: PathBuf) -> Result<(), StoreError> {
        let mut folders = vec![(path.to_owned(), canonical)];
        while let Some((path, canonical)) = folders.pop() {
            if !self.seen.insert(canonical.clone()) {
                continue;
            }
            let entries = match fs::read_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && !is_symlink(&path) => continue,
                entries => entries.map_err(StoreError::io("search", &path))?,
            };
            for entry in entries {
                let entry = entry.map_err(StoreError::io("search", &path))?;
                let kind = match entry.file_type() {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    kind => kind.map_err(StoreError::io("search", entry.path()))?,
                };
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

/// Returns whether a path is a symbolic link, dangling or not.
fn is_symlink(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}
