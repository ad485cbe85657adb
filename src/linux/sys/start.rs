//! Records how this process was started, before `main` changes it. Rust's start-up opens /dev/null
//! for closed standard streams and ignores SIGPIPE (library/std/src/sys/pal/unix/mod.rs, `init`).
//! glibc handles two signals of its own once there are threads. A supervisor stops ignoring
//! SIGCHLD. Main function: [`note_start`].
//!
//! A program records it by `note_start!`, which adds a function that runs before that start-up. In
//! a program without it, streams count as open at the start, and SIGPIPE as not ignored.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU8, Ordering};

use libc::c_int;

/// Bits 0 to 2: this standard stream was closed. The next bits: this signal of [`CHANGED`] was
/// ignored.
static START: AtomicU8 = AtomicU8::new(0);

/// Set once [`note_start`] has run.
const NOTED: u8 = 1 << 7;

/// The signals with a changed disposition; 32 and 33 are the C library's (nptl(7)).
const CHANGED: [c_int; 4] = [libc::SIGPIPE, 32, 33, libc::SIGCHLD];

/// The bit of the first signal of [`CHANGED`].
const FIRST: usize = 3;

/// Records how this process was started. It may run before the C library's and Rust's start-up are
/// complete: it makes system calls and allocates nothing.
pub extern "C" fn note_start() {
    let is_closed = |fd: &RawFd| {
        // SAFETY: takes numbers only; fcntl(2).
        let flags = unsafe { libc::fcntl(*fd, libc::F_GETFD) };
        flags == -1 && super::errno() == libc::EBADF
    };
    let closed = (0..3).filter(is_closed).fold(0, |bits, fd| bits | 1 << fd);
    let ignored = (FIRST..).zip(CHANGED).filter(|(_, signal)| super::is_ignored(*signal));
    START.store(ignored.fold(NOTED | closed, |bits, (bit, _)| bits | 1 << bit), Ordering::Release);
}

/// Returns whether this standard stream was closed at the start of this process. Async-signal-safe.
pub(in crate::linux) fn was_closed(fd: RawFd) -> bool {
    (0..3).contains(&fd) && START.load(Ordering::Acquire) & 1 << fd != 0
}

/// Returns whether a signal was ignored at the start of this process, as far as that is known.
/// Async-signal-safe.
pub(in crate::linux) fn was_ignored(signal: c_int) -> bool {
    let start = START.load(Ordering::Acquire);
    match CHANGED.iter().position(|changed| *changed == signal) {
        Some(at) if start & NOTED != 0 => start & 1 << (FIRST + at) != 0,
        _ => signal != libc::SIGPIPE && super::is_ignored(signal),
    }
}
