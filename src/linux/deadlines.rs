//! When a run is ended from outside. Main type: [`Deadlines`].
//!
//! It only knows the clock; what is done at a deadline is the tracing loop's work.

use std::io;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigEvent, SigevNotify, Signal};
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::ClockId;

use super::outcome::Limits;
use super::sys;

/// A blocked wait is woken this often to look at the clock: deadlines are kept to about this.
const TICK: Duration = Duration::from_millis(50);

/// The signal that wakes it. It is ignored by default, so a handler that does nothing changes
/// nothing for anyone else in the process.
const WAKE_UP: Signal = Signal::SIGURG;

/// The deadlines of one run. One that the clock cannot express never comes.
#[derive(Debug)]
pub(super) struct Deadlines {
    timeout: Option<Instant>,
    stop: Option<(Instant, i32)>,
    grace: Duration,
    /// Also `None` where the grace has no end.
    grace_ends: Option<Instant>,
    /// Wakes this thread, and no other, for as long as it lives.
    _ticks: Timer,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// Send this signal to the first process.
    Ask(i32),
    /// The run took too long: kill all.
    Timeout,
    /// What outlived the first process has had its time: kill it.
    GraceOver,
}

impl Deadlines {
    /// Starts the clock of a run that is traced by this thread.
    pub(super) fn start(limits: &Limits) -> io::Result<Self> {
        let now = Instant::now();
        sys::interrupt_waits_with(WAKE_UP as i32)?;
        let notify = SigevNotify::SigevThreadId { signal: WAKE_UP, thread_id: sys::gettid(), si_value: 0 };
        let mut ticks = Timer::new(ClockId::CLOCK_MONOTONIC, SigEvent::new(notify))?;
        ticks.set(Expiration::Interval(TICK.into()), TimerSetTimeFlags::empty())?;
        Ok(Self {
            timeout: limits.timeout.and_then(|timeout| now.checked_add(timeout)),
            stop: limits.stop.and_then(|stop| Some((now.checked_add(stop.after)?, stop.signal))),
            grace: limits.grace,
            grace_ends: None,
            _ticks: ticks,
        })
    }

    /// The first process is gone: the others' time runs.
    pub(super) fn begin_grace(&mut self) {
        self.stop = None;
        self.timeout = None;
        self.grace_ends = Instant::now().checked_add(self.grace);
    }

    /// What is due now. Asking is told once; an end is told for as long as anybody is there to be
    /// ended.
    pub(super) fn due(&mut self) -> Due {
        let now = Instant::now();
        let is_over = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if is_over(self.grace_ends) {
            return Due::GraceOver;
        }
        if is_over(self.timeout) {
            return Due::Timeout;
        }
        match self.stop {
            Some((at, signal)) if at <= now => {
                self.stop = None;
                Due::Ask(signal)
            }
            _ => Due::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::run::workload::StopAfter;

    #[test]
    fn moment_beyond_the_clock_never_comes() {
        let stop = Some(StopAfter { after: Duration::MAX, signal: 15 });
        let limits = Limits { timeout: Some(Duration::MAX), stop, grace: Duration::MAX };
        let mut deadlines = Deadlines::start(&limits).expect("a timer");
        assert_eq!(deadlines.due(), Due::Nothing);
        deadlines.begin_grace();
        assert_eq!(deadlines.due(), Due::Nothing);
    }

    #[test]
    fn grace_replaces_the_timeout() {
        let limits = Limits { timeout: Some(Duration::ZERO), stop: None, grace: Duration::MAX };
        let mut deadlines = Deadlines::start(&limits).expect("a timer");
        assert_eq!(deadlines.due(), Due::Timeout);
        deadlines.begin_grace();
        assert_eq!(deadlines.due(), Due::Nothing);
    }
}
