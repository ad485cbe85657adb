//! Makes what is recorded of error paths. Main function: [`record_paths`].

use std::collections::BTreeSet;

use super::judge::Judgement;
use super::{PathFinding, PathFindingKind, Tried};
use crate::model::expectation::{ErrorPaths, ExploreSettings, Explored};
use crate::model::facts::error_path::FailedCall;
use crate::model::facts::fact::Fact;

/// Returns what is recorded after an exploration.
///
/// Outcomes of calls that were not made to fail stay, and those that did not occur are removed.
/// Facts stay unless every injection was tried (`is_whole`): an error path that was not tried may
/// use them. What did not repeat is not recorded.
pub fn record_paths(
    settings: &ExploreSettings,
    old: Option<&ErrorPaths>,
    tried: &[Tried],
    judgement: &Judgement,
    explored: Explored,
    is_whole: bool,
) -> ErrorPaths {
    let mut new = match old {
        Some(old) if !is_whole => old.clone(),
        Some(old) => ErrorPaths { outcomes: old.outcomes.clone(), ..ErrorPaths::default() },
        None => ErrorPaths::default(),
    };
    new.explored = Some(explored);
    let unconfirmed: BTreeSet<Fact> = judgement.suspects.iter().flat_map(facts_of).collect();
    let is_unconfirmed =
        |fact: &Fact| std::iter::successors(Some(fact.clone()), Fact::parent).any(|fact| unconfirmed.contains(&fact));
    let confirmed = tried.iter().flat_map(|run| &run.beyond).filter(|fact| !is_unconfirmed(fact));
    confirmed.for_each(|fact| new.insert(fact));
    if let Some(old) = old {
        new.adopt_reasons(old);
    }
    for (outcome, call) in &judgement.gone {
        if let Some(calls) = new.outcomes.get_mut(outcome) {
            calls.remove(call);
        }
    }
    for finding in &judgement.findings {
        if let PathFindingKind::Outcome(call, outcome) = &finding.kind {
            new.outcomes.entry(*outcome).or_default().insert(call.clone());
        }
    }
    for (outcome, calls) in &mut new.outcomes {
        calls.retain(|call: &FailedCall| settings.exception(call, *outcome).is_none());
    }
    new.outcomes.retain(|_, calls| !calls.is_empty());
    new
}

/// Returns the fact of a suspect, if it is one.
fn facts_of(suspect: &PathFinding) -> Option<Fact> {
    match &suspect.kind {
        PathFindingKind::Fact(finding) => Some(finding.fact.clone()),
        PathFindingKind::Outcome(..) => None,
    }
}
