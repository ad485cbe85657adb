//! What was recorded of error paths, for the evidence. Main type: [`ErrorPathsRecord`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::expectation::{Entry, ErrorPaths, Explored};
use crate::model::facts::blind_spot::RecordedBlindSpot;
use crate::model::facts::error_path::RunOutcome;
use crate::model::facts::fact::Detail;
use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::signal;

/// What an exploration recorded: how much it tried, and what failing calls led to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ErrorPathsRecord<'a> {
    /// The time that the exploration had, how many injections it tried, and how many were possible
    /// in its runs; null if the file does not say.
    pub(super) explored: Option<ExploredRecord>,
    /// What only error paths use.
    pub(super) uses: Vec<ErrorUseRecord<'a>>,
    /// Blind spots of error paths.
    pub(super) blind_spots: Vec<&'a str>,
    /// Signals that ended processes other than the first one on error paths.
    pub(super) signals: Vec<Cow<'static, str>>,
    /// The calls that, when they failed, had another outcome than an absorbed or a reported error.
    pub(super) outcomes: BTreeMap<&'static str, Vec<String>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ExploredRecord {
    pub(super) budget_seconds: f64,
    pub(super) tried: u32,
    pub(super) reachable: u32,
}

/// A syscall that only error paths use, or use in this way.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ErrorUseRecord<'a> {
    pub(super) subsystem: &'static str,
    pub(super) name: &'a str,
    /// Its arguments and objects.
    pub(super) uses: Vec<String>,
    pub(super) why: Option<&'a str>,
}

impl<'a> From<&'a ErrorPaths> for ErrorPathsRecord<'a> {
    fn from(ErrorPaths { explored, uses, blind_spots, signals, outcomes }: &'a ErrorPaths) -> Self {
        let explored = explored.map(|Explored { budget, tried, reachable }| ExploredRecord {
            budget_seconds: budget.as_secs_f64(),
            tried,
            reachable,
        });
        let of_entry = |subsystem: &'static str, name: &'a str, entry: &'a Entry| ErrorUseRecord {
            subsystem,
            name,
            uses: entry.details().filter(Detail::is_use).map(|used| used.value().into_owned()).collect(),
            why: entry.why.as_deref(),
        };
        let uses = uses.iter().flat_map(|(subsystem, syscalls)| {
            syscalls.iter().map(move |(name, entry)| of_entry(subsystem.slug(), name, entry))
        });
        let calls = |outcome: &RunOutcome| outcomes[outcome].iter().map(ToString::to_string).collect();
        Self {
            explored,
            uses: uses.collect(),
            blind_spots: blind_spots.iter().map(RecordedBlindSpot::name).collect(),
            signals: signals.iter().map(|SignalName(number)| signal::name(*number)).collect(),
            outcomes: outcomes.keys().map(|outcome| (outcome.name(), calls(outcome))).collect(),
        }
    }
}
