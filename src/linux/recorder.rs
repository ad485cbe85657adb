//! What a run with a log reports to its caller. Main type: [`Recorder`].

use crate::model::kernel::call::Call;
use crate::model::trace::logged::{Logged, TimedCall};

/// Receives the calls of a run with a log, and chooses those that are decoded.
pub trait Recorder {
    /// Returns whether a call is decoded because of its name, or one of its paths and fds. `meant`
    /// is the name of the call that it carries, or its own. `paths` asks the kernel.
    fn selects(&mut self, call: &Call, meant: &str, paths: &mut dyn FnMut() -> Vec<String>) -> Selection;

    /// Returns whether a call that was decoded for now is written: asked at its exit, only for
    /// [`Selection::Undecided`].
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
    /// What it used decides, at its exit.
    Undecided,
    /// It is not written.
    Ignored,
}
