//! The totals of one or several runs, as `perf stat` counts them. Main type: [`TotalsRecord`].

use serde::{Deserialize, Serialize};

use crate::perf::{Mean, Repeated};
use crate::profile::Profile;
use crate::recording::{Clock, Totals};

/// Nanoseconds in a second.
const SECOND: f64 = 1e9;

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
        let repeated = Repeated::of(runs);
        let mean = |mean: Mean, unit: f64| MeanRecord {
            mean: mean.value / unit,
            spread: (repeated.runs > 1).then_some(mean.spread),
        };
        let counted = |event: &str| {
            let counts = runs.iter().flat_map(|run| &run.counts).filter(|count| count.event == event);
            counts.map(|count| count.counted).fold(1.0, f64::min)
        };
        let count = |(event, value): &(&'static str, Mean)| CountRecord {
            event: (*event).to_owned(),
            value: mean(*value, 1.0),
            counted: counted(event),
        };
        Self {
            elapsed: mean(repeated.elapsed, SECOND),
            user: mean(repeated.user, SECOND),
            system: mean(repeated.system, SECOND),
            counts: repeated.counts.iter().map(count).collect(),
        }
    }

    /// Returns the CPU time that a tick stands for, as a part of one run. Cycles have no fixed
    /// length: the CPU time of the runs decides.
    pub(super) fn seconds_per_tick(&self, profile: &Profile, runs: u64) -> f64 {
        match profile.clock {
            Clock::CpuClock => 1.0 / SECOND / runs as f64,
            Clock::Cycles => {
                let ticks: u64 = profile.stacks.iter().map(|stack| stack.ticks).sum();
                if ticks == 0 { 0.0 } else { (self.user.mean + self.system.mean) / ticks as f64 }
            }
        }
    }

    /// Returns the mean of an event.
    pub(super) fn mean(&self, event: &str) -> Option<f64> {
        self.counts.iter().find(|count| count.event == event).map(|count| count.value.mean)
    }
}
