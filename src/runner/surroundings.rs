//! What is around a workload here: kernel, C library, compiler, profile. It only asks; what it
//! means is the model's.

use std::path::Path;

use super::suite::Suite;
use crate::artifacts;
use crate::linux::Machine;
use crate::model::facts::fingerprint::{Fingerprint, kernel_minor};

impl Suite {
    /// The fingerprint of a workload's runs on this machine.
    ///
    /// `built` is the executable, where cargo built it.
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

    /// The platform's C library. A version is known of our own only, which is the same where the
    /// platform is.
    fn c_library(&self) -> Option<String> {
        match self.platform.env.as_str() {
            env if env.starts_with("musl") => Some("musl".to_owned()),
            env if env.starts_with("gnu") => Machine::glibc_version().map(|version| format!("glibc {version}")),
            _ => None,
        }
    }
}
