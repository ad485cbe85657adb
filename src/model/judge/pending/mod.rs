//! The new facts of a proposal, and the result of accepting or rejecting them. Main type:
//! [`Pending`].
//!
//! It must not write files: a decision returns the texts of both. Only facts are decided on: the
//! author's document, the baselines of other platforms and every reason stay unchanged.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::expectation::format::{Parsed, with_remarks};
use crate::model::expectation::{Baseline, Entry, Remarks, Version};
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::finding::Finding;
use crate::model::judge::groups::Cause;
use crate::model::judge::revisions::difference;
use crate::model::judge::weight::Weight;
use crate::model::run::platform::Platform;

/// A proposal that fits its file and adds facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    file: Parsed,
    proposed: Baseline,
    /// The facts of the proposal that the file does not hold.
    new: BTreeSet<Fact>,
    /// The facts of `new` in phases, by the same fact outside phases.
    in_phases: BTreeMap<Fact, Vec<Fact>>,
    remarks: Remarks,
}

/// Why a proposal no longer fits its file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The author's document has changed.
    #[error("the first document of the file has changed since")]
    Document,
    /// The baseline of another platform has changed.
    #[error("the file's baseline of {0} has changed since")]
    Baseline(Platform),
    /// The file's baseline has another version of the format.
    #[error("the file's baseline is in version {held} of the format, the proposal in version {proposed}")]
    Version {
        /// The version in the file.
        held: Version,
        /// The version in the proposal.
        proposed: Version,
    },
    /// The file holds a fact that the proposal lacks.
    #[error("the file holds `{0}`, which the proposal lacks")]
    Lacks(Fact),
}

/// What a key selects in one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// The name of the workload: everything that is pending.
    Whole,
    /// A fact, and what is decided with it.
    Part(Fact),
}

impl Aim {
    /// Returns what the key selects in the workload of this name, if anything.
    pub fn at(workload: &str, key: &str) -> Option<Self> {
        if key == workload { Some(Self::Whole) } else { Fact::from_key(key, workload).map(Self::Part) }
    }
}

/// The texts of both files after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The expectation file.
    pub file: String,
    /// The proposal; `None` if nothing is pending any more.
    pub proposal: Option<String>,
}

impl Pending {
    /// Returns what is pending between a file and its proposal; `None` if the file holds every
    /// fact.
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
        if let Some(other) = held.baseline(&baseline.platform).filter(|held| held.version != baseline.version) {
            return Err(Misfit::Version { held: other.version, proposed: baseline.version });
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

    /// Returns the platform of the proposal.
    pub fn platform(&self) -> &Platform {
        &self.proposed.platform
    }

    /// Returns the file of the proposal.
    pub fn file(&self) -> &Parsed {
        &self.file
    }

    /// Returns the facts that can be decided on one by one, most severe first. A new subsystem is
    /// listed only if it holds no syscall.
    pub fn findings(&self) -> Vec<Finding> {
        let filled = parents(&self.new);
        let is_outline = |fact: &Fact| matches!(fact, Fact::Use { syscall: None, .. }) && filled.contains(fact);
        let mut findings = difference(&self.file.expectation.document, self.held(), &self.proposed);
        findings.retain(|finding| !is_outline(&finding.fact));
        findings.sort_by_key(|finding| !self.opens_subsystem(&finding.fact));
        findings.into_iter().map(|finding| self.remarks.annotated(finding)).collect()
    }

    /// Returns the parts of the fingerprint that changed since the file's baseline was recorded, as
    /// seen by the proposing test.
    pub fn drift(&self) -> &[String] {
        &self.remarks.drift
    }

    /// Returns the stack of a fact's first call, one function a line, innermost first.
    pub fn stack(&self, fact: &Fact) -> Option<&[String]> {
        self.remarks.stacks.get(fact).map(|lines| &**lines)
    }

    /// Returns the keys of everything that is pending. For an empty baseline, that is the name of
    /// the workload.
    pub fn keys(&self, workload: &str) -> Vec<String> {
        let keys: Vec<String> = self.findings().iter().map(|finding| finding.fact.key(workload)).collect();
        if keys.is_empty() { vec![workload.to_owned()] } else { keys }
    }

    /// Returns whether the fact is in a subsystem that the file does not hold.
    pub fn opens_subsystem(&self, fact: &Fact) -> bool {
        let Fact::Use { subsystem, .. } = fact else { return false };
        self.new.contains(&Fact::Use { subsystem: *subsystem, syscall: None, detail: None })
    }

    /// Returns the importance of a finding. A call in a subsystem that the file does not hold
    /// stands for the subsystem.
    pub fn weight(&self, finding: &Finding) -> Weight {
        if self.opens_subsystem(&finding.fact) { Weight::NewSubsystem } else { Weight::of(finding) }
    }

    /// Returns everything that is pending.
    pub fn all(&self) -> &BTreeSet<Fact> {
        &self.new
    }

    /// Returns what is decided with this fact: for a syscall also its arguments and objects, for a
    /// subsystem everything in it.
    pub fn under(&self, aim: &Fact) -> BTreeSet<Fact> {
        let is_included = |fact: &Fact| match (aim, fact) {
            (Fact::Use { syscall: None, .. }, _) => true,
            (Fact::Use { detail: None, .. }, Fact::Use { detail, .. }) => detail.as_ref().is_some_and(Detail::is_use),
            _ => false,
        };
        let parts = self.new.range(aim..).take_while(|fact| is_within(aim, fact));
        let parts = parts.filter(|fact| *fact == aim || is_included(fact)).cloned();
        let in_phases = self.in_phases.range(aim..).take_while(|(fact, _)| is_within(aim, fact));
        let in_phases = in_phases.filter(|(fact, _)| is_included(fact) || *fact == aim).flat_map(|(_, phases)| phases);
        parts.chain(in_phases.cloned()).collect()
    }

    /// Returns the facts of the findings of one cause, by its id, and what is decided with them.
    pub fn of_cause(&self, workload: &str, id: &str) -> BTreeSet<Fact> {
        let is_meant = |finding: &Finding| Cause::of(workload, finding).id() == id;
        self.findings().iter().filter(|finding| is_meant(finding)).flat_map(|found| self.under(&found.fact)).collect()
    }

    /// Returns the texts after accepting these facts and their parents.
    ///
    /// A reason is added to the `why:` of each affected syscall, after an existing one.
    pub fn accept(&self, facts: &BTreeSet<Fact>, why: Option<&str>) -> Settled {
        let mut accepted = self.with(facts);
        let held = accepted.facts();
        let rest: BTreeSet<Fact> = self.new.difference(&held).cloned().collect();
        if rest.is_empty() {
            accepted = self.with_marks(&self.new);
        }
        let mut proposed = self.with_marks(&self.new);
        for baseline in [&mut accepted, &mut proposed] {
            facts.iter().for_each(|fact| add_reason(baseline, fact, why));
        }
        Settled { file: self.file.with(accepted), proposal: self.proposal_of(&rest, proposed) }
    }

    /// Returns the texts after removing these facts from the proposal. The file stays unchanged,
    /// and a later test may propose them again.
    pub fn reject(&self, facts: &BTreeSet<Fact>) -> Settled {
        let mut rest: BTreeSet<Fact> = self.new.difference(facts).cloned().collect();
        // A detail implies its syscall, so it goes with the syscall. A subsystem goes with its last
        // syscall.
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

    /// Returns the text of a proposal with these facts pending.
    fn proposal_of(&self, rest: &BTreeSet<Fact>, proposed: Baseline) -> Option<String> {
        (!rest.is_empty()).then(|| with_remarks(self.file.with(proposed), &self.remarks.clone().only(rest)))
    }

    fn held(&self) -> Option<&Baseline> {
        self.file.expectation.baseline(self.platform())
    }

    /// Returns the file's baseline with these facts, and with the proposal's marks on their
    /// entries.
    fn with(&self, facts: &BTreeSet<Fact>) -> Baseline {
        let nothing = || Baseline::new(self.platform().clone());
        let held = self.held().cloned().unwrap_or_else(nothing);
        // Fingerprint and `quiet` belong to the recording, and change with each new fact.
        let mut baseline = Baseline {
            subsystems: held.subsystems,
            phases: held.phases,
            blind_spots: held.blind_spots,
            signals: held.signals,
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

    /// Like [`Pending::with`], with the proposal's marks on all entries.
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

/// Returns the parents of these facts.
fn parents(facts: &BTreeSet<Fact>) -> BTreeSet<Fact> {
    facts.iter().filter_map(Fact::parent).collect()
}

/// Returns whether the fact is the aim or within its subsystem or syscall. In the order of facts,
/// these follow the aim directly.
fn is_within(aim: &Fact, fact: &Fact) -> bool {
    match (aim, fact) {
        (Fact::Use { subsystem, syscall, detail: None }, Fact::Use { subsystem: of, syscall: call, .. }) => {
            subsystem == of && (syscall.is_none() || syscall == call)
        }
        _ => aim == fact,
    }
}

/// Adds a reason to the entry of the fact; a subsystem or a blind spot has no entry.
fn add_reason(baseline: &mut Baseline, fact: &Fact, why: Option<&str>) {
    let (Some(entry), Some(why)) = (baseline.entry_mut(fact), why) else { return };
    entry.why = match entry.why.take() {
        Some(earlier) if format!("; {earlier};").contains(&format!("; {why};")) => Some(earlier),
        Some(earlier) => Some(format!("{earlier}; {why}")),
        None => Some(why.to_owned()),
    };
}

impl Baseline {
    fn entry_mut(&mut self, fact: &Fact) -> Option<&mut Entry> {
        let Fact::Use { subsystem, syscall: Some(syscall), .. } = fact else { return None };
        self.subsystems.get_mut(subsystem)?.get_mut(syscall)
    }
}

impl Entry {
    /// Copies marks and reasons from another entry of the same syscall; existing ones stay.
    fn adopt_marks(&mut self, other: &Self) {
        self.sometimes |= other.sometimes;
        self.why = self.why.take().or_else(|| other.why.clone());
        self.owner = self.owner.take().or_else(|| other.owner.clone());
        for (used, why) in &other.reasons {
            self.reasons.entry(used.clone()).or_insert_with(|| why.clone());
        }
        self.retain_reasons();
    }
}
