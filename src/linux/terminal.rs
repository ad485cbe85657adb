//! The terminal's modes: whoever changes them may be ended before it can change them back. Main
//! type: [`KeptTerminal`].
//!
//! Nothing can be done where SIGKILL ends this very process.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsRawFd, IntoRawFd};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::sys;

/// The modes that the terminal had, if there is one.
#[derive(Debug)]
pub struct KeptTerminal(());

/// Keeps the modes of the terminal: a signal that ends this process gives them back first. Programs
/// that it starts have the default of these signals; one that is ignored stays so.
pub fn keep_terminal() -> io::Result<KeptTerminal> {
    let terminal = if io::stdin().is_terminal() {
        Some(io::stdin().as_raw_fd())
    } else {
        // Stays open until the end; no terminal of this session, nothing to keep.
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

/// Stops this job, as Ctrl-Z does where the terminal itself acts on keys, and returns once it is
/// continued. The terminal must have its modes back. Nothing happens where no shell could continue
/// the job: credentials(7), orphaned groups.
///
/// # Errors
///
/// kill(2).
pub fn suspend_job() -> io::Result<()> {
    kill(Pid::from_raw(0), Signal::SIGTSTP).map_err(io::Error::from)
}

impl KeptTerminal {
    /// Gives them back: for whoever has ended a program that may have changed them.
    pub fn restore(&self) {
        sys::restore_modes();
    }
}
