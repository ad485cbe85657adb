//! Blocks signals that must not end this process: [`block_ending_signals`].

use std::io;

use nix::sys::signal::{SigSet, Signal};

/// Blocks the signals by which a terminal, a user or a supervisor ends a job, for this thread and
/// every thread that it starts.
///
/// # Errors
///
/// The error of pthread_sigmask(3).
pub fn block_ending_signals() -> io::Result<()> {
    let signals = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];
    Ok(signals.into_iter().collect::<SigSet>().thread_block()?)
}
