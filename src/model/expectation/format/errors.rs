//! Reads what an exploration recorded: `errors:` of a baseline. Main type: [`WrittenErrors`].

use std::collections::BTreeMap;

use serde::Deserialize;

use super::entries::{Subsystems, facts};
use super::invalid::InvalidScalar;
use super::keys;
use super::malformed::Fault;
use super::outline::Node;
use super::words::{Count, List, ParseScalar, Scalar, Signal, Timeout};
use crate::model::expectation::split::Facts;
use crate::model::expectation::terms::{ErrorPaths, Explored};
use crate::model::facts::error_path::{FailedCall, RunOutcome};
use crate::model::text::escape;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{uses: {…}, outcomes: {panic: [write ENOSPC]}}`")]
pub(super) struct WrittenErrors {
    budget: Option<Scalar<Timeout>>,
    tried: Option<Scalar<Count>>,
    reachable: Option<Scalar<Count>>,
    uses: Option<Subsystems>,
    blind_spots: Option<List<Scalar<String>>>,
    signals: Option<List<Scalar<Signal>>>,
    outcomes: Option<Outcomes>,
}

type Outcomes = BTreeMap<Scalar<RunOutcome>, Option<List<Scalar<FailedCall>>>>;

impl ParseScalar for FailedCall {
    const EXPECTED: &'static str = "a call with an error, such as `write ENOSPC`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        // A double-quoted scalar may hold characters that names escape.
        Ok(escape::read_name(text).parse()?)
    }
}

/// Refuses unknown keys, and a part of the numbers of an exploration without the others.
pub(super) fn check(errors: &Node) -> Result<(), Fault> {
    keys::check::<WrittenErrors>(errors)?;
    let numbers = ["budget", "tried", "reachable"];
    let given = |name: &&str| errors.get(name).is_some_and(|(_, value)| !value.is_null());
    match (numbers.iter().find(|name| given(name)), numbers.iter().find(|name| !given(name))) {
        (Some(_), Some(missing)) => {
            let message = format!("`errors` without `{missing}`: add it, or remove `budget`, `tried` and `reachable`");
            Err(Fault::new(errors.place, message))
        }
        _ => Ok(()),
    }
}

impl From<WrittenErrors> for ErrorPaths {
    fn from(written: WrittenErrors) -> Self {
        let explored = match (written.budget, written.tried, written.reachable) {
            (Some(Scalar(Timeout(budget))), Some(Scalar(Count(tried))), Some(Scalar(Count(reachable)))) => {
                Some(Explored { budget, tried, reachable })
            }
            _ => None,
        };
        let Facts { subsystems: uses, blind_spots, signals, .. } =
            facts(written.uses, None, written.blind_spots, written.signals);
        let outcomes = written.outcomes.unwrap_or_default().into_iter();
        let calls = |calls: Option<List<Scalar<FailedCall>>>| calls.unwrap_or_default().into_set(|call| call);
        let outcomes = outcomes.map(|(Scalar(outcome), listed)| (outcome, calls(listed)));
        // An outcome without calls says nothing.
        let outcomes = outcomes.filter(|(_, calls)| !calls.is_empty()).collect();
        Self { explored, uses, blind_spots, signals, outcomes }
    }
}

#[cfg(test)]
mod tests;
