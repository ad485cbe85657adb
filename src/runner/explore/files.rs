//! Reads what a run left in its scratch directory. Main function: [`left`].
//!
//! The files are a workload's: nothing is followed, opened for writing or waited for, and the amount
//! that is read has a limit. What is not read is said.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::content::Content;
use crate::model::explore::run::LeftFile;
use crate::runner::scratch::Scratch;

/// How many entries of a scratch directory are read.
const MOST_ENTRIES: usize = 20_000;

/// How many bytes of a file are read. Of a longer one, the length tells the rest: it may be sparse.
const MOST_BYTES: u64 = 64 << 20;

/// Returns the files of a scratch directory after the run, by their names below `$HOME`, `$TMPDIR`
/// and `$PWD`.
pub(super) fn left(scratch: &Scratch) -> BTreeMap<String, LeftFile> {
    let mut files = BTreeMap::new();
    for (folder, name) in [(&scratch.home, "$HOME"), (&scratch.temporary, "$TMPDIR"), (&scratch.work, "$PWD")] {
        add_folder(folder, name, &mut files);
    }
    files
}

fn add_folder(folder: &Path, name: &str, files: &mut BTreeMap<String, LeftFile>) {
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries.flatten().collect::<Vec<_>>(),
        Err(error) => return drop(files.insert(format!("{name}/"), unread(&error.to_string()))),
    };
    entries.sort_by_key(DirEntry::file_name);
    for entry in entries {
        if files.len() >= MOST_ENTRIES {
            files.insert(format!("{name}/"), unread("there are too many files"));
            return;
        }
        let path = entry.path();
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        let file = match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                add_folder(&path, &name, files);
                LeftFile::Folder
            }
            Ok(kind) if kind.is_symlink() => match fs::read_link(&path) {
                Ok(target) => LeftFile::Link(target.to_string_lossy().into_owned()),
                Err(error) => unread(&error.to_string()),
            },
            Ok(kind) if kind.is_file() => content(&path),
            Ok(_) => LeftFile::Special,
            Err(error) => unread(&error.to_string()),
        };
        files.insert(name, file);
    }
}

fn content(path: &Path) -> LeftFile {
    let read = || {
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
        read_content(&file, MOST_BYTES)
    };
    LeftFile::Content(read().unwrap_or_else(|error: std::io::Error| unread_text(&error.to_string())))
}

/// Reads at most this many bytes of a file.
fn read_content(mut file: &File, most: u64) -> std::io::Result<Vec<u8>> {
    let mut content = Content::default();
    let mut buffer = vec![0; 64 << 10];
    let mut left = most;
    while let length @ 1.. = super::super::output::read(&mut file.take(left), &mut buffer)? {
        content.push(&buffer[..length]);
        left -= length as u64;
    }
    let mut bytes = content.into_bytes();
    let length = file.metadata()?.len();
    if left == 0 && length > most {
        bytes.extend(format!("[{length} bytes, of which {most} were read]\n").bytes());
    }
    Ok(bytes)
}

/// Stands for what could not be read.
fn unread(reason: &str) -> LeftFile {
    LeftFile::Content(unread_text(reason))
}

fn unread_text(reason: &str) -> Vec<u8> {
    format!("[not read: {reason}]\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn each_kind_of_file_is_named_below_its_folder() {
        let scratch = Scratch::create().expect("scratch");
        fs::create_dir(scratch.work.join("folder")).expect("folder");
        fs::write(scratch.work.join("folder/file"), "text").expect("file");
        symlink("/etc/shadow", scratch.home.join("link")).expect("link");
        let _socket = UnixListener::bind(scratch.temporary.join("socket")).expect("socket");
        let files: Vec<_> = left(&scratch).into_iter().collect();
        let expected = [
            ("$HOME/link", LeftFile::Link("/etc/shadow".to_owned())),
            ("$PWD/folder", LeftFile::Folder),
            ("$PWD/folder/file", LeftFile::Content(b"text".to_vec())),
            ("$TMPDIR/socket", LeftFile::Special),
        ];
        assert_eq!(files, expected.map(|(name, file)| (name.to_owned(), file)));
    }

    #[test]
    fn long_sparse_file_is_read_in_part() {
        let file = tempfile::tempfile().expect("file");
        file.set_len(1 << 40).expect("a sparse file");
        let bytes = read_content(&file, 1 << 16).expect("content");
        let end = String::from_utf8_lossy(&bytes[1 << 16..]).into_owned();
        assert_eq!(end, "[1099511627776 bytes, of which 65536 were read]\n");
    }
}
