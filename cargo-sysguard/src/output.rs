//! Where reports go: [`stdout`], or a file that is known to be writable before anything runs, and
//! complete or untouched ever after. Main type: [`ReportFile`].

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstream::AutoStream;
use sysguard::model::text::escape;
use tempfile::NamedTempFile;

/// Standard output for people: coloured where its terminal, or the user, wants that.
pub(crate) fn stdout() -> AutoStream<Box<dyn Write>> {
    let choice = AutoStream::choice(&io::stdout());
    AutoStream::new(Box::new(UntilClosed(io::stdout())), choice)
}

/// Standard error, for a report.
pub(crate) fn stderr() -> AutoStream<Box<dyn Write>> {
    let choice = AutoStream::choice(&io::stderr());
    AutoStream::new(Box::new(UntilClosed(io::stderr())), choice)
}

/// Standard output for machines.
pub(crate) fn plain_stdout() -> impl Write {
    UntilClosed(io::stdout())
}

/// A stream whose reader may have seen enough, as `head` has: what it does not read is dropped, and
/// nothing fails.
struct UntilClosed<W>(W);

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

/// What becomes of the file when the report is complete.
#[derive(Debug)]
pub(crate) struct ReportFile<'a> {
    asked: &'a Path,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A new file that takes the other's place.
    Beside { new: NamedTempFile, file: PathBuf },
    /// A pipe or a device, which nothing can take the place of.
    Directly(File),
}

/// The file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}; nothing was run")]
pub(crate) struct NotWritable {
    path: String,
    source: io::Error,
}

impl<'a> ReportFile<'a> {
    /// Makes sure that a report can be written there.
    pub(crate) fn prepare(asked: &'a Path) -> Result<Self, NotWritable> {
        let place = place(asked)
            .map_err(|source| NotWritable { path: escape::line(&asked.to_string_lossy()).into_owned(), source })?;
        Ok(Self { asked, place })
    }

    /// The report is complete.
    pub(crate) fn finish(self) -> io::Result<()> {
        let name = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", self.asked.display()));
        match self.place {
            Place::Directly(mut file) => file.flush().map_err(name),
            Place::Beside { new, file } => {
                new.as_file().sync_all().map_err(name)?;
                new.persist(file).map(drop).map_err(|error| name(error.error))
            }
        }
    }
}

fn place(asked: &Path) -> io::Result<Place> {
    let (file, permissions): (PathBuf, Option<Permissions>) = match fs::metadata(asked) {
        Ok(metadata) => {
            // Also tells of a directory, and of a file that must not be changed.
            let opened = OpenOptions::new().write(true).open(asked)?;
            if !metadata.is_file() {
                return Ok(Place::Directly(opened));
            }
            // A symbolic link stays one.
            (fs::canonicalize(asked)?, Some(metadata.permissions()))
        }
        // What the umask leaves of it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => (asked.to_owned(), new_file()),
        Err(error) => return Err(error),
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Said plainly; a temporary file's own error would name that.
    fs::metadata(folder)?;
    let mut new = tempfile::Builder::new();
    permissions.map(|permissions| new.permissions(permissions));
    let new = new.tempfile_in(folder)?;
    Ok(Place::Beside { new, file })
}

#[cfg(unix)]
fn new_file() -> Option<Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(0o666))
}

/// Permissions there are the folder's.
#[cfg(not(unix))]
fn new_file() -> Option<Permissions> {
    None
}

impl Write for ReportFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.place {
            Place::Beside { new, .. } => new.write(bytes),
            Place::Directly(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.place {
            Place::Beside { new, .. } => new.flush(),
            Place::Directly(file) => file.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_report_takes_the_place_of_the_old_one_when_it_is_complete() {
        let folder = tempfile::tempdir().expect("temporary directory");
        let path = folder.path().join("report");
        fs::write(&path, "old").expect("file");
        let mut file = ReportFile::prepare(&path).expect("writable");
        file.write_all(b"new").expect("write");
        assert_eq!(fs::read_to_string(&path).expect("file"), "old");
        file.finish().expect("finish");
        assert_eq!(fs::read_to_string(&path).expect("file"), "new");
        assert_eq!(files(folder.path()), ["report"]);
    }

    #[test]
    fn an_unfinished_report_leaves_nothing() {
        let folder = tempfile::tempdir().expect("temporary directory");
        let path = folder.path().join("report");
        ReportFile::prepare(&path).expect("writable").write_all(b"half").expect("write");
        assert_eq!(files(folder.path()), [""; 0]);
    }

    #[test]
    fn what_cannot_be_written_is_told_beforehand() {
        let folder = tempfile::tempdir().expect("temporary directory");
        for path in [folder.path().to_owned(), folder.path().join("no/such/folder")] {
            let error = ReportFile::prepare(&path).expect_err("not writable").to_string();
            assert!(error.starts_with(&format!("cannot write {}: ", path.display())), "{error}");
        }
        let device = Path::new("/dev/null");
        let mut file = ReportFile::prepare(device).expect("a device");
        file.write_all(b"gone").expect("write");
        file.finish().expect("finish");
    }
}
