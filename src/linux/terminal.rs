//! Restores the terminal's modes, since a program that changes them may be killed before it
//! restores them. Main type: [`KeptTerminal`].
//!
//! A SIGKILL of this process cannot be handled.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsRawFd, IntoRawFd};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::sys;

/// The original modes of the terminal, if there is one.
#[derive(Debug)]
pub struct KeptTerminal(());

/// Saves the modes of the terminal, which are restored before a signal ends this process. Programs
/// that it starts have the default disposition of these signals; an ignored signal stays ignored.
pub fn keep_terminal() -> io::Result<KeptTerminal> {
    let terminal = if io::stdin().is_terminal() {
        Some(io::stdin().as_raw_fd())
    } else {
        // The fd stays open until the end. Without a controlling terminal there is nothing to
        // restore.
        File::open("/dev/tty").ok().map(IntoRawFd::into_raw_fd)
    };
    if let Some(terminal) = terminal {
        sys::keep_modes(terminal)?;
        for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM] {
            if !sys::is_ignored(signal as i32) {
                sys::restore_before(signal as i32)?;
            }
        }
    }
    Ok(KeptTerminal(()))
}

/// Stops this job, as Ctrl-Z does in the terminal's normal mode, and returns once it is continued.
/// The terminal's modes must be restored before. Does nothing if no shell could continue the job:
/// credentials(7), orphaned groups.
///
/// # Errors
///
/// The error of kill(2).
pub fn suspend_job() -> io::Result<()> {
    kill(Pid::from_raw(0), Signal::SIGTSTP).map_err(io::Error::from)
}

impl KeptTerminal {
    /// Restores the modes, after a program was ended that may have changed them.
    pub fn restore(&self) {
        sys::restore_modes();
    }
}
