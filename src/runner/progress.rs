//! The seam between running and showing that something runs. Main type: [`Progress`].

/// Told who runs; it may be asked from many threads.
pub trait Progress: Sync {
    /// The workload is being run for the `run`th of `of` times, counted from 1; 0 is a warm-up.
    /// `of` may grow from run to run.
    fn running(&self, workload: &str, run: u32, of: u32);
    /// It is not run any more.
    fn ended(&self, workload: &str);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn running(&self, _workload: &str, _run: u32, _of: u32) {}
    fn ended(&self, _workload: &str) {}
}

/// Tells the end of a workload's runs, whichever way they end.
pub(super) struct Running<'a> {
    pub(super) progress: &'a dyn Progress,
    pub(super) workload: &'a str,
}

impl Running<'_> {
    pub(super) fn run(&self, run: u32, of: u32) {
        self.progress.running(self.workload, run, of);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.progress.ended(self.workload);
    }
}
