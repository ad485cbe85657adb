//! Running workloads as log lines, for standard error that is not a terminal or that others draw
//! on. Main type: [`ProgressLog`].

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::runner::Progress;

/// Delay of the first line on a workload; most have ended by then.
const FIRST: Duration = Duration::from_secs(10);
/// Time between two lines on one workload.
const NEXT: Duration = Duration::from_secs(30);
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
struct RunningWorkloads(BTreeMap<String, RunningWorkload>);

#[derive(Debug)]
struct RunningWorkload {
    since: Instant,
    due: Instant,
    run: u32,
    of: u32,
}

impl Progress for ProgressLog {
    fn running(&self, workload: &str, run: u32, of: u32) {
        self.with(|running| running.began(workload, run, of, Instant::now()));
        self.tick();
    }

    fn ended(&self, workload: &str) {
        self.with(|running| running.0.remove(workload));
    }
}

impl ProgressLog {
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
        let entry =
            self.0.entry(workload.to_owned()).or_insert(RunningWorkload { since: now, due: now + FIRST, run, of });
        (entry.run, entry.of) = (run, of);
    }

    /// Returns the lines that are due.
    fn due(&mut self, now: Instant) -> String {
        let mut lines = String::new();
        for (workload, entry) in self.0.iter_mut().filter(|(_, entry)| entry.due <= now) {
            entry.due = now + NEXT;
            let runs = match (entry.run, entry.of) {
                (_, 0 | 1) => String::new(),
                (0, of) => format!("warm-up before {of} runs, "),
                (run, of) => format!("run {run} of {of}, "),
            };
            lines += &format!("{workload}: {runs}{}s so far\n", (now - entry.since).as_secs());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_are_reported_at_intervals() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut running = RunningWorkloads::default();
        running.began("long", 0, 10, start);
        running.began("single", 1, 1, after(5));
        assert_eq!(running.due(after(9)), "");
        assert_eq!(running.due(after(12)), "long: warm-up before 10 runs, 12s so far\n");
        running.began("long", 3, 11, after(13));
        assert_eq!(running.due(after(16)), "single: 11s so far\n");
        running.0.remove("single");
        assert_eq!(running.due(after(41)), "");
        assert_eq!(running.due(after(45)), "long: run 3 of 11, 45s so far\n");
        running.0.remove("long");
        assert_eq!(running.due(after(100)), "");
    }
}
