//! Why tracing is impossible here: which gate is closed, and what opens it.

use std::fs;
use std::io;

use super::trace::TraceError;

/// Explains why a child could not be attached to.
pub(super) fn explain(error: io::Error) -> TraceError {
    let reason = match error.raw_os_error() {
        Some(libc::ENOSYS) => "ptrace is not implemented here (user-mode emulation?)".to_owned(),
        Some(libc::EPERM | libc::EACCES) => forbidden(),
        _ => format!("PTRACE_SEIZE: {error}"),
    };
    TraceError::Impossible { reason }
}

/// EPERM of ptrace(2) has many fathers; the likeliest that can be seen from here.
fn forbidden() -> String {
    // Documentation/admin-guide/LSM/Yama.rst: 2 is admin-only, 3 is no attach; 0 and 1 let a parent trace its child.
    let yama = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    match yama.trim() {
        "3" => "kernel.yama.ptrace_scope is 3: no process may be traced until the next boot".to_owned(),
        "2" => "kernel.yama.ptrace_scope is 2: only CAP_SYS_PTRACE may trace (`sysctl kernel.yama.ptrace_scope=1`)"
            .to_owned(),
        _ => "the kernel forbids ptrace (a container's seccomp profile? `--cap-add=SYS_PTRACE`)".to_owned(),
    }
}
