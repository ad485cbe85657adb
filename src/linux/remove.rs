//! Removes a directory tree that a workload could write to: [`remove_tree`].
//!
//! The content may be hostile: links, mounts, folders without permission bits, thousands of levels,
//! and a process that still writes. So every step is relative to an open directory, follows no
//! link, stays on one mount, and needs neither stack nor fds per level.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, open, openat, openat2};
use nix::sys::stat::{FchmodatFlags, Mode, fchmod, fchmodat, fstat};
use nix::unistd::{UnlinkatFlags, geteuid, unlinkat};

use super::unmount::{unmount_below, unmount_root_of};
use crate::model::text::remains::Remains;

/// How long to wait before each attempt, in milliseconds: a process that is being killed may still
/// write for a moment.
const PAUSES: [u64; 5] = [0, 5, 20, 80, 320];

/// How many mounts on one entry are unmounted at most.
const STACKED_MOUNTS: usize = 64;

/// Removes a folder and its content, and unmounts what is mounted there. A missing folder counts as
/// removed.
///
/// # Errors
///
/// What could not be removed. The rest is gone.
pub fn remove_tree(folder: &Path) -> Result<(), Remains> {
    let mut remains = Remains { folder: folder.display().to_string(), ..Remains::default() };
    for pause in PAUSES {
        thread::sleep(Duration::from_millis(pause));
        let left = match FolderEntry::of(folder) {
            Ok(place) => place.remove(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => {
                remains.entries = 1;
                remains.reason = error.to_string();
                return Err(remains);
            }
        };
        let Some((first, reason)) = left.first else { return Ok(()) };
        remains = Remains { first, reason, entries: left.entries, ..remains };
        if !left.is_transient {
            break;
        }
    }
    Err(remains)
}

/// A folder, by its name in its open parent.
struct FolderEntry {
    path: PathBuf,
    parent: OwnedFd,
    name: CString,
}

/// What one attempt could not remove.
#[derive(Debug, Default)]
struct Left {
    /// The first entry, and why it stays.
    first: Option<(String, String)>,
    entries: u64,
    /// Another attempt may succeed.
    is_transient: bool,
}

/// A folder on the way from the root to the open one.
#[derive(Debug)]
struct Level {
    /// The name in the parent folder.
    name: CString,
    /// Device and inode.
    id: (u64, u64),
    /// Non-empty folders in it.
    folders: Vec<CString>,
    /// An entry in it cannot be removed.
    keeps: bool,
}

/// One attempt: the open folder, and the way to it.
struct Walk {
    open: OwnedFd,
    levels: Vec<Level>,
    left: Left,
}

impl FolderEntry {
    fn of(folder: &Path) -> io::Result<Self> {
        let name = folder.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let parent = fs::canonicalize(parent)?;
        Ok(Self {
            path: parent.join(name),
            name: CString::new(name.as_bytes())?,
            parent: open(&parent, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?,
        })
    }

    fn remove(&self) -> Left {
        unmount_below(&self.path);
        let root = match enter(&self.parent, &self.name) {
            Ok(root) => root,
            Err(Errno::ENOENT) => return Left::default(),
            // The name is no longer a folder: it is removed itself, and a link is not followed.
            Err(Errno::ENOTDIR | Errno::ELOOP) => return self.ended(Left::default()),
            Err(error) => return Left::whole(&describe(error)),
        };
        let mut walk = Walk { open: root, levels: Vec::new(), left: Left::default() };
        match walk.run(self.name.clone()) {
            true => self.ended(walk.left),
            false => walk.left,
        }
    }

    /// Removes the folder itself, once it is empty.
    fn ended(&self, mut left: Left) -> Left {
        let removed = remove_folder(&self.parent, &self.name).or_else(|error| match error {
            Errno::ENOTDIR => remove_file(&self.parent, &self.name),
            error => Err(error),
        });
        match removed {
            Err(error) if left.first.is_none() => {
                left = Left::whole(&describe(error));
                left.is_transient = is_transient(error);
            }
            _ => {}
        }
        left
    }
}

impl Left {
    fn whole(reason: &str) -> Self {
        Self { first: Some((String::new(), reason.to_owned())), entries: 1, is_transient: false }
    }
}

impl Walk {
    /// Empties the open folder. Returns `false` if the way back is lost, since a folder was moved
    /// meanwhile.
    fn run(&mut self, root: CString) -> bool {
        let Ok(()) = self.push(root) else { return false };
        while let Some(level) = self.levels.last_mut() {
            if let Some(name) = level.folders.pop() {
                self.descend(name);
            } else if self.levels.len() == 1 {
                return true;
            } else if !self.ascend() {
                self.note(c"", "the folder was moved during its removal", true);
                return false;
            }
        }
        true
    }

    /// Appends the open folder to the way, and removes what can be removed in it at once.
    fn push(&mut self, name: CString) -> nix::Result<()> {
        let status = fstat(&self.open).inspect_err(|error| self.left = Left::whole(&describe(*error)))?;
        if status.st_mode & 0o700 != 0o700 {
            // If this user does not own it, a later step reports why it stays.
            let _ = fchmod(&self.open, Mode::from_bits_truncate(status.st_mode) | Mode::S_IRWXU);
        }
        self.levels.push(Level { name, id: (status.st_dev, status.st_ino), folders: Vec::new(), keeps: false });
        self.sweep();
        Ok(())
    }

    /// Removes the files and empty folders of the open folder.
    fn sweep(&mut self) {
        let listing = self.open.try_clone().map_err(|_| Errno::EMFILE).and_then(Dir::from_fd);
        let mut listing = match listing {
            Ok(listing) => listing,
            Err(error) => return self.note(c"", &describe(error), false),
        };
        for entry in listing.iter() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.note(c"", &describe(error), false),
            };
            let name = entry.file_name();
            if name != c"." && name != c".." {
                self.remove_entry(name, entry.file_type());
            }
        }
    }

    fn remove_entry(&mut self, name: &CStr, kind: Option<Type>) {
        let removed = match kind {
            Some(Type::Directory) => remove_folder(&self.open, name),
            _ => remove_file(&self.open, name),
        };
        match (removed, kind) {
            (Ok(()), _) => {}
            (Err(_), Some(Type::Directory)) | (Err(Errno::EISDIR), _) => self.later(name),
            (Err(Errno::EBUSY), _) => self.remove_mounted_file(name),
            // unlink(2): EPERM is the "POSIX prescribed error" for a directory.
            (Err(Errno::EPERM), None) if enter(&self.open, name).is_ok() => self.later(name),
            (Err(error), _) => self.note(name, &describe(error), is_transient(error)),
        }
    }

    /// Queues a folder that is not empty.
    fn later(&mut self, name: &CStr) {
        if let Some(level) = self.levels.last_mut() {
            level.folders.push(name.to_owned());
        }
    }

    /// Unmounts and removes a file that is a mount point.
    fn remove_mounted_file(&mut self, name: &CStr) {
        let mut removed = Err(Errno::EBUSY);
        for _ in 0..STACKED_MOUNTS {
            if unmount(&self.open, name).is_err() {
                break;
            }
            removed = remove_file(&self.open, name);
            if removed != Err(Errno::EBUSY) {
                break;
            }
        }
        if let Err(error) = removed {
            self.note(name, &describe(error), is_transient(error));
        }
    }

    fn descend(&mut self, name: CString) {
        let mut entered = enter(&self.open, &name);
        for _ in 0..STACKED_MOUNTS {
            if entered.as_ref().err() != Some(&Errno::EXDEV) {
                break;
            }
            if let Err(error) = unmount(&self.open, &name) {
                return self.note(
                    &name,
                    &format!("is a mount point and cannot be unmounted: {}", describe(error)),
                    false,
                );
            }
            entered = enter(&self.open, &name);
        }
        match entered {
            Ok(folder) => {
                let before = std::mem::replace(&mut self.open, folder);
                if self.push(name).is_err() {
                    self.open = before;
                }
            }
            Err(Errno::ENOENT) => {}
            // It was still a folder when it was listed.
            Err(Errno::ENOTDIR | Errno::ELOOP) => self.remove_entry(&name, None),
            Err(error) => self.note(&name, &describe(error), is_transient(error)),
        }
    }

    /// Returns to the parent folder and removes the emptied one. Returns `false` if `..` is not
    /// where the walk came from.
    fn ascend(&mut self) -> bool {
        let Ok(before) = enter(&self.open, c"..") else { return false };
        let Some(done) = self.levels.pop() else { return false };
        let came_from = self.levels.last().map(|level| level.id);
        if came_from != fstat(&before).ok().map(|status| (status.st_dev, status.st_ino)) {
            return false;
        }
        self.open = before;
        match remove_folder(&self.open, &done.name) {
            Ok(()) => {}
            Err(_) if done.keeps => self.keep(),
            Err(error) => self.note(&done.name, &describe(error), is_transient(error)),
        }
        true
    }

    fn keep(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.keeps = true;
        }
    }

    /// Records an entry of the open folder that stays.
    fn note(&mut self, name: &CStr, reason: &str, is_transient: bool) {
        self.keep();
        self.left.entries += 1;
        self.left.is_transient |= is_transient;
        if self.left.first.is_none() {
            self.left.first = Some((display_path(&self.levels, name), reason.to_owned()));
        }
    }
}

/// Returns the path of an entry below the root, shortened if it is very long.
fn display_path(levels: &[Level], name: &CStr) -> String {
    const EDGE: usize = 8;
    let mut parts: Vec<String> = levels
        .iter()
        .skip(1)
        .map(|level| &*level.name)
        .chain([name])
        .filter(|part| !part.is_empty())
        .map(|part| part.to_string_lossy().escape_debug().to_string())
        .collect();
    if parts.len() > 2 * EDGE {
        let cut = parts.len() - 2 * EDGE;
        parts.splice(EDGE..EDGE + cut, [format!("[{cut} folders]")]);
    }
    parts.join("/")
}

fn describe(error: Errno) -> String {
    error.desc().to_owned()
}

/// Returns whether a process that still writes may have caused the error.
fn is_transient(error: Errno) -> bool {
    matches!(error, Errno::ENOTEMPTY | Errno::EEXIST | Errno::EBUSY | Errno::EINTR | Errno::EAGAIN | Errno::ESTALE)
}

fn remove_file(folder: &OwnedFd, name: &CStr) -> nix::Result<()> {
    gone(unlinkat(folder, name, UnlinkatFlags::NoRemoveDir))
}

fn remove_folder(folder: &OwnedFd, name: &CStr) -> nix::Result<()> {
    gone(unlinkat(folder, name, UnlinkatFlags::RemoveDir))
}

fn gone(removed: nix::Result<()>) -> nix::Result<()> {
    removed.or_else(|error| if error == Errno::ENOENT { Ok(()) } else { Err(error) })
}

/// Opens a folder in an open one for listing. `EXDEV`: it is a mount point.
fn enter(folder: &OwnedFd, name: &CStr) -> nix::Result<OwnedFd> {
    const LIST: OFlag = OFlag::O_RDONLY.union(OFlag::O_DIRECTORY);
    match open_on_mount(folder, name, LIST) {
        Err(Errno::EACCES) => {
            make_ours(folder, name)?;
            open_on_mount(folder, name, LIST)
        }
        opened => opened,
    }
}

/// Gives a folder of this user the permissions that its removal needs.
fn make_ours(folder: &OwnedFd, name: &CStr) -> nix::Result<()> {
    let place = open_on_mount(folder, name, OFlag::O_PATH | OFlag::O_DIRECTORY)?;
    if fstat(&place)?.st_uid != geteuid().as_raw() {
        return Err(Errno::EACCES);
    }
    // fchmod(2) takes no O_PATH fd: open(2).
    let path = PathBuf::from(format!("/proc/self/fd/{}", place.as_raw_fd()));
    fchmodat(AT_FDCWD, &path, Mode::S_IRWXU, FchmodatFlags::FollowSymlink)
}

/// Opens an entry that is no link and on the same mount as its folder.
fn open_on_mount(folder: &OwnedFd, name: &CStr, flags: OFlag) -> nix::Result<OwnedFd> {
    let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let how = OpenHow::new().flags(flags).resolve(ResolveFlag::RESOLVE_NO_XDEV);
    match openat2(folder, name, how) {
        // openat2 exists since Linux 5.6; an older seccomp filter may answer EPERM.
        Err(Errno::ENOSYS | Errno::EPERM) => {
            let opened = openat(folder, name, flags, Mode::empty())?;
            if mount_of(&opened)? == mount_of(folder)? { Ok(opened) } else { Err(Errno::EXDEV) }
        }
        opened => opened,
    }
}

/// Returns the ID of the mount that an open file is on: proc_pid_fdinfo(5).
fn mount_of(file: &impl AsFd) -> nix::Result<u64> {
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_fd().as_raw_fd()));
    let text = text.map_err(|_| Errno::ENOTSUP)?;
    let number = text.lines().find_map(|line| line.strip_prefix("mnt_id:")).and_then(|id| id.trim().parse().ok());
    number.ok_or(Errno::ENOTSUP)
}

/// Unmounts the mount on an entry of an open folder.
fn unmount(folder: &OwnedFd, name: &CStr) -> nix::Result<()> {
    let place = openat(folder, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())?;
    if mount_of(&place)? == mount_of(folder)? {
        return Err(Errno::EBUSY);
    }
    unmount_root_of(&place)
}

#[cfg(test)]
mod tests;
