//! A line on the terminal for every running workload. Main type: [`Spinners`].

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::runner::Progress;

/// The drawn lines.
#[derive(Debug)]
pub(super) struct Spinners {
    lines: MultiProgress,
    running: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Spinners {
    /// Draws on standard error.
    #[expect(clippy::unnecessary_wraps, reason = "returns `None` without the feature `unstable`")]
    pub(super) fn new() -> Option<Self> {
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Some(Self { lines, running: Mutex::default() })
    }

    /// Hides the lines while `action` uses the terminal.
    pub(super) fn suspended<R>(&self, action: impl FnOnce() -> R) -> R {
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
