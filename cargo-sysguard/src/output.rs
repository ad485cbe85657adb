//! Destinations of reports: [`stdout`], or a file that is checked before anything runs and is
//! replaced only as a whole. Main type: [`ReportFile`].

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstream::AutoStream;
use sysguard::unstable::model::text::escape;
use tempfile::NamedTempFile;

/// Returns standard output for people, coloured if its terminal or the user asks for it.
pub(crate) fn stdout() -> AutoStream<Box<dyn Write>> {
    let choice = AutoStream::choice(&io::stdout());
    AutoStream::new(Box::new(UntilClosed(io::stdout())), choice)
}

/// Returns standard error for a report.
pub(crate) fn stderr() -> AutoStream<Box<dyn Write>> {
    let choice = AutoStream::choice(&io::stderr());
    AutoStream::new(Box::new(UntilClosed(io::stderr())), choice)
}

/// Returns standard output for machines, never coloured.
pub(crate) fn plain_stdout() -> impl Write {
    UntilClosed(io::stdout())
}

/// A stream that ignores EPIPE, so that a reader such as `head` may close it early.
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

/// Creates or truncates a file for lines that are written as they come.
pub(crate) fn log_file(asked: &Path) -> Result<File, NotWritable> {
    File::create(asked).map_err(NotWritable::of(asked))
}

/// A file that a report replaces once it is complete.
#[derive(Debug)]
pub(crate) struct ReportFile<'a> {
    asked: &'a Path,
    destination: Destination,
}

#[derive(Debug)]
enum Destination {
    /// A new file that replaces the other one.
    Beside { new: NamedTempFile, file: PathBuf },
    /// A pipe or a device, which cannot be replaced.
    Directly(File),
}

/// The error for a file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}; nothing was run")]
pub(crate) struct NotWritable {
    path: String,
    source: io::Error,
}

impl NotWritable {
    /// Returns a function for `map_err` that adds the path.
    fn of(asked: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { path: escape::line(&asked.to_string_lossy()).into_owned(), source }
    }
}

impl<'a> ReportFile<'a> {
    /// Checks that a report can be written there.
    pub(crate) fn prepare(asked: &'a Path) -> Result<Self, NotWritable> {
        let destination = destination(asked).map_err(NotWritable::of(asked))?;
        Ok(Self { asked, destination })
    }

    /// Completes the report: replaces the file, or flushes a pipe or device.
    pub(crate) fn finish(self) -> io::Result<()> {
        let name = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", self.asked.display()));
        match self.destination {
            Destination::Directly(mut file) => file.flush().map_err(name),
            Destination::Beside { new, file } => {
                new.as_file().sync_all().map_err(name)?;
                new.persist(file).map(drop).map_err(|error| name(error.error))
            }
        }
    }
}

fn destination(asked: &Path) -> io::Result<Destination> {
    let (file, permissions): (PathBuf, Option<Permissions>) = match fs::metadata(asked) {
        Ok(metadata) => {
            // Fails for a directory, and for a file without write permission.
            let opened = OpenOptions::new().write(true).open(asked)?;
            if !metadata.is_file() {
                return Ok(Destination::Directly(opened));
            }
            // Replaces the target of a symbolic link, not the link.
            (fs::canonicalize(asked)?, Some(metadata.permissions()))
        }
        // The umask applies to the permissions of a new file.
        Err(error) if error.kind() == io::ErrorKind::NotFound => (asked.to_owned(), new_file()),
        Err(error) => return Err(error),
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Report a missing folder here: the error of `tempfile_in` would name the temporary file.
    fs::metadata(folder)?;
    let mut new = tempfile::Builder::new();
    permissions.map(|permissions| new.permissions(permissions));
    let new = new.tempfile_in(folder)?;
    Ok(Destination::Beside { new, file })
}

#[cfg(unix)]
fn new_file() -> Option<Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(0o666))
}

/// Other systems inherit permissions from the folder.
#[cfg(not(unix))]
fn new_file() -> Option<Permissions> {
    None
}

impl Write for ReportFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.destination {
            Destination::Beside { new, .. } => new.write(bytes),
            Destination::Directly(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.destination {
            Destination::Beside { new, .. } => new.flush(),
            Destination::Directly(file) => file.flush(),
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
    fn complete_report_replaces_the_old_one() {
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
    fn unfinished_report_leaves_no_file() {
        let folder = tempfile::tempdir().expect("temporary directory");
        let path = folder.path().join("report");
        ReportFile::prepare(&path).expect("writable").write_all(b"half").expect("write");
        assert_eq!(files(folder.path()), [""; 0]);
    }

    #[test]
    fn unwritable_file_is_refused_beforehand() {
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
