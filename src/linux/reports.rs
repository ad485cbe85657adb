//! The reports of the kernel about tracees, in a fair order. Main type: [`Reports`].
//!
//! waitpid(2) returns the report of the tracee that was attached last, if several wait
//! (`do_wait_thread`, kernel/exit.c). With enough busy tasks the oldest one would never be resumed.
//! So all waiting reports are collected from time to time, and passed on before any newer one.

use std::collections::VecDeque;
use std::io;

use super::sys;
use crate::model::kernel::call::Tid;

/// A task and its raw wait status.
type Reported = (Tid, i32);

/// The number of reports after which all waiting ones are collected. A stopped task waits for so
/// many stops of others at most. The kernel's own order costs less, since it goes on with tasks
/// that run already: with 8 instead of 64, `perf bench sched messaging` takes a fifth more CPU time.
const TURN: u32 = 64;

/// The reports that were collected and not passed on yet.
#[derive(Debug, Default)]
pub(super) struct Reports {
    collected: VecDeque<Reported>,
    /// The number of reports since the last collection.
    since: u32,
}

impl Reports {
    /// Waits for the next report. `None` if no task is left.
    ///
    /// # Errors
    ///
    /// EINTR if a signal interrupts the wait.
    pub(super) fn next(&mut self) -> io::Result<Option<Reported>> {
        if let Some(reported) = self.collected.pop_front() {
            return Ok(Some(reported));
        }
        let Some(first) = sys::wait()? else { return Ok(None) };
        self.since += 1;
        if self.since >= TURN {
            self.since = 0;
            self.add(first);
            while let Some(reported) = sys::poll() {
                self.add(reported);
            }
            return Ok(self.collected.pop_front());
        }
        Ok(Some(first))
    }

    /// Adds a report. It replaces an older one of the same task, which has left that stop since: by
    /// SIGKILL, or because another thread's execve took over its number.
    fn add(&mut self, reported: Reported) {
        self.collected.retain(|(tid, _)| *tid != reported.0);
        self.collected.push_back(reported);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_report_replaces_an_older_one() {
        let mut reports = Reports::default();
        [(1, 10), (2, 20), (1, 11), (3, 30)].into_iter().for_each(|reported| reports.add(reported));
        assert_eq!(reports.collected, [(2, 20), (1, 11), (3, 30)]);
    }
}
