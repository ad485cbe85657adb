//! What a profile allows so that another C library works, besides calls that replace others.

use sysguard::unstable::model::expectation::Baseline;
use sysguard::unstable::model::kernel::syscall::Syscall;

use super::{Calls, Policy, Reason, named, narrowed};
use crate::additions::{self, Beside};

impl Policy {
    /// Allows what another C library calls beside an allowed call.
    pub(super) fn add_beside(&mut self) {
        let known: Vec<Syscall> = self.allowed.keys().copied().filter(|syscall| syscall.abi == self.native).collect();
        for of in known.into_iter().map(|syscall| syscall.name().into_owned()) {
            for Beside { syscall, test, what } in additions::beside(&of) {
                let calls = test.map_or(Calls::All, |test| Calls::Some([vec![test]].into()));
                self.allow_name(syscall, calls, &Reason::Beside { of: of.clone(), what });
            }
        }
    }

    /// Allows allowed calls also with the arguments of those that another C library or kernel may
    /// use them instead of: `openat` with the flags of `open`.
    pub(super) fn widen_alternatives(&mut self, baseline: &Baseline) {
        let errors = baseline.errors.iter().flat_map(|errors| errors.uses.values());
        for (syscall, entry) in baseline.subsystems.values().chain(errors).flatten() {
            for (name, what) in additions::alternatives(syscall) {
                let Some(alternative) = named(self.native, name) else { continue };
                if self.allowed.contains_key(&alternative) {
                    let reason = Reason::Instead { of: syscall.clone(), what };
                    self.allow(alternative, narrowed(name, entry, baseline), reason);
                }
            }
        }
    }
}
