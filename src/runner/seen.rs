//! What one traced run showed, and whether a closure's part of it can be told. Main type: [`Seen`].
//!
//! It must not start or judge anything.

use crate::linux::Outcome;
use crate::model::observe::observation::{Observation, Watch};

/// What came of a traced run.
pub(super) struct Seen {
    pub(super) watch: Watch,
    pub(super) outcome: Outcome,
}

impl Seen {
    /// The observation, which knows what tracing lost.
    pub(super) fn whole(self) -> (Observation, Outcome) {
        let mut observation = self.watch.observation;
        observation.lost_events += self.outcome.lost_events;
        (observation, self.outcome)
    }

    /// Why a closure's part of the run cannot be told from the rest. A run that ended otherwise
    /// than it should may well have ended before its closure.
    pub(super) fn unmarked(&self, ended_well: bool) -> Option<String> {
        let hint = "only the harness may send these markers (prctl 0x53595347 with 1 or 2)";
        let misplaced = self.watch.misplaced().map(|misplaced| format!("{misplaced}: {hint}"));
        let is_never_entered = ended_well && self.watch.is_never_entered();
        misplaced.or_else(|| is_never_entered.then(|| NEVER_ENTERED.to_owned()))
    }
}

const NEVER_ENTERED: &str =
    "the test ended before its closure was entered: call the harness before anything that may end the process";
