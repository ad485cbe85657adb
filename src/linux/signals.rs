//! Signals to this process while it traces: a workload that signals its process group reaches its
//! tracer, too.

use std::{fs, io};

use super::sys;
use crate::model::kernel::call::Tid;

/// From now on this process ignores SIGINT and SIGQUIT, and whatever a traced task sends. Any other
/// sender still ends it.
///
/// Ctrl-C is the workload's: the terminal sends it to the whole foreground group, and the tracer
/// must outlive the workload to report. A program that this process starts has the default of all
/// signals, as handlers end at execve(2); one that is already ignored (as nohup and background jobs
/// of scripts have it) stays so, for the workload too.
///
/// # Errors
///
/// sigaction(2).
pub fn leave_signals_to_workload() -> io::Result<()> {
    sys::decide_by_sender((1..=LAST).filter(|signal| !KEPT.contains(signal)))
}

/// `_NSIG`, include/uapi/asm-generic/signal.h
const LAST: i32 = 64;

/// Those that cannot be caught, that do nothing by default, and that stop: job control stops the
/// tracer with its job.
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

/// Whether a task has a handler for a signal. Where that cannot be read, it counts as having one.
pub(super) fn is_caught(task: Tid, signal: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{task}/status"));
    status.map_or(true, |status| is_in_mask(&status, "SigCgt:", signal as u32))
}

/// Such a field of proc_pid_status(5) is a hexadecimal mask, the lowest bit is signal 1.
fn is_in_mask(status: &str, field: &str, signal: u32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix(field));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
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
