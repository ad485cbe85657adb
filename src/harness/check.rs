//! An assertion on the observation of a closure. Main type: [`Check`].

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::model::observe::observation::Observation;

/// An assertion on an observation; like any assertion, it fails by a panic.
pub(super) type Judge = Arc<dyn Fn(&Observation) + Send + Sync>;

/// A named check.
#[derive(Clone)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) judge: Judge,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Check {
    /// Runs the assertion.
    ///
    /// # Errors
    ///
    /// The message of the panic.
    pub(super) fn judge(&self, observation: &Observation) -> Result<(), String> {
        catch_unwind(AssertUnwindSafe(|| (self.judge)(observation))).map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            text.unwrap_or("the check panicked").to_owned()
        })
    }
}
