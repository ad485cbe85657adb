//! Calls that read a tracee's files and memory. What an answer means is decided elsewhere.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use libc::{c_int, c_long, c_uint, c_void, pid_t};

use super::checked;
use crate::linux::uapi;

/// The status of a file, as far as the kernel has it without asking a file server: statx(2).
#[derive(Debug, Clone, Copy)]
pub(in crate::linux) struct FileStatus {
    pub(in crate::linux) mode: u32,
    /// Major and minor number of a device file.
    pub(in crate::linux) device: (u32, u32),
    /// Major and minor number of the filesystem's device.
    pub(in crate::linux) filesystem: (u32, u32),
    pub(in crate::linux) inode: u64,
    pub(in crate::linux) mount: u64,
}

/// Returns the status of the file at a path. `AT_STATX_DONT_SYNC`: "don't synchronize anything", so
/// that it never waits for a stopped task that serves the file.
pub(in crate::linux) fn file_status(path: &CString, follows: bool) -> io::Result<FileStatus> {
    match statx(libc::AT_FDCWD, path, if follows { 0 } else { libc::AT_SYMLINK_NOFOLLOW }) {
        Err(error) if is_unknown_call(&error) => file_status_by_fd(path, follows),
        answer => answer,
    }
}

/// Returns the status of an open file, which may be open with `O_PATH` only.
pub(in crate::linux) fn open_file_status(file: &OwnedFd) -> io::Result<FileStatus> {
    match statx(file.as_raw_fd(), c"", libc::AT_EMPTY_PATH) {
        Err(error) if is_unknown_call(&error) => status_by_fd(file),
        answer => answer,
    }
}

/// Returns whether statx(2) is missing, or refused by an older seccomp filter.
fn is_unknown_call(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM))
}

/// Returns whether statx(2) itself works.
pub(in crate::linux) fn has_statx() -> bool {
    statx(libc::AT_FDCWD, c"/", 0).is_ok()
}

fn statx(directory: RawFd, path: &CStr, flags: c_int) -> io::Result<FileStatus> {
    let flags = libc::AT_STATX_DONT_SYNC | flags;
    let mask = libc::STATX_TYPE | libc::STATX_MODE | libc::STATX_INO | libc::STATX_MNT_ID;
    // SAFETY: a statx of zeroes is a valid one: it holds numbers only.
    let mut status: libc::statx = unsafe { std::mem::zeroed() };
    // Calls the kernel directly: glibc handles ENOSYS by fstatat(2) and leaves the mount out.
    // SAFETY: a live C string, and a live statx that is written; statx(2).
    let returned = unsafe { libc::syscall(libc::SYS_statx, directory, path.as_ptr(), flags, mask, &raw mut status) };
    checked(returned)?;
    Ok(FileStatus {
        mode: u32::from(status.stx_mode),
        device: (status.stx_rdev_major, status.stx_rdev_minor),
        filesystem: (status.stx_dev_major, status.stx_dev_minor),
        inode: status.stx_ino,
        mount: status.stx_mnt_id,
    })
}

/// Returns the same without statx: fstatat(2) takes the same flags, and the mount is in
/// proc_pid_fdinfo(5). If it is missing there, the mount is 0, which no mount has.
fn file_status_by_fd(path: &CStr, follows: bool) -> io::Result<FileStatus> {
    let flags = libc::O_PATH | libc::O_CLOEXEC | if follows { 0 } else { libc::O_NOFOLLOW };
    // SAFETY: a live C string; open(2).
    let fd = checked(c_long::from(unsafe { libc::open(path.as_ptr(), flags) }))?;
    // SAFETY: a new fd that no other value owns.
    let file = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
    status_by_fd(&file)
}

fn status_by_fd(file: &OwnedFd) -> io::Result<FileStatus> {
    // SAFETY: a stat of zeroes is a valid one: it holds numbers only.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    let flags = libc::AT_EMPTY_PATH | libc::AT_STATX_DONT_SYNC;
    // SAFETY: a live fd, a live C string, and a live stat that is written; fstatat(2).
    let returned = unsafe { libc::fstatat(file.as_raw_fd(), c"".as_ptr(), &raw mut status, flags) };
    checked(c_long::from(returned))?;
    let information = read_proc(&format!("/proc/self/fdinfo/{}", file.as_raw_fd()));
    let mount = String::from_utf8_lossy(&information)
        .lines()
        .find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok());
    let numbers = |device| (libc::major(device), libc::minor(device));
    Ok(FileStatus {
        mode: status.st_mode,
        device: numbers(status.st_rdev),
        filesystem: numbers(status.st_dev),
        inode: status.st_ino,
        mount: mount.unwrap_or(0),
    })
}

/// Opens a place in the file tree without opening the file itself: "O_PATH" of open(2). `how` are
/// the `RESOLVE_*` flags of openat2(2).
pub(in crate::linux) fn open_place(
    root: Option<&OwnedFd>,
    path: &CStr,
    follows: bool,
    how: u64,
) -> io::Result<OwnedFd> {
    let flags = libc::O_PATH | libc::O_CLOEXEC | if follows { 0 } else { libc::O_NOFOLLOW };
    // `struct open_how`, include/uapi/linux/openat2.h: flags, mode, resolve.
    let how: [u64; 3] = [flags as u64, 0, how];
    let root = root.map_or(libc::AT_FDCWD, AsRawFd::as_raw_fd);
    // SAFETY: a live C string and a live open_how of the given size; openat2(2).
    let returned = unsafe { libc::syscall(libc::SYS_openat2, root, path.as_ptr(), how.as_ptr(), size_of_val(&how)) };
    let fd = checked(returned)?;
    // SAFETY: a new fd that no other value owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Reads a whole file of proc; empty if it cannot be read. The kernel reports a size of 0, and a
/// reader that relies on that reads a few bytes at a time.
pub(in crate::linux) fn read_proc(path: &str) -> Vec<u8> {
    const INITIAL_SIZE: usize = 16 << 10;
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let (mut text, mut length) = (vec![0; INITIAL_SIZE], 0);
        loop {
            match file.read(&mut text[length..])? {
                0 => break,
                more => length += more,
            }
            if length == text.len() {
                text.resize(2 * length, 0);
            }
        }
        text.truncate(length);
        Ok(text)
    };
    read().unwrap_or_default()
}

/// Reads a tracee's memory as far as it is mapped, and returns the number of bytes, at least one.
///
/// # Errors
///
/// EFAULT if nothing is mapped at this address, EPERM if the tracee may not be read;
/// process_vm_readv(2).
pub(in crate::linux) fn read_memory(tid: pid_t, address: u64, buffer: &mut [u8]) -> io::Result<usize> {
    /// The smallest page size: an unmapped page must not make the read of a mapped one fail.
    const PAGE: usize = 4096;
    let fault = || io::Error::from_raw_os_error(libc::EFAULT);
    let address = usize::try_from(address).map_err(|_| fault())?;
    let first = buffer.len().min(PAGE - address % PAGE);
    let at = |address: usize, length| libc::iovec { iov_base: address as *mut c_void, iov_len: length };
    let local = at(buffer.as_mut_ptr() as usize, buffer.len());
    let remote = [at(address, first), at(address.wrapping_add(first), buffer.len() - first)];
    // SAFETY: writes at most the length of `buffer`, which is live and ours; the other addresses
    // are the tracee's; process_vm_readv(2).
    let returned = unsafe { libc::process_vm_readv(tid, &raw const local, 1, remote.as_ptr(), 2, 0) };
    match checked(returned as c_long)? {
        0 => Err(fault()),
        length => Ok(length as usize),
    }
}

/// Returns a copy of another task's fd.
pub(in crate::linux) fn copy_fd(tid: pid_t, fd: c_int) -> io::Result<OwnedFd> {
    // For a thread that is no thread group leader, the flag is needed; since Linux 6.9.
    let task = pidfd_open(tid, 0).or_else(|_| pidfd_open(tid, libc::PIDFD_THREAD))?;
    // SAFETY: takes numbers only; pidfd_getfd(2).
    let copy = checked(unsafe { libc::syscall(libc::SYS_pidfd_getfd, task.as_raw_fd(), fd, 0) })?;
    // SAFETY: a new fd that no other value owns.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as RawFd) })
}

/// Returns a handle of a process, which never stands for another one: pidfd_open(2).
#[cfg(feature = "unstable")]
pub(in crate::linux) fn process_handle(process: pid_t) -> io::Result<OwnedFd> {
    pidfd_open(process, 0)
}

/// Sends a signal to the process of a handle.
///
/// # Errors
///
/// ESRCH if the process has been reaped: pidfd_send_signal(2).
#[cfg(feature = "unstable")]
pub(in crate::linux) fn signal_process(process: &OwnedFd, signal: c_int) -> io::Result<()> {
    let no_information = ptr::null::<c_void>();
    // SAFETY: takes numbers, and no information; pidfd_send_signal(2).
    checked(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), signal, no_information, 0) })
        .map(drop)
}

fn pidfd_open(tid: pid_t, flags: c_uint) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers only; pidfd_open(2).
    let task = checked(unsafe { libc::syscall(libc::SYS_pidfd_open, tid, flags) })?;
    // SAFETY: a new fd that no other value owns.
    Ok(unsafe { OwnedFd::from_raw_fd(task as RawFd) })
}

/// Returns a numeric option of level `SOL_SOCKET`.
pub(in crate::linux) fn socket_option(socket: &OwnedFd, option: c_int) -> io::Result<u32> {
    let mut value: c_int = 0;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: writes at most `length` bytes at a live int of that size; getsockopt(2).
    let returned = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            ptr::from_mut(&mut value).cast::<c_void>(),
            &raw mut length,
        )
    };
    checked(c_long::from(returned))?;
    Ok(value as u32)
}

/// Returns an extended attribute, if it is short.
pub(in crate::linux) fn short_attribute(path: &CString, name: &CStr) -> io::Result<Vec<u8>> {
    let mut text = [0_u8; 64];
    // SAFETY: two live C strings, and writes at most the length of a live buffer; getxattr(2).
    let length =
        unsafe { libc::getxattr(path.as_ptr(), name.as_ptr(), text.as_mut_ptr().cast::<c_void>(), text.len()) };
    let length = checked(length as c_long)?;
    Ok(text[..length as usize].to_vec())
}

/// Returns whether two tasks share an fd table. `None`: the kernel does not say.
pub(in crate::linux) fn share_fd_table(one: pid_t, other: pid_t) -> Option<bool> {
    share(one, other, uapi::KCMP_FILES)
}

/// Returns whether two tasks share a memory map. `None`: the kernel does not say.
pub(in crate::linux) fn share_memory(one: pid_t, other: pid_t) -> Option<bool> {
    share(one, other, uapi::KCMP_VM)
}

/// Calls kcmp(2) with a type that compares one resource of two tasks.
fn share(one: pid_t, other: pid_t, resource: c_int) -> Option<bool> {
    // SAFETY: takes numbers only; kcmp(2).
    match checked(unsafe { libc::syscall(libc::SYS_kcmp, one, other, resource, 0, 0) }) {
        Ok(order) => Some(order == 0),
        // One of them is gone.
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Some(false),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_the_same_with_and_without_statx() {
        for path in [c"/proc/self/fd/0", c"/dev/null", c"/", c"/proc", c"/proc/self/exe", c"/proc/self/status"] {
            for follows in [true, false] {
                let shown = path.to_string_lossy();
                let [by_statx, by_fd] = [file_status(&path.into(), follows), file_status_by_fd(path, follows)]
                    .map(|status| status.expect("a status"));
                // A link of proc has a new inode each time.
                let is_link = !follows && by_statx.mode & libc::S_IFMT == libc::S_IFLNK;
                let inode = |status: &FileStatus| if is_link { 0 } else { status.inode };
                let answer =
                    |status: &FileStatus| (status.mode, status.device, status.filesystem, inode(status), status.mount);
                assert_eq!(answer(&by_statx), answer(&by_fd), "{shown} {follows}");
            }
        }
        let missing = file_status_by_fd(c"/proc/self/fd/1000000", true).map_err(|error| error.raw_os_error());
        assert_eq!(missing.err(), Some(Some(libc::ENOENT)));
    }
}
