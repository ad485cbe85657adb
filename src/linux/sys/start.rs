//! What this process was started with and is changed before and after `main`: Rust's start-up opens
//! /dev/null for standard streams that are closed, and ignores SIGPIPE
//! (library/std/src/sys/pal/unix/mod.rs, `init`); glibc handles two signals of its own once there
//! are threads.
//!
//! A program notes it by `note_start!`, whose function runs before that. In a program that does
//! not, streams are taken to have been open and SIGPIPE to have had its default.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU8, Ordering};

use libc::c_int;

/// The bits 0 to 2: this stream was closed. The next ones: this of [`CHANGED`] was ignored.
static START: AtomicU8 = AtomicU8::new(0);

/// [`note_start`] ran.
const NOTED: u8 = 1 << 7;

/// The signals whose disposition is changed; 32 and 33 are the C library's (nptl(7)).
const CHANGED: [c_int; 3] = [libc::SIGPIPE, 32, 33];

/// The bit of the first of them.
const FIRST: usize = 3;

/// Notes what this process was started with. It may run before the C library's and Rust's start-up
/// are complete: it makes system calls and allocates nothing.
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

/// Whether this process was started with this standard stream closed. Async-signal-safe.
pub(in crate::linux) fn was_closed(fd: RawFd) -> bool {
    (0..3).contains(&fd) && START.load(Ordering::Acquire) & 1 << fd != 0
}

/// Whether this process was, or is taken to have been, started with a signal ignored.
/// Async-signal-safe.
pub(in crate::linux) fn was_ignored(signal: c_int) -> bool {
    let start = START.load(Ordering::Acquire);
    match CHANGED.iter().position(|changed| *changed == signal) {
        Some(at) if start & NOTED != 0 => start & 1 << (FIRST + at) != 0,
        _ => signal != libc::SIGPIPE && super::is_ignored(signal),
    }
}
