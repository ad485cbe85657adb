//! Private copies of a workload's working directory, so that no run changes the user's files. Main
//! type: [`FolderCopy`].
//!
//! The folder is copied once, before the first run: edits during an exploration do not reach its
//! runs. Each run gets a copy of that snapshot. No file is linked: a run could change it in place.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, File, FileTimes, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown, lchown, symlink};
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, OFlag};
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;

use super::NotExplored;
use crate::runner::folder::TemporaryFolder;

/// How many bytes of files a working directory may have: each run copies and compares them.
const MOST_BYTES: u64 = 64 << 20;
/// How many files and folders it may have.
const MOST_ENTRIES: usize = 10_000;

/// The start of a file that marks its folder as a cache: Cache Directory Tagging Specification.
/// Cargo's target directory has one.
const CACHE_TAG: &str = "CACHEDIR.TAG";
const CACHE_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// A snapshot of a folder.
#[derive(Debug)]
pub(super) struct FolderCopy {
    snapshot: TemporaryFolder,
    /// What the snapshot lacks, as clauses.
    left_out: Vec<String>,
}

/// Why a folder cannot be copied.
#[derive(Debug)]
enum CopyError {
    TooLarge,
    Io(PathBuf, io::Error),
}

impl FolderCopy {
    /// Copies the folder that a document names `cwd`.
    ///
    /// # Errors
    ///
    /// [`NotExplored`]: it is too large, cannot be read, or holds the directory for temporary
    /// files.
    pub(super) fn of(folder: &Path, cwd: &str) -> Result<Self, NotExplored> {
        let refused = |reason: String, help: &str| NotExplored::Refused { reason, help: help.to_owned() };
        let failed = |path: &Path, error: &io::Error| {
            NotExplored::NotStarted(format!("cannot copy {} for its runs: {error}", path.display()))
        };
        let from = folder.canonicalize().map_err(|error| failed(folder, &error))?;
        let snapshot = TemporaryFolder::create("sysguard-").map_err(|error| failed(&from, &error))?;
        if snapshot.path().starts_with(&from) {
            let place = std::env::temp_dir();
            return Err(refused(
                format!("its working directory {cwd} holds {}, where runs get their copies of it", place.display()),
                "Set `TMPDIR` to a folder outside of it.",
            ));
        }
        let mut copying =
            Copying { device: None, bytes: MOST_BYTES, entries: MOST_ENTRIES, left_out: Vec::new(), special: 0 };
        match copying.fill(&from, snapshot.path(), cwd) {
            Ok(()) => Ok(Self { snapshot, left_out: copying.into_left_out() }),
            Err(CopyError::Io(path, error)) => Err(failed(&path, &error)),
            Err(CopyError::TooLarge) => Err(refused(
                format!(
                    "its working directory {cwd} has more than {} MiB or {MOST_ENTRIES} files, and each run gets a \
                     copy of it",
                    MOST_BYTES >> 20
                ),
                "Set `cwd:` to a smaller folder. Folders with a CACHEDIR.TAG do not count.",
            )),
        }
    }

    /// Copies the snapshot to an empty folder.
    pub(super) fn copy_to(&self, folder: &Path) -> Result<(), NotExplored> {
        let mut copying =
            Copying { device: None, bytes: u64::MAX, entries: usize::MAX, left_out: Vec::new(), special: 0 };
        copying.fill(self.snapshot.path(), folder, "").map_err(|error| {
            let reason = match error {
                CopyError::Io(path, error) => format!("{}: {error}", path.display()),
                CopyError::TooLarge => "it is too large".to_owned(),
            };
            NotExplored::NotStarted(format!("cannot copy the working directory: {reason}"))
        })
    }

    /// Returns what the copies lack, as clauses.
    pub(super) fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

/// A copy under way.
struct Copying {
    /// The filesystem of the folder; others are left out.
    device: Option<u64>,
    /// How many bytes and entries may follow.
    bytes: u64,
    entries: usize,
    left_out: Vec<String>,
    /// The number of sockets, FIFOs and devices.
    special: u64,
}

impl Copying {
    fn into_left_out(self) -> Vec<String> {
        let special =
            (self.special > 0).then(|| "copies of the working directory lack sockets, FIFOs and devices".to_owned());
        self.left_out.into_iter().chain(special).collect()
    }

    /// Copies the content of a folder, then its own attributes. `name` is for messages.
    fn fill(&mut self, from: &Path, to: &Path, name: &str) -> Result<(), CopyError> {
        let failed = |error| CopyError::Io(from.to_owned(), error);
        let metadata = fs::symlink_metadata(from).map_err(failed)?;
        self.device.get_or_insert(metadata.dev());
        let mut entries: Vec<DirEntry> = fs::read_dir(from).and_then(Iterator::collect).map_err(failed)?;
        // Some filesystems list files in the order in which they were made.
        entries.sort_by_key(DirEntry::file_name);
        for entry in entries {
            self.entries = self.entries.checked_sub(1).ok_or(CopyError::TooLarge)?;
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            match self.copy(&entry.path(), &to.join(entry.file_name()), &name) {
                // It was removed meanwhile.
                Err(CopyError::Io(_, error)) if error.kind() == io::ErrorKind::NotFound => {}
                result => result?,
            }
        }
        let is_own =
            fs::symlink_metadata(to).is_ok_and(|its| (its.uid(), its.gid()) == (metadata.uid(), metadata.gid()));
        if !is_own {
            // Only root may give files away; others own their copies.
            let _ = chown(to, Some(metadata.uid()), Some(metadata.gid()));
        }
        let set = || {
            fs::set_permissions(to, Permissions::from_mode(metadata.mode() & 0o7777))?;
            set_times(to, &metadata)
        };
        set().map_err(failed)
    }

    fn copy(&mut self, from: &Path, to: &Path, name: &str) -> Result<(), CopyError> {
        let failed = |error| CopyError::Io(from.to_owned(), error);
        let metadata = fs::symlink_metadata(from).map_err(failed)?;
        let kind = metadata.file_type();
        if kind.is_symlink() {
            let copy = || {
                symlink(fs::read_link(from)?, to)?;
                let _ = lchown(to, Some(metadata.uid()), Some(metadata.gid()));
                set_times(to, &metadata)
            };
            return copy().map_err(failed);
        }
        if kind.is_file() {
            self.bytes = self.bytes.checked_sub(metadata.len()).ok_or(CopyError::TooLarge)?;
            return copy_file(from, to, metadata.len()).map_err(failed);
        }
        if !kind.is_dir() {
            self.special += 1;
            return Ok(());
        }
        if self.device != Some(metadata.dev()) {
            self.left_out.push(format!("copies of the working directory lack {name}, which is on another filesystem"));
        } else if is_cache(from) {
            self.left_out.push(format!("copies of the working directory lack {name}, which has a CACHEDIR.TAG"));
        } else {
            fs::DirBuilder::new().mode(0o700).create(to).map_err(failed)?;
            return self.fill(from, to, name);
        }
        Ok(())
    }
}

/// Copies a file of this length with its attributes. A filesystem that can share blocks does so:
/// copy_file_range(2).
fn copy_file(from: &Path, to: &Path, length: u64) -> io::Result<()> {
    // A link is not followed, and a FIFO is not waited for.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let source = OpenOptions::new().read(true).custom_flags(flags.bits()).open(from)?;
    let metadata = source.metadata()?;
    let target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut (&source).take(length), &mut &target)?;
    let made = target.metadata()?;
    if (made.uid(), made.gid()) != (metadata.uid(), metadata.gid()) {
        let _ = fchown(&target, Some(metadata.uid()), Some(metadata.gid()));
    }
    target.set_permissions(Permissions::from_mode(metadata.mode() & 0o7777))?;
    target.set_times(FileTimes::new().set_accessed(metadata.accessed()?).set_modified(metadata.modified()?))
}

/// Sets the times of a folder or a symbolic link.
fn set_times(path: &Path, metadata: &fs::Metadata) -> io::Result<()> {
    let accessed = TimeSpec::new(metadata.atime(), metadata.atime_nsec());
    let modified = TimeSpec::new(metadata.mtime(), metadata.mtime_nsec());
    Ok(utimensat(AT_FDCWD, path, &accessed, &modified, UtimensatFlags::NoFollowSymlink)?)
}

fn is_cache(folder: &Path) -> bool {
    let mut start = [0; CACHE_SIGNATURE.len()];
    let tag = folder.join(OsStr::new(CACHE_TAG));
    let is_file = fs::symlink_metadata(&tag).is_ok_and(|metadata| metadata.is_file());
    is_file && File::open(tag).and_then(|mut tag| tag.read_exact(&mut start)).is_ok() && start == *CACHE_SIGNATURE
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn copied(folder: &Path) -> (FolderCopy, tempfile::TempDir) {
        let copy = FolderCopy::of(folder, "data").expect("a small folder");
        let place = tempfile::tempdir().expect("a folder");
        copy.copy_to(place.path()).expect("a copy");
        (copy, place)
    }

    #[test]
    fn copy_keeps_content_modes_times_and_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("closed")).expect("folder");
        fs::write(at("closed/file"), "text").expect("file");
        symlink("/etc/passwd", at("out")).expect("link");
        symlink("../..", at("closed/up")).expect("link");
        fs::set_permissions(at("closed/file"), Permissions::from_mode(0o640)).expect("mode");
        fs::set_permissions(at("closed"), Permissions::from_mode(0o500)).expect("mode");
        let old = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000, 7);
        for name in ["closed/file", "closed"] {
            File::open(at(name)).and_then(|file| file.set_modified(old)).expect("time");
        }
        let (_, copy) = copied(folder.path());
        let metadata = |name: &str| fs::symlink_metadata(copy.path().join(name)).expect(name);
        assert_eq!(fs::read(copy.path().join("closed/file")).expect("file"), b"text");
        assert_eq!(
            [metadata("closed/file").mode(), metadata("closed").mode()].map(|mode| mode & 0o777),
            [0o640, 0o500]
        );
        assert_eq!([metadata("closed/file"), metadata("closed")].map(|its| its.modified().expect("time")), [old; 2]);
        let links = ["out", "closed/up"].map(|name| fs::read_link(copy.path().join(name)).expect("link"));
        assert_eq!(links, ["/etc/passwd", "../.."].map(PathBuf::from));
        assert_ne!(metadata("closed/file").ino(), fs::metadata(at("closed/file")).expect("file").ino());
    }

    #[test]
    fn edit_reaches_no_later_copy() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), "before").expect("file");
        let copy = FolderCopy::of(folder.path(), "data").expect("a small folder");
        fs::write(folder.path().join("file"), "after").expect("file");
        for _ in 0..2 {
            let place = tempfile::tempdir().expect("a folder");
            copy.copy_to(place.path()).expect("a copy");
            let file = place.path().join("file");
            assert_eq!(fs::read(&file).expect("file"), b"before");
            fs::write(file, "changed by a run").expect("file");
        }
    }

    #[test]
    fn caches_and_special_files_are_left_out_and_named() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, tag) in [("target", &b"Signature: 8a477f597d28d172789f06886806bc55\n# more"[..]), ("no-cache", b"x")]
        {
            fs::create_dir(folder.path().join(name)).expect("folder");
            fs::write(folder.path().join(name).join(CACHE_TAG), tag).expect("file");
        }
        let _socket = UnixListener::bind(folder.path().join("socket")).expect("socket");
        let (copy, place) = copied(folder.path());
        let names: Vec<_> =
            fs::read_dir(place.path()).expect("folder").map(|it| it.expect("entry").file_name()).collect();
        assert_eq!(names, ["no-cache"]);
        let [cache, special] = copy.left_out() else { panic!("{:?}", copy.left_out()) };
        assert!(cache.contains("lack data/target,") && special.contains("sockets"), "{cache} {special}");
    }

    #[test]
    fn large_folder_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = File::create(folder.path().join("sparse")).expect("file");
        file.set_len(MOST_BYTES).expect("length");
        assert!(FolderCopy::of(folder.path(), "data").is_ok());
        file.set_len(MOST_BYTES + 1).expect("length");
        let Err(NotExplored::Refused { reason, .. }) = FolderCopy::of(folder.path(), "data") else { panic!("copied") };
        assert!(reason.starts_with("its working directory data has more than 64 MiB or 10000 files"), "{reason}");
    }

    #[test]
    fn folder_with_the_scratch_directory_is_refused() {
        let Err(NotExplored::Refused { help, .. }) = FolderCopy::of(&std::env::temp_dir(), "tmp") else {
            panic!("copied")
        };
        assert!(help.contains("TMPDIR"), "{help}");
    }
}
