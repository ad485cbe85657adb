//! The fingerprint of this machine: kernel, C library, compiler, profile. It only collects facts;
//! the model interprets them.

use std::path::Path;

use super::suite::Suite;
use crate::artifacts;
use crate::linux::Machine;
use crate::model::facts::fingerprint::{Fingerprint, kernel_minor};

impl Suite {
    /// Returns the fingerprint of a workload's runs on this machine.
    ///
    /// `built` is the executable, if cargo built it.
    pub(super) fn fingerprint(&self, built: Option<&Path>) -> Fingerprint {
        Fingerprint {
            kernel: kernel_minor(&Machine::kernel_release()),
            libc: self.c_library(),
            rustc: built.and_then(|_| {
                self.rustc.get_or_init(|| artifacts::rustc_version(&self.settings.rustc, self.package())).clone()
            }),
            profile: built.and_then(artifacts::profile).map(str::to_owned),
        }
    }

    /// Returns the platform's C library. The version is that of this process, which has the same
    /// platform.
    pub fn c_library(&self) -> Option<String> {
        match self.platform.env.as_str() {
            env if env.starts_with("musl") => Some("musl".to_owned()),
            env if env.starts_with("gnu") => Machine::glibc_version().map(|version| format!("glibc {version}")),
            _ => None,
        }
    }
}
