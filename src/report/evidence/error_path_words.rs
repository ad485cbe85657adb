//! The wording on error paths that Markdown and HTML share. Main functions: [`rows`] and
//! [`sentences`].

use super::error_paths::{ErrorPathsRecord, ExploredRecord};
use super::record::{BaselineRecord, WorkloadRecord};
use super::wording::Markup;
use crate::model::facts::error_path::RunOutcome;

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
                                  Outcomes count the calls that, when they failed, led to other output without a message (silent), \
                                  a panic, a signal or a hang.";

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
        [name, platform, extent(paths), silent, panic, signal, hang, paths.uses.len().to_string()]
    };
    explored.map(row).collect()
}

/// `612 / 718 (budget 60 s)`
fn extent(paths: &ErrorPathsRecord<'_>) -> String {
    match &paths.explored {
        Some(ExploredRecord { budget_seconds, tried, reachable }) => {
            format!("{tried} / {reachable} (budget {budget_seconds} s)")
        }
        None => "not recorded".to_owned(),
    }
}

/// Returns sentences on what failing calls led to.
pub(super) fn sentences(paths: &ErrorPathsRecord<'_>, markup: &Markup) -> Vec<String> {
    let Markup { text, code } = markup;
    let list = |values: &mut dyn Iterator<Item = &str>| values.map(code).collect::<Vec<_>>().join(", ");
    let mut sentences = vec![format!("Error paths tried / reachable in its runs: {}.", extent(paths))];
    for outcome in RunOutcome::JUDGED.into_iter().rev() {
        if let Some(calls) = paths.outcomes.get(outcome.name()) {
            let calls = list(&mut calls.iter().map(String::as_str));
            sentences.push(format!("Outcome {outcome} after: {calls}."));
        }
    }
    for used in &paths.uses {
        let uses = list(&mut used.uses.iter().map(String::as_str));
        let uses = if uses.is_empty() { uses } else { format!(": {uses}") };
        let why = used.why.map(|why| format!(" ({})", text(why))).unwrap_or_default();
        sentences.push(format!("Only on error paths: {}, {}{uses}{why}.", used.subsystem, code(used.name)));
    }
    if !paths.blind_spots.is_empty() {
        let spots = list(&mut paths.blind_spots.iter().copied());
        sentences.push(format!("Blind spots on error paths: {spots}."));
    }
    if !paths.signals.is_empty() {
        let signals = list(&mut paths.signals.iter().map(|name| &**name));
        sentences.push(format!("Signals that end processes on error paths: {signals}."));
    }
    sentences
}
