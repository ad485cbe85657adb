//! One file, read without waiting and replaced as a whole: [`read`], [`replace`], [`remove`].

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::StoreError;
use crate::model::expectation::format::MAX_SHARED_BYTES;

/// What lies at a path.
#[derive(Debug)]
pub(super) enum Content {
    /// A regular file: its bytes, at most one more than was asked for.
    Regular(Vec<u8>),
    /// Something else, such as a directory or a pipe: it is not opened, for that might never end.
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

fn kind(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() { "a directory" } else { "a device, a pipe or a socket" }
}

/// How often a folder that is removed again is created.
const ATTEMPTS: usize = 8;

/// Replaces a file as a whole, or creates it with its folders: another process sees the old text or
/// the new one, never a part.
///
/// A link in its place is replaced, whatever it leads to: that may be a file outside of the
/// package. Says whether a byte changed; where none does, nothing is written.
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

/// A temporary file in the same folder takes the text and then the name. It is removed if anything
/// fails; if we are killed, its name (`.NAME.RANDOM.tmp`) is one that no expectation and no
/// proposal has.
fn write_beside(target: &Path, folder: &Path, text: &str) -> io::Result<()> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut file = temporary(folder, &format!(".{name}."))?;
    // The permissions of a link are none, and those of what it leads to are another file's.
    if let Ok(old) = fs::symlink_metadata(target)
        && old.is_file()
    {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(target).map_err(|error| error.error)?;
    Ok(())
}

fn temporary(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    // As any new file: readable as far as the umask allows.
    let mut options = File::options();
    options.write(true).create_new(true);
    // What the system said, without the name of a temporary file that nobody knows.
    let mut said = None;
    let open = |path: &Path| options.open(path).inspect_err(|error| said = error.raw_os_error());
    let made = tempfile::Builder::new().prefix(prefix).suffix(".tmp").make_in(folder, open);
    made.map_err(|error| said.map_or(error, io::Error::from_raw_os_error))
}

/// The name is on disk only once its folder is: rename(2), fsync(2).
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some filesystems cannot sync a folder; the text is in its place all the same. A folder
        // that is gone went with the file.
        Err(error)
            if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::NotFound) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

/// Removes a file. Says whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool, StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("remove", path)(error)),
    }
}

/// Removes folders that are empty, from this one up to another, which stays.
pub(super) fn remove_empty_folders(from: &Path, up_to: &Path) {
    for folder in from.ancestors().take_while(|folder| *folder != up_to && folder.starts_with(up_to)) {
        // One that holds something, or cannot be removed, does no harm.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

/// A lock that processes and threads which change the files of a folder hold one after another,
/// until it is dropped or its process ends.
///
/// It is the folder that is locked: a file for it would be left behind. Nothing here removes a
/// folder that is locked this way.
#[derive(Debug)]
pub(super) struct Lock(#[cfg(unix)] File);

impl Lock {
    /// Waits for the folder's lock; the folder is created.
    #[cfg(unix)]
    pub(super) fn of(folder: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
        let file = File::open(folder).map_err(StoreError::io("lock", folder))?;
        loop {
            match file.lock() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                locked => return locked.map(|()| Self(file)).map_err(StoreError::io("lock", folder)),
            }
        }
    }

    /// Elsewhere nothing is traced, so that no two tests write at once.
    #[cfg(not(unix))]
    pub(super) fn of(_folder: &Path) -> Result<Self, StoreError> {
        Ok(Self())
    }
}

#[cfg(unix)]
impl Drop for Lock {
    /// A child that has not yet executed its program may still have a copy of the file, so that
    /// closing it is not enough.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}
