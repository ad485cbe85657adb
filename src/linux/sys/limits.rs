//! Changes a resource limit of a tracee.

use std::ptr;

use libc::{pid_t, rlimit};

/// Keeps a process that is about to end from writing a core file. With a limit of one byte, the
/// kernel neither writes a file nor starts a program for it: `do_coredump()`, fs/coredump.c. It may
/// still pass the core to a socket. Errors are ignored, since the process may be gone.
pub(in crate::linux) fn forbid_core_file(tid: pid_t) {
    const ONE_BYTE: libc::rlim_t = 1;
    let mut limit = rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes a live rlimit; prlimit(2).
    if unsafe { libc::prlimit(tid, libc::RLIMIT_CORE, ptr::null(), &raw mut limit) } == -1 {
        return;
    }
    limit.rlim_cur = ONE_BYTE.min(limit.rlim_max);
    // SAFETY: reads a live rlimit; prlimit(2).
    unsafe { libc::prlimit(tid, libc::RLIMIT_CORE, &raw const limit, ptr::null_mut()) };
}
