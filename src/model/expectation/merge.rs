//! Makes a baseline from runs: [`record`] after a recording, [`amend`] after a test.
//!
//! It must not write files. Facts of the old baseline and their reasons stay until they are pruned.

use std::collections::{BTreeMap, BTreeSet};

use super::terms::{Baseline, Entry, ErrorPaths};
use crate::model::attribution::Subsystem;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::finding::Suspect;
use crate::model::facts::fingerprint::Fingerprint;
use crate::model::run::platform::Platform;
use crate::model::run::recording::FEWEST_RUNS;
use crate::model::trace::marker::LOADER;

type Subsystems = BTreeMap<Subsystem, BTreeMap<String, Entry>>;

/// What to do with facts of the old baseline that no run showed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unseen {
    /// Keep them unchanged.
    #[default]
    Keep,
    /// Remove them (`--prune`).
    Prune,
}

/// The result of a recording, and its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The platform of the runs.
    pub platform: Platform,
    /// The machine and build of the runs.
    pub fingerprint: Fingerprint,
    /// Whether new facts still appeared at the end of the recording.
    pub never_quiet: bool,
    /// The facts of each run.
    pub runs: Vec<BTreeSet<Fact>>,
}

/// Returns the baseline after these runs. Only an exploration changes its error paths.
///
/// The runs show facts of the latest version, and so does the result. It keeps the arguments and
/// objects of an older baseline that no run showed.
///
/// An entry that only some runs showed is marked `seen: sometimes`, and the mark stays. An entry
/// that no run showed gets no mark. The loader phase is recorded only if the file names it. The
/// fingerprint changes only together with a fact. The mark of few runs changes also without one: a
/// longer recording that confirms the same facts raises or removes it.
pub fn record(old: Option<&Baseline>, recorded: &Recorded, unseen: Unseen) -> Baseline {
    let mut new = Baseline::new(recorded.platform.clone());
    let has_loader = old.is_some_and(|old| old.phases.contains_key(LOADER));
    let is_kept = |fact: &&Fact| has_loader || !matches!(fact, Fact::Phase { phase, .. } if phase == LOADER);
    for fact in recorded.runs.iter().flatten().filter(is_kept) {
        new.insert(fact);
    }
    new.remove_implied();
    for (subsystem, syscall, entry) in new.entries_mut() {
        entry.sometimes = !recorded.in_every_run(subsystem, syscall);
    }
    if let Some(old) = old {
        new.adopt(old, unseen);
    }
    let few_runs = recorded.few_runs();
    match old.filter(|old| new.holds_the_same(old)) {
        Some(old) => Baseline {
            fingerprint: old.fingerprint.clone(),
            never_quiet: old.never_quiet,
            few_runs: old.few_runs.zip(few_runs).map(|(before, now)| before.max(now)),
            ..new
        },
        None => {
            let Recorded { fingerprint, never_quiet, .. } = recorded;
            Baseline { fingerprint: fingerprint.clone(), never_quiet: *never_quiet, few_runs, ..new }
        }
    }
}

/// Returns the baseline with the facts that these runs of a test add, without suspects.
///
/// Existing entries stay unchanged, including their marks: a few runs that confirm a finding say
/// nothing about the other entries.
pub fn amend(old: &Baseline, recorded: &Recorded, suspects: &[Suspect]) -> Baseline {
    // Only a recording adds a phase.
    let is_known = |fact: &Fact| !matches!(fact, Fact::Phase { phase, .. } if !old.phases.contains_key(phase));
    let suspects: BTreeSet<&Fact> = suspects.iter().map(|suspect| &suspect.finding.fact).collect();
    let suspect = |fact: &Fact| suspects.contains(fact);
    let mut new = old.clone();
    for fact in recorded.runs.iter().flatten() {
        let whole = fact.in_any_phase();
        if is_known(fact) && !suspect(fact) && !suspect(&whole) && !fact.parent().is_some_and(|parent| suspect(&parent))
        {
            new.insert(fact);
        }
    }
    let none = BTreeMap::new();
    for (subsystem, syscall, entry) in new.entries_mut() {
        let known = old.subsystems.get(&subsystem).unwrap_or(&none).contains_key(syscall);
        entry.sometimes |= !known && !recorded.in_every_run(subsystem, syscall);
    }
    if !new.holds_the_same(old) {
        new.fingerprint.clone_from(&recorded.fingerprint);
    }
    new
}

impl Recorded {
    /// Returns the number of runs, if a complete recording has more.
    fn few_runs(&self) -> Option<u32> {
        u32::try_from(self.runs.len()).ok().filter(|runs| *runs < FEWEST_RUNS)
    }

    fn in_every_run(&self, subsystem: Subsystem, syscall: &str) -> bool {
        let fact = Fact::Use { subsystem, syscall: Some(syscall.to_owned()), detail: None };
        self.runs.iter().all(|facts| facts.contains(&fact))
    }
}

impl Baseline {
    /// Adds a fact, together with the coarser facts that it is part of.
    pub fn insert(&mut self, fact: &Fact) {
        match fact {
            Fact::BlindSpot(spot) => {
                self.blind_spots.insert(spot.clone());
            }
            Fact::Signal(signal) => {
                self.signals.insert(*signal);
            }
            Fact::Phase { phase, subsystem, syscall } => {
                let subsystems = self.phases.entry(phase.clone()).or_default();
                subsystems.entry(*subsystem).or_default().insert(syscall.clone());
            }
            Fact::Use { subsystem, syscall, detail } => {
                insert_use(&mut self.subsystems, *subsystem, syscall.as_ref(), detail.as_ref());
            }
        }
    }

    /// Returns whether both hold the same facts; marks and reasons are ignored.
    fn holds_the_same(&self, other: &Self) -> bool {
        self.version == other.version && self.facts() == other.facts()
    }

    /// Returns every entry with its subsystem and syscall.
    fn entries_mut(&mut self) -> impl Iterator<Item = (Subsystem, &str, &mut Entry)> {
        self.subsystems.iter_mut().flat_map(|(&subsystem, syscalls)| {
            syscalls.iter_mut().map(move |(syscall, entry)| (subsystem, syscall.as_str(), entry))
        })
    }

    /// Removes arguments that follow from a pair: an attempt that failed before it reached an
    /// object is no further fact.
    fn remove_implied(&mut self) {
        for (.., Entry { arguments, pairs, .. }) in self.entries_mut() {
            arguments.retain(|argument| pairs.iter().all(|pair| pair.argument != *argument));
        }
    }

    /// Returns whether this baseline holds a detail of an older version as a part of a pair.
    fn holds_part(&self, fact: &Fact) -> bool {
        let Some(entry) = self.entry(fact) else { return false };
        match fact.detail() {
            Some(Detail::Argument(argument)) => entry.pairs.iter().any(|pair| pair.argument == *argument),
            Some(Detail::Object(object)) => entry.pairs.iter().any(|pair| pair.object == *object),
            _ => false,
        }
    }

    /// Copies the error paths of an earlier baseline, marks and reasons of the same entries and,
    /// unless pruned, its other facts.
    fn adopt(&mut self, old: &Self, unseen: Unseen) {
        self.errors.clone_from(&old.errors);
        if unseen == Unseen::Keep {
            let is_older = old.version < self.version;
            let kept = old.facts().into_iter().filter(|fact| !(is_older && self.holds_part(fact)));
            kept.collect::<Vec<_>>().iter().for_each(|fact| self.insert(fact));
        }
        adopt_marks(&mut self.subsystems, &old.subsystems);
    }
}

impl ErrorPaths {
    /// Copies marks and reasons of the same entries from earlier ones.
    pub(in crate::model) fn adopt_reasons(&mut self, old: &Self) {
        adopt_marks(&mut self.uses, &old.uses);
    }
}

/// Copies marks and reasons of the same entries from earlier ones.
fn adopt_marks(new: &mut Subsystems, old: &Subsystems) {
    for (subsystem, syscalls) in new {
        let Some(earlier) = old.get(subsystem) else { continue };
        for (syscall, entry) in syscalls {
            let Some(earlier) = earlier.get(syscall) else { continue };
            entry.sometimes |= earlier.sometimes;
            entry.why.clone_from(&earlier.why);
            entry.owner.clone_from(&earlier.owner);
            entry.reasons.clone_from(&earlier.reasons);
            entry.retain_reasons();
        }
    }
}

/// Adds a use, together with the coarser ones that it is part of.
pub(super) fn insert_use(
    subsystems: &mut Subsystems,
    subsystem: Subsystem,
    syscall: Option<&String>,
    detail: Option<&Detail>,
) {
    let syscalls = subsystems.entry(subsystem).or_default();
    let Some(syscall) = syscall else { return };
    let entry = syscalls.entry(syscall.clone()).or_default();
    if let Some(detail) = detail {
        entry.insert(detail);
    }
}

impl Entry {
    /// Removes the reasons of uses that the entry does not hold.
    pub(in crate::model) fn retain_reasons(&mut self) {
        let uses: BTreeSet<Detail> = self.details().collect();
        self.reasons.retain(|used, _| uses.contains(used));
    }

    /// Adds a detail.
    pub(super) fn insert(&mut self, detail: &Detail) {
        match detail {
            Detail::Argument(argument) => self.arguments.insert(argument.clone()),
            Detail::Object(object) => self.objects.insert(object.clone()),
            Detail::Pair(pair) => self.pairs.insert(pair.clone()),
            Detail::Error(errno) => self.errors.insert(*errno),
            Detail::Abi(abi) => self.abis.insert(*abi),
        };
    }
}

#[cfg(test)]
mod tests;
