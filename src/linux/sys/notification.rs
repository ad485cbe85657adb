//! Receives and answers notifications of a seccomp filter: seccomp_unotify(2). What they mean is
//! decided elsewhere.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use libc::{c_int, c_ulong};

use super::checked;
use crate::linux::uapi;

/// `struct seccomp_notif` with its `struct seccomp_data`, include/uapi/linux/seccomp.h.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub(in crate::linux) struct Notification {
    pub(in crate::linux) id: u64,
    pub(in crate::linux) task: c_int,
    pub(in crate::linux) flags: u32,
    pub(in crate::linux) number: c_int,
    pub(in crate::linux) arch: u32,
    pub(in crate::linux) instruction_pointer: u64,
    pub(in crate::linux) args: [u64; 6],
}

/// Padding for later kernels: "The size of the structures […] may be larger", seccomp_unotify(2).
#[repr(C)]
struct Padded<T> {
    value: T,
    padding: [u64; 32],
}

/// Waits for the next call that is about to be made.
pub(in crate::linux) fn next_notification(listener: &OwnedFd) -> io::Result<Notification> {
    // "[Its] fields must be zeroed out before the call".
    let mut next = Padded { value: Notification::default(), padding: [0; 32] };
    // SAFETY: the kernel writes one seccomp_notif, and `next` is larger than that; any bytes are
    // valid; seccomp_unotify(2).
    let returned = unsafe { libc::ioctl(listener.as_raw_fd(), uapi::SECCOMP_IOCTL_NOTIF_RECV, &raw mut next) };
    checked(returned.into())?;
    Ok(next.value)
}

/// Lets a call continue as if it had not been notified, or ends it with an error. ENOENT if its
/// task is gone.
pub(in crate::linux) fn answer(listener: &OwnedFd, id: u64, errno: Option<i32>) -> io::Result<()> {
    /// `struct seccomp_notif_resp`
    #[repr(C)]
    struct Response {
        id: u64,
        value: i64,
        error: i32,
        flags: u32,
    }
    let flags = if errno.is_none() { libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32 } else { 0 };
    let value = Response { id, value: 0, error: -errno.unwrap_or(0), flags };
    let response = Padded { value, padding: [0; 32] };
    // SAFETY: the kernel reads one seccomp_notif_resp from a live, larger structure;
    // seccomp_unotify(2).
    let returned = unsafe { libc::ioctl(listener.as_raw_fd(), uapi::SECCOMP_IOCTL_NOTIF_SEND, &raw const response) };
    checked(returned.into()).map(drop)
}

/// Sets whether tracee and receiver wake each other on one CPU:
/// "SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP". Ignored before Linux 6.6, which lacks that request.
pub(in crate::linux) fn prefer_one_cpu(listener: &OwnedFd, preferred: bool) -> io::Result<()> {
    // SAFETY: takes numbers only; seccomp_unotify(2).
    let returned =
        unsafe { libc::ioctl(listener.as_raw_fd(), uapi::SECCOMP_IOCTL_NOTIF_SET_FLAGS, c_ulong::from(preferred)) };
    match checked(returned.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EINVAL) => Err(error),
        _ => Ok(()),
    }
}
