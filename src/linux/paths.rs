//! Resolves a path as a task would: with its root, working directory and fds, and its own
//! `/proc/self`.
//!
//! One `openat2` call resolves most paths. It is refused where the result could depend on the
//! process that asks: at mounts and at magic links of procfs. Those paths are walked component by
//! component ([`walk`]). Main type: [`Found`].

mod numbers;
mod walk;

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use libc::{RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_XDEV};
use nix::sys::statfs::{self, AUTOFS_SUPER_MAGIC, FUSE_SUPER_MAGIC, PROC_SUPER_MAGIC};

use super::mounts::Mounts;
use super::sys::{self, FileStatus};
use super::uapi::AAFS_MAGIC;
use crate::model::attribution::PathArgument;
use crate::model::kernel::call::Tid;

/// The result of a path lookup.
#[derive(Debug)]
pub(super) enum Found {
    /// A file that is the same for every process, and that the task finds by this path.
    File(Reached),
    /// There is no such file for the task: its call fails.
    Nothing,
    /// The result depends on the process that asks, or this process lacks permission.
    Unknown,
}

/// A file at the end of a path.
#[derive(Debug)]
pub(super) struct Reached {
    /// Opened with `O_PATH`.
    pub(super) file: OwnedFd,
    pub(super) status: FileStatus,
    /// The task and its fd, if the path ends with an fd's link in this process's own procfs.
    pub(super) fd: Option<(Tid, i32)>,
}

impl Reached {
    /// Returns a path to the file for this process.
    pub(super) fn place(&self) -> String {
        format!("/proc/self/fd/{}", self.file.as_raw_fd())
    }
}

/// How a task sees the file tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) task: Tid,
    /// The task has the same root as this process.
    pub(super) shares_root: bool,
    /// A name that this process does not find below its root does not exist for any process: see
    /// [`own_root_has_same_names`].
    pub(super) root_has_same_names: bool,
    /// Look up only what the kernel has cached, without a request to a file server.
    pub(super) cached_only: bool,
}

impl View {
    fn cached(self) -> u64 {
        if self.cached_only { RESOLVE_CACHED } else { 0 }
    }

    /// Opens the directory where relative paths begin.
    fn base(self, place: &PathArgument) -> io::Result<OwnedFd> {
        let task = self.task;
        let base = place.directory.map_or_else(|| format!("/proc/{task}/cwd"), |fd| format!("/proc/{task}/fd/{fd}"));
        open(&base)
    }

    fn root(self) -> io::Result<OwnedFd> {
        if self.shares_root { open("/") } else { open(&format!("/proc/{}/root", self.task)) }
    }
}

fn open(path: &str) -> io::Result<OwnedFd> {
    sys::open_place(None, &CString::new(path)?, true, 0)
}

/// Resolves `text`, which is not empty, from the start that `place` gives.
pub(super) fn resolve(view: View, place: &PathArgument, text: &[u8], mounts: &mut Mounts) -> Found {
    Some(()).and_then(|()| Resolution::new(view, place, text, mounts)?.run()).unwrap_or(Found::Unknown)
}

struct Resolution<'a> {
    view: View,
    place: &'a PathArgument,
    text: CString,
    is_absolute: bool,
    /// `None` for an absolute path if the task has our root.
    base: Option<OwnedFd>,
    mounts: &'a mut Mounts,
}

impl<'a> Resolution<'a> {
    fn new(view: View, place: &'a PathArgument, text: &[u8], mounts: &'a mut Mounts) -> Option<Self> {
        let is_absolute = text.first() == Some(&b'/');
        let base = match is_absolute {
            true if view.shares_root => None,
            true => Some(view.root().ok()?),
            false => Some(view.base(place).ok()?),
        };
        Some(Self { view, place, text: CString::new(text).ok()?, is_absolute, base, mounts })
    }

    /// Returns the result; `None` means unknown.
    fn run(mut self) -> Option<Found> {
        match self.open(RESOLVE_NO_XDEV) {
            Ok(file) => {
                // The file is on the mount where the path began.
                let reached = reached(file)?;
                if names(self.view, &reached.file, &reached.status, self.mounts)? != Names::Proc {
                    return Some(Found::File(reached));
                }
            }
            Err(libc::ENOENT | libc::ENOTDIR) if self.start_has_same_names() => return Some(Found::Nothing),
            Err(libc::ENOENT | libc::ENOTDIR | libc::ELOOP) => {}
            Err(libc::EXDEV) => {
                if let Some(reached) = self.across_mounts() {
                    return Some(Found::File(reached));
                }
            }
            Err(_) => return None,
        }
        walk::Walk::new(&mut self)?.run()
    }

    /// Returns the file on another mount, if the path cannot cross a procfs. Only magic links leave
    /// a procfs other than by `..`, and `..` leads to the same place from every directory of a
    /// task.
    fn across_mounts(&mut self) -> Option<Reached> {
        if !self.is_absolute && !self.view.shares_root {
            return None;
        }
        let reached = reached(self.open(0).ok()?)?;
        (!self.mounts.is_below_proc(self.view.task, &reached.status)).then_some(reached)
    }

    fn open(&self, limits: u64) -> Result<OwnedFd, i32> {
        let inside = match (self.view.shares_root, self.is_absolute) {
            (true, _) => 0,
            (false, true) => RESOLVE_IN_ROOT,
            // Neither an absolute link nor `..` may lead to our root instead of the task's root.
            (false, false) => RESOLVE_BENEATH,
        };
        let how = self.view.cached() | RESOLVE_NO_MAGICLINKS | limits | inside;
        let file = sys::open_place(self.base.as_ref(), &self.text, self.place.follows, how);
        file.map_err(|error| error.raw_os_error().unwrap_or_default())
    }

    /// Returns whether a name that is not found on the path's first mount does not exist for any
    /// process.
    fn start_has_same_names(&mut self) -> bool {
        let Some(base) = &self.base else { return self.view.root_has_same_names };
        has_same_names(self.view, base, self.mounts)
    }
}

/// Returns whether a name that this process does not find on its root's mount does not exist for
/// any process.
pub(super) fn own_root_has_same_names(view: View, mounts: &mut Mounts) -> bool {
    open("/").is_ok_and(|root| has_same_names(view, &root, mounts))
}

fn has_same_names(view: View, file: &OwnedFd, mounts: &mut Mounts) -> bool {
    let status = sys::open_file_status(file);
    status.is_ok_and(|status| names(view, file, &status, mounts) == Some(Names::Same))
}

fn reached(file: OwnedFd) -> Option<Reached> {
    let status = sys::open_file_status(&file).ok()?;
    Some(Reached { file, status, fd: None })
}

/// How far the names in a filesystem depend on the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Every process with permission finds the same files by the same names.
    Same,
    /// Names are created at lookup, and may depend on the process that looks them up.
    PerProcess,
    /// procfs: the names that depend on the process are known, see [`numbers`].
    Proc,
}

/// Classifies the names of a file's filesystem; `None` if that requires a request to a file server.
fn names(view: View, file: &OwnedFd, status: &FileStatus, mounts: &mut Mounts) -> Option<Names> {
    const PROC: u64 = PROC_SUPER_MAGIC.0 as u64;
    const DIFFERING: [u64; 3] = [AUTOFS_SUPER_MAGIC.0 as u64, FUSE_SUPER_MAGIC.0 as u64, AAFS_MAGIC];
    if let Some(name) = mounts.filesystem(view.task, status) {
        return Some(match name.split('.').next() {
            Some("proc") => Names::Proc,
            Some("autofs" | "fuse" | "fuseblk" | "apparmorfs") => Names::PerProcess,
            _ => Names::Same,
        });
    }
    let magic = if view.cached_only { None } else { statfs::fstatfs(file).ok() };
    match magic?.filesystem_type().0 as u64 {
        PROC => Some(Names::Proc),
        magic if DIFFERING.contains(&magic) => Some(Names::PerProcess),
        _ => Some(Names::Same),
    }
}

#[cfg(test)]
mod tests;
