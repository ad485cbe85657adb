//! What was recorded of error paths, for the evidence. Main type: [`ErrorPathsRecord`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::record::{BaselineRecord, WorkloadRecord};
use super::wording::Markup;
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
    explored: Option<ExploredRecord>,
    /// What only error paths use.
    uses: Vec<ErrorUseRecord<'a>>,
    /// Blind spots of error paths.
    blind_spots: Vec<&'a str>,
    /// Signals that ended processes other than the first one on error paths.
    signals: Vec<Cow<'static, str>>,
    /// The calls whose failure had an outcome other than an absorbed or a reported error.
    outcomes: BTreeMap<&'static str, Vec<String>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ExploredRecord {
    budget_seconds: f64,
    tried: u32,
    reachable: u32,
}

/// A syscall that only error paths use, or use in this way.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ErrorUseRecord<'a> {
    subsystem: &'static str,
    name: &'a str,
    /// Its arguments and objects.
    uses: Vec<String>,
    why: Option<&'a str>,
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

/// The columns of the table of all explored workloads.
pub(super) const COLUMNS: [&str; 8] = [
    "Workload",
    "Platform",
    "Error paths tried / reachable in these runs",
    "Silent",
    "Panic",
    "Signal",
    "Hang",
    "Calls used only there",
];

/// What the table of all explored workloads says.
pub(super) const MEANING: &str = "An error was injected into one system call of each run. Reachable are the errors that are plausible at \
                                  the calls that runs without an injection made: code that no run reached has no error paths here. \
                                  Outcomes count the calls whose failure led to other output without a message (silent), a panic, \
                                  a signal or a hang.";

/// Returns the rows of the table of all explored workloads.
pub(super) fn rows(workloads: &[WorkloadRecord<'_>], markup: &Markup) -> Vec<[String; 8]> {
    let explored = workloads.iter().flat_map(|workload| {
        let of = move |baseline| Some((workload, baseline, BaselineRecord::error_paths(baseline)?));
        workload.baselines.iter().filter_map(of)
    });
    let row = |(workload, baseline, paths): (&WorkloadRecord<'_>, &BaselineRecord<'_>, &ErrorPathsRecord<'_>)| {
        let count = |outcome: RunOutcome| paths.outcomes.get(outcome.name()).map_or(0, Vec::len).to_string();
        let [silent, panic, signal, hang] = RunOutcome::JUDGED.map(count);
        let (name, platform) = ((markup.text)(workload.name), (markup.text)(&baseline.platform));
        [name, platform, paths.extent(), silent, panic, signal, hang, paths.uses.len().to_string()]
    };
    explored.map(row).collect()
}

impl ErrorPathsRecord<'_> {
    /// `612 / 718 (budget 60 s)`
    fn extent(&self) -> String {
        match &self.explored {
            Some(ExploredRecord { budget_seconds, tried, reachable }) => {
                format!("{tried} / {reachable} (budget {budget_seconds} s)")
            }
            None => "not recorded".to_owned(),
        }
    }

    /// Returns sentences on what failing calls led to.
    pub(super) fn sentences(&self, markup: &Markup) -> Vec<String> {
        let Markup { text, code } = markup;
        let list = |values: &mut dyn Iterator<Item = &str>| values.map(code).collect::<Vec<_>>().join(", ");
        let mut sentences = vec![format!("Error paths tried / reachable in its runs: {}.", self.extent())];
        for outcome in RunOutcome::JUDGED.into_iter().rev() {
            if let Some(calls) = self.outcomes.get(outcome.name()) {
                let calls = list(&mut calls.iter().map(String::as_str));
                sentences.push(format!("Outcome {outcome} after: {calls}."));
            }
        }
        for used in &self.uses {
            let uses = list(&mut used.uses.iter().map(String::as_str));
            let uses = if uses.is_empty() { uses } else { format!(": {uses}") };
            let why = used.why.map(|why| format!(" ({})", text(why))).unwrap_or_default();
            sentences.push(format!("Only on error paths: {}, {}{uses}{why}.", used.subsystem, code(used.name)));
        }
        if !self.blind_spots.is_empty() {
            let spots = list(&mut self.blind_spots.iter().copied());
            sentences.push(format!("Blind spots on error paths: {spots}."));
        }
        if !self.signals.is_empty() {
            let signals = list(&mut self.signals.iter().map(|name| &**name));
            sentences.push(format!("Signals that end processes on error paths: {signals}."));
        }
        sentences
    }
}
