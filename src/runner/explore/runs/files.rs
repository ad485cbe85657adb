//! Reads what a run left in its scratch directory. Main function: [`left`].
//!
//! The files are a workload's: nothing is followed, opened for writing or waited for, and there is
//! a limit to what is read.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

use crate::model::explore::run::{Content, LeftFile, LeftKind, Rest};
use crate::runner::output::read;
use crate::runner::scratch::Scratch;

/// How many entries of a scratch directory are read.
const MOST_ENTRIES: usize = 20_000;

/// How many bytes of a file are read. Of a longer one, which may be sparse, the length tells the
/// rest.
const MOST_BYTES: u64 = 64 << 20;

/// A link is not followed, and a FIFO is not waited for.
const NOT_FOLLOWED: OFlag = OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK);

const UNREADABLE: LeftFile = LeftFile { mode: 0, kind: LeftKind::Unreadable };

/// Returns the files of a scratch directory after the run, by their names below `$HOME`, `$TMPDIR`
/// and `$PWD`.
pub(super) fn left(scratch: &Scratch) -> BTreeMap<String, LeftFile> {
    let mut files = BTreeMap::new();
    for (folder, name) in [(&scratch.home, "$HOME"), (&scratch.temporary, "$TMPDIR"), (&scratch.work, "$PWD")] {
        // The folder itself may be gone, or have lost its permissions.
        let is_folder = fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir());
        if !is_folder || add_folder(folder, name, &mut files).is_err() {
            files.insert(name.to_owned(), UNREADABLE);
        }
    }
    files
}

fn add_folder(folder: &Path, name: &str, files: &mut BTreeMap<String, LeftFile>) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(DirEntry::file_name);
    for entry in entries {
        if files.len() >= MOST_ENTRIES {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let (path, name) = (entry.path(), format!("{name}/{}", entry.file_name().to_string_lossy()));
        let file = file(&path, &name, files).unwrap_or(UNREADABLE);
        files.insert(name, file);
    }
    Ok(())
}

fn file(path: &Path, name: &str, files: &mut BTreeMap<String, LeftFile>) -> io::Result<LeftFile> {
    const PERMISSIONS: u32 = 0o7777;
    let metadata = fs::symlink_metadata(path)?;
    let kind = metadata.file_type();
    let mode = if kind.is_symlink() { 0 } else { metadata.mode() & PERMISSIONS };
    let kind = if kind.is_symlink() {
        LeftKind::Link(fs::read_link(path)?.to_string_lossy().into_owned())
    } else if kind.is_dir() {
        add_folder(path, name, files).map_or(LeftKind::Unreadable, |()| LeftKind::Folder)
    } else if kind.is_file() {
        content(path).map_or(LeftKind::Unreadable, LeftKind::Regular)
    } else {
        LeftKind::Special
    };
    Ok(LeftFile { mode, kind })
}

fn content(path: &Path) -> io::Result<Content> {
    let file = OpenOptions::new().read(true).custom_flags(NOT_FOLLOWED.bits()).open(path)?;
    read_content(&file, MOST_BYTES)
}

/// Reads at most this many bytes of a file.
fn read_content(file: &File, most: u64) -> io::Result<Content> {
    let mut content = Content::default();
    let mut buffer = vec![0; 64 << 10];
    let mut left = most;
    while let length @ 1.. = read(&mut file.take(left), &mut buffer)? {
        content.push(&buffer[..length]);
        left -= length as u64;
    }
    let unread = file.metadata()?.len().saturating_sub(content.length());
    if left == 0 && unread > 0 {
        let Rest { length, .. } = content.rest.get_or_insert(Rest { length: 0, hash: 0 });
        *length += unread;
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn each_kind_of_file_is_named_below_its_folder() {
        let scratch = Scratch::create().expect("scratch");
        fs::create_dir(scratch.work.join("folder")).expect("folder");
        fs::write(scratch.work.join("folder/file"), "text").expect("file");
        for (path, mode) in [("folder", 0o750), ("folder/file", 0o600)] {
            fs::set_permissions(scratch.work.join(path), PermissionsExt::from_mode(mode)).expect("mode");
        }
        symlink("/etc/shadow", scratch.home.join("link")).expect("link");
        let _socket = UnixListener::bind(scratch.temporary.join("socket")).expect("socket");
        let files = left(&scratch);
        let kinds: Vec<_> = files.iter().map(|(name, file)| (name.as_str(), file.kind.clone())).collect();
        let expected = [
            ("$HOME/link", LeftKind::Link("/etc/shadow".to_owned())),
            ("$PWD/folder", LeftKind::Folder),
            ("$PWD/folder/file", LeftKind::Regular("text".into())),
            ("$TMPDIR/socket", LeftKind::Special),
        ];
        assert_eq!(kinds, expected);
        assert_eq!((files["$PWD/folder"].mode, files["$PWD/folder/file"].mode), (0o750, 0o600));
    }

    #[test]
    fn missing_folder_is_unreadable() {
        let scratch = Scratch::create().expect("scratch");
        fs::remove_dir(&scratch.work).expect("an empty folder");
        let files = left(&scratch);
        let kinds: Vec<_> = files.iter().map(|(name, file)| (name.as_str(), &file.kind)).collect();
        assert_eq!(kinds, [("$PWD", &LeftKind::Unreadable)]);
    }

    #[test]
    fn long_sparse_file_is_read_in_part() {
        const LENGTH: u64 = 1 << 40;
        let file = tempfile::tempfile().expect("file");
        file.set_len(LENGTH).expect("a sparse file");
        let content = read_content(&file, 1 << 16).expect("content");
        assert_eq!((content.start.len(), content.length()), (1 << 16, LENGTH));
    }
}
