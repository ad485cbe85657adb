//! What a proposal holds that its file does not, and what deciding on it makes of both. Main type:
//! [`Pending`].
//!
//! It must not write: deciding gives the two texts. What it decides on are facts; the author's
//! document, the baselines of other platforms and every reason stay as the file has them.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::expectation::format::{Parsed, with_remarks};
use crate::model::expectation::{Baseline, Entry, Remarks};
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::finding::Finding;
use crate::model::judge::revisions::difference;
use crate::model::run::platform::Platform;

/// A proposal that fits its file and holds more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    file: Parsed,
    proposed: Baseline,
    /// What the proposal holds and the file does not.
    new: BTreeSet<Fact>,
    /// Those of `new` that are in phases, by what they are in any phase.
    in_phases: BTreeMap<Fact, Vec<Fact>>,
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
        let mut in_phases: BTreeMap<Fact, Vec<Fact>> = BTreeMap::new();
        for fact in new.iter().filter(|fact| matches!(fact, Fact::Phase { .. })) {
            in_phases.entry(fact.in_any_phase()).or_default().push(fact.clone());
        }
        Ok(Some(Self { proposed: baseline.clone(), new, in_phases, remarks, file }))
    }

    /// The platform that the proposal is about.
    pub fn platform(&self) -> &Platform {
        &self.proposed.platform
    }

    /// The file that it is about.
    pub fn file(&self) -> &Parsed {
        &self.file
    }

    /// What can be decided on one by one, heaviest first: a new subsystem stands for itself only
    /// where it holds no syscall.
    pub fn findings(&self) -> Vec<Finding> {
        let filled = parents(&self.new);
        let is_outline = |fact: &Fact| matches!(fact, Fact::Use { syscall: None, .. }) && filled.contains(fact);
        let mut findings = difference(&self.file.expectation.document, self.held(), &self.proposed);
        findings.retain(|finding| !is_outline(&finding.fact));
        findings.sort_by_key(|finding| !self.opens_subsystem(&finding.fact));
        findings.into_iter().map(|finding| self.remarks.told(finding)).collect()
    }

    /// What changed around the workload since the file's baseline was recorded, as the test that
    /// proposed it saw it.
    pub fn drift(&self) -> &[String] {
        &self.remarks.drift
    }

    /// The keys by which all of it can be called. Where there is nothing but an empty baseline,
    /// that is the workload's name.
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

    /// What is pending under this fact: of a syscall its arguments and objects too and nothing
    /// else, of a subsystem all of it.
    pub fn under(&self, aim: &Fact) -> BTreeSet<Fact> {
        let goes_along = |fact: &Fact| match (aim, fact) {
            (Fact::Use { syscall: None, .. }, _) => true,
            (Fact::Use { detail: None, .. }, Fact::Use { detail, .. }) => {
                matches!(detail, Some(Detail::Argument(_) | Detail::Object(_)))
            }
            _ => false,
        };
        let parts = self.new.range(aim..).take_while(|fact| is_within(aim, fact));
        let parts = parts.filter(|fact| *fact == aim || goes_along(fact)).cloned();
        let in_phases = self.in_phases.range(aim..).take_while(|(fact, _)| is_within(aim, fact));
        let in_phases = in_phases.filter(|(fact, _)| goes_along(fact) || *fact == aim).flat_map(|(_, phases)| phases);
        parts.chain(in_phases.cloned()).collect()
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

    /// The texts once these facts are dropped from the proposal: the file stays, and nothing is
    /// remembered.
    pub fn reject(&self, facts: &BTreeSet<Fact>) -> Settled {
        let mut rest: BTreeSet<Fact> = self.new.difference(facts).cloned().collect();
        // A detail without its syscall would bring that back, and a subsystem without any call
        // means nothing.
        let gone = |rest: &BTreeSet<Fact>, fact: &Fact| self.new.contains(fact) && !rest.contains(fact);
        rest = rest.iter().filter(|fact| !fact.parent().is_some_and(|parent| gone(&rest, &parent))).cloned().collect();
        let (filled, still_filled) = (parents(&self.new), parents(&rest));
        let emptied = |fact: &Fact| {
            matches!(fact, Fact::Use { syscall: None, .. }) && filled.contains(fact) && !still_filled.contains(fact)
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

    /// The file's baseline with these facts, and what the proposal says of the entries that they
    /// touch.
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

/// What any of these facts is a direct part of.
fn parents(facts: &BTreeSet<Fact>) -> BTreeSet<Fact> {
    facts.iter().filter_map(Fact::parent).collect()
}

/// Whether the fact is the aim or within its subsystem or syscall. In the order of facts, these
/// follow each other from the aim on.
fn is_within(aim: &Fact, fact: &Fact) -> bool {
    match (aim, fact) {
        (Fact::Use { subsystem, syscall, detail: None }, Fact::Use { subsystem: of, syscall: call, .. }) => {
            subsystem == of && (syscall.is_none() || syscall == call)
        }
        _ => aim == fact,
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
    pub(in crate::model) fn entry(&self, fact: &Fact) -> Option<&Entry> {
        let Fact::Use { subsystem, syscall: Some(syscall), .. } = fact else { return None };
        self.subsystems.get(subsystem)?.get(syscall)
    }

    fn entry_mut(&mut self, fact: &Fact) -> Option<&mut Entry> {
        let Fact::Use { subsystem, syscall: Some(syscall), .. } = fact else { return None };
        self.subsystems.get_mut(subsystem)?.get_mut(syscall)
    }
}

impl Entry {
    /// What another recording says of the same syscall, besides its details; what is said here
    /// stays.
    fn adopt_marks(&mut self, other: &Self) {
        self.sometimes |= other.sometimes;
        self.why = self.why.take().or_else(|| other.why.clone());
        self.owner = self.owner.take().or_else(|| other.owner.clone());
    }
}
