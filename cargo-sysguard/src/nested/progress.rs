//! Progress of the target runners. Main types: [`Reporter`] and [`Follower`].
//!
//! nextest captures the standard error of a runner. Therefore each runner appends to a file beside
//! the plan, and `run` reads it as it grows.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sysguard::unstable::harness::ProgressDisplay;
use sysguard::unstable::runner::Progress;

use super::append;

/// The interval between reads of the file.
const INTERVAL: Duration = Duration::from_millis(500);

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Report {
    /// The process ID of the runner. A killed runner never reports the end of its test.
    runner: u32,
    workload: String,
    /// The number of the run and the number of runs, or nothing at the end of the last run.
    run: Option<(u32, u32)>,
}

fn file_beside(plan: &Path) -> PathBuf {
    plan.with_file_name("progress")
}

/// Reports what this process runs.
#[derive(Debug)]
pub(crate) struct Reporter {
    file: PathBuf,
}

impl Reporter {
    /// Returns a reporter for the `run` that wrote this plan.
    pub(crate) fn beside(plan: &Path) -> Self {
        Self { file: file_beside(plan) }
    }

    fn report(&self, workload: &str, run: Option<(u32, u32)>) {
        let report = Report { runner: process::id(), workload: workload.to_owned(), run };
        if let Ok(mut line) = serde_json::to_vec(&report) {
            line.push(b'\n');
            // Ignore errors: progress does not affect verdicts.
            let _ = append(&self.file, &line);
        }
    }
}

impl Progress for Reporter {
    fn running(&self, workload: &str, run: u32, of: u32) {
        self.report(workload, Some((run, of)));
    }

    fn ended(&self, workload: &str) {
        self.report(workload, None);
    }
}

/// Prints the progress of runners until it is dropped.
#[derive(Debug)]
pub(crate) struct Follower {
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Follower {
    /// Follows the runners of this plan.
    pub(crate) fn beside(plan: &Path) -> Self {
        let file = file_beside(plan);
        // Create the file before opening it. If that fails, no progress is printed.
        let opened = fs::write(&file, "").and_then(|()| File::open(&file));
        let thread = opened.ok().map(|opened| {
            let (sender, receiver) = mpsc::channel();
            let follow = move || {
                let mut running = Following { reports: BufReader::new(opened), begun: String::new(), live: Vec::new() };
                // cargo and nextest draw on the terminal, so progress is printed as lines.
                let display = ProgressDisplay::logged();
                while receiver.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    running.pass_on(&display, |runner| Path::new(&format!("/proc/{runner}")).exists());
                }
            };
            (sender, thread::spawn(follow))
        });
        Self { thread }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            // Ignore a panic: only progress lines are lost.
            let _ = thread.join();
        }
    }
}

/// A reader of the progress file.
struct Following<R> {
    reports: R,
    /// An incomplete line.
    begun: String,
    /// The running tests, with the process ID of their runner.
    live: Vec<(u32, String)>,
}

impl<R: BufRead> Following<R> {
    fn pass_on(&mut self, progress: &dyn Progress, is_alive: impl Fn(u32) -> bool) {
        while self.reports.read_line(&mut self.begun).is_ok_and(|read| read > 0) && self.begun.ends_with('\n') {
            if let Ok(report) = serde_json::from_str(&self.begun) {
                self.take(report, progress);
            }
            self.begun.clear();
        }
        self.live.retain(|(runner, workload)| {
            let lives = is_alive(*runner);
            if !lives {
                progress.ended(workload);
            }
            lives
        });
    }

    fn take(&mut self, Report { runner, workload, run }: Report, progress: &dyn Progress) {
        let known = self.live.iter().position(|live| live.0 == runner && live.1 == workload);
        match (run, known) {
            (Some((run, of)), known) => {
                progress.running(&workload, run, of);
                if known.is_none() {
                    self.live.push((runner, workload));
                }
            }
            (None, Some(index)) => {
                progress.ended(&workload);
                self.live.swap_remove(index);
            }
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct RecordedProgress(Mutex<Vec<String>>);

    impl Progress for RecordedProgress {
        fn running(&self, workload: &str, run: u32, of: u32) {
            self.0.lock().expect("no panic").push(format!("{workload} {run}/{of}"));
        }
        fn ended(&self, workload: &str) {
            self.0.lock().expect("no panic").push(format!("{workload} ended"));
        }
    }

    #[test]
    fn reports_arrive_and_a_killed_runner_ends() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let plan = folder.path().join("plan");
        let reporter = Reporter::beside(&plan);
        let recorded = RecordedProgress::default();
        reporter.running("one", 1, 10);
        let reports = BufReader::new(File::open(file_beside(&plan)).expect("a file"));
        let mut following = Following { reports, begun: String::new(), live: Vec::new() };
        following.pass_on(&recorded, |_| true);
        reporter.running("one", 2, 10);
        reporter.running("two", 0, 10);
        reporter.ended("one");
        append(&file_beside(&plan), b"{\"half\": ").expect("written");
        following.pass_on(&recorded, |_| true);
        following.pass_on(&recorded, |_| false);
        let recorded = recorded.0.into_inner().expect("no panic");
        assert_eq!(recorded, ["one 1/10", "one 2/10", "two 0/10", "one ended", "two ended"]);
    }
}
