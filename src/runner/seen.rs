//! The result of one traced run, and whether the markers of a closure are in order. Main type:
//! [`Seen`].
//!
//! It must not start or judge a run.

use crate::linux::Outcome;
use crate::model::observe::observation::{Observation, Observer};

/// The observation and the outcome of a traced run.
pub(super) struct Seen {
    pub(super) observer: Observer,
    pub(super) outcome: Outcome,
}

impl Seen {
    /// Returns the observation, including the number of events that tracing lost.
    pub(super) fn whole(self) -> (Observation, Outcome) {
        let mut observation = self.observer.observation;
        observation.lost_events += self.outcome.lost_events;
        (observation, self.outcome)
    }

    /// Returns why the calls of a closure cannot be separated from the rest of the run. A run that
    /// did not end well may have ended before its closure, so that case is not an error.
    pub(super) fn unmarked(&self, ended_well: bool) -> Option<String> {
        let hint = "only the harness may send these markers (prctl 0x53595347 with 1 or 2)";
        let misplaced = self.observer.misplaced().map(|misplaced| format!("{misplaced}: {hint}"));
        let is_never_entered = ended_well && self.observer.is_never_entered();
        misplaced.or_else(|| is_never_entered.then(|| NEVER_ENTERED.to_owned()))
    }
}

const NEVER_ENTERED: &str =
    "the test ended before its closure was entered: call the harness before anything that may end the process";
