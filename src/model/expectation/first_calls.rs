//! Finds what is kept of the first call of each fact. Main type: [`FirstByFact`].
//!
//! First calls are kept by use. If several uses show the same fact, the earliest call counts. The
//! index is built in one pass over the uses. It must not depend on which facts are new.

use std::collections::{BTreeMap, BTreeSet};

use super::project::{all_details_of, details_of};
use super::terms::{Document, Rule};
use crate::model::attribution::Use;
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::version::Version;
use crate::model::observe::first::FirstCalls;

/// What is kept of first calls, by fact.
#[derive(Debug, Clone)]
pub struct FirstByFact<'a, T>(BTreeMap<Fact, (usize, &'a T)>);

impl<'a, T> FirstByFact<'a, T> {
    /// Indexes first calls. A call that is neither judged nor forbidden by this document is left
    /// out: no finding is about it.
    pub fn of(calls: &'a FirstCalls<T>, document: &Document) -> Self {
        let mut index = Self(BTreeMap::new());
        for (phase, used, at, kept) in calls.of_uses().filter(|(phase, used, ..)| counts(document, *phase, used)) {
            let abi = phase.is_none().then(|| detailed(used, Detail::Abi(used.syscall.abi)));
            shown(phase, used).into_iter().chain(abi).for_each(|fact| index.add(fact, at, kept));
        }
        // Uses hold no errors.
        for (used, errno, at, kept) in calls.of_errors() {
            if counts(document, None, used) || document.forbid.iter().any(|rule| rule.matches(used, Some(errno))) {
                index.add(detailed(used, Detail::Error(ErrnoName(errno))), at, kept);
            }
        }
        index
    }

    /// Indexes the first calls that match a rule.
    pub fn of_rule(calls: &'a FirstCalls<T>, rule: &Rule) -> Self {
        let mut index = Self(BTreeMap::new());
        let of_uses = calls.of_uses().filter(|_| rule.error.is_none());
        for (phase, used, at, kept) in of_uses.filter(|(_, used, ..)| rule.matches(used, None)) {
            let of_rule = if rule.phase.is_some() { rule.is_of(phase) } else { phase.is_none() };
            let facts = if of_rule { shown(phase, used) } else { BTreeSet::new() };
            facts.into_iter().for_each(|fact| index.add(fact, at, kept));
        }
        for (used, errno, at, kept) in calls.of_errors().filter(|(used, errno, ..)| rule.matches(used, Some(*errno))) {
            index.add(detailed(used, Detail::Error(ErrnoName(errno))), at, kept);
        }
        index
    }

    fn add(&mut self, fact: Fact, at: usize, kept: &'a T) {
        let earliest = self.0.entry(fact).or_insert((at, kept));
        if at < earliest.0 {
            *earliest = (at, kept);
        }
    }

    /// Returns what is kept of the first call that shows a fact.
    pub fn of_fact(&self, fact: &Fact) -> Option<&'a T> {
        self.0.get(fact).map(|(_, kept)| *kept)
    }
}

/// Returns whether a finding can be about calls of this use.
fn counts(document: &Document, phase: Option<&str>, used: &Use) -> bool {
    let is_tolerated = |rule: &Rule| rule.is_of(phase) && rule.covers(used, None);
    let is_forbidden = |rule: &Rule| rule.is_of(phase) && rule.matches(used, None);
    let is_judged = || (!used.ambient || document.ambient_strict) && !document.tolerate.iter().any(is_tolerated);
    is_judged() || document.forbid.iter().any(is_forbidden)
}

fn detailed(used: &Use, detail: Detail) -> Fact {
    Fact::Use { subsystem: used.subsystem, syscall: Some(used.syscall.name().into_owned()), detail: Some(detail) }
}

/// Returns the facts that a use shows in any version, in a phase or outside all phases.
fn shown(phase: Option<&str>, used: &Use) -> BTreeSet<Fact> {
    if let Some(phase) = phase {
        return BTreeSet::from([used.in_phase(phase)]);
    }
    let judged = Version::ALL.into_iter().flat_map(|version| details_of(used, version)).flatten();
    let forbidden = Version::ALL.into_iter().flat_map(|version| all_details_of(used, version)).flatten();
    let details: Vec<Detail> = judged.chain(forbidden).collect();
    let whole = [None, Some(used.syscall.name().into_owned())];
    let whole = whole.map(|syscall| Fact::Use { subsystem: used.subsystem, syscall, detail: None });
    whole.into_iter().chain(details.into_iter().map(|detail| detailed(used, detail))).collect()
}

#[cfg(test)]
mod tests;
