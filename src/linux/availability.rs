//! Checks that tracees can be inspected here: proc is mounted and shows this PID namespace, a
//! file's status is available, and a child's memory and fds can be read. Main types: [`ProcMount`]
//! and [`Availability`].
//!
//! In the proc of another PID namespace, `/proc/TID` is another process, and its files would be
//! attributed to the workload.

use std::fs;

use nix::sys::statfs::{PROC_SUPER_MAGIC, statfs};

use super::status::field;
use super::{memory, sys};
use crate::model::kernel::call::Tid;

/// What is mounted at `/proc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProcMount {
    /// A procfs of this PID namespace.
    Ours,
    /// No procfs.
    Missing,
    /// A procfs of another PID namespace.
    Foreign,
}

/// How a question to the kernel is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Availability {
    /// By the preferred call.
    Works,
    /// By a fallback, since the preferred call is refused.
    FallsBack,
    /// Not at all.
    Refused,
}

impl ProcMount {
    /// Inspects the mount.
    pub(super) fn read() -> Self {
        let is_proc = statfs("/proc").is_ok_and(|found| found.filesystem_type() == PROC_SUPER_MAGIC);
        let own = fs::read_link("/proc/self").ok();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self::judge(is_proc, own.as_deref().and_then(|own| own.to_str()), std::process::id(), &status)
    }

    /// Classifies the mount. `/proc/self` is this process's number in the PID namespace of the
    /// mount. `NSpid` of proc_pid_status(5) lists its numbers from that namespace down to its own:
    /// a single number if they are the same.
    fn judge(is_proc: bool, own: Option<&str>, pid: u32, status: &str) -> Self {
        let numbers = field(status, "NSpid:").map(|numbers| numbers.split_whitespace().count());
        match own {
            _ if !is_proc => Self::Missing,
            Some(own) if own == pid.to_string() && numbers.is_none_or(|numbers| numbers == 1) => Self::Ours,
            _ => Self::Foreign,
        }
    }
}

impl Availability {
    /// Returns how a file's status is read.
    pub(super) fn of_files() -> Self {
        let path = c"/".to_owned();
        Self::of(sys::has_statx(), || sys::file_status(&path, true).is_ok())
    }

    /// Returns how a child's memory is read, and whether its fds can be listed. The child has not
    /// executed anything yet, so it shares this process's memory.
    pub(super) fn of_child(child: Tid) -> Self {
        static MARK: u64 = 0x7379_7367_7561_7264;
        let address = (&raw const MARK).addr() as u64;
        let mut bytes = [0; size_of::<u64>()];
        if !sees_fds(child) {
            return Self::Refused;
        }
        Self::of(sys::read_memory(child, address, &mut bytes).is_ok(), || {
            memory::read(child, address, &mut bytes).is_ok_and(|_| u64::from_ne_bytes(bytes) == MARK)
        })
    }

    fn of(works: bool, falls_back: impl FnOnce() -> bool) -> Self {
        match works {
            true => Self::Works,
            false if falls_back() => Self::FallsBack,
            false => Self::Refused,
        }
    }
}

/// Returns whether a child's fds can be listed. It has at least one, the pipe that it waits at.
fn sees_fds(child: Tid) -> bool {
    let fds = fs::read_dir(format!("/proc/{child}/fd"));
    fds.is_ok_and(|mut fds| fds.any(|fd| fd.is_ok_and(|fd| fs::read_link(fd.path()).is_ok())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_ours_with_one_matching_number() {
        use ProcMount::{Foreign, Missing, Ours};
        for (is_proc, own, status, expected) in [
            (true, Some("7"), "Name:\tx\nNSpid:\t7\n", Ours),
            (true, Some("7"), "Name:\tx\n", Ours),
            (true, Some("23"), "NSpid:\t23\t7\n", Foreign),
            (true, Some("7"), "NSpid:\t7\t7\n", Foreign),
            (true, Some("8"), "", Foreign),
            (true, None, "", Foreign),
            (false, None, "", Missing),
            (false, Some("7"), "NSpid:\t7\n", Missing),
        ] {
            assert_eq!(ProcMount::judge(is_proc, own, 7, status), expected, "{is_proc} {own:?} {status:?}");
        }
    }
}
