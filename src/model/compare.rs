//! The difference between what was expected and what was observed. Main type: [`Comparison`].
//!
//! It must not decide what to do about it: that is [`decide`](super::decide).

use std::collections::{BTreeMap, BTreeSet};

use super::attribution::Subsystem;
use super::confirm::Suspect;
use super::expectation::{Baseline, Document, Level, Projection};
use super::fingerprint::Drift;
use super::first_callers::FirstCallers;
use super::observation::Observation;
use super::{families, forbid};

pub use super::fact::{Detail, Fact};

mod refusals;

use refusals::KnownRefusals;

/// What differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What fails: what is forbidden first, then by weight, then by key.
    pub findings: Vec<Finding>,
    /// New, but below the level that fails, or beside a member of its family; in the same order.
    pub notes: Vec<Finding>,
    /// New, but not in every run, where several were made to confirm it; in the same order.
    pub suspects: Vec<Suspect>,
    /// What the baseline holds and no run showed: the outermost facts, without what went with them.
    pub gone: Vec<Fact>,
    /// What changed around the workload since the baseline was recorded.
    pub drift: Vec<Drift>,
    /// How it was watched.
    pub watched: Watched,
}

/// How a workload was watched, as far as that says what a comparison cannot hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Watched {
    /// Every call was seen.
    #[default]
    EveryCall,
    /// Expected calls ran unwatched: nothing is known of their number, of their errors, or of what is gone.
    Guarded,
    /// Every call was seen before it was made: nothing is known of the errors of most.
    Notified,
    /// Every call was seen with its result, though another engine was asked for: it cannot watch this workload.
    Unguarded {
        /// Why not.
        reason: String,
    },
}

impl Comparison {
    /// Says of every finding where the expectation file speaks of its subsystem.
    pub fn locate(&mut self, line: impl Fn(Option<Subsystem>) -> Option<usize>) {
        for finding in self.new_mut() {
            finding.line = line(finding.fact.subsystem());
        }
    }

    /// Whether a `forbid:` rule is broken: then no baseline makes the workload pass.
    pub fn is_forbidden(&self) -> bool {
        self.findings.iter().any(|finding| finding.forbidden.is_some())
    }

    /// Whether anything was seen that the baseline does not hold.
    pub fn has_news(&self) -> bool {
        !(self.findings.is_empty() && self.notes.is_empty() && self.suspects.is_empty())
    }

    /// Whether it says something of a workload that passes. That it was guarded goes for most: it is told once for all.
    pub fn is_remarkable(&self) -> bool {
        self.has_news() || !self.gone.is_empty() || matches!(self.watched, Watched::Unguarded { .. })
    }

    /// Findings, notes and suspects.
    pub(super) fn new_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
        let suspects = self.suspects.iter_mut().map(|suspect| &mut suspect.finding);
        self.findings.iter_mut().chain(&mut self.notes).chain(suspects)
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of difference. Of something forbidden it says how deep it lies, be it new or not.
    pub kind: FindingKind,
    /// The fact that is new.
    pub fact: Fact,
    /// Arguments and objects of a new syscall: as new as the syscall itself, and accepted with it.
    pub details: Vec<Detail>,
    /// How often it was called.
    pub calls: u64,
    /// The `forbid:` rule that it breaks, in its author's words.
    pub forbidden: Option<String>,
    /// The line of the expectation file that it concerns, counted from 1; known to who has read the file.
    pub line: Option<usize>,
    /// The member of its family that the baseline holds: then it is a note.
    pub kin: Option<Kin>,
    /// What is known to have brought it, other than a change of the workload.
    pub cause: Option<String>,
    /// Who made its first call, where that was asked.
    pub site: Option<String>,
}

/// `openat2` beside `openat`: C library, architecture or kernel may have swapped one for the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kin {
    /// The family's name.
    pub family: String,
    /// The member that the baseline holds in the same subsystem, with the same detail where it is one that is new.
    pub beside: String,
}

impl Finding {
    /// A fact that is new.
    pub fn new(fact: Fact, calls: u64) -> Self {
        let kind = FindingKind::of(&fact);
        Self { kind, fact, details: Vec::new(), calls, forbidden: None, line: None, kin: None, cause: None, site: None }
    }

    /// The name under which reports file it: that of its kind, or `forbidden`.
    pub fn rule(&self) -> &'static str {
        if self.forbidden.is_some() { "forbidden" } else { self.kind.name() }
    }

    /// Whether this finding tells of the fact too, so that it is none of its own. A note must not tell of what fails.
    fn includes(&self, fact: &Fact, kin: Option<&Kin>) -> bool {
        matches!(FindingKind::of(fact), FindingKind::NewArgument | FindingKind::NewObject)
            && fact.parent().as_ref() == Some(&self.fact)
            && (self.kin.is_none() || kin.is_some())
    }
}

/// What kind of difference a finding is; the order is by weight, heaviest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A subsystem that the baseline does not hold.
    NewSubsystem,
    /// A blind spot that the baseline does not hold.
    NewBlindSpot,
    /// A call under another ABI.
    NewAbi,
    /// A syscall that the baseline does not hold within its subsystem.
    NewSyscall,
    /// An argument that the baseline does not hold for its syscall.
    NewArgument,
    /// An object that the baseline does not hold for its syscall.
    NewObject,
    /// An error that the baseline does not hold for its syscall.
    NewError,
}

impl FindingKind {
    /// Every kind, heaviest first.
    pub const ALL: [Self; 7] = [
        Self::NewSubsystem,
        Self::NewBlindSpot,
        Self::NewAbi,
        Self::NewSyscall,
        Self::NewArgument,
        Self::NewObject,
        Self::NewError,
    ];

    /// The name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewSubsystem => "new-subsystem",
            Self::NewBlindSpot => "new-blind-spot",
            Self::NewAbi => "new-abi",
            Self::NewSyscall => "new-syscall",
            Self::NewArgument => "new-argument",
            Self::NewObject => "new-object",
            Self::NewError => "new-error",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it is when this fact is new.
    pub fn of(fact: &Fact) -> Self {
        match fact {
            Fact::BlindSpot(_) => Self::NewBlindSpot,
            Fact::Phase { .. } => Self::NewSyscall,
            Fact::Use { syscall: None, .. } => Self::NewSubsystem,
            Fact::Use { detail: None, .. } => Self::NewSyscall,
            Fact::Use { detail: Some(Detail::Argument(_)), .. } => Self::NewArgument,
            Fact::Use { detail: Some(Detail::Object(_)), .. } => Self::NewObject,
            Fact::Use { detail: Some(Detail::Error(_)), .. } => Self::NewError,
            Fact::Use { detail: Some(Detail::Abi(_)), .. } => Self::NewAbi,
        }
    }

    /// Whether it fails where a verdict looks this deep.
    fn fails_at(self, level: Level) -> bool {
        match self {
            Self::NewSubsystem | Self::NewBlindSpot | Self::NewAbi => true,
            Self::NewSyscall => level >= Level::Syscall,
            Self::NewArgument => level >= Level::Argument,
            Self::NewObject => level >= Level::Object,
            Self::NewError => level >= Level::Error,
        }
    }
}

/// Compares what was observed with a baseline; without one everything is new.
///
/// `projection` is what counts of `observation`; only `forbid:` looks past it, at every use.
pub fn compare(
    document: &Document,
    baseline: Option<&Baseline>,
    projection: &Projection,
    observation: &Observation,
) -> Comparison {
    let held = baseline.map(Baseline::facts).unwrap_or_default();
    let phases = baseline.map(|baseline| baseline.phases.keys().collect()).unwrap_or_default();
    let mut found = unknown(&held, &phases, projection, document.families_strict);
    for (fact, broken) in forbid::broken(&document.forbid, observation) {
        found.entry(fact.clone()).or_insert_with(|| Finding::new(fact, broken.calls)).forbidden = Some(broken.rule);
    }
    let mut found: Vec<Finding> = found.into_values().collect();
    let callers = FirstCallers::of(observation);
    for finding in &mut found {
        finding.site = callers.of_fact(&finding.fact);
    }
    found.sort_by_key(|finding| (finding.forbidden.is_none(), finding.kind));
    let fails = |finding: &Finding| finding.kin.is_none() && finding.kind.fails_at(document.level);
    let (findings, notes) = found.into_iter().partition(|finding| finding.forbidden.is_some() || fails(finding));
    let gone = baseline.map(|baseline| gone(baseline, &held, projection, document.level)).unwrap_or_default();
    Comparison { findings, notes, gone, ..Comparison::default() }
}

/// The facts that are not held, each as a finding; arguments and objects of an unknown syscall are told with it.
fn unknown(
    held: &BTreeSet<Fact>,
    phases: &BTreeSet<&String>,
    projection: &Projection,
    families_strict: bool,
) -> BTreeMap<Fact, Finding> {
    let mut found: BTreeMap<Fact, Finding> = BTreeMap::new();
    let known_refusals = KnownRefusals::of(held, &projection.refused);
    // What a phase uses is judged as the workload's, too; a phase that the baseline does not name is not judged beyond that.
    let is_judged = |fact: &Fact| {
        phase(fact).is_none_or(|phase| phases.contains(phase) && held.contains(&fact.in_any_phase()))
            && !known_refusals.contains(fact)
    };
    for (fact, &calls) in projection.facts.iter().filter(|(fact, _)| !held.contains(fact) && is_judged(fact)) {
        let kin = kin(held, fact).filter(|_| !families_strict);
        let syscall = fact.parent().and_then(|parent| found.get_mut(&parent));
        match (syscall.filter(|syscall| syscall.includes(fact, kin.as_ref())), fact) {
            (Some(syscall), Fact::Use { detail: Some(detail), .. }) => syscall.details.push(detail.clone()),
            _ => {
                found.insert(fact.clone(), Finding { kin, ..Finding::new(fact.clone(), calls) });
            }
        }
    }
    found
}

fn phase(fact: &Fact) -> Option<&String> {
    match fact {
        Fact::Phase { phase, .. } => Some(phase),
        _ => None,
    }
}

/// The same fact of another member of the syscall's family, in the same subsystem. No family excuses another ABI.
fn kin(held: &BTreeSet<Fact>, fact: &Fact) -> Option<Kin> {
    let Fact::Use { subsystem, syscall: Some(syscall), detail } = fact else { return None };
    if matches!(detail, Some(Detail::Abi(_))) {
        return None;
    }
    families::of(syscall).find_map(|family| {
        let others = family.members.iter().filter(|member| **member != syscall.as_str());
        let beside = others.copied().find(|member| {
            let syscall = Some((*member).to_owned());
            held.contains(&Fact::Use { subsystem: *subsystem, syscall, detail: detail.clone() })
        })?;
        Some(Kin { family: family.name.to_owned(), beside: beside.to_owned() })
    })
}

/// What is held and was not seen. An entry that is seen only sometimes is not gone; errors count at [`Level::Error`] only.
fn gone(baseline: &Baseline, held: &BTreeSet<Fact>, projection: &Projection, level: Level) -> Vec<Fact> {
    let judged = |fact: &Fact| FindingKind::of(fact) != FindingKind::NewError || level >= Level::Error;
    let missing = |fact: &Fact| !projection.facts.contains_key(fact) && judged(fact) && !is_occasional(baseline, fact);
    let missing: BTreeSet<&Fact> = held.iter().filter(|fact| missing(fact)).collect();
    let is_outermost = |fact: &Fact| fact.parent().is_none_or(|parent| !missing.contains(&parent));
    missing.iter().filter(|fact| is_outermost(fact)).map(|&fact| fact.clone()).collect()
}

/// Whether the fact, or a part of it, was not in every recorded run.
fn is_occasional(baseline: &Baseline, fact: &Fact) -> bool {
    let Fact::Use { subsystem, syscall, .. } = fact else { return false };
    let Some(entries) = baseline.subsystems.get(subsystem) else { return false };
    match syscall {
        Some(syscall) => entries.get(syscall).is_some_and(|entry| entry.sometimes),
        None => entries.values().any(|entry| entry.sometimes),
    }
}

#[cfg(test)]
mod tests;
