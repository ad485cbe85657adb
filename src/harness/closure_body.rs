//! The code of a closure between its two markers. Main type: [`ClosureBody`].

use std::process::{ExitCode, Termination};

use crate::linux;
use crate::model::trace::marker::{Key, Marker};

/// Code that marks its start and its end for the tracer.
pub(super) struct ClosureBody(Box<dyn FnOnce(Key) -> ExitCode>);

impl ClosureBody {
    /// Puts the closure between markers.
    pub(super) fn new<T: Termination>(run: impl FnOnce() -> T + 'static) -> Self {
        Self(Box::new(|key| {
            linux::mark(&Marker::Enter(key));
            let result = run();
            linux::mark(&Marker::Leave(key));
            // `report` may print an error. These calls are not the closure's.
            result.report()
        }))
    }

    /// Runs it with markers of this key.
    pub(super) fn run(self, key: Key) -> ExitCode {
        (self.0)(key)
    }
}
