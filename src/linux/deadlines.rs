//! Tracks the deadlines of a run. Main type: [`Deadlines`].
//!
//! It only reads the clock; the tracing loop acts on a deadline.

use std::io;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigEvent, SigevNotify, Signal};
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::ClockId;

use super::outcome::Limits;
use super::sys;

/// Interval at which a blocked wait is interrupted to check the clock; also the precision of
/// deadlines.
const TICK: Duration = Duration::from_millis(50);

/// The signal that interrupts the wait. It is ignored by default, so a handler that does nothing
/// does not affect other code in the process.
const WAKE_UP: Signal = Signal::SIGURG;

/// The deadlines of one run. A deadline that the clock cannot represent never comes.
#[derive(Debug)]
pub(super) struct Deadlines {
    timeout: Option<Instant>,
    stop: Option<(Instant, i32)>,
    grace: Duration,
    /// `None` before the grace period, and if it never ends.
    grace_ends: Option<Instant>,
    /// Interrupts this thread only, until dropped.
    _ticks: Timer,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// Send this signal to the first process.
    Signal(i32),
    /// The run took too long: kill all.
    Timeout,
    /// The grace period is over: kill the remaining processes.
    GraceOver,
}

impl Deadlines {
    /// Starts the clock of a run that this thread traces.
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

    /// Starts the grace period: the first process has ended.
    pub(super) fn begin_grace(&mut self) {
        self.stop = None;
        self.timeout = None;
        self.grace_ends = Instant::now().checked_add(self.grace);
    }

    /// Returns what is due now. A signal is due once; a kill is due until no task is left.
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
                Due::Signal(signal)
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
    fn unrepresentable_deadline_never_comes() {
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
