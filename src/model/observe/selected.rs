//! Which calls have their stacks recorded. Main type: [`Selected`].
//!
//! It must not check names: the caller does.

use std::collections::BTreeSet;

use crate::model::attribution::{Subsystem, Use};

/// Which calls have their stacks recorded: all by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selected {
    /// Calls that reached these subsystems.
    pub subsystems: BTreeSet<Subsystem>,
    /// Calls with these names.
    pub syscalls: BTreeSet<String>,
}

impl Selected {
    /// Returns whether it selects the calls of a use.
    pub fn selects(&self, used: &Use) -> bool {
        let selects_all = self.subsystems.is_empty() && self.syscalls.is_empty();
        selects_all || self.subsystems.contains(&used.subsystem) || self.syscalls.contains(&*used.syscall.name())
    }
}
