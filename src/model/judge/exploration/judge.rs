//! Makes findings of runs with injections. Main function: [`judge`].

use std::collections::BTreeMap;

use super::confirm::{Judged, PLACES, judged};
use super::{FoundPath, PathFinding, PathFindingKind, Repeated, Tried};
use crate::model::expectation::{ErrorPaths, ExploreSettings};
use crate::model::facts::error_path::{FailedCall, RunOutcome};
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::{Comparison, Finding};
use crate::model::judge::weight::{Weight, rank};

/// What runs with injections showed that is not expected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What fails, the worst outcome first, then facts by weight.
    pub findings: Vec<PathFinding>,
    /// What does not fail.
    pub notes: Vec<PathFinding>,
    /// What did not repeat.
    pub suspects: Vec<PathFinding>,
    /// Recorded outcomes that did not occur, although the call was made to fail.
    pub gone: Vec<(RunOutcome, FailedCall)>,
    /// The number of runs with a recorded outcome.
    pub recorded: u32,
    /// The number of runs with an outcome that an exception accepts.
    pub excepted: u32,
}

/// Judges runs. `repeated` has the further runs of those that
/// [`to_repeat`](super::confirm::to_repeat) selects, by their index.
///
/// Facts fail only if something was recorded; otherwise they are notes.
pub fn judge(
    settings: &ExploreSettings,
    recorded: Option<&ErrorPaths>,
    tried: &[Tried],
    repeated: &BTreeMap<usize, Repeated>,
) -> Judgement {
    let mut judgement = Judgement { gone: gone(settings, recorded, tried), ..Judgement::default() };
    for run in tried {
        let is_held = recorded.is_some_and(|paths| paths.holds(&run.call, run.outcome));
        let is_excepted = run.outcome.is_judged() && settings.exception(&run.call, run.outcome).is_some();
        judgement.excepted += u32::from(is_excepted);
        judgement.recorded += u32::from(is_held && !is_excepted);
    }
    for finding in outcomes(settings, recorded, tried, repeated) {
        let is_confirmed = finding.paths.iter().any(FoundPath::is_confirmed);
        if is_confirmed { &mut judgement.findings } else { &mut judgement.suspects }.push(finding);
    }
    for (finding, fails, is_confirmed) in facts(tried, repeated) {
        let is_forbidden = finding.forbidden.is_some();
        let list = match (is_confirmed, is_forbidden || fails && recorded.is_some()) {
            (false, _) => &mut judgement.suspects,
            (true, true) => &mut judgement.findings,
            (true, false) => &mut judgement.notes,
        };
        list.push(finding);
    }
    judgement
}

/// Returns the findings on outcomes: the worst first, then by call.
fn outcomes(
    settings: &ExploreSettings,
    recorded: Option<&ErrorPaths>,
    tried: &[Tried],
    repeated: &BTreeMap<usize, Repeated>,
) -> Vec<PathFinding> {
    let mut found: BTreeMap<(bool, std::cmp::Reverse<RunOutcome>, &FailedCall), PathFinding> = BTreeMap::new();
    for (at, run) in tried.iter().enumerate() {
        let forbidden = match judged(settings, recorded, run) {
            Judged::Expected => continue,
            Judged::New => None,
            Judged::Forbidden(reason) => Some(reason.to_owned()),
        };
        let key = (forbidden.is_none(), std::cmp::Reverse(run.outcome), &run.call);
        let finding = found.entry(key).or_insert_with(|| PathFinding {
            kind: PathFindingKind::Outcome(run.call.clone(), run.outcome),
            forbidden,
            paths: Vec::new(),
            more: Vec::new(),
        });
        match repeated.get(&at).filter(|_| finding.paths.len() < PLACES) {
            Some(repeated) => finding.paths.push(path(run, repeated, repeated.same)),
            None => finding.more.push(run.id.clone()),
        }
    }
    // What repeated is shown first.
    found.values_mut().for_each(|finding| finding.paths.sort_by_key(|path| !path.is_confirmed()));
    found.into_values().filter(|finding| !finding.paths.is_empty()).collect()
}

/// Returns the findings on facts, the heaviest first, with whether each fails at the level of the
/// document and whether every further run showed it.
fn facts(tried: &[Tried], repeated: &BTreeMap<usize, Repeated>) -> Vec<(PathFinding, bool, bool)> {
    let mut found: BTreeMap<&Fact, (Finding, bool, bool, PathFinding)> = BTreeMap::new();
    for (at, run) in tried.iter().enumerate() {
        let Comparison { findings, notes, .. } = &run.comparison;
        let all = findings.iter().map(|finding| (finding, true)).chain(notes.iter().map(|note| (note, false)));
        for (finding, fails) in all {
            if let Some((known, _, _, shown)) = found.get_mut(&finding.fact) {
                let new = finding.details.iter().filter(|detail| !known.details.contains(detail));
                known.details.extend(new.cloned().collect::<Vec<_>>());
                shown.more.push(run.id.clone());
                continue;
            }
            let Some(repeated) = repeated.get(&at) else { continue };
            let is_confirmed = repeated.runs > 0 && repeated.facts.contains(&finding.fact);
            let shown = PathFinding {
                kind: PathFindingKind::Fact(Box::new(finding.clone())),
                forbidden: finding.forbidden.clone(),
                paths: vec![path(run, repeated, if is_confirmed { repeated.runs } else { 0 })],
                more: Vec::new(),
            };
            found.insert(&finding.fact, (finding.clone(), fails, is_confirmed, shown));
        }
    }
    let mut all: Vec<(Finding, bool, bool, PathFinding)> = found.into_values().collect();
    all.sort_by_key(|(finding, ..)| rank(Weight::of(finding), finding));
    let whole = |(finding, fails, is_confirmed, shown): (Finding, bool, bool, PathFinding)| {
        let kind = PathFindingKind::Fact(Box::new(finding));
        (PathFinding { kind, ..shown }, fails, is_confirmed)
    };
    all.into_iter().map(whole).collect()
}

fn path(run: &Tried, repeated: &Repeated, same: u32) -> FoundPath {
    let (site, no_site) = match repeated.site.clone() {
        Some(Ok(site)) => (Some(site), None),
        Some(Err(reason)) => (None, Some(reason)),
        None => (None, None),
    };
    FoundPath {
        id: run.id.clone(),
        call: run.call.clone(),
        outcome: run.outcome,
        example: repeated.example.clone(),
        site,
        no_site,
        differences: run.differences.clone(),
        same,
        runs: repeated.runs,
    }
}

/// Returns the recorded outcomes that no run had, of the calls that were made to fail.
fn gone(settings: &ExploreSettings, recorded: Option<&ErrorPaths>, tried: &[Tried]) -> Vec<(RunOutcome, FailedCall)> {
    let is_gone = |outcome: RunOutcome, call: &FailedCall| {
        let mut runs = tried.iter().filter(|run| run.call == *call).peekable();
        let was_reached = tried.iter().any(|run| run.call == *call && run.outcome != RunOutcome::NotReached);
        runs.peek().is_some() && was_reached && runs.all(|run| run.outcome != outcome)
    };
    let held = recorded.into_iter().flat_map(|paths| &paths.outcomes);
    let held = held.flat_map(|(outcome, calls)| calls.iter().map(move |call| (*outcome, call)));
    let gone = held.filter(|(outcome, call)| settings.exception(call, *outcome).is_none() && is_gone(*outcome, call));
    gone.map(|(outcome, call)| (outcome, call.clone())).collect()
}

#[cfg(test)]
mod tests;
