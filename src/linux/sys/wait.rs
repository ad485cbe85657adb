//! The reports of the kernel about children and tracees of this thread: waitpid(2), waitid(2).

use std::io;

use libc::{c_int, c_long, pid_t};

use super::checked;

/// A task and its raw wait status.
type Reported = (pid_t, c_int);

/// Without children of other threads, with clone children.
const WAIT_FLAGS: c_int = libc::__WNOTHREAD | libc::__WALL;

/// Waits for any report. `None` if no task is left.
pub(in crate::linux) fn wait() -> io::Result<Option<Reported>> {
    let mut status: c_int = 0;
    // SAFETY: waitpid writes one int at a live local; waitpid(2).
    match checked(c_long::from(unsafe { libc::waitpid(-1, &raw mut status, WAIT_FLAGS) })) {
        Ok(tid) => Ok(Some((tid as pid_t, status))),
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns a report if one is waiting.
pub(in crate::linux) fn waiting_report() -> Option<Reported> {
    let mut status: c_int = 0;
    // SAFETY: waitpid writes one int at a live local; waitpid(2).
    let tid = unsafe { libc::waitpid(-1, &raw mut status, WAIT_FLAGS | libc::WNOHANG) };
    (tid > 0).then_some((tid, status))
}

/// Returns the report of a stop if one is waiting. Ended tasks are not reaped, so their numbers
/// stay theirs.
pub(in crate::linux) fn waiting_stop() -> Option<Reported> {
    /// What waitpid(2) has in the low byte of the status of a stop.
    const STOPPED: c_int = 0x7f;
    let (tid, value) = ask(libc::P_ALL, 0, libc::WSTOPPED)?;
    // `si_status` is the status without that byte: wait_task_stopped(), kernel/exit.c.
    Some((tid, value << 8 | STOPPED))
}

/// Returns whether a report of this task is waiting.
pub(in crate::linux) fn has_report(tid: pid_t) -> bool {
    ask(libc::P_PID, tid.unsigned_abs(), libc::WSTOPPED | libc::WEXITED | libc::WNOWAIT).is_some()
}

/// Waits for the end of a child of any thread and returns its raw wait status.
#[cfg(feature = "unstable")]
pub(in crate::linux) fn wait_for_end(child: pid_t) -> io::Result<c_int> {
    let mut status: c_int = 0;
    // SAFETY: waitpid writes one int at a live local; waitpid(2).
    checked(c_long::from(unsafe { libc::waitpid(child, &raw mut status, 0) })).map(|_| status)
}

/// Waits for the end of a child of any thread. It is not reaped, so its number stays its own.
#[cfg(feature = "unstable")]
pub(in crate::linux) fn wait_until_ended(child: pid_t) -> io::Result<()> {
    // SAFETY: waitid writes nothing without a place for the information; waitid(2).
    let returned =
        unsafe { libc::waitid(libc::P_PID, child.unsigned_abs(), std::ptr::null_mut(), libc::WEXITED | libc::WNOWAIT) };
    checked(c_long::from(returned)).map(drop)
}

/// Reaps a child of any thread. Returns whether it had ended.
#[cfg(feature = "unstable")]
pub(in crate::linux) fn reap_ended(child: pid_t) -> bool {
    // SAFETY: waitpid writes nothing without a place for the status; waitpid(2).
    let reaped = unsafe { libc::waitpid(child, std::ptr::null_mut(), libc::WNOHANG | libc::__WALL) };
    reaped == child
}

/// Returns a child of any thread that has ended. It is not reaped, so its number stays its own.
///
/// # Errors
///
/// ECHILD without children.
#[cfg(feature = "unstable")]
pub(in crate::linux) fn ended_child() -> io::Result<Option<pid_t>> {
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL;
    // SAFETY: a siginfo_t of zeros is valid; si_pid of zero says that nothing is waiting.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: waitid writes one siginfo_t at a live local; waitid(2).
    checked(c_long::from(unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, flags) }))?;
    // SAFETY: waitid has set the fields of SIGCHLD, or left them zero.
    let child = unsafe { info.si_pid() };
    Ok((child != 0).then_some(child))
}

/// Returns the task and the `si_status` of a waiting report.
fn ask(kind: libc::idtype_t, id: libc::id_t, reports: c_int) -> Option<Reported> {
    // SAFETY: a siginfo_t of zeros is valid; si_pid of zero says that nothing is waiting.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: waitid writes one siginfo_t at a live local; waitid(2).
    if unsafe { libc::waitid(kind, id, &raw mut info, reports | libc::WNOHANG | WAIT_FLAGS) } == -1 {
        return None;
    }
    // SAFETY: waitid has set the fields of SIGCHLD, or left them zero.
    let tid = unsafe { info.si_pid() };
    // SAFETY: the same.
    (tid != 0).then_some((tid, unsafe { info.si_status() }))
}
