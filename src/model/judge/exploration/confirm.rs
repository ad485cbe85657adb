//! Selects the runs that are repeated to confirm what they showed. Main function: [`to_repeat`].

use std::collections::{BTreeMap, BTreeSet};

use super::{Repeated, Tried};
use crate::model::expectation::{ErrorPaths, ExploreSettings};
use crate::model::facts::error_path::{FailedCall, RunOutcome};
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::Comparison;

/// How often a run with a finding is repeated.
pub const REPEATS: u32 = 3;

/// The number of injections of a finding that are repeated and shown.
pub const PLACES: usize = 5;

/// How an outcome is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged<'a> {
    /// It is expected: it needs no judgement, is recorded, or an exception accepts it.
    Expected,
    /// It is new.
    New,
    /// It is forbidden, for this reason.
    Forbidden(&'a str),
}

/// Judges an outcome.
pub(super) fn judged<'a>(settings: &ExploreSettings, recorded: Option<&ErrorPaths>, tried: &Tried) -> Judged<'a> {
    let Tried { call, outcome, .. } = tried;
    let is_held = || recorded.is_some_and(|paths| paths.holds(call, *outcome));
    if !outcome.is_judged() || settings.exception(call, *outcome).is_some() {
        Judged::Expected
    } else if settings.forbid.contains(outcome) {
        Judged::Forbidden("`explore:` forbids it")
    } else if is_held() {
        Judged::Expected
    } else {
        Judged::New
    }
}

/// Returns whether the outcome of a run is a finding if it repeats.
pub fn is_unexpected(settings: &ExploreSettings, recorded: Option<&ErrorPaths>, tried: &Tried) -> bool {
    judged(settings, recorded, tried) != Judged::Expected
}

/// Returns the indices of the runs that are repeated, in order: of each outcome of a call that is a
/// finding the first ones, the first one that shows a fact, and those of calls that depend on the
/// scheduler.
pub fn to_repeat(settings: &ExploreSettings, recorded: Option<&ErrorPaths>, tried: &[Tried]) -> BTreeSet<usize> {
    let mut places: BTreeMap<(&FailedCall, RunOutcome), usize> = BTreeMap::new();
    let mut shown: BTreeSet<&Fact> = BTreeSet::new();
    let mut repeated = BTreeSet::new();
    for (at, run) in tried.iter().enumerate() {
        if is_unexpected(settings, recorded, run) {
            let count = places.entry((&run.call, run.outcome)).or_default();
            *count += 1;
            if *count <= PLACES {
                repeated.insert(at);
            }
        }
        let Comparison { findings, notes, .. } = &run.comparison;
        let mut has_first = false;
        for finding in findings.iter().chain(notes) {
            has_first |= shown.insert(&finding.fact);
        }
        if has_first || run.is_shared {
            repeated.insert(at);
        }
    }
    repeated
}

/// Removes the facts that further runs did not show, where it depends on the scheduler which call
/// failed.
pub fn keep_repeated(tried: &mut [Tried], repeated: &BTreeMap<usize, Repeated>) {
    for (at, run) in tried.iter_mut().enumerate().filter(|(_, run)| run.is_shared) {
        let is_kept = |fact: &Fact| repeated.get(&at).is_some_and(|repeated| repeated.facts.contains(fact));
        run.beyond.retain(is_kept);
        run.comparison.findings.retain(|finding| is_kept(&finding.fact));
        run.comparison.notes.retain(|note| is_kept(&note.fact));
    }
}
