//! The calls that a traced run made, by syscall. Main type: [`Counts`].

use std::collections::BTreeMap;

use sysguard::unstable::model::kernel::syscall::Abi;
use sysguard::unstable::model::observe::observation::Observation;

/// Calls and failures by ABI and name of the syscall.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(pub BTreeMap<(Abi, String), Count>);

/// The calls of one syscall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// All calls.
    pub calls: u64,
    /// Those that failed.
    pub errors: u64,
}

impl Counts {
    /// Returns the counts of an observation.
    pub fn of(observation: &Observation) -> Self {
        let mut counts: BTreeMap<(Abi, String), Count> = BTreeMap::new();
        for (used, tally) in &observation.uses {
            let count = counts.entry((used.syscall.abi, used.syscall.name().into_owned())).or_default();
            count.calls += tally.calls;
            count.errors += tally.errors.values().sum::<u64>();
        }
        Self(counts)
    }

    /// Returns the names that were called under this ABI, or all of them if none was.
    pub(super) fn called(&self, abi: Abi, names: &[String]) -> Vec<String> {
        let is_called = |name: &&String| self.0.contains_key(&(abi, (*name).clone()));
        let called: Vec<String> = names.iter().filter(is_called).cloned().collect();
        if called.is_empty() { names.to_vec() } else { called }
    }
}
