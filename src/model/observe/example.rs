//! The first calls of an observation, as text for a reviewer. Main type: [`Examples`].
//!
//! Examples differ from run to run. No verdict, key or baseline depends on them.

use std::collections::BTreeMap;

use super::first::First;
use crate::model::attribution::Use;
use crate::model::kernel::call::Errno;

pub use crate::model::facts::example::{Example, command};

/// The examples of an observation, at most one for each use and one for each of its errors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examples {
    /// Keyed as the call sites of an observation, each with its place in the order of calls.
    first: BTreeMap<(Option<String>, Use), (usize, Example)>,
    failed: BTreeMap<(Use, Errno), (usize, Example)>,
    count: usize,
}

impl Examples {
    /// Keeps the example of a first call. Earlier examples stay.
    pub fn add(&mut self, first: &First, example: &Example) {
        let seen = (self.count, example.clone());
        self.count += 1;
        let places = first.places();
        for phase in places {
            self.first.entry((phase, first.used.clone())).or_insert_with(|| seen.clone());
        }
        if let Some(errno) = first.error {
            self.failed.entry((first.used.clone(), errno)).or_insert(seen);
        }
    }

    /// Returns whether every example of this first call is kept already.
    pub fn contains(&self, first: &First) -> bool {
        let is_kept = |phase| self.first.contains_key(&(phase, first.used.clone()));
        first.places().all(is_kept)
            && first.error.is_none_or(|errno| self.failed.contains_key(&(first.used.clone(), errno)))
    }

    /// Adds the examples of a later run. Earlier ones stay.
    pub fn merge(&mut self, later: Self) {
        let base = self.count;
        self.count += later.count;
        for (place, (at, example)) in later.first {
            self.first.entry(place).or_insert((base + at, example));
        }
        for (place, (at, example)) in later.failed {
            self.failed.entry(place).or_insert((base + at, example));
        }
    }

    /// Returns each example with its phase, use and place in the order of calls.
    pub fn first(&self) -> impl Iterator<Item = (Option<&str>, &Use, usize, &Example)> {
        self.first.iter().map(|((phase, used), (at, example))| (phase.as_deref(), used, *at, example))
    }

    /// Returns the example of each error of a use, with its place in the order of calls.
    pub fn failed(&self) -> impl Iterator<Item = (&Use, Errno, usize, &Example)> {
        self.failed.iter().map(|((used, errno), (at, example))| (used, *errno, *at, example))
    }
}
