//! Counts events of a command, as `perf stat` does. Main type: [`Counters`].

use std::io;

use perf_event::events::{Event, Hardware, Software};
use perf_event::{Builder, Counter};
use sysguard::unstable::linux::UntracedOutcome;

use super::events::is_missing_right;
use crate::recording::{Count, Missing, Totals};

/// Events by the names of `perf list`, in the order of `perf stat`.
const SOFTWARE: [(&str, Software); 6] = [
    ("task-clock", Software::TASK_CLOCK),
    ("context-switches", Software::CONTEXT_SWITCHES),
    ("cpu-migrations", Software::CPU_MIGRATIONS),
    ("page-faults", Software::PAGE_FAULTS),
    ("minor-faults", Software::PAGE_FAULTS_MIN),
    ("major-faults", Software::PAGE_FAULTS_MAJ),
];

/// Hardware events, which not every processor can count.
const HARDWARE: [(&str, Hardware); 6] = [
    ("cycles", Hardware::CPU_CYCLES),
    ("instructions", Hardware::INSTRUCTIONS),
    ("branches", Hardware::BRANCH_INSTRUCTIONS),
    ("branch-misses", Hardware::BRANCH_MISSES),
    ("cache-references", Hardware::CACHE_REFERENCES),
    ("cache-misses", Hardware::CACHE_MISSES),
];

/// Counters of a command that has not started yet.
pub(super) struct Counters {
    counters: Vec<(&'static str, Counter)>,
    missing: Vec<Missing>,
    /// Whether events in the kernel are not counted.
    excludes_kernel: bool,
}

impl Counters {
    /// Opens counters that start when the task executes a program. They include its children.
    pub(super) fn open(pid: i32) -> io::Result<Self> {
        match Self::open_by(pid, false) {
            Err(error) if is_missing_right(&error) => Self::open_by(pid, true),
            opened => opened,
        }
    }

    fn open_by(pid: i32, excludes_kernel: bool) -> io::Result<Self> {
        let mut found = Self { counters: Vec::new(), missing: Vec::new(), excludes_kernel };
        for (name, event) in SOFTWARE {
            found.counters.push((name, open(pid, event, excludes_kernel)?));
        }
        for (name, event) in HARDWARE {
            match open(pid, event, excludes_kernel) {
                Ok(counter) => found.counters.push((name, counter)),
                Err(error) if is_missing_right(&error) => return Err(error),
                // A processor may lack some of them.
                Err(_) => {}
            }
        }
        if found.counters.len() == SOFTWARE.len() {
            found.missing.push(Missing::HardwareCounters);
        }
        if excludes_kernel {
            found.missing.push(Missing::CpuMigrations);
        }
        Ok(found)
    }

    /// Returns the totals of a run that has ended, and the events that could not be counted.
    pub(super) fn read(self, outcome: &UntracedOutcome) -> io::Result<(Totals, Vec<Missing>)> {
        let usage = &outcome.usage;
        let mut counts = Vec::new();
        for (event, mut counter) in self.counters {
            let data = counter.read_full()?;
            let times = data.time_enabled().zip(data.time_running());
            let counted = times.map_or(1.0, |(enabled, running)| share(running.as_nanos(), enabled.as_nanos()));
            // Context switches and page faults of syscalls occur in the kernel, so these counters
            // miss them: getrusage(2) counts them instead.
            let value = match event {
                "cpu-migrations" if self.excludes_kernel => continue,
                "context-switches" if self.excludes_kernel => usage.context_switches,
                "page-faults" if self.excludes_kernel => usage.minor_faults + usage.major_faults,
                "minor-faults" if self.excludes_kernel => usage.minor_faults,
                "major-faults" if self.excludes_kernel => usage.major_faults,
                _ if counted > 0.0 => (data.count() as f64 / counted).round() as u64,
                _ => data.count(),
            };
            counts.push(Count { event, value, counted });
        }
        let totals = Totals { elapsed: outcome.elapsed, user: usage.user, system: usage.system, counts };
        Ok((totals, self.missing))
    }
}

fn open(pid: i32, event: impl Event, excludes_kernel: bool) -> io::Result<Counter> {
    let mut builder = Builder::new(event);
    builder.observe_pid(pid).any_cpu().inherit(true).enable_on_exec(true);
    builder.exclude_kernel(excludes_kernel).exclude_hv(excludes_kernel).build()
}

/// Returns the share of time in which a counter ran: 1 if it was never enabled, since its event
/// cannot have occurred then.
fn share(running: u128, enabled: u128) -> f64 {
    if enabled == 0 { 1.0 } else { running as f64 / enabled as f64 }
}
