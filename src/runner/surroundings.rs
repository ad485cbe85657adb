//! What is around a workload here: kernel, C library, compiler, profile. It only asks; what it means is the model's.

use std::path::Path;

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

use super::kernel_release;
use super::suite::Suite;
use crate::artifacts;
use crate::linux::glibc_version;
use crate::model::fingerprint::{Fingerprint, kernel_minor};

impl Suite {
    /// The fingerprint of a workload's runs on this machine.
    ///
    /// `built` is the executable, where cargo built it.
    pub(super) fn fingerprint(&self, built: Option<&Path>) -> Fingerprint {
        Fingerprint {
            kernel: kernel_minor(&kernel_release()),
            libc: self.c_library(),
            rustc: built.and_then(|_| {
                self.rustc.get_or_init(|| artifacts::rustc_version(&self.settings.rustc, self.package())).clone()
            }),
            profile: built.and_then(artifacts::profile).map(str::to_owned),
        }
    }

    /// The platform's C library. A version is known of our own only, which is the same where the platform is.
    fn c_library(&self) -> Option<String> {
        match self.platform.env.as_str() {
            env if env.starts_with("musl") => Some("musl".to_owned()),
            env if env.starts_with("gnu") => glibc_version().map(|version| format!("glibc {version}")),
            _ => None,
        }
    }
}

/// How many CPUs this process may use; where the kernel does not say, as many as there are.
pub(super) fn cpus() -> usize {
    let allowed = sched_getaffinity(Pid::from_raw(0));
    let count = |set: CpuSet| (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu) == Ok(true)).count();
    allowed.map(count).unwrap_or_else(|_| std::thread::available_parallelism().map_or(1, usize::from))
}
