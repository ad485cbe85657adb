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
    /// A file that a new one replaces. The new one is made at the end, since this process may be
    /// killed before.
    Whole { report: Vec<u8>, file: PathBuf, permissions: Option<Permissions> },
    /// A pipe or a device, which cannot be replaced, or a file that is standard output or standard
    /// error.
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
            Destination::Whole { report, file, permissions } => {
                let mut new = beside(&file, permissions).map_err(name)?;
                new.write_all(&report).and_then(|()| new.as_file().sync_all()).map_err(name)?;
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
            if is_stream(&metadata) {
                // What the command wrote there stays.
                return OpenOptions::new().append(true).open(asked).map(Destination::Directly);
            }
            // Replaces the target of a symbolic link, not the link.
            (fs::canonicalize(asked)?, Some(metadata.permissions()))
        }
        // The umask applies to the permissions of a new file.
        Err(error) if error.kind() == io::ErrorKind::NotFound => (asked.to_owned(), new_file()),
        Err(error) => return Err(error),
    };
    drop(beside(&file, None)?);
    Ok(Destination::Whole { report: Vec::new(), file, permissions })
}

/// Creates a temporary file in the folder of another file.
fn beside(file: &Path, permissions: Option<Permissions>) -> io::Result<NamedTempFile> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new();
    permissions.map(|permissions| new.permissions(permissions));
    // The error of `tempfile_in` names the temporary file.
    new.tempfile_in(folder).map_err(|error| error.kind().into())
}

/// Returns whether a file is standard output or standard error.
#[cfg(unix)]
fn is_stream(file: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let is_same = |stream: fs::Metadata| (stream.dev(), stream.ino()) == (file.dev(), file.ino());
    ["/dev/fd/1", "/dev/fd/2"].into_iter().any(|stream| fs::metadata(stream).is_ok_and(is_same))
}

/// Other systems have no names for streams.
#[cfg(not(unix))]
fn is_stream(_: &fs::Metadata) -> bool {
    false
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
            Destination::Whole { report, .. } => report.write(bytes),
            Destination::Directly(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.destination {
            Destination::Whole { .. } => Ok(()),
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
        assert_eq!(files(folder.path()), ["report"], "a kill would leave other files");
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
