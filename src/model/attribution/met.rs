//! What rules require of single calls, and which calls meet it. Main types: [`Condition`] and
//! [`Met`].
//!
//! A use has no paths and no addresses, so these parts of a rule are decided when a call is seen.
//! The met conditions are a part of its use: calls that meet other conditions count separately.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The parts of a rule that only a single call can meet, as the rule spells them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Condition {
    /// An address, or a range of addresses, with an optional port.
    pub address: Option<String>,
    /// A glob for a path.
    pub path: Option<String>,
}

/// How much of a call meets a condition. One call can name several addresses or paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extent {
    /// One of them: enough for `forbid:` and for assertions.
    Some,
    /// Each of them: needed for `tolerate:`.
    All,
}

/// The conditions that a call meets. It takes no memory if there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Met(Option<Arc<BTreeMap<Condition, Extent>>>);

impl Met {
    /// Holds these conditions.
    pub fn new(conditions: impl IntoIterator<Item = (Condition, Extent)>) -> Self {
        let conditions: BTreeMap<Condition, Extent> = conditions.into_iter().collect();
        Self((!conditions.is_empty()).then(|| Arc::new(conditions)))
    }

    /// Returns whether the call meets a condition at least to this extent.
    pub fn holds(&self, condition: &Condition, extent: Extent) -> bool {
        self.0.as_ref().and_then(|met| met.get(condition)).is_some_and(|met| *met >= extent)
    }
}

/// Data of a call that a `forbid:` rule depends on and that could not be determined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Undecided {
    /// Nothing.
    #[default]
    No,
    /// Its memory could not be read.
    Memory,
    /// A path could not be resolved as the task resolves it. A failed call reached no file.
    Target,
}
