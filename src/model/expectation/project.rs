//! Reduces an observation to the facts that a baseline can hold. Main type: [`Projection`].
//!
//! Comparison and recording both use [`project`], so a baseline holds the facts that are judged. It
//! must not judge: `forbid:` is applied elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::storage::written_object;
use super::terms::{Baseline, Document, Entry, Level, Rule};
use crate::model::attribution::calls::{is_housekeeping, is_on_fd};
use crate::model::attribution::{KnownArguments, ObjectKind, Subsystem, Use, reach};
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::version::Version;
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::Syscall;
use crate::model::observe::observation::{First, Observation, Tally};
use crate::model::run::platform::Platform;

/// Returns the arguments that baselines of a version hold.
pub(in crate::model) fn judged_arguments(version: Version) -> KnownArguments {
    match version {
        Version::One => KnownArguments::Version1,
        Version::Two => KnownArguments::All,
    }
}

/// The facts of an observation that a baseline can hold: without ambient and tolerated calls, named
/// as in an expectation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    /// Each fact (a subsystem, a syscall in it, a detail of that, a blind spot, a signal) with its
    /// number of calls; 0 for a blind spot or a signal.
    pub facts: BTreeMap<Fact, u64>,
    /// The facts shown only by calls that were refused because of their fd: these calls reached
    /// nothing.
    pub refused: BTreeSet<Fact>,
}

/// Returns the facts of an observation without tolerated calls and, unless `document` is strict,
/// without ambient calls.
///
/// A subsystem that only such calls reach is no fact. Errors are facts only at [`Level::Error`].
/// The facts are those of baselines of `version`.
pub fn project(observation: &Observation, document: &Document, platform: &Platform, version: Version) -> Projection {
    let mut facts = BTreeMap::new();
    let (mut refused, mut reached) = (BTreeSet::new(), BTreeSet::new());
    for (phase, uses) in observation.parts() {
        for (used, outcome, calls) in judged(phase, &uses, document) {
            let error = outcome.filter(|_| document.level >= Level::Error);
            let is_refused = is_refused(used, outcome);
            for fact in facts_of(used, error, platform, version) {
                let shown = if is_refused { &mut refused } else { &mut reached };
                shown.insert(fact.clone());
                *facts.entry(fact).or_default() += calls;
            }
            if let Some(phase) = phase.filter(|_| !is_refused) {
                *facts.entry(used.in_phase(phase)).or_default() += calls;
            }
        }
    }
    refused.retain(|fact| !reached.contains(fact));
    let implied = implied(facts.keys());
    facts.retain(|fact, _| !implied.contains(fact));
    refused.retain(|fact| !implied.contains(fact));
    facts.extend(observation.blind_spots.iter().map(|spot| (Fact::BlindSpot((*spot).into()), 0)));
    if document.judges_signals(version) {
        let tolerated = |signal| document.tolerate.iter().any(|rule| rule.matches_signal(signal));
        let signals = observation.ends.signals.keys().filter(|signal| !tolerated(**signal));
        facts.extend(signals.map(|signal| (Fact::Signal(*signal), 0)));
    }
    Projection { facts, refused }
}

/// Returns the facts that follow from pairs among these: the argument alone, as a call shows it
/// that fails before it reaches an object.
pub(super) fn implied<'a>(facts: impl Iterator<Item = &'a Fact>) -> BTreeSet<Fact> {
    let of = |fact: &'a Fact| {
        let Fact::Use { subsystem, syscall, detail: Some(Detail::Pair(pair)) } = fact else { return None };
        let detail = Some(Detail::Argument(pair.argument.clone()));
        Some(Fact::Use { subsystem: *subsystem, syscall: syscall.clone(), detail })
    };
    facts.filter_map(of).collect()
}

/// Returns whether the call was refused because of its fd and so reached nothing.
fn is_refused(used: &Use, outcome: Option<Errno>) -> bool {
    let is_on_fd = is_on_fd(used.syscall);
    is_on_fd && outcome.is_some_and(|errno| reach::is_refused(&used.syscall.name(), errno, used.object.as_ref()))
}

/// Returns the judged uses of a part of the run, each with an outcome and its number of calls.
fn judged<'a>(
    phase: Option<&'a str>,
    uses: &'a BTreeMap<Use, Tally>,
    document: &'a Document,
) -> impl Iterator<Item = (&'a Use, Option<Errno>, u64)> {
    let counts = |used: &Use| !used.ambient || document.ambient_strict;
    let ends = uses.iter().filter(move |(used, _)| counts(used));
    let ends = ends.flat_map(|(used, tally)| outcomes(tally).map(move |(outcome, calls)| (used, outcome, calls)));
    let tolerated = move |rule: &Rule, used, outcome| rule.is_of(phase) && rule.covers(used, outcome);
    ends.filter(move |(used, outcome, _)| !document.tolerate.iter().any(|rule| tolerated(rule, used, *outcome)))
}

/// Selects the first calls that need a recorded call site and an example: forbidden calls, and
/// calls with a use or an error that the baseline does not hold.
#[derive(Debug)]
pub struct FirstCallFilter<'a> {
    document: &'a Document,
    platform: &'a Platform,
    version: Version,
    expected: BTreeSet<Fact>,
    /// The names of the syscalls that the baseline holds in any subsystem.
    syscalls: BTreeSet<String>,
    phases: BTreeSet<String>,
}

impl<'a> FirstCallFilter<'a> {
    /// Selects calls that are new compared with this baseline.
    pub fn new(document: &'a Document, baseline: &Baseline, platform: &'a Platform) -> Self {
        let expected = baseline.expected();
        let syscalls = expected.iter().filter_map(|fact| fact.syscall().map(str::to_owned)).collect();
        let phases = baseline.phases.keys().cloned().collect();
        Self { document, platform, version: baseline.version, expected, syscalls, phases }
    }

    /// Returns whether the call site of this first call is recorded.
    pub fn selects(&self, First { used, phase, error, .. }: &First) -> bool {
        let phase = phase.as_deref();
        let of_phase = phase.filter(|phase| self.phases.contains(*phase)).map(|phase| used.in_phase(phase));
        let judged = error.filter(|_| self.document.level >= Level::Error);
        let is_forbidden = |rule: &Rule| {
            rule.is_of(phase) && (rule.matches(used, None) || error.is_some() && rule.matches(used, *error))
        };
        facts_of(used, judged, self.platform, self.version).chain(of_phase).any(|fact| !self.expected.contains(&fact))
            || self.document.forbid.iter().any(is_forbidden)
    }

    /// Returns whether the first execve of a program may be selected. Its object is not known yet,
    /// nor whether it fails.
    pub fn may_select_program(&self, first: &First) -> bool {
        let Use { subsystem, syscall, .. } = first.used;
        let may_forbid = |rule: &Rule| {
            rule.may_concern(&syscall.name()) && rule.subsystem.is_none_or(|forbidden| forbidden == subsystem)
        };
        self.selects(first) || self.document.forbid.iter().any(may_forbid)
    }

    /// Returns whether errors are judged, so that the first call with each of them counts.
    pub fn judges_errors(&self) -> bool {
        self.document.judges_errors()
    }

    /// Returns whether calls of this name may be selected because of their name alone, so that they
    /// are decoded at the entry.
    pub fn may_select(&self, syscall: Syscall) -> bool {
        let name = syscall.name();
        let may_forbid = |rule: &Rule| rule.may_concern(&name);
        !self.syscalls.contains(&*name) || !self.phases.is_empty() || self.document.forbid.iter().any(may_forbid)
    }
}

impl Use {
    /// Returns the fact of this use in a phase.
    pub(in crate::model) fn in_phase(&self, phase: &str) -> Fact {
        Fact::Phase { phase: phase.to_owned(), subsystem: self.subsystem, syscall: self.syscall.name().into_owned() }
    }
}

/// Splits a tally by outcome: the calls that did not fail, then those of each error.
fn outcomes(tally: &Tally) -> impl Iterator<Item = (Option<Errno>, u64)> {
    let failed: u64 = tally.errors.values().sum();
    let succeeded = (None, tally.calls.saturating_sub(failed));
    let errors = tally.errors.iter().map(|(&errno, &calls)| (Some(errno), calls));
    std::iter::once(succeeded).chain(errors).filter(|&(_, calls)| calls > 0)
}

/// Returns the facts of a use in a version, the coarsest first.
pub(in crate::model) fn facts_of(
    used: &Use,
    error: Option<Errno>,
    platform: &Platform,
    version: Version,
) -> impl Iterator<Item = Fact> {
    let foreign_abi = Some(used.syscall.abi).filter(|&abi| platform.abi() != Some(abi));
    let [first, second] = details_of(used, version);
    let details = [first, second, error.map(|errno| Detail::Error(ErrnoName(errno))), foreign_abi.map(Detail::Abi)];
    let subsystem = used.subsystem;
    let syscall = used.syscall.name().into_owned();
    let detailed = details.into_iter().flatten().map({
        let syscall = syscall.clone();
        move |detail| Fact::Use { subsystem, syscall: Some(syscall.clone()), detail: Some(detail) }
    });
    [
        Fact::Use { subsystem, syscall: None, detail: None },
        Fact::Use { subsystem, syscall: Some(syscall), detail: None },
    ]
    .into_iter()
    .chain(detailed)
}

/// Returns the details of a use in a version. Housekeeping calls have no object: the calls that
/// opened or used the fd show it.
pub(in crate::model) fn details_of(used: &Use, version: Version) -> [Option<Detail>; 2] {
    let object = used.object.as_ref().filter(|_| !is_housekeeping(used.syscall));
    details(judged_arguments(version).of(used), object, version)
}

/// Returns the details of a use as a rule can name them: with each argument that is known today,
/// and with the object of a housekeeping call.
pub(in crate::model) fn all_details_of(used: &Use, version: Version) -> [Option<Detail>; 2] {
    details(KnownArguments::All.of(used), used.object.as_ref(), version)
}

fn details(argument: Option<&str>, object: Option<&ObjectKind>, version: Version) -> [Option<Detail>; 2] {
    let (argument, object) = (argument.map(str::to_owned), object.map(written_object));
    match version {
        Version::One => [argument.map(Detail::Argument), object.map(Detail::Object)],
        Version::Two => [Detail::of_use(argument, object), None],
    }
}

impl Baseline {
    /// Returns all expected facts: the facts of this baseline, and facts that follow from them.
    pub fn expected(&self) -> BTreeSet<Fact> {
        let mut facts = self.facts();
        let implied = implied(facts.iter());
        facts.extend(implied);
        facts
    }

    /// Returns all facts of this baseline, named as in a [`Projection`].
    pub fn facts(&self) -> BTreeSet<Fact> {
        let mut facts: BTreeSet<Fact> = self.blind_spots.iter().cloned().map(Fact::BlindSpot).collect();
        facts.extend(self.signals.iter().copied().map(Fact::Signal));
        facts.extend(facts_of_uses(&self.subsystems));
        for (phase, subsystems) in &self.phases {
            let syscalls = subsystems
                .iter()
                .flat_map(|(&subsystem, syscalls)| syscalls.iter().map(move |syscall| (subsystem, syscall)));
            facts.extend(syscalls.map(|(subsystem, syscall)| Fact::Phase {
                phase: phase.clone(),
                subsystem,
                syscall: syscall.clone(),
            }));
        }
        facts
    }
}

/// Returns the facts of subsystems with their syscalls.
pub(super) fn facts_of_uses(subsystems: &BTreeMap<Subsystem, BTreeMap<String, Entry>>) -> impl Iterator<Item = Fact> {
    subsystems.iter().flat_map(|(&subsystem, syscalls)| {
        let of_syscalls = syscalls.iter().flat_map(move |(syscall, entry)| entry_facts(subsystem, syscall, entry));
        std::iter::once(Fact::Use { subsystem, syscall: None, detail: None }).chain(of_syscalls)
    })
}

/// Returns the facts of a syscall and its details.
fn entry_facts(subsystem: Subsystem, syscall: &str, entry: &Entry) -> impl Iterator<Item = Fact> {
    let details = entry.details().map(Some);
    std::iter::once(None).chain(details).map(move |detail| Fact::Use {
        subsystem,
        syscall: Some(syscall.to_owned()),
        detail,
    })
}

impl Entry {
    /// Returns every object, ordered by whether it has an argument.
    pub fn all_objects(&self) -> impl Iterator<Item = &ObjectKind> {
        self.objects.iter().chain(self.pairs.iter().map(|pair| &pair.object))
    }

    /// Returns every argument, ordered by whether it has an object.
    pub fn all_arguments(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().chain(self.pairs.iter().map(|pair| &pair.argument)).map(String::as_str)
    }

    /// Returns the uses in the order in which they are written: by argument, then by object.
    pub(super) fn uses(&self) -> Vec<Detail> {
        let uses = self.details().filter(Detail::is_use).chain(self.reasons.keys().cloned());
        let mut uses: Vec<Detail> = uses.collect::<BTreeSet<_>>().into_iter().collect();
        uses.sort_by(|a, b| (a.argument(), a.object()).cmp(&(b.argument(), b.object())));
        uses
    }

    /// Returns whether there are no errors, ABIs and marks, and no reason for the whole entry.
    pub(super) fn has_only_uses(&self) -> bool {
        let Self { arguments, objects, pairs, reasons, .. } = self.clone();
        *self == Self { arguments, objects, pairs, reasons, ..Self::default() }
    }

    /// Returns the details of the syscall.
    pub fn details(&self) -> impl Iterator<Item = Detail> {
        let arguments = self.arguments.iter().cloned().map(Detail::Argument);
        let objects = self.objects.iter().cloned().map(Detail::Object);
        let pairs = self.pairs.iter().cloned().map(Detail::Pair);
        let errors = self.errors.iter().copied().map(Detail::Error);
        let abis = self.abis.iter().copied().map(Detail::Abi);
        arguments.chain(objects).chain(pairs).chain(errors).chain(abis)
    }
}

#[cfg(test)]
mod tests;
