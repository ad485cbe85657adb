//! Replaces the spinners without the feature `unstable`: nothing is drawn.

use crate::runner::Progress;

/// A type without values.
#[derive(Debug)]
pub(in crate::harness) enum Spinners {}

impl Spinners {
    /// Returns none.
    pub(in crate::harness) fn new(_total: usize) -> Option<Self> {
        None
    }

    /// Is never called.
    pub(in crate::harness) fn suspended<R>(&self, _action: impl FnOnce() -> R) -> R {
        match *self {}
    }
}

impl Progress for Spinners {
    fn running(&self, _workload: &str, _run: u32, _of: u32) {
        match *self {}
    }

    fn ended(&self, _workload: &str) {
        match *self {}
    }
}
