//! Facts about this machine and its files. Main type: [`Machine`].

use std::path::Path;

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::{AccessFlags, Pid, Uid, access};

/// This machine.
#[derive(Debug, Clone, Copy)]
pub struct Machine;

impl Machine {
    /// Returns the kernel's release as `uname -r` prints it; empty if unknown.
    pub fn kernel_release() -> String {
        nix::sys::utsname::uname().map(|names| names.release().to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Returns the version of the glibc in this process, such as `2.36`; `None` with another C
    /// library.
    pub fn glibc_version() -> Option<String> {
        super::sys::glibc_version()
    }

    /// Returns how many CPUs this process may use; if unknown, the number of CPUs.
    pub fn cpus() -> usize {
        let allowed = sched_getaffinity(Pid::from_raw(0));
        let count = |set: CpuSet| (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu) == Ok(true)).count();
        allowed.map(count).unwrap_or_else(|_| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Returns whether this user may execute a file.
    pub fn may_execute(file: &Path) -> bool {
        access(file, AccessFlags::X_OK).is_ok()
    }

    /// Returns the effective user ID.
    pub fn user() -> String {
        Uid::effective().to_string()
    }
}
