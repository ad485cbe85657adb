//! What is running and for how long, drawn on a terminal. Main type: [`Spinners`].

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::runner::Progress;

/// A line for every workload that is running.
#[derive(Debug)]
pub struct Spinners {
    lines: MultiProgress,
    running: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Spinners {
    /// Draws on standard error; `shown` is whether that can be drawn on.
    pub fn new(shown: bool) -> Self {
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { lines: MultiProgress::with_draw_target(target), running: Mutex::default() }
    }

    /// Does something else with the terminal meanwhile.
    pub fn suspended<R>(&self, action: impl FnOnce() -> R) -> R {
        self.lines.suspend(action)
    }
}

impl Progress for Spinners {
    fn running(&self, workload: &str, run: u32, of: u32) {
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
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = running.remove(workload) {
            line.finish_and_clear();
            self.lines.remove(&line);
        }
    }
}
