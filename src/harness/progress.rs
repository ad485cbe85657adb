//! Running workloads, drawn on a terminal or written as occasional lines. Main type:
//! [`ProgressDisplay`].

use super::progress_log::ProgressLog;
use super::spinners::Spinners;
use crate::runner::Progress;

/// Shows the running workloads on standard error.
#[derive(Debug)]
pub struct ProgressDisplay {
    /// Replaces the log if present.
    spinners: Option<Spinners>,
    log: ProgressLog,
}

impl ProgressDisplay {
    /// Draws on the terminal if `drawn`, or else writes log lines. Both count finished workloads of
    /// `total`. Without the feature `unstable`, it never draws.
    pub fn new(drawn: bool, total: usize) -> Self {
        let spinners = if drawn { Spinners::new(total) } else { None };
        Self { spinners, log: ProgressLog::counting(total) }
    }

    /// Writes log lines without a total.
    pub fn logged() -> Self {
        Self { spinners: None, log: ProgressLog::default() }
    }

    /// Hides what is drawn while `action` uses the terminal.
    pub fn suspended<R>(&self, action: impl FnOnce() -> R) -> R {
        match &self.spinners {
            Some(spinners) => spinners.suspended(action),
            None => action(),
        }
    }

    fn shown(&self) -> &dyn Progress {
        match &self.spinners {
            Some(spinners) => spinners,
            None => &self.log,
        }
    }
}

impl Progress for ProgressDisplay {
    fn running(&self, workload: &str, run: u32, of: u32) {
        self.shown().running(workload, run, of);
    }

    fn exploring(&self, workload: &str, done: u32, of: u32, findings: u32) {
        self.shown().exploring(workload, done, of, findings);
    }

    fn ended(&self, workload: &str) {
        self.shown().ended(workload);
    }
}
