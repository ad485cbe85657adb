//! Opens the files that processes map as code, while the processes run: later, a file or its mount
//! namespace may be gone. Main function: [`keep_open`].

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::record::Map;
use crate::recording::Files;

/// The most files that are kept open. Others are opened by their paths when needed.
const MOST: usize = 256;

/// Opens the file of a mapping, if it is new.
pub(super) fn keep_open(files: &mut Files, map: &Map) {
    if files.len() < MOST && map.file.inode != 0 && !files.contains_key(&map.file) {
        files.insert(map.file, find(map).map(Arc::new));
    }
}

/// Opens a file as its process sees it; if the process is gone, as this process sees it.
fn find(map: &Map) -> Option<File> {
    let Map { pid, addresses, path, file, .. } = map;
    // d_path() of the kernel marks files that have no name any more.
    let is_deleted = path.as_os_str().as_encoded_bytes().ends_with(b" (deleted)");
    // The path may be of any bytes.
    let below = |root: String| [OsStr::new(&root), path.as_os_str()].into_iter().collect::<OsString>();
    let below_root = (!is_deleted).then(|| PathBuf::from(below(format!("/proc/{pid}/root"))));
    let mapped = PathBuf::from(format!("/proc/{pid}/map_files/{:x}-{:x}", addresses.start, addresses.end));
    let is_it = |found: &File| found.metadata().is_ok_and(|found| found.ino() == file.inode);
    below_root.and_then(|path| open(&path)).or_else(|| open(&mapped)).or_else(|| open(path).filter(is_it))
}

fn open(path: &Path) -> Option<File> {
    // Opening a FIFO or a device may block.
    let is_file = fs::metadata(path).is_ok_and(|found| found.is_file());
    is_file.then(|| File::open(path).ok()).flatten()
}
