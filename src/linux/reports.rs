//! The reports of the kernel about tracees, in a fair order. Main type: [`Reports`].
//!
//! waitpid(2) returns the report of the tracee that was attached last, if several wait
//! (`ptrace_do_wait()`, kernel/exit.c). With enough busy tasks the oldest one would never be
//! resumed. So all waiting stops are collected from time to time, and passed on before newer ones.

use std::collections::VecDeque;
use std::{io, iter};

use super::sys;
use crate::model::kernel::call::Tid;

/// A task and its raw wait status.
type Reported = (Tid, i32);

/// The number of reports after which all waiting stops are collected. A stopped task waits for so
/// many stops of others at most. The kernel's own order costs less, since it goes on with tasks
/// that run already: with 8 instead of 64, `perf bench sched messaging` takes a fifth more CPU
/// time.
const TURN: u32 = 64;

/// The stops that were collected and not passed on yet.
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
        while let Some(reported) = self.collected.pop_front() {
            // A newer report says that the task has left the stop: by SIGKILL, or because another
            // thread's execve took over its number.
            if !sys::has_report(reported.0) {
                return Ok(Some(reported));
            }
        }
        let Some(reported) = sys::wait()? else { return Ok(None) };
        self.since += 1;
        if self.since < TURN || !libc::WIFSTOPPED(reported.1) {
            return Ok(Some(reported));
        }
        self.since = 0;
        self.collect(iter::once(reported).chain(iter::from_fn(sys::waiting_stop)));
        // The end of a task is passed on at once: its number is free from here on.
        let Some(reported) = sys::waiting_report() else { return Ok(self.collected.pop_front()) };
        self.drop_older(reported.0);
        Ok(Some(reported))
    }

    fn collect(&mut self, stops: impl Iterator<Item = Reported>) {
        for stop in stops {
            self.drop_older(stop.0);
            self.collected.push_back(stop);
        }
    }

    /// Drops the stop of a task that has left it.
    fn drop_older(&mut self, tid: Tid) {
        self.collected.retain(|(older, _)| *older != tid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_stop_replaces_an_older_one() {
        let mut reports = Reports::default();
        reports.collect([(1, 10), (2, 20), (1, 11), (3, 30)].into_iter());
        assert_eq!(reports.collected, [(2, 20), (1, 11), (3, 30)]);
    }
}
