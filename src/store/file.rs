//! One file, read without waiting and replaced as a whole: [`read`], [`replace`], [`remove`].

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::StoreError;
use crate::model::expectation::format::MAX_BYTES;

/// What lies at a path.
#[derive(Debug)]
pub(super) enum Content {
    /// A regular file: its bytes, one more than an expectation may have at most.
    Regular(Vec<u8>),
    /// Something else, such as a directory or a pipe: it is not opened, for that might never end.
    Other(&'static str),
}

pub(super) fn read(path: &Path) -> Result<Content, StoreError> {
    read_if_regular(path).map_err(StoreError::io("read", path))
}

fn read_if_regular(path: &Path) -> io::Result<Content> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Ok(Content::Other(kind(&metadata)));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).map_or(u64::MAX, |limit| limit + 1);
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(Content::Regular(bytes))
}

fn kind(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() { "a directory" } else { "a device, a pipe or a socket" }
}

/// Replaces a file as a whole, or creates it with its folders: another process sees the old text or the new one, never a part.
///
/// A link in its place is replaced, whatever it leads to: that may be a file outside of the package. Says whether a byte changed; where none does,
/// nothing is written.
pub(super) fn replace(path: &Path, text: &str) -> Result<bool, StoreError> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    match read_if_regular(path) {
        Ok(Content::Regular(bytes)) if bytes == text.as_bytes() => return Ok(false),
        Ok(Content::Regular(_)) => {}
        _ if is_link => {}
        Ok(Content::Other(kind)) => return Err(StoreError::NotAFile { path: path.to_owned(), kind }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::io("read", path)(error)),
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
    write_beside(path, folder, text).map_err(StoreError::io("write", path))?;
    sync_folder(folder).map_err(StoreError::io("write", folder))?;
    Ok(true)
}

/// A temporary file in the same folder takes the text and then the name. It is removed if anything fails; if we are killed, its name
/// (`.NAME.RANDOM.tmp`) is one that no expectation and no proposal has.
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
        // Some filesystems cannot sync a folder; the text is in its place all the same.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Removes a file. Says whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool, StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("remove", path)(error)),
    }
}
