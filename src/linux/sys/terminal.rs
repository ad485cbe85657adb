//! The signal handler that restores a terminal's modes before a signal ends this process.
//! Everything in it is async-signal-safe. Main function: [`restore_before`].

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::OnceLock;

use libc::{c_int, c_long};

use super::checked;

/// The terminal, as an fd that stays open, and its modes.
static KEPT: OnceLock<(RawFd, libc::termios)> = OnceLock::new();

/// Saves the current modes of a terminal. Only the first call saves; later calls change nothing.
pub(in crate::linux) fn keep_modes(terminal: RawFd) -> io::Result<()> {
    let mut modes = MaybeUninit::<libc::termios>::uninit();
    // SAFETY: tcgetattr writes one termios at a place of that size; termios(3).
    checked(c_long::from(unsafe { libc::tcgetattr(terminal, modes.as_mut_ptr()) }))?;
    // SAFETY: tcgetattr succeeded, so all of it is written.
    let modes = unsafe { modes.assume_init() };
    KEPT.get_or_init(|| (terminal, modes));
    Ok(())
}

/// Restores the saved modes, unless the terminal belongs to another job by now. Async-signal-safe.
pub(in crate::linux) fn restore_modes() {
    let Some((terminal, modes)) = KEPT.get() else { return };
    // SAFETY: takes a number; tcgetpgrp(3). It fails if the terminal does not control this session.
    let foreground = unsafe { libc::tcgetpgrp(*terminal) };
    // SAFETY: takes nothing and cannot fail; getpgrp(2).
    if foreground == -1 || foreground == unsafe { libc::getpgrp() } {
        // SAFETY: a termios that is never written again; termios(3).
        unsafe { libc::tcsetattr(*terminal, libc::TCSANOW, ptr::from_ref(modes)) };
    }
}

extern "C" fn restore_and_end(signal: c_int) {
    restore_modes();
    // SA_RESETHAND has reset the signal's disposition: it ends this process when the handler
    // returns.
    // SAFETY: takes a number; raise(3) is async-signal-safe.
    unsafe { libc::raise(signal) };
}

/// Makes this signal restore the terminal's modes before it ends this process.
pub(in crate::linux) fn restore_before(signal: c_int) -> io::Result<()> {
    let handler: extern "C" fn(c_int) = restore_and_end;
    // SAFETY: an empty sigset_t is all zeroes on Linux.
    let mut mask: libc::sigset_t = unsafe { std::mem::zeroed() };
    // Another job may take the terminal at the last moment. SIGTTOU would then stop this process,
    // which must end.
    // SAFETY: a live set, and a valid signal number; sigaddset(3).
    unsafe { libc::sigaddset(&raw mut mask, libc::SIGTTOU) };
    let action = libc::sigaction {
        sa_sigaction: handler as usize,
        sa_mask: mask,
        sa_flags: libc::SA_RESETHAND,
        sa_restorer: None,
    };
    // SAFETY: `action` is a live, whole sigaction, and its handler is async-signal-safe;
    // sigaction(2).
    checked(c_long::from(unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) })).map(drop)
}
