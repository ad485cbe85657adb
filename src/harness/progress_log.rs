//! Running workloads as log lines, for standard error that is not a terminal or that others draw
//! on. Main type: [`ProgressLog`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::runner::Progress;

/// Delay of the first line on a workload; most have ended by then.
const FIRST: Duration = Duration::from_secs(10);
/// Time between two lines about one workload, as in cargo and nextest.
const NEXT: Duration = Duration::from_secs(60);
/// How often due lines are looked for.
const TICK: Duration = Duration::from_secs(1);

/// Writes a line on every running workload from time to time.
#[derive(Debug, Default)]
pub(super) struct ProgressLog {
    running: Arc<Mutex<RunningWorkloads>>,
    /// Ends the writing thread, which starts with the first workload.
    ticking: Mutex<Option<Sender<()>>>,
}

/// The running workloads by name.
#[derive(Debug, Default)]
struct RunningWorkloads {
    by_name: BTreeMap<String, RunningWorkload>,
    done: BTreeSet<String>,
    /// The number of all workloads; 0 if unknown.
    total: usize,
}

#[derive(Debug)]
struct RunningWorkload {
    since: Instant,
    due: Instant,
    run: u32,
    of: u32,
    /// How far its exploration is, if it is explored.
    explored: Option<String>,
}

impl Progress for ProgressLog {
    fn running(&self, workload: &str, run: u32, of: u32) {
        self.with(|running| running.began(workload, run, of, Instant::now()));
        self.tick();
    }

    fn exploring(&self, workload: &str, done: u32, of: u32, findings: u32) {
        self.with(|running| running.explored(workload, done, of, findings, Instant::now()));
        self.tick();
    }

    fn ended(&self, workload: &str) {
        self.with(|running| running.ended(workload));
    }
}

impl ProgressLog {
    /// Returns a log that counts finished workloads of this total.
    pub(super) fn counting(total: usize) -> Self {
        let running = RunningWorkloads { total, ..RunningWorkloads::default() };
        Self { running: Arc::new(Mutex::new(running)), ..Self::default() }
    }

    fn with<R>(&self, action: impl FnOnce(&mut RunningWorkloads) -> R) -> R {
        action(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Starts the writing thread unless it is running.
    fn tick(&self) {
        let mut ticking = self.ticking.lock().unwrap_or_else(PoisonError::into_inner);
        if ticking.is_some() {
            return;
        }
        let (sender, receiver) = mpsc::channel();
        let running = Arc::clone(&self.running);
        *ticking = Some(sender);
        thread::spawn(move || {
            while receiver.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let lines = running.lock().unwrap_or_else(PoisonError::into_inner).due(Instant::now());
                // If standard error is closed, the results still name the workloads.
                let _ = io::stderr().write_all(lines.as_bytes());
            }
        });
    }
}

impl RunningWorkloads {
    fn began(&mut self, workload: &str, run: u32, of: u32, now: Instant) {
        let entry = self.by_name.entry(workload.to_owned()).or_insert(RunningWorkload {
            since: now,
            due: now + FIRST,
            run,
            of,
            explored: None,
        });
        (entry.run, entry.of) = (run, of);
    }

    fn explored(&mut self, workload: &str, done: u32, of: u32, findings: u32, now: Instant) {
        self.began(workload, 1, 1, now);
        if let Some(entry) = self.by_name.get_mut(workload) {
            entry.explored = Some(exploring(done, of, findings));
        }
    }

    fn ended(&mut self, workload: &str) {
        if self.by_name.remove(workload).is_some() {
            self.done.insert(workload.to_owned());
        }
    }

    /// Returns the lines that are due: `slow [> 45s] net: run 3 of 11; 12 of 40 done`.
    fn due(&mut self, now: Instant) -> String {
        let done = if self.total > 1 { format!("{} of {} done", self.done.len(), self.total) } else { String::new() };
        let mut lines = String::new();
        for (workload, entry) in self.by_name.iter_mut().filter(|(_, entry)| entry.due <= now) {
            entry.due = now + NEXT;
            let runs = match (&entry.explored, entry.run, entry.of) {
                (Some(explored), ..) => explored.clone(),
                (None, _, 0 | 1) => String::new(),
                (None, 0, of) => format!("warm-up before {of} runs"),
                (None, run, of) => format!("run {run} of {of}"),
            };
            let parts: Vec<&str> = [runs.as_str(), &done].into_iter().filter(|part| !part.is_empty()).collect();
            let more = if parts.is_empty() { String::new() } else { format!(": {}", parts.join("; ")) };
            lines += &format!("slow [> {}s] {workload}{more}\n", (now - entry.since).as_secs());
        }
        lines
    }
}

/// `exploring, 120 of 718, 3 findings`
pub(super) fn exploring(done: u32, of: u32, findings: u32) -> String {
    let findings = match findings {
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    format!("exploring, {done} of {of}, {findings}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_are_reported_at_intervals() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut running = RunningWorkloads { total: 7, ..RunningWorkloads::default() };
        running.began("long", 0, 10, start);
        running.began("single", 1, 1, after(5));
        assert_eq!(running.due(after(9)), "");
        assert_eq!(running.due(after(12)), "slow [> 12s] long: warm-up before 10 runs; 0 of 7 done\n");
        running.began("long", 3, 11, after(13));
        assert_eq!(running.due(after(16)), "slow [> 11s] single: 0 of 7 done\n");
        running.ended("single");
        assert_eq!(running.due(after(71)), "");
        assert_eq!(running.due(after(75)), "slow [> 75s] long: run 3 of 11; 1 of 7 done\n");
        running.ended("long");
        assert_eq!(running.due(after(200)), "");
        running.total = 0;
        running.began("single", 1, 1, after(200));
        assert_eq!(running.due(after(212)), "slow [> 12s] single\n", "the total is unknown");
        running.ended("single");
        running.began("explored", 0, 1, after(300));
        running.explored("explored", 1, 718, 0, after(301));
        running.explored("explored", 120, 718, 1, after(305));
        assert_eq!(running.due(after(310)), "slow [> 10s] explored: exploring, 120 of 718, 1 finding\n");
    }
}
