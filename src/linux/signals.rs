//! Signals to this process while it traces: a workload that signals its process group reaches its tracer, too.

use std::io;

use super::sys;

/// From now on this process ignores SIGINT and SIGQUIT, and whatever a traced task sends. Any other sender still ends it.
///
/// Ctrl-C is the workload's: the terminal sends it to the whole foreground group, and the tracer must outlive the workload to
/// report. A program that this process starts has the default of all signals, as handlers end at execve(2); one that is already
/// ignored (as nohup and background jobs of scripts have it) stays so, for the workload too.
///
/// # Errors
///
/// sigaction(2).
pub fn leave_signals_to_workload() -> io::Result<()> {
    sys::decide_by_sender((1..=LAST).filter(|signal| !KEPT.contains(signal)))
}

/// `_NSIG`, include/uapi/asm-generic/signal.h
const LAST: i32 = 64;

/// Those that cannot be caught, that do nothing by default, and that stop: job control stops the tracer with its job.
const KEPT: [i32; 9] = [
    libc::SIGKILL,
    libc::SIGSTOP,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGCONT,
    libc::SIGCHLD,
    libc::SIGURG,
    libc::SIGWINCH,
];
