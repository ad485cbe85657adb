//! Calls that show something new of a run, and what is kept of them. Main types: [`First`] and
//! [`FirstCalls`].

use std::collections::BTreeMap;

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

/// What is kept of first calls, such as their call sites: one for each use in the whole run and in
/// each phase, and one for each error of a use. Each has its place in the order of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstCalls<T> {
    of_uses: BTreeMap<(Option<String>, Use), (usize, T)>,
    of_errors: BTreeMap<(Use, Errno), (usize, T)>,
    count: usize,
}

impl<T> Default for FirstCalls<T> {
    fn default() -> Self {
        Self { of_uses: BTreeMap::new(), of_errors: BTreeMap::new(), count: 0 }
    }
}

impl<T: Clone> FirstCalls<T> {
    /// Keeps something of a first call. What is kept of earlier calls stays.
    pub fn add(&mut self, first: &First, kept: &T) {
        let at = self.count;
        self.count += 1;
        for phase in first.places() {
            self.of_uses.entry((phase, first.used.clone())).or_insert_with(|| (at, kept.clone()));
        }
        if let Some(errno) = first.error {
            self.of_errors.entry((first.used.clone(), errno)).or_insert_with(|| (at, kept.clone()));
        }
    }
}

impl<T> FirstCalls<T> {
    /// Returns whether nothing of this first call is missing.
    pub fn contains(&self, first: &First) -> bool {
        let is_kept = |errno| self.of_errors.contains_key(&(first.used.clone(), errno));
        first.places().all(|phase| self.of_uses.contains_key(&(phase, first.used.clone())))
            && first.error.is_none_or(is_kept)
    }

    /// Adds the first calls of a later run. What is kept of earlier calls stays.
    pub fn merge(&mut self, later: Self) {
        let base = self.count;
        self.count += later.count;
        for (place, (at, kept)) in later.of_uses {
            self.of_uses.entry(place).or_insert((base + at, kept));
        }
        for (place, (at, kept)) in later.of_errors {
            self.of_errors.entry(place).or_insert((base + at, kept));
        }
    }

    /// Returns what is kept of each use with its phase, and its place in the order of calls. The
    /// items are ordered by phase and use.
    pub fn of_uses(&self) -> impl Iterator<Item = (Option<&str>, &Use, usize, &T)> {
        self.of_uses.iter().map(|((phase, used), (at, kept))| (phase.as_deref(), used, *at, kept))
    }

    /// Returns what is kept of each error of a use, with its place in the order of calls.
    pub fn of_errors(&self) -> impl Iterator<Item = (&Use, Errno, usize, &T)> {
        self.of_errors.iter().map(|((used, errno), (at, kept))| (used, *errno, *at, kept))
    }

    /// Returns everything that is kept.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.of_uses.values_mut().chain(self.of_errors.values_mut()).map(|(_, kept)| kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::Subsystem;
    use crate::model::kernel::syscall::{Abi, Syscall};

    fn first(number: i64, phase: Option<&str>, of_run: bool, errno: Option<i32>) -> First {
        let syscall = Syscall { abi: Abi::X86_64, number };
        let used = Use {
            subsystem: Subsystem::Filesystem,
            syscall,
            argument: None,
            object: None,
            ambient: false,
            met: Default::default(),
        };
        First { used, phase: phase.map(str::to_owned), of_run, error: errno.map(Errno) }
    }

    fn kept(calls: &FirstCalls<&'static str>) -> Vec<(usize, &'static str)> {
        let mut all: Vec<_> = calls.of_uses().map(|(_, _, at, kept)| (at, *kept)).collect();
        all.extend(calls.of_errors().map(|(_, _, at, kept)| (at, *kept)));
        all.sort_unstable();
        all
    }

    #[test]
    fn earlier_calls_stay_and_later_runs_come_after() {
        let (mut calls, mut later) = (FirstCalls::default(), FirstCalls::default());
        calls.add(&first(1, None, true, None), &"write");
        calls.add(&first(0, Some("serving"), true, Some(9)), &"read");
        calls.add(&first(1, None, true, None), &"again");
        later.add(&first(0, None, true, Some(9)), &"known");
        later.add(&first(3, None, false, Some(9)), &"close");
        calls.merge(later);
        assert_eq!(kept(&calls), [(0, "write"), (1, "read"), (1, "read"), (1, "read"), (4, "close")]);
    }

    #[test]
    fn first_call_is_contained_if_nothing_of_it_is_missing() {
        let mut calls = FirstCalls::default();
        calls.add(&first(0, Some("serving"), true, Some(9)), &());
        for (call, is_contained) in [
            (first(0, None, true, None), true),
            (first(0, Some("serving"), true, Some(9)), true),
            (first(0, Some("ending"), true, None), false),
            (first(0, None, true, Some(5)), false),
            (first(1, None, true, None), false),
        ] {
            assert_eq!(calls.contains(&call), is_contained, "{call:?}");
        }
    }
}
