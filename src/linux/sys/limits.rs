//! Changes a resource limit of a tracee, and the priority of this thread.

#[cfg(feature = "unstable")]
use std::io;
use std::ptr;

use libc::{pid_t, rlimit};

/// Keeps a process that is about to end from writing a core file. With a limit of one byte, the
/// kernel neither writes a file nor starts a program for it: `do_coredump()`, fs/coredump.c. It may
/// still pass the core to a socket.
///
/// Returns the limit before, for [`set_core_limit`]; `None` if the process is gone.
pub(in crate::linux) fn forbid_core_file(tid: pid_t) -> Option<rlimit> {
    const ONE_BYTE: libc::rlim_t = 1;
    let mut before = rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes a live rlimit; prlimit(2).
    if unsafe { libc::prlimit(tid, libc::RLIMIT_CORE, ptr::null(), &raw mut before) } == -1 {
        return None;
    }
    set_core_limit(tid, rlimit { rlim_cur: ONE_BYTE.min(before.rlim_max), ..before });
    Some(before)
}

/// Sets RLIMIT_CORE of a process. Errors are ignored, since the process may be gone.
pub(in crate::linux) fn set_core_limit(tid: pid_t, limit: rlimit) {
    // SAFETY: reads a live rlimit; prlimit(2).
    unsafe { libc::prlimit(tid, libc::RLIMIT_CORE, &raw const limit, ptr::null_mut()) };
}

/// Gives this thread the highest priority of ordinary threads.
///
/// # Errors
///
/// The error of setpriority(2): it needs CAP_SYS_NICE, or RLIMIT_NICE.
#[cfg(feature = "unstable")]
pub fn prefer_this_thread() -> io::Result<()> {
    // On Linux, the priority is that of a thread: setpriority(2), "C library/kernel differences".
    // SAFETY: takes numbers only.
    super::checked(libc::c_long::from(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -20) })).map(drop)
}
