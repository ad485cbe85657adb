//! A terminal line for each running workload, and one that counts finished workloads. Main type:
//! [`Spinners`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::progress_log::exploring;
use crate::runner::Progress;

/// The drawn lines.
#[derive(Debug)]
pub(super) struct Spinners {
    lines: MultiProgress,
    total: usize,
    running: Mutex<RunningLines>,
}

/// The drawn lines.
#[derive(Debug, Default)]
struct RunningLines {
    by_workload: BTreeMap<String, ProgressBar>,
    done: BTreeSet<String>,
    /// The count of finished workloads, below the other lines.
    count: Option<ProgressBar>,
}

impl Spinners {
    /// Draws on standard error.
    #[expect(clippy::unnecessary_wraps, reason = "returns `None` without the feature `unstable`")]
    pub(super) fn new(total: usize) -> Option<Self> {
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Some(Self { lines, total, running: Mutex::default() })
    }

    /// Hides the lines while `action` uses the terminal.
    pub(super) fn suspended<R>(&self, action: impl FnOnce() -> R) -> R {
        self.lines.suspend(action)
    }

    fn styled(&self, template: &str) -> ProgressBar {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        ProgressBar::new_spinner().with_style(style)
    }

    /// Draws the count of finished workloads while another one runs, unless there is only one.
    fn count(&self, running: &mut RunningLines) {
        if self.total < 2 {
            return;
        }
        if running.by_workload.is_empty() {
            if let Some(count) = running.count.take() {
                count.finish_and_clear();
                self.lines.remove(&count);
            }
            return;
        }
        let count = running.count.get_or_insert_with(|| self.lines.add(self.styled("  {msg}")));
        count.set_message(format!("{} of {} done", running.done.len(), self.total));
    }
}

impl Spinners {
    /// Draws the line of a workload, with this message if there is one.
    fn draw(&self, workload: &str, message: Option<String>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let RunningLines { by_workload, count, .. } = &mut *running;
        let line = by_workload.entry(workload.to_owned()).or_insert_with(|| {
            let line = self.styled("{spinner} {prefix} {msg} {elapsed}").with_prefix(workload.to_owned());
            let line = match count {
                Some(count) => self.lines.insert_before(count, line),
                None => self.lines.add(line),
            };
            line.enable_steady_tick(Duration::from_millis(200));
            line
        });
        if let Some(message) = message {
            line.set_message(message);
        }
        self.count(&mut running);
    }
}

impl Progress for Spinners {
    fn running(&self, workload: &str, run: u32, of: u32) {
        self.draw(workload, (of > 1).then(|| format!("(run {run} of {of})")));
    }

    fn exploring(&self, workload: &str, done: u32, of: u32, findings: u32) {
        self.draw(workload, Some(format!("({})", exploring(done, of, findings))));
    }

    fn ended(&self, workload: &str) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = running.by_workload.remove(workload) {
            line.finish_and_clear();
            self.lines.remove(&line);
            running.done.insert(workload.to_owned());
        }
        self.count(&mut running);
    }
}
