//! The findings of a review in their order, with their causes. Main type: [`Items`].
//!
//! It is pure: it must not read or write files.

use std::collections::BTreeMap;

use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::facts::finding::Finding;
use sysguard::unstable::model::judge::groups::{Cause, Member, groups};
use sysguard::unstable::model::judge::pending::Pending;
use sysguard::unstable::model::judge::weight::Weight;

use crate::proposals::WorkloadId;

/// Everything to decide on, in the order of `pending`: by cause, heaviest first.
#[derive(Debug)]
pub(super) struct Items {
    pub(super) list: Vec<Item>,
    causes: Vec<KnownCause>,
}

/// One thing to decide on.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) place: WorkloadId,
    /// The pending fact, or nothing for an empty first baseline.
    pub(super) fact: Option<Fact>,
    /// The index of its cause. An empty first baseline has none.
    pub(super) cause: Option<usize>,
}

/// A cause of findings in any workload.
#[derive(Debug)]
pub(super) struct KnownCause {
    /// The identifier that `accept` and `reject` take.
    pub(super) id: String,
    pub(super) title: String,
}

impl Items {
    /// Orders these pending findings. Empty first baselines come last.
    pub(super) fn of(found: &[(WorkloadId, Pending)]) -> Self {
        let findings: Vec<(&WorkloadId, Vec<(Finding, Weight)>)> =
            found.iter().map(|(place, pending)| (place, weighed(pending))).collect();
        let all = findings.iter().flat_map(|(place, findings)| {
            let workload = place.1.as_str();
            findings.iter().map(move |(finding, weight)| Member { workload, finding, weight: *weight })
        });
        let groups = groups(all);
        let causes = groups.iter().map(|group| KnownCause {
            id: group.id(),
            title: match group.cause {
                Cause::Unknown { .. } => "cause not known".to_owned(),
                _ => group.to_string(),
            },
        });
        let numbers: BTreeMap<String, usize> =
            groups.iter().enumerate().map(|(number, group)| (group.id(), number)).collect();
        let mut ranked: Vec<_> = findings
            .iter()
            .flat_map(|(place, findings)| findings.iter().map(move |(finding, weight)| (*place, finding, *weight)))
            .map(|(place, finding, weight)| {
                let workload = place.1.as_str();
                let cause = numbers.get(&Cause::of(workload, finding).id()).copied();
                let rank = Member { workload, finding, weight }.rank();
                (cause, rank, &finding.fact, workload, place)
            })
            .collect();
        ranked.sort();
        let known = ranked.into_iter().map(|(cause, _, fact, _, place)| Item {
            place: place.clone(),
            fact: Some(fact.clone()),
            cause,
        });
        let empty = findings.iter().filter(|(_, findings)| findings.is_empty());
        let empty = empty.map(|(place, _)| Item { place: (*place).clone(), fact: None, cause: None });
        Self { list: known.chain(empty).collect(), causes: causes.collect() }
    }

    /// Returns the cause of an item, if it has one.
    pub(super) fn cause(&self, at: usize) -> Option<&KnownCause> {
        self.causes.get(self.list[at].cause?)
    }

    /// Returns a number for the workload of each item, and one for its cause.
    pub(super) fn numbers(&self) -> Vec<(usize, Option<usize>)> {
        let mut numbers = BTreeMap::new();
        let items = self.list.iter().map(|item| {
            let next = numbers.len();
            (*numbers.entry(&item.place).or_insert(next), item.cause)
        });
        items.collect()
    }
}

impl Item {
    /// Returns whether the item waits for a decision.
    pub(super) fn is_in(&self, pending: &Pending) -> bool {
        self.fact.as_ref().is_none_or(|fact| pending.all().contains(fact) || !pending.under(fact).is_empty())
    }
}

fn weighed(pending: &Pending) -> Vec<(Finding, Weight)> {
    let with_weight = |finding: Finding| {
        let weight = pending.weight(&finding);
        (finding, weight)
    };
    pending.findings().into_iter().map(with_weight).collect()
}
