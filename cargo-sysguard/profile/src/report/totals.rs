//! The totals of one or several runs, as `perf stat` counts them. Main type: [`TotalsRecord`].

use serde::{Deserialize, Serialize};

use crate::profile::Profile;
use crate::recording::{Clock, Totals};

/// The totals: means over the sampled runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct TotalsRecord {
    /// Seconds from start to end.
    pub(super) elapsed: MeanRecord,
    /// Seconds of CPU time in user mode.
    pub(super) user: MeanRecord,
    /// Seconds of CPU time in the kernel.
    pub(super) system: MeanRecord,
    pub(super) counts: Vec<CountRecord>,
}

/// A mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct MeanRecord {
    pub(super) mean: f64,
    /// The standard error of the mean as a share of it, as `perf stat -r` prints it; null for one
    /// run.
    pub(super) spread: Option<f64>,
}

/// An event with the number of times it occurred.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct CountRecord {
    /// The name that `perf list` has for it.
    pub(super) event: String,
    /// How often it occurred; for clocks, nanoseconds.
    pub(super) value: MeanRecord,
    /// Share of the time in which it was counted.
    pub(super) counted: f64,
}

impl TotalsRecord {
    /// Returns the means of runs.
    pub(super) fn of(runs: &[Totals]) -> Self {
        let mean = |value: fn(&Totals) -> f64| MeanRecord::of(&runs.iter().map(value).collect::<Vec<_>>());
        let count = |event: &'static str| {
            let counts: Vec<_> = runs.iter().flat_map(|run| &run.counts).filter(|count| count.event == event).collect();
            let values: Vec<f64> = counts.iter().map(|count| count.value as f64).collect();
            let counted = counts.iter().map(|count| count.counted).fold(1.0, f64::min);
            CountRecord { event: event.to_owned(), value: MeanRecord::of(&values), counted }
        };
        let events = runs.first().map_or(&[][..], |run| &run.counts).iter().map(|count| count.event);
        Self {
            elapsed: mean(|run| run.elapsed.as_secs_f64()),
            user: mean(|run| run.user.as_secs_f64()),
            system: mean(|run| run.system.as_secs_f64()),
            counts: events.map(count).collect(),
        }
    }

    /// Returns the mean of an event.
    pub(super) fn mean(&self, event: &str) -> Option<f64> {
        self.counts.iter().find(|count| count.event == event).map(|count| count.value.mean)
    }
}

impl MeanRecord {
    fn of(values: &[f64]) -> Self {
        let runs = values.len() as f64;
        let mean = if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / runs };
        if values.len() < 2 {
            return Self { mean, spread: None };
        }
        // tools/perf/util/stat.c, stddev_stats(): the standard deviation of the mean.
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (runs - 1.0);
        let spread = if mean == 0.0 { 0.0 } else { (variance / runs).sqrt() / mean };
        Self { mean, spread: Some(spread) }
    }
}

/// Returns the CPU time of a tick. Cycles have no fixed length: the run's own CPU time decides.
pub(super) fn seconds_per_tick(profile: &Profile) -> f64 {
    match profile.clock {
        Clock::CpuClock => 1e-9,
        Clock::Cycles => {
            let ticks: u64 = profile.stacks.iter().map(|stack| stack.ticks).sum();
            let time = (profile.totals.user + profile.totals.system).as_secs_f64();
            if ticks == 0 { 0.0 } else { time / ticks as f64 }
        }
    }
}
