//! Reads how a workload is explored: `explore:` of the author's document. Main type:
//! [`WrittenExplore`].

use serde::Deserialize;

use super::invalid::InvalidScalar;
use super::keys::{self, UnknownName};
use super::malformed::Fault;
use super::outline::{Key, Node};
use super::rules::RuleSyscall;
use super::words::{List, ParseScalar, Scalar, Timeout};
use crate::model::expectation::terms::{ExploreSettings, OutcomeRule};
use crate::model::facts::error_path::{FaultName, RunOutcome};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{budget: 60s, forbid: [silent, hang]}`")]
pub(super) struct WrittenExplore {
    budget: Option<Scalar<Timeout>>,
    forbid: Option<List<Scalar<RunOutcome>>>,
    except: Option<List<WrittenException>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{syscall: fsync, error: EIO, why: REASON}`")]
struct WrittenException {
    syscall: Option<Scalar<RuleSyscall>>,
    argument: Option<Scalar<String>>,
    error: Option<Scalar<FaultName>>,
    outcome: Option<Scalar<RunOutcome>>,
    why: Option<String>,
}

/// Refuses unknown keys, and exceptions that match every outcome.
pub(super) fn check(explore: &Node) -> Result<(), Fault> {
    keys::check::<WrittenExplore>(explore)?;
    let exceptions = explore.get("except").map_or(&[][..], |(_, list)| list.items());
    exceptions.iter().try_for_each(check_exception)
}

fn check_exception(exception: &Node) -> Result<(), Fault> {
    keys::check::<WrittenException>(exception)?;
    let narrows = |(key, value): &(Key, Node)| key.name != "why" && !value.is_null();
    // serde reports a value that is no map.
    if exception.text().is_some() || !exception.items().is_empty() || exception.pairs().iter().any(narrows) {
        return Ok(());
    }
    let message = "this exception matches every outcome: add a part, such as `syscall`, `error` or `outcome`";
    Err(Fault::new(exception.place, message))
}

/// Reads an outcome that a file can name: a judged one.
impl ParseScalar for RunOutcome {
    const EXPECTED: &'static str = "an outcome such as `silent`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        let known = Self::JUDGED.into_iter().map(Self::name);
        Self::judged(text).ok_or_else(|| UnknownName::new("outcome", text, known).into())
    }
}

impl ParseScalar for FaultName {
    const EXPECTED: &'static str = "an error such as `ENOSPC`, or `short`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        Self::from_name(text).ok_or_else(|| UnknownName::new("error", text, Self::names()).into())
    }
}

impl From<WrittenExplore> for ExploreSettings {
    fn from(written: WrittenExplore) -> Self {
        let forbid = written.forbid.unwrap_or_default();
        Self {
            budget: written.budget.map(|Scalar(Timeout(budget))| budget),
            forbid: forbid.into_set(|outcome| outcome),
            except: written.except.unwrap_or_default().0.into_iter().map(OutcomeRule::from).collect(),
        }
    }
}

impl From<WrittenException> for OutcomeRule {
    fn from(written: WrittenException) -> Self {
        Self {
            syscall: written.syscall.map(|Scalar(RuleSyscall(syscall))| syscall),
            argument: written.argument.map(|Scalar(argument)| argument),
            error: written.error.map(|Scalar(error)| error),
            outcome: written.outcome.map(|Scalar(outcome)| outcome),
            why: written.why,
        }
    }
}
