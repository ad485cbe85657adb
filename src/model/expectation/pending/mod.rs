//! What a proposal holds that its file does not, and what deciding on it makes of both. Main type: [`Pending`].
//!
//! It must not write: deciding gives the two texts. What it decides on are facts; the author's document, the baselines of other platforms
//! and every reason stay as the file has them.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::drift::difference;
use super::format::{Parsed, with_remarks};
use super::remarks::Remarks;
use super::terms::{Baseline, Entry};
use crate::model::compare::{Detail, Fact, Finding};
use crate::model::platform::Platform;

/// A proposal that fits its file and holds more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    file: Parsed,
    proposed: Baseline,
    /// What the proposal holds and the file does not.
    new: BTreeSet<Fact>,
    remarks: Remarks,
}

/// Why a proposal cannot be decided on any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// What is run, or how it is judged, is another thing now.
    #[error("the first document of the file has changed since")]
    Document,
    /// A baseline that the proposal is not about has changed.
    #[error("the file's baseline of {0} has changed since")]
    Baseline(Platform),
    /// The file has learnt something else in the meantime.
    #[error("the file holds `{0}`, which the proposal does not know")]
    Lacks(Fact),
}

/// What a key asks for in one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// The name of the workload: all that is pending of it.
    Whole,
    /// A fact, and what goes with it.
    Part(Fact),
}

impl Aim {
    /// What the key asks of the workload of this name, if it can mean it at all.
    pub fn at(workload: &str, key: &str) -> Option<Self> {
        if key == workload { Some(Self::Whole) } else { Fact::from_key(key, workload).map(Self::Part) }
    }
}

/// The two files after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The expectation file.
    pub file: String,
    /// The proposal; `None` where nothing is left of it.
    pub proposal: Option<String>,
}

impl Pending {
    /// What is pending between a file and its proposal; `None` where the file holds it all.
    pub fn between(file: Parsed, proposal: &Parsed) -> Result<Option<Self>, Misfit> {
        let (held, proposed) = (&file.expectation, &proposal.expectation);
        if held.document != proposed.document {
            return Err(Misfit::Document);
        }
        if let Some(lacking) = held.baselines.iter().find(|held| proposed.baseline(&held.platform).is_none()) {
            return Err(Misfit::Baseline(lacking.platform.clone()));
        }
        let facts = |baseline: &Baseline| held.baseline(&baseline.platform).map(Baseline::facts);
        let mut changed = proposed.baselines.iter().filter(|baseline| facts(baseline) != Some(baseline.facts()));
        let Some(baseline) = changed.next() else { return Ok(None) };
        if let Some(other) = changed.next() {
            return Err(Misfit::Baseline(other.platform.clone()));
        }
        let (held, proposed) = (facts(baseline).unwrap_or_default(), baseline.facts());
        if let Some(lost) = held.difference(&proposed).next() {
            return Err(Misfit::Lacks(lost.clone()));
        }
        let new: BTreeSet<Fact> = proposed.difference(&held).cloned().collect();
        let remarks = proposal.remarks.clone().only(&new);
        Ok(Some(Self { proposed: baseline.clone(), new, remarks, file }))
    }

    /// The platform that the proposal is about.
    pub fn platform(&self) -> &Platform {
        &self.proposed.platform
    }

    /// The file that it is about.
    pub fn file(&self) -> &Parsed {
        &self.file
    }

    /// What can be decided on one by one, heaviest first: a new subsystem stands for itself only where it holds no syscall.
    pub fn findings(&self) -> Vec<Finding> {
        let is_filled = |fact: &Fact| self.new.iter().any(|other| other.parent().as_ref() == Some(fact));
        let is_outline = |fact: &Fact| matches!(fact, Fact::Use { syscall: None, .. }) && is_filled(fact);
        let mut findings = difference(&self.file.expectation.document, self.held(), &self.proposed);
        findings.retain(|finding| !is_outline(&finding.fact));
        findings.sort_by_key(|finding| !self.opens_subsystem(&finding.fact));
        findings.into_iter().map(|finding| self.remarks.told(finding)).collect()
    }

    /// What changed around the workload since the file's baseline was recorded, as the test that proposed it saw it.
    pub fn drift(&self) -> &[String] {
        &self.remarks.drift
    }

    /// The keys by which all of it can be called. Where there is nothing but an empty baseline, that is the workload's name.
    pub fn keys(&self, workload: &str) -> Vec<String> {
        let keys: Vec<String> = self.findings().iter().map(|finding| finding.fact.key(workload)).collect();
        if keys.is_empty() { vec![workload.to_owned()] } else { keys }
    }

    /// Whether the fact is in a subsystem that the file does not hold.
    pub fn opens_subsystem(&self, fact: &Fact) -> bool {
        let Fact::Use { subsystem, .. } = fact else { return false };
        self.new.contains(&Fact::Use { subsystem: *subsystem, syscall: None, detail: None })
    }

    /// Everything that is pending.
    pub fn all(&self) -> &BTreeSet<Fact> {
        &self.new
    }

    /// What is pending under this fact: of a syscall its arguments and objects too and nothing else, of a subsystem all of it.
    pub fn under(&self, aim: &Fact) -> BTreeSet<Fact> {
        let goes_along = |fact: &Fact| match (aim, fact) {
            (Fact::Use { subsystem: aim, syscall: None, .. }, Fact::Use { subsystem, .. }) => aim == subsystem,
            (
                Fact::Use { detail: None, .. },
                Fact::Use { detail: Some(Detail::Argument(_) | Detail::Object(_)), .. },
            ) => fact.parent().as_ref() == Some(aim),
            (Fact::Use { syscall: Some(_), detail: None, .. }, Fact::Phase { .. }) => fact.in_any_phase() == *aim,
            (Fact::Use { subsystem: aim, syscall: None, .. }, Fact::Phase { subsystem, .. }) => aim == subsystem,
            _ => false,
        };
        self.new.iter().filter(|fact| *fact == aim || goes_along(fact)).cloned().collect()
    }

    /// The texts once these facts, and the coarser ones that they are part of, are accepted.
    ///
    /// A reason becomes the `why:` of each syscall that they touch, after the one that is there.
    pub fn accept(&self, facts: &BTreeSet<Fact>, why: Option<&str>) -> Settled {
        let mut accepted = self.with(facts);
        let held = accepted.facts();
        let rest: BTreeSet<Fact> = self.new.difference(&held).cloned().collect();
        if rest.is_empty() {
            accepted = self.with_marks(&self.new);
        }
        let mut proposed = self.with_marks(&self.new);
        for baseline in [&mut accepted, &mut proposed] {
            facts.iter().for_each(|fact| give_reason(baseline, fact, why));
        }
        Settled { file: self.file.with(accepted), proposal: self.proposal_of(&rest, proposed) }
    }

    /// The texts once these facts are dropped from the proposal: the file stays, and nothing is remembered.
    pub fn reject(&self, facts: &BTreeSet<Fact>) -> Settled {
        let mut rest: BTreeSet<Fact> = self.new.difference(facts).cloned().collect();
        // A detail without its syscall would bring that back, and a subsystem without any call means nothing.
        let gone = |rest: &BTreeSet<Fact>, fact: &Fact| self.new.contains(fact) && !rest.contains(fact);
        rest = rest.iter().filter(|fact| !fact.parent().is_some_and(|parent| gone(&rest, &parent))).cloned().collect();
        let emptied = |fact: &Fact| {
            let parts = |facts: &BTreeSet<Fact>| facts.iter().any(|part| part.parent().as_ref() == Some(fact));
            matches!(fact, Fact::Use { syscall: None, .. }) && parts(&self.new) && !parts(&rest)
        };
        let rest: BTreeSet<Fact> = rest.iter().filter(|fact| !emptied(fact)).cloned().collect();
        let proposal = self.proposal_of(&rest, self.with_marks(&rest));
        Settled { file: self.file.text(), proposal }
    }

    /// The text of a proposal by which these facts are pending.
    fn proposal_of(&self, rest: &BTreeSet<Fact>, proposed: Baseline) -> Option<String> {
        (!rest.is_empty()).then(|| with_remarks(self.file.with(proposed), &self.remarks.clone().only(rest)))
    }

    fn held(&self) -> Option<&Baseline> {
        self.file.expectation.baseline(self.platform())
    }

    /// The file's baseline with these facts, and what the proposal says of the entries that they touch.
    fn with(&self, facts: &BTreeSet<Fact>) -> Baseline {
        let nothing = || Baseline::new(self.platform().clone());
        let held = self.held().cloned().unwrap_or_else(nothing);
        // Whatever else a baseline tells of its recording is told anew with each new fact.
        let mut baseline = Baseline {
            subsystems: held.subsystems,
            phases: held.phases,
            blind_spots: held.blind_spots,
            ..self.proposed.clone()
        };
        for fact in facts {
            baseline.insert(fact);
        }
        for fact in facts {
            if let (Some(entry), Some(proposed)) = (baseline.entry_mut(fact), self.proposed.entry(fact)) {
                entry.adopt_marks(proposed);
            }
        }
        baseline
    }

    /// The same, and what the proposal says of every other entry.
    fn with_marks(&self, facts: &BTreeSet<Fact>) -> Baseline {
        let mut baseline = self.with(facts);
        for fact in baseline.facts() {
            if let (Some(entry), Some(proposed)) = (baseline.entry_mut(&fact), self.proposed.entry(&fact)) {
                entry.adopt_marks(proposed);
            }
        }
        baseline
    }
}

/// The reason goes to the entry of the fact; a subsystem or a blind spot has none.
fn give_reason(baseline: &mut Baseline, fact: &Fact, why: Option<&str>) {
    let (Some(entry), Some(why)) = (baseline.entry_mut(fact), why) else { return };
    entry.why = match entry.why.take() {
        Some(earlier) if format!("; {earlier};").contains(&format!("; {why};")) => Some(earlier),
        Some(earlier) => Some(format!("{earlier}; {why}")),
        None => Some(why.to_owned()),
    };
}

impl Baseline {
    /// What is held of the syscall that the fact is, or is part of.
    pub(super) fn entry(&self, fact: &Fact) -> Option<&Entry> {
        let Fact::Use { subsystem, syscall: Some(syscall), .. } = fact else { return None };
        self.subsystems.get(subsystem)?.get(syscall)
    }

    fn entry_mut(&mut self, fact: &Fact) -> Option<&mut Entry> {
        let Fact::Use { subsystem, syscall: Some(syscall), .. } = fact else { return None };
        self.subsystems.get_mut(subsystem)?.get_mut(syscall)
    }
}

impl Entry {
    /// What another recording says of the same syscall, besides its details; what is said here stays.
    fn adopt_marks(&mut self, other: &Self) {
        self.sometimes |= other.sometimes;
        self.why = self.why.take().or_else(|| other.why.clone());
        self.owner = self.owner.take().or_else(|| other.owner.clone());
    }
}
