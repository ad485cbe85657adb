//! All groups of trials, and what they share.

use libtest_mimic::{Failed, Trial};

use crate::seen::{Seen, Watched};
use crate::{
    callers, ends, examine, fidelity, kinds, launches, loads, multiplexers, objects, programs, table, under_load,
};

/// Returns every trial.
pub(crate) fn all() -> Vec<Trial> {
    let mut trials = of_the_tracer();
    trials.push(Trial::test("table::is_current", table::is_current));
    trials
}

/// Returns every trial except those of the suite itself.
pub(crate) fn of_the_tracer() -> Vec<Trial> {
    let plain = [loads::TRIALS, launches::TRIALS, fidelity::TRIALS, callers::TRIALS].concat();
    let mut trials: Vec<Trial> = plain.into_iter().map(|(name, trial)| Trial::test(name, trial)).collect();
    trials.extend(callers::trials());
    trials.extend(examine::trials());
    trials.extend(ends::trials());
    trials.extend(objects::trials());
    trials.extend(multiplexers::trials());
    trials.extend(kinds::trials());
    trials.extend(programs::trials());
    trials.extend(under_load::trials());
    trials
}

/// Name and function of a trial.
pub(crate) type Plain = (&'static str, fn() -> Result<(), Failed>);

/// Fails with both sides if they differ.
macro_rules! ensure_eq {
    ($left:expr, $right:expr) => {
        let (left, right) = (&$left, &$right);
        if left != right {
            return Err(format!("{}: {left:?} is not {right:?}", stringify!($left)).into());
        }
    };
}
pub(crate) use ensure_eq;

/// Traces a program. Fails if an event was lost or a task has no end event.
pub(crate) fn watch(watched: Watched) -> Result<Seen, Failed> {
    let seen = watched.watch()?;
    ensure_eq!(seen.outcome.lost_events, 0);
    ensure_eq!(seen.ended, seen.threads);
    Ok(seen)
}
