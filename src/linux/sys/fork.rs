//! Divides this process in two. Main function: [`fork`].

use std::fs;
use std::io;

use libc::{c_long, pid_t};

use super::checked;

/// Forks this process, which must have a single thread. Returns the child's number, or `None` in
/// the child.
///
/// # Errors
///
/// The error of fork(2), or that there are several threads: locks of the others would stay locked
/// in the child.
pub(in crate::linux) fn fork() -> io::Result<Option<pid_t>> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("this process has several threads"));
    }
    // SAFETY: "in a multithreaded program", the child is restricted (signal-safety(7)). This
    // process has one thread.
    let child = checked(c_long::from(unsafe { libc::fork() }))?;
    Ok((child != 0).then_some(child as pid_t))
}
