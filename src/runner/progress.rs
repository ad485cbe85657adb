//! The interface by which the runner reports which workloads are running. Main type: [`Progress`].

/// Receives the start and end of runs. It may be called from many threads.
pub trait Progress: Sync {
    /// The `run`th of `of` runs of a workload starts, counted from 1; 0 is a warm-up. `of` may grow
    /// from run to run.
    fn running(&self, workload: &str, run: u32, of: u32);
    /// A workload is explored: `done` of `of` injections were tried, with this many findings.
    fn exploring(&self, _workload: &str, _done: u32, _of: u32, _findings: u32) {}
    /// The runs of a workload have ended.
    fn ended(&self, workload: &str);
}

/// Ignores all progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn running(&self, _workload: &str, _run: u32, _of: u32) {}
    fn ended(&self, _workload: &str) {}
}

/// Reports the end of a workload's runs when it is dropped.
pub(super) struct ProgressGuard<'a> {
    pub(super) progress: &'a dyn Progress,
    pub(super) workload: &'a str,
}

impl ProgressGuard<'_> {
    pub(super) fn run(&self, run: u32, of: u32) {
        self.progress.running(self.workload, run, of);
    }

    #[cfg(all(target_os = "linux", feature = "unstable"))]
    pub(super) fn explore(&self, done: u32, of: u32, findings: u32) {
        self.progress.exploring(self.workload, done, of, findings);
    }
}

impl Drop for ProgressGuard<'_> {
    fn drop(&mut self) {
        self.progress.ended(self.workload);
    }
}
