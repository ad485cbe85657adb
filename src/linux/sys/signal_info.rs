//! Reads and changes signals of a tracee at its signal-delivery-stop, and sends signals to one
//! task. When to do that is decided elsewhere.

use std::io;

use libc::{c_int, pid_t};

use super::{checked, ptrace};
use crate::model::notify::interruption::SignalInfo;

/// Reads the information of the signal that a task is stopped for.
pub(in crate::linux) fn signal_info(tid: pid_t) -> io::Result<SignalInfo> {
    let mut info = SignalInfo::default();
    ptrace(libc::PTRACE_GETSIGINFO, tid, 0, (&raw mut info).addr())?;
    Ok(info)
}

/// Replaces the information of the signal that a task is stopped for.
pub(in crate::linux) fn set_signal_info(tid: pid_t, info: &SignalInfo) -> io::Result<()> {
    ptrace(libc::PTRACE_SETSIGINFO, tid, 0, std::ptr::from_ref(info).addr())
}

/// Sends a signal to one task. Does nothing if the task is gone.
pub(in crate::linux) fn signal_task(tid: pid_t, signal: c_int) -> io::Result<()> {
    // SAFETY: tkill takes two numbers; tkill(2).
    match checked(unsafe { libc::syscall(libc::SYS_tkill, tid, signal) }) {
        Err(error) if error.raw_os_error() != Some(libc::ESRCH) => Err(error),
        _ => Ok(()),
    }
}

/// Returns whether a signal was sent by [`signal_task`] of this process: its code is SI_TKILL, and
/// its sender is this process, or 0 if the task is in another PID namespace
/// (`send_signal_locked()`).
pub(in crate::linux) fn is_sent_by_us(info: &SignalInfo) -> bool {
    // `siginfo_t` of 64 bits: si_signo, si_errno, si_code, padding, si_pid, si_uid.
    let (code, sender) = (info[1] as u32 as i32, info[2] as u32);
    code == libc::SI_TKILL && (sender == 0 || sender == std::process::id())
}
