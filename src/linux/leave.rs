//! Leaves the first process of a run to a debugger: it is stopped, and no longer traced. Main type:
//! [`LeftProcess`].
//!
//! Only the first process can be left, because it dies with this process (PR_SET_PDEATHSIG,
//! prctl(2)): nothing else would end a process that no tracer and no debugger holds.

use std::fs;
use std::io;

use super::status::field;
use super::stopped::Stopped;
use super::sys;
use super::watcher::Watcher;
use crate::model::kernel::call::Tid;
use crate::model::trace::tracee::{Stop, Tasks};

/// The process that was left, if any.
#[derive(Debug, Default)]
pub(super) struct LeftProcess {
    process: Option<Tid>,
    /// Each of its threads is stopped and no longer traced.
    is_whole: bool,
}

impl LeftProcess {
    /// Returns the task, unless its process is left: then it is no longer traced. A task that is
    /// not free makes its next stop first, if it does not stop with its group.
    pub(super) fn keep(
        &mut self,
        task: Stopped,
        (stop, is_free): (&Stop, bool),
        root: Tid,
        tasks: &mut Tasks,
        watcher: &mut dyn Watcher,
    ) -> io::Result<Option<Stopped>> {
        let mut is_free = is_free || matches!(stop, Stop::Trap { group_stop: true, .. });
        if self.process.is_none() && watcher.leaves(task.tid()) {
            if is_of(root, task.tid()) {
                self.process = Some(root);
                is_free = true;
                // Sent to this thread: on its way out of the kernel it stops the process. Another
                // thread might take a signal to the process, and this one would run on meanwhile.
                sys::signal_task(task.tid(), libc::SIGSTOP)?;
            } else {
                watcher.left(None);
            }
        }
        let Some(process) = self.process.filter(|process| is_free && is_of(*process, task.tid())) else {
            return Ok(Some(task));
        };
        tasks.leave(task.tid());
        let signal = if let Stop::Signal(signal) = *stop { signal } else { 0 };
        task.detach(signal)?;
        if !self.is_whole && is_untraced(process) {
            self.is_whole = true;
            watcher.left(Some(process));
        }
        Ok(None)
    }

    /// Waits for the end of the process that was left, and kills what is left of its process group.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        let Some(process) = self.process.take() else { return Ok(()) };
        uninterrupted(|| sys::wait_until_ended(process))?;
        sys::kill(-process, libc::SIGKILL);
        uninterrupted(|| sys::wait_for_end(process)).map(drop)
    }
}

/// The process does not outlive an error of the run.
impl Drop for LeftProcess {
    fn drop(&mut self) {
        if let Some(process) = self.process {
            sys::kill(process, libc::SIGKILL);
            let _ = self.wait();
        }
    }
}

/// Repeats a call that the timer of deadlines interrupts.
fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Returns whether a task belongs to a process.
fn is_of(process: Tid, task: Tid) -> bool {
    fs::exists(format!("/proc/{process}/task/{task}")).unwrap_or(false)
}

/// Returns whether no task of a process has a tracer.
fn is_untraced(process: Tid) -> bool {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let mut tracers = tasks.map(|task| {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        field(&status, "TracerPid:").is_some_and(|tracer| tracer != "0")
    });
    !tracers.any(|is_traced| is_traced)
}
