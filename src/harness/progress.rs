//! Running workloads, drawn on a terminal or written as occasional lines. Main type: [`Spinners`].

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::Lines;
use crate::runner::Progress;

/// A line for every running workload.
#[derive(Debug)]
pub struct Spinners {
    lines: MultiProgress,
    running: Mutex<BTreeMap<String, ProgressBar>>,
    /// The log lines, if nothing is drawn.
    logged: Option<Lines>,
}

impl Spinners {
    /// Draws on standard error if `drawn`, or else writes log lines to it.
    pub fn new(drawn: bool) -> Self {
        if drawn { Self::with(ProgressDrawTarget::stderr(), None) } else { Self::logged() }
    }

    /// Writes log lines to standard error.
    pub fn logged() -> Self {
        Self::with(ProgressDrawTarget::hidden(), Some(Lines::default()))
    }

    fn with(target: ProgressDrawTarget, logged: Option<Lines>) -> Self {
        Self { lines: MultiProgress::with_draw_target(target), running: Mutex::default(), logged }
    }

    /// Hides the lines while `action` uses the terminal.
    pub fn suspended<R>(&self, action: impl FnOnce() -> R) -> R {
        self.lines.suspend(action)
    }
}

impl Progress for Spinners {
    fn running(&self, workload: &str, run: u32, of: u32) {
        if let Some(lines) = &self.logged {
            return lines.running(workload, run, of);
        }
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let line = running.entry(workload.to_owned()).or_insert_with(|| {
            let style = ProgressStyle::with_template("{spinner} {prefix} {msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let line = self.lines.add(ProgressBar::new_spinner().with_style(style).with_prefix(workload.to_owned()));
            line.enable_steady_tick(Duration::from_millis(200));
            line
        });
        if of > 1 {
            line.set_message(format!("(run {run} of {of})"));
        }
    }

    fn ended(&self, workload: &str) {
        if let Some(lines) = &self.logged {
            return lines.ended(workload);
        }
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = running.remove(workload) {
            line.finish_and_clear();
            self.lines.remove(&line);
        }
    }
}
