//! Files: read without blocking and replaced atomically, by [`read`], [`replace`] and [`remove`].

use std::fs::{self, File, Metadata};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::model::expectation::format::MAX_SHARED_BYTES;

/// What is at a path.
#[derive(Debug)]
pub(super) enum Content {
    /// The bytes of a regular file: at most one more than the limit.
    Regular(Vec<u8>),
    /// Something else, such as a directory or a pipe. It is not opened, because that may block.
    Other(&'static str),
}

pub(super) fn read(path: &Path, most: usize) -> Result<Content, StoreError> {
    read_if_regular(path, most).map_err(StoreError::io("read", path))
}

fn read_if_regular(path: &Path, most: usize) -> io::Result<Content> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Ok(Content::Other(kind(&metadata)));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).map_or(u64::MAX, |limit| limit + 1);
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(Content::Regular(bytes))
}

/// Returns the text of a regular file of at most this many bytes; `None` for anything else.
pub(crate) fn text_if_regular(path: &Path, most: usize) -> Option<String> {
    match read_if_regular(path, most) {
        Ok(Content::Regular(bytes)) if bytes.len() <= most => String::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn kind(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() { "a directory" } else { "a device, a pipe or a socket" }
}

/// How often a folder is created again after another process removed it, and a name is chosen again
/// after another process took it.
const ATTEMPTS: usize = 8;

/// Replaces a file atomically, or creates it with its folders. Returns whether a byte changed; if
/// not, nothing is written.
///
/// Another process sees the old text or the new one, never a part. A symbolic link at the path is
/// replaced and not followed: it may lead out of the package.
pub(super) fn replace(path: &Path, text: &str) -> Result<bool, StoreError> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    match read_if_regular(path, MAX_SHARED_BYTES) {
        Ok(Content::Regular(bytes)) if bytes == text.as_bytes() => return Ok(false),
        Ok(Content::Regular(_)) => {}
        _ if is_link => {}
        Ok(Content::Other(kind)) => return Err(StoreError::NotAFile { path: path.to_owned(), kind }),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::io("read", path)(error)),
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut attempts = ATTEMPTS;
    loop {
        let created = fs::create_dir_all(folder).map_err(|error| ("create", folder, error));
        match created.and_then(|()| write_beside(path, folder, text).map_err(|error| ("write", path, error))) {
            Ok(()) => break,
            // Another process may have removed the folder while it was empty.
            Err((.., error)) if error.kind() == ErrorKind::NotFound && attempts > 0 => attempts -= 1,
            Err((operation, path, error)) => return Err(StoreError::io(operation, path)(error)),
        }
    }
    sync_folder(folder).map_err(StoreError::io("write", folder))?;
    Ok(true)
}

/// Writes the text to a temporary file in the same folder and renames it. The temporary file is
/// removed on failure. After a kill it stays, but its name (`.NAME.RANDOM.tmp`) is never taken for
/// an expectation or a proposal.
fn write_beside(target: &Path, folder: &Path, text: &str) -> io::Result<()> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    // The mode of a new file: as the umask allows.
    let mut options = File::options();
    options.write(true).create_new(true);
    let (path, file) = create_unique(folder, &format!(".{name}."), ".tmp", |path| options.open(path))?;
    fill(file, target, text).and_then(|()| fs::rename(&path, target)).inspect_err(|_| {
        // The first error is the one to report.
        let _ = fs::remove_file(&path);
    })
}

fn fill(mut file: File, target: &Path, text: &str) -> io::Result<()> {
    // A symbolic link has no permissions of its own, and those of its target belong to another
    // file.
    if let Ok(old) = fs::symlink_metadata(target)
        && old.is_file()
    {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Creates something with an unused name, `PREFIXRANDOMSUFFIX`, in a folder. `create` must fail if
/// the name is taken.
///
/// # Errors
///
/// The error of `create`.
pub(crate) fn create_unique<T>(
    folder: &Path,
    prefix: &str,
    suffix: &str,
    mut create: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    let mut attempts = ATTEMPTS;
    loop {
        // std seeds each hasher with random bytes of the system.
        let random = RandomState::new().hash_one(std::process::id()) & 0xff_ffff;
        let path = folder.join(format!("{prefix}{random:06x}{suffix}"));
        match create(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && attempts > 0 => attempts -= 1,
            created => return created.map(|created| (path, created)),
        }
    }
}

/// Syncs a folder: a new name is durable only after that, see fsync(2).
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some filesystems cannot sync a folder; the text is written all the same. A folder that no
        // longer exists has no file to sync.
        Err(error)
            if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::NotFound) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

/// Removes a file. Returns whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool, StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        // A read-only filesystem refuses before it looks for the file: do_unlinkat, fs/namei.c.
        Err(_) if fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound) => Ok(false),
        Err(error) => Err(StoreError::io("remove", path)(error)),
    }
}

/// Removes empty folders, from `from` up to but without `up_to`.
pub(super) fn remove_empty_folders(from: &Path, up_to: &Path) {
    for folder in from.ancestors().take_while(|folder| *folder != up_to && folder.starts_with(up_to)) {
        // A folder that is not empty or cannot be removed is kept.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}
