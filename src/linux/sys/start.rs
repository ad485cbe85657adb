//! What this process was started with and Rust's start-up changes before `main`: it opens /dev/null for standard streams that
//! are closed, and ignores SIGPIPE (library/std/src/sys/pal/unix/mod.rs, `init`).
//!
//! A program notes it by `note_start!`, whose function runs before that. In a program that does not, streams are taken to
//! have been open and SIGPIPE to have had its default.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU8, Ordering};

/// The bits 0 to 2: this stream was closed.
static START: AtomicU8 = AtomicU8::new(0);

/// SIGPIPE was ignored.
const IGNORES_SIGPIPE: u8 = 1 << 3;

/// Notes what this process was started with. It may run before the C library's and Rust's start-up are complete: it makes system
/// calls and allocates nothing.
pub extern "C" fn note_start() {
    let is_closed = |fd: &RawFd| {
        // SAFETY: takes numbers only; fcntl(2).
        let flags = unsafe { libc::fcntl(*fd, libc::F_GETFD) };
        flags == -1 && super::errno() == libc::EBADF
    };
    let closed = (0..3).filter(is_closed).fold(0, |bits, fd| bits | 1 << fd);
    let ignored = if super::is_ignored(libc::SIGPIPE) { IGNORES_SIGPIPE } else { 0 };
    START.store(closed | ignored, Ordering::Release);
}

/// Whether this process was started with this standard stream closed. Async-signal-safe.
pub(in crate::linux) fn was_closed(fd: RawFd) -> bool {
    (0..3).contains(&fd) && START.load(Ordering::Acquire) & 1 << fd != 0
}

/// Whether this process was started with SIGPIPE ignored. Async-signal-safe.
pub(in crate::linux) fn ignored_sigpipe() -> bool {
    START.load(Ordering::Acquire) & IGNORES_SIGPIPE != 0
}
