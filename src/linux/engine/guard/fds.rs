//! Reads the fds of a task from /proc and its memory.

use std::os::fd::AsRawFd;
use std::{fs, io};

use crate::linux::command::{Command, Stream};
use crate::linux::memory;
use crate::linux::objects::Objects;
use crate::linux::{sys, uapi};
use crate::model::guard::Inherited;
use crate::model::kernel::call::Tid;

/// Returns whether the kernel opened the program for its interpreter: `AT_EXECFD`, getauxval(3),
/// which binfmt_misc sets for its flags O and C.
pub(super) fn has_program_fd(task: Tid) -> bool {
    /// Size of an entry. If the vector cannot be read, the fds are inspected.
    const ENTRY: usize = 16;
    let vector = sys::read_proc(&format!("/proc/{task}/auxv"));
    let words = |bytes: &[u8]| bytes.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
    vector.len() < ENTRY || vector.chunks_exact(ENTRY).any(|entry| words(entry) == Some(uapi::AT_EXECFD))
}

/// Reads eight bytes of a task's memory.
pub(super) fn read(task: Tid, address: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    (memory::read(task, address, &mut bytes) == Ok(bytes.len())).then(|| u64::from_ne_bytes(bytes))
}

/// Returns the objects of the fds that this command starts with.
pub fn inherited(command: &Command) -> Inherited {
    let own = sys::gettid();
    let mut inherited: Inherited = open_fds(own)
        .into_iter()
        .flatten()
        .filter(|fd| *fd > 2 && sys::survives_exec(*fd))
        .map(|fd| (fd, fd))
        .chain((0..).zip(&command.stdio).map(|(at, stream)| match stream {
            Stream::Inherited if sys::was_closed(at) => (at, -1),
            Stream::Inherited => (at, at),
            Stream::Given(fd) => (at, fd.as_raw_fd()),
        }))
        .filter(|(_, fd)| *fd >= 0)
        .map(|(at, fd)| (at, Objects::default().of_fd(own, fd).object()))
        .collect();
    // Many inherited fds are fds that a parent forgot to close, not streams of a workload. The
    // filter must not grow with them.
    while inherited.len() > MAX_INHERITED {
        inherited.pop_last();
    }
    inherited
}

/// Each inherited fd adds instructions to every check of an fd in the filter.
const MAX_INHERITED: usize = 8;

/// Returns whether the fd may be open. An fd that cannot be inspected may be open.
pub(super) fn is_open(task: Tid, fd: i32) -> bool {
    let link = fs::symlink_metadata(format!("/proc/{task}/fd/{fd}"));
    link.err().is_none_or(|error| error.kind() != io::ErrorKind::NotFound)
}

pub(super) fn open_fds(task: Tid) -> io::Result<impl Iterator<Item = i32>> {
    let fds = fs::read_dir(format!("/proc/{task}/fd"))?;
    Ok(fds.flatten().filter_map(|fd| fd.file_name().to_str()?.parse().ok()))
}
