//! Finds what a key selects in every package. Main type: [`Lookup`].
//!
//! It must not write: all keys are resolved before the first decision.

#[cfg(test)]
mod tests;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use sysguard::unstable::model::expectation::Baseline;
use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::judge::groups::Cause;
use sysguard::unstable::model::judge::pending::{Aim, Pending};
use sysguard::unstable::model::run::test_name;
use sysguard::unstable::store::Store;

use super::{Decision, Proposals, Taken, WorkloadId};
use crate::exit_code::Failure;

/// The cache for a lookup of keys: each workload is read once for all keys.
pub(super) struct Lookup<'a> {
    proposals: &'a Proposals,
    /// The names of each package's workloads.
    names: Vec<BTreeSet<&'a str>>,
    pending: BTreeMap<WorkloadId, PendingEntry>,
    held: BTreeMap<WorkloadId, Vec<BTreeSet<Fact>>>,
}

/// The pending findings of a workload, and the keys that `cargo sysguard pending` prints for it.
struct PendingEntry {
    pending: Option<Pending>,
    printed: BTreeSet<String>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(proposals: &'a Proposals) -> Self {
        let names = |(_, store): &'a (PathBuf, Store)| store.names().chain(store.pending()).collect();
        let names = proposals.packages.iter().map(names).collect();
        Self { proposals, names, pending: BTreeMap::new(), held: BTreeMap::new() }
    }

    /// Returns what one key selects in every package.
    pub(super) fn meaning(&mut self, key: &str, decision: Decision) -> Result<Vec<(WorkloadId, Taken)>, Failure> {
        let mut meant = Vec::new();
        if Cause::is_id(key) {
            return self.of_cause(key);
        }
        for index in 0..self.names.len() {
            let aims = self.names[index].iter().filter_map(|name| Some((*name, aim(name, key)?)));
            let mut aims: Vec<_> = aims.collect();
            // A workload's own name takes precedence over that of a test without `run::`.
            if aims.iter().any(|(_, (_, kind))| *kind == MatchKind::Name) {
                aims.retain(|(_, (_, kind))| *kind != MatchKind::ShortName);
            }
            let mut here = Vec::new();
            for (name, (aim, kind)) in aims {
                here.extend(self.taken((index, name.to_owned()), key, &aim, decision)?.map(|meaning| (meaning, kind)));
            }
            // A printed key takes precedence over a workload or subsystem of the same name.
            if here.iter().any(|(meaning, _)| meaning.printed) {
                here.retain(|(meaning, _)| meaning.printed);
            }
            // A name selects all workloads below it. Any other key must match one workload.
            if let [(one, kind), rest @ ..] = &here[..]
                && let Some((other, _)) = rest.iter().find(|(_, other)| *kind == MatchKind::Fact || kind != other)
            {
                let (one, other) = (&one.place.1, &other.place.1);
                return Err(Failure::usage(format!(
                    "`{key}` is ambiguous: it matches workload {one} and workload {other}\nhelp: use a key that `cargo sysguard pending` prints"
                )));
            }
            meant.extend(here.into_iter().map(|(meaning, _)| (meaning.place, meaning.taken)));
        }
        found_any(key, meant)
    }

    /// Returns the findings of a cause in every workload.
    fn of_cause(&mut self, id: &str) -> Result<Vec<(WorkloadId, Taken)>, Failure> {
        let mut meant = Vec::new();
        for place in self.proposals.places() {
            if let Some(pending) = &self.entry(&place)?.pending {
                let facts = pending.of_cause(&place.1, id);
                let taken = (!facts.is_empty()).then_some(Taken::Facts(facts));
                meant.extend(taken.map(|taken| (place, taken)));
            }
        }
        found_any(id, meant)
    }

    fn taken(
        &mut self,
        place: WorkloadId,
        key: &str,
        aim: &Aim,
        decision: Decision,
    ) -> Result<Option<Meaning>, Failure> {
        if *aim == Aim::Whole && decision == Decision::Reject {
            // A malformed proposal can be rejected as a whole.
            let has_proposal = self.proposals.store(&place).pending().any(|pending| pending == place.1);
            return Ok(has_proposal.then_some(Meaning { place, taken: Taken::Proposal, printed: false }));
        }
        let PendingEntry { pending, printed } = self.entry(&place)?;
        let facts = match (pending, aim) {
            (None, _) => BTreeSet::new(),
            (Some(pending), Aim::Whole) => pending.all().clone(),
            (Some(pending), Aim::Part(fact)) => pending.under(fact),
        };
        let printed = printed.contains(key);
        if !facts.is_empty() || printed {
            return Ok(Some(Meaning { place, taken: Taken::Facts(facts), printed }));
        }
        let held = decision == Decision::Accept && self.holds(&place, aim)?;
        Ok(held.then_some(Meaning { place, taken: Taken::Held, printed: false }))
    }

    fn entry(&mut self, place: &WorkloadId) -> Result<&PendingEntry, Failure> {
        let read = || {
            let pending = self.proposals.pending(place).map_err(Failure::failed)?;
            let printed = pending.iter().flat_map(|pending| pending.keys(&place.1)).collect();
            Ok(PendingEntry { pending, printed })
        };
        read_once(&mut self.pending, place, read)
    }

    /// Returns whether the workload's file contains it, on any platform.
    fn holds(&mut self, place: &WorkloadId, aim: &Aim) -> Result<bool, Failure> {
        let store = self.proposals.store(place);
        if !store.names().any(|known| known == place.1) {
            return Ok(false);
        }
        let read = || {
            let baselines = store.load(&place.1).map_err(Failure::failed)?.expectation.baselines;
            Ok(baselines.iter().map(Baseline::facts).collect())
        };
        let baselines = read_once(&mut self.held, place, read)?;
        Ok(match aim {
            Aim::Whole => !baselines.is_empty(),
            Aim::Part(fact) => baselines.iter().any(|facts| facts.contains(fact)),
        })
    }
}

/// Returns what a key selects; nothing is wrong usage.
fn found_any(key: &str, meant: Vec<(WorkloadId, Taken)>) -> Result<Vec<(WorkloadId, Taken)>, Failure> {
    if meant.is_empty() {
        return Err(Failure::usage(format!(
            "no pending finding has the key `{key}`; nothing was changed\nhelp: `cargo sysguard pending` lists the keys"
        )));
    }
    Ok(meant)
}

/// How a key matches a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MatchKind {
    /// It is the name, or its beginning up to a `::`.
    Name,
    /// It is the name of a test without `run::`, or its beginning up to a `::`.
    ShortName,
    /// It is a fact of the workload.
    Fact,
}

/// Returns what the key selects of the workload with this name, if it matches.
fn aim(name: &str, key: &str) -> Option<(Aim, MatchKind)> {
    let at = |name: &str, kind: MatchKind| match Aim::at(name, key) {
        Some(Aim::Part(fact)) => Some((Aim::Part(fact), MatchKind::Fact)),
        Some(Aim::Whole) => Some((Aim::Whole, kind)),
        None => test_name::is_at_or_below(name, key).then_some((Aim::Whole, kind)),
    };
    at(name, MatchKind::Name).or_else(|| at(test_name::short(name)?, MatchKind::ShortName))
}

struct Meaning {
    place: WorkloadId,
    taken: Taken,
    /// Whether `pending` prints this key.
    printed: bool,
}

/// Returns the cached value for a workload, reading it on the first call.
fn read_once<'a, T>(
    known: &'a mut BTreeMap<WorkloadId, T>,
    place: &WorkloadId,
    read: impl FnOnce() -> Result<T, Failure>,
) -> Result<&'a T, Failure> {
    Ok(match known.entry(place.clone()) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => unknown.insert(read()?),
    })
}
