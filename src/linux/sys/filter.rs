//! Installs a seccomp filter. Its rules are decided elsewhere. Main type: [`Filter`].

use std::ptr;

use libc::{c_int, c_ulong, c_void};

use super::{errno, is_root};
use crate::model::guard::bpf::Instruction;

/// `struct sock_fprog`, include/uapi/linux/filter.h
#[repr(C)]
struct Program {
    length: u16,
    filter: *const Instruction,
}

/// A filter to install.
#[derive(Debug)]
pub(in crate::linux) struct Filter {
    pub(in crate::linux) program: Vec<Instruction>,
    /// The filter notifies. Its listener fd is close-on-exec.
    pub(in crate::linux) notifies: bool,
}

/// Installs a filter for this process and all its descendants. Async-signal-safe.
///
/// "In order to use the SECCOMP_SET_MODE_FILTER operation, either the calling thread must have the
/// CAP_SYS_ADMIN capability […], or the thread must already have the no_new_privs bit set";
/// seccomp(2). SPEC_ALLOW keeps the speculation mitigations unchanged; older kernels would enable
/// them.
///
/// "Upon notification receipt […] the notifying process will ignore non-fatal signals until the
/// response is sent", WAIT_KILLABLE_RECV in seccomp_unotify(2), since Linux 5.19.
pub(in crate::linux) fn install_filter(filter: &Filter) -> Result<(), c_int> {
    if !is_root() {
        // SAFETY: takes numbers only; prctl(2).
        let returned = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1_usize, 0_usize, 0_usize, 0_usize) };
        if returned == -1 {
            return Err(errno());
        }
    }
    let length = u16::try_from(filter.program.len()).map_err(|_| libc::E2BIG)?;
    let program = Program { length, filter: filter.program.as_ptr() };
    let notifies = if filter.notifies { NOTIFYING } else { 0 };
    install(&program, libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW | notifies)
}

const NOTIFYING: c_ulong = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

/// Returns whether this kernel has the flags of a notifying filter: unknown flags fail with EINVAL,
/// an unreadable program with EFAULT (`seccomp_set_mode_filter()`).
pub(in crate::linux) fn has_killable_notifications() -> bool {
    install(ptr::null(), NOTIFYING) == Err(libc::EFAULT)
}

/// Returns whether this process has a seccomp filter, which all its children inherit.
pub(in crate::linux) fn is_filtered() -> bool {
    // SAFETY: takes numbers only; prctl(2).
    unsafe { libc::prctl(libc::PR_GET_SECCOMP, 0_usize, 0_usize, 0_usize, 0_usize) > 0 }
}

fn install(program: *const Program, flags: c_ulong) -> Result<(), c_int> {
    let place: *const c_void = program.cast();
    // SAFETY: null, or a live sock_fprog with `length` live instructions, which are copied;
    // seccomp(2).
    let returned = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, place) };
    if returned == -1 { Err(errno()) } else { Ok(()) }
}
