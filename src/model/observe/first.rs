//! A call that shows something new of a run. Main type: [`First`].

use crate::model::attribution::Use;
use crate::model::kernel::call::Errno;

/// The first call of a use, in the whole run or in a phase, or the first with its error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct First {
    /// The use.
    pub used: Use,
    /// The phase, if the use is new in it.
    pub phase: Option<String>,
    /// Whether the use is new in the whole run.
    pub of_run: bool,
    /// Its error, if the use has not failed with it before.
    pub error: Option<Errno>,
}

impl First {
    /// Returns where the use is new: in the whole run (`None`), in a phase, or in neither.
    pub fn places(&self) -> impl Iterator<Item = Option<String>> {
        self.of_run.then_some(None).into_iter().chain(self.phase.clone().map(Some))
    }
}
