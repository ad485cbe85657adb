//! What a run with a log reports to its caller. Main type: [`Recorder`].

use crate::model::kernel::call::Call;
use crate::model::trace::logged::{Logged, TimedCall};

/// Receives the calls of a run with a log, and chooses those that are decoded.
pub trait Recorder {
    /// Returns whether a call is written because of its name or one of its paths and fds. `meant`
    /// is the name of the call that it carries, or its own. `paths` queries the kernel: call it
    /// only if needed.
    fn selects(&mut self, call: &Call, meant: &str, paths: &mut dyn FnMut() -> Vec<String>) -> Selection;

    /// Returns whether a call is written that was [`Selection::Undecided`]. Called at its exit.
    fn selects_use(&mut self, call: &TimedCall<'_>) -> bool;

    /// Takes each call with its time.
    fn time(&mut self, call: &TimedCall<'_>);

    /// Writes a line.
    fn write(&mut self, line: &Logged<'_>);
}

/// Whether a call is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// It is written.
    Written,
    /// It depends on what the call used, which is known at its exit.
    Undecided,
    /// It is not written.
    Ignored,
}
