//! Splits the baselines of all tests of one binary into common facts and differences. Main type:
//! [`Split`].
//!
//! Splitting loses nothing: [`Split::baseline`] returns each baseline unchanged. The result does
//! not depend on the order of recordings. It must not know the layout of a file.
//!
//! A fact is common if more than half of the tests use it. If it had to be used by all tests, one
//! test that does nothing would move every fact into the sections of the other tests.

use std::collections::{BTreeMap, BTreeSet};

use super::terms::{Baseline, Entry, ErrorPaths};
use crate::model::attribution::Subsystem;
use crate::model::facts::blind_spot::RecordedBlindSpot;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::facts::signal_name::SignalName;
use crate::model::facts::version::Version;
use crate::model::run::platform::Platform;

type Subsystems = BTreeMap<Subsystem, BTreeMap<String, Entry>>;

/// The baselines of the tests of one binary on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The platform.
    pub platform: Platform,
    /// The fingerprint that most tests have; the others have one of their own.
    pub fingerprint: Fingerprint,
    /// Facts that more than half of the tests use; phases, blind spots and signals that all have.
    /// Marks and reasons hold for each test that uses the entry.
    pub common: Facts,
    /// How each test differs.
    pub tests: BTreeMap<String, Difference>,
}

/// How one test differs from the common facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// The version of the format that its facts are of.
    pub version: Version,
    /// Its fingerprint, if it differs from [`Split::fingerprint`].
    pub fingerprint: Option<Fingerprint>,
    /// Whether new facts still appeared at the end of its recording.
    pub never_quiet: bool,
    /// How many runs its recording had, if they were few.
    pub few_runs: Option<u32>,
    /// Common facts that this test does not use; a syscall or a subsystem includes everything in
    /// it.
    pub without: BTreeSet<Fact>,
    /// Facts that it uses besides the common ones, and marks and reasons that not all tests have.
    pub facts: Facts,
    /// What was recorded of its error paths; tests share none.
    pub errors: Option<ErrorPaths>,
}

/// The part of a baseline that tests can share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Like [`Baseline::subsystems`].
    pub subsystems: Subsystems,
    /// Like [`Baseline::phases`].
    pub phases: BTreeMap<String, BTreeMap<Subsystem, BTreeSet<String>>>,
    /// Like [`Baseline::blind_spots`].
    pub blind_spots: BTreeSet<RecordedBlindSpot>,
    /// Like [`Baseline::signals`].
    pub signals: BTreeSet<SignalName>,
}

impl Split {
    /// Splits the baselines of one platform, by the names of their tests.
    pub fn of(platform: Platform, tests: &BTreeMap<String, Baseline>) -> Self {
        let fingerprint = most_frequent(tests.values().map(|baseline| &baseline.fingerprint));
        let all: BTreeMap<&String, Facts> = tests.iter().map(|(name, baseline)| (name, baseline.into())).collect();
        let common = Facts::shared(&all.values().collect::<Vec<_>>());
        let difference = |(name, baseline): (&String, &Baseline)| {
            let own = Some(&baseline.fingerprint).filter(|own| **own != fingerprint).cloned();
            let facts = all.get(name).map(|facts| facts.beyond(&common)).unwrap_or_default();
            let without = lacking(&baseline.subsystems, &common.subsystems);
            let Baseline { version, never_quiet, few_runs, .. } = *baseline;
            let errors = baseline.errors.clone();
            (name.clone(), Difference { version, fingerprint: own, never_quiet, few_runs, without, facts, errors })
        };
        let tests = tests.iter().map(difference).collect();
        Self { platform, fingerprint, common, tests }
    }

    /// Returns the baseline of a test.
    pub fn baseline(&self, test: &str) -> Option<Baseline> {
        let Difference { version, fingerprint, never_quiet, few_runs, without, facts, errors } =
            self.tests.get(test)?;
        let mut common = self.common.clone();
        without.iter().for_each(|fact| common.remove(fact));
        let Facts { subsystems, phases, blind_spots, signals } = common.with(facts);
        let fingerprint = fingerprint.as_ref().unwrap_or(&self.fingerprint).clone();
        let platform = self.platform.clone();
        let (version, never_quiet, few_runs, errors) = (*version, *never_quiet, *few_runs, errors.clone());
        Some(Baseline {
            platform,
            version,
            fingerprint,
            never_quiet,
            few_runs,
            subsystems,
            phases,
            blind_spots,
            signals,
            errors,
        })
    }

    /// Returns the baselines of all tests, by name.
    pub fn baselines(&self) -> BTreeMap<String, Baseline> {
        self.tests.keys().filter_map(|name| Some((name.clone(), self.baseline(name)?))).collect()
    }
}

/// Returns the most frequent fingerprint, and the greatest of several, independent of the order of
/// tests.
fn most_frequent<'a>(all: impl Iterator<Item = &'a Fingerprint>) -> Fingerprint {
    let mut counts: BTreeMap<&Fingerprint, usize> = BTreeMap::new();
    all.for_each(|fingerprint| *counts.entry(fingerprint).or_default() += 1);
    counts.into_iter().max_by_key(|&(_, count)| count).map(|(fingerprint, _)| fingerprint.clone()).unwrap_or_default()
}

/// Returns the common facts that this baseline lacks, only the coarsest ones.
fn lacking(own: &Subsystems, common: &Subsystems) -> BTreeSet<Fact> {
    let fact = |subsystem: Subsystem, syscall: Option<&String>, detail: Option<Detail>| Fact::Use {
        subsystem,
        syscall: syscall.cloned(),
        detail,
    };
    let mut lacking = BTreeSet::new();
    for (&subsystem, syscalls) in common {
        let Some(own) = own.get(&subsystem) else {
            lacking.insert(fact(subsystem, None, None));
            continue;
        };
        for (syscall, entry) in syscalls {
            match own.get(syscall) {
                None => drop(lacking.insert(fact(subsystem, Some(syscall), None))),
                Some(own) => {
                    let own: BTreeSet<Detail> = own.details().collect();
                    let details = entry.details().filter(|detail| !own.contains(detail));
                    lacking.extend(details.map(|detail| fact(subsystem, Some(syscall), Some(detail))));
                }
            }
        }
    }
    lacking
}

/// A set of facts that can be compared part by part.
trait Part: Clone {
    /// Returns what at least `needed` of these hold.
    fn shared(all: &[&Self], needed: usize) -> Self;
    /// Returns what this holds beyond `common`; `None` if nothing.
    fn beyond(&self, common: &Self) -> Option<Self>;
    /// Returns the union of both.
    fn with(&self, other: &Self) -> Self;
}

impl<T: Ord + Clone> Part for BTreeSet<T> {
    fn shared(all: &[&Self], needed: usize) -> Self {
        let mut counts: BTreeMap<&T, usize> = BTreeMap::new();
        all.iter().copied().flatten().for_each(|item| *counts.entry(item).or_default() += 1);
        counts.into_iter().filter(|&(_, count)| count >= needed).map(|(item, _)| item.clone()).collect()
    }

    fn beyond(&self, common: &Self) -> Option<Self> {
        let own: Self = self.difference(common).cloned().collect();
        (!own.is_empty()).then_some(own)
    }

    fn with(&self, other: &Self) -> Self {
        self.union(other).cloned().collect()
    }
}

impl<K: Ord + Clone, V: Part> Part for BTreeMap<K, V> {
    fn shared(all: &[&Self], needed: usize) -> Self {
        let mut values: BTreeMap<&K, Vec<&V>> = BTreeMap::new();
        all.iter().copied().flatten().for_each(|(key, value)| values.entry(key).or_default().push(value));
        let common = values.into_iter().filter(|(_, values)| values.len() >= needed);
        common.map(|(key, values)| (key.clone(), V::shared(&values, needed))).collect()
    }

    /// Keeps a key that is not common with its whole value.
    fn beyond(&self, common: &Self) -> Option<Self> {
        let value = |(key, value): (&K, &V)| {
            let own = match common.get(key) {
                Some(common) => value.beyond(common)?,
                None => value.clone(),
            };
            Some((key.clone(), own))
        };
        let own: Self = self.iter().filter_map(value).collect();
        (!own.is_empty()).then_some(own)
    }

    fn with(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for (key, value) in other {
            let value = self.get(key).map_or_else(|| value.clone(), |mine| mine.with(value));
            all.insert(key.clone(), value);
        }
        all
    }
}

impl Part for Entry {
    /// A mark or a reason is shared if all of these have it.
    fn shared(all: &[&Self], needed: usize) -> Self {
        fn sets<T: Ord + Clone>(all: &[&Entry], set: fn(&Entry) -> &BTreeSet<T>, needed: usize) -> BTreeSet<T> {
            BTreeSet::shared(&all.iter().map(|entry| set(entry)).collect::<Vec<_>>(), needed)
        }
        let words = |words: fn(&Self) -> &Option<String>| {
            let (first, rest) = all.split_first()?;
            words(first).clone().filter(|_| rest.iter().all(|other| words(other) == words(first)))
        };
        Self {
            arguments: sets(all, |entry| &entry.arguments, needed),
            objects: sets(all, |entry| &entry.objects, needed),
            pairs: sets(all, |entry| &entry.pairs, needed),
            errors: sets(all, |entry| &entry.errors, needed),
            abis: sets(all, |entry| &entry.abis, needed),
            sometimes: !all.is_empty() && all.iter().all(|entry| entry.sometimes),
            why: words(|entry| &entry.why),
            reasons: all.split_first().map(|(first, rest)| first.reasons_of_all(rest)).unwrap_or_default(),
            owner: words(|entry| &entry.owner),
        }
    }

    fn beyond(&self, common: &Self) -> Option<Self> {
        let own = Self {
            arguments: self.arguments.beyond(&common.arguments).unwrap_or_default(),
            objects: self.objects.beyond(&common.objects).unwrap_or_default(),
            pairs: self.pairs.beyond(&common.pairs).unwrap_or_default(),
            errors: self.errors.beyond(&common.errors).unwrap_or_default(),
            abis: self.abis.beyond(&common.abis).unwrap_or_default(),
            sometimes: self.sometimes && !common.sometimes,
            why: self.why.clone().filter(|_| self.why != common.why),
            reasons: self.reasons_beyond(common),
            owner: self.owner.clone().filter(|_| self.owner != common.owner),
        };
        (own != Self::default()).then_some(own)
    }

    /// A reason of the test takes precedence over a common reason.
    fn with(&self, other: &Self) -> Self {
        Self {
            arguments: self.arguments.with(&other.arguments),
            objects: self.objects.with(&other.objects),
            pairs: self.pairs.with(&other.pairs),
            errors: self.errors.with(&other.errors),
            abis: self.abis.with(&other.abis),
            sometimes: self.sometimes || other.sometimes,
            why: other.why.clone().or_else(|| self.why.clone()),
            reasons: self.reasons.clone().into_iter().chain(other.reasons.clone()).collect(),
            owner: other.owner.clone().or_else(|| self.owner.clone()),
        }
    }
}

impl Entry {
    /// Returns the reasons that all others have, too.
    fn reasons_of_all(&self, others: &[&Self]) -> BTreeMap<Detail, String> {
        let mut reasons = self.reasons.clone();
        reasons.retain(|used, why| others.iter().all(|other| other.reasons.get(used) == Some(why)));
        reasons
    }

    /// Returns the reasons that `common` lacks.
    fn reasons_beyond(&self, common: &Self) -> BTreeMap<Detail, String> {
        let mut reasons = self.reasons.clone();
        reasons.retain(|used, why| common.reasons.get(used) != Some(why));
        reasons
    }
}

impl Facts {
    fn shared(all: &[&Self]) -> Self {
        // Without tests, nothing is common.
        let (most, every) = (all.len() / 2 + 1, all.len().max(1));
        Self {
            subsystems: Part::shared(&all.iter().map(|facts| &facts.subsystems).collect::<Vec<_>>(), most),
            phases: Part::shared(&all.iter().map(|facts| &facts.phases).collect::<Vec<_>>(), every),
            blind_spots: Part::shared(&all.iter().map(|facts| &facts.blind_spots).collect::<Vec<_>>(), every),
            signals: Part::shared(&all.iter().map(|facts| &facts.signals).collect::<Vec<_>>(), every),
        }
    }

    /// Returns whether removing this fact would change anything.
    pub(super) fn has(&self, fact: &Fact) -> bool {
        let Fact::Use { subsystem, syscall, detail } = fact else { return false };
        let Some(syscalls) = self.subsystems.get(subsystem) else { return false };
        let Some(syscall) = syscall else { return true };
        let Some(entry) = syscalls.get(syscall) else { return false };
        match detail {
            None => true,
            Some(Detail::Argument(value)) => entry.arguments.contains(value),
            Some(Detail::Object(value)) => entry.objects.contains(value),
            Some(Detail::Pair(value)) => entry.pairs.contains(value),
            Some(Detail::Error(value)) => entry.errors.contains(value),
            Some(Detail::Abi(value)) => entry.abis.contains(value),
        }
    }

    /// Removes a fact and everything in it.
    fn remove(&mut self, fact: &Fact) {
        let Fact::Use { subsystem, syscall, detail } = fact else { return };
        let (Some(syscall), Some(syscalls)) = (syscall, self.subsystems.get_mut(subsystem)) else {
            self.subsystems.remove(subsystem);
            return;
        };
        let (Some(detail), Some(entry)) = (detail, syscalls.get_mut(syscall)) else {
            syscalls.remove(syscall);
            // A subsystem without syscalls would still count as used.
            if syscalls.is_empty() {
                self.subsystems.remove(subsystem);
            }
            return;
        };
        entry.reasons.remove(detail);
        match detail {
            Detail::Argument(value) => entry.arguments.remove(value),
            Detail::Object(value) => entry.objects.remove(value),
            Detail::Pair(value) => entry.pairs.remove(value),
            Detail::Error(value) => entry.errors.remove(value),
            Detail::Abi(value) => entry.abis.remove(value),
        };
    }

    fn beyond(&self, common: &Self) -> Self {
        let mut subsystems = self.subsystems.beyond(&common.subsystems).unwrap_or_default();
        // Removing the last syscall removes its subsystem, so an empty subsystem is added again.
        let is_filled = |subsystem| common.subsystems.get(subsystem).is_some_and(|syscalls| !syscalls.is_empty());
        let bare = self.subsystems.iter().filter(|(subsystem, syscalls)| syscalls.is_empty() && is_filled(subsystem));
        subsystems.extend(bare.map(|(&subsystem, _)| (subsystem, BTreeMap::new())));
        Self {
            subsystems,
            phases: self.phases.beyond(&common.phases).unwrap_or_default(),
            blind_spots: self.blind_spots.beyond(&common.blind_spots).unwrap_or_default(),
            signals: self.signals.beyond(&common.signals).unwrap_or_default(),
        }
    }

    fn with(&self, other: &Self) -> Self {
        Self {
            subsystems: self.subsystems.with(&other.subsystems),
            phases: self.phases.with(&other.phases),
            blind_spots: self.blind_spots.with(&other.blind_spots),
            signals: self.signals.with(&other.signals),
        }
    }
}

impl From<&Baseline> for Facts {
    fn from(baseline: &Baseline) -> Self {
        let Baseline { subsystems, phases, blind_spots, signals, .. } = baseline.clone();
        Self { subsystems, phases, blind_spots, signals }
    }
}

#[cfg(test)]
mod tests;
