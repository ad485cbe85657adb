//! Handles signals to this process while it traces: a workload that signals its process group also
//! reaches its tracer. Main function: [`leave_signals_to_workload`].

use std::{fs, io};

use super::status::has_bit;
use super::sys;
use crate::model::kernel::call::Tid;
use crate::model::kernel::uapi::NSIG;

/// Makes this process ignore SIGINT and SIGQUIT, and every signal that a traced task sends. Signals
/// of other senders keep their effect.
///
/// Ctrl-C is meant for the workload: the terminal sends it to the whole foreground group, and the
/// tracer must outlive the workload to report. A program that this process starts has default
/// dispositions, since execve(2) resets handlers. A signal that is already ignored (by nohup, or in
/// background jobs of scripts) stays ignored, also for the workload.
///
/// # Errors
///
/// The error of sigaction(2).
pub fn leave_signals_to_workload() -> io::Result<()> {
    sys::ignore_traced_senders((1..=NSIG).filter(|signal| !KEPT.contains(signal)))
}

/// Signals that keep their disposition: those that cannot be caught, those without effect by
/// default, and those that stop, since job control stops the tracer with its job.
pub(super) const KEPT: [i32; 9] = [
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

/// Returns whether a task has a handler for a signal. If that cannot be read, it counts as having
/// one.
pub(super) fn is_caught(task: Tid, signal: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{task}/status"));
    status.map_or(true, |status| is_in_mask(&status, "SigCgt:", signal as u32))
}

/// Returns whether a signal has its default effect on a task.
pub(super) fn is_default(task: Tid, signal: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{task}/status"));
    let has = |status: &str| ["SigCgt:", "SigIgn:"].iter().any(|field| is_in_mask(status, field, signal as u32));
    status.is_ok_and(|status| !has(&status))
}

/// Returns whether a signal is in a mask of proc_pid_status(5), with signal 1 as the lowest bit.
fn is_in_mask(status: &str, field: &str, signal: u32) -> bool {
    has_bit(status, field, signal - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caught_signals_are_read_from_the_mask() {
        let status = "SigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001002\nSigCgt:\t0000000000000010\n";
        let caught: Vec<u32> = (1..=64).filter(|&signal| is_in_mask(status, "SigCgt:", signal)).collect();
        assert_eq!(caught, [5]);
        assert!(!is_in_mask("", "SigCgt:", 2));
    }
}
