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

/// The signal that wakes it. It is ignored by default, so a handler that does nothing changes nothing for anyone else in the process.
const WAKE_UP: Signal = Signal::SIGURG;

/// The deadlines of one run.
#[derive(Debug)]
pub(super) struct Deadlines {
    timeout: Option<Instant>,
    stop: Option<(Instant, i32)>,
    grace: Duration,
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
            timeout: limits.timeout.map(|timeout| now + timeout),
            stop: limits.stop.map(|stop| (now + stop.after, stop.signal)),
            grace: limits.grace,
            grace_ends: None,
            _ticks: ticks,
        })
    }

    /// The first process is gone: the others' time runs.
    pub(super) fn begin_grace(&mut self) {
        self.stop = None;
        self.grace_ends = Some(Instant::now() + self.grace);
    }

    /// What is due now. Asking is told once; an end is told for as long as anybody is there to be ended.
    pub(super) fn due(&mut self) -> Due {
        let now = Instant::now();
        let is_over = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if is_over(self.grace_ends) {
            return Due::GraceOver;
        }
        if is_over(self.timeout) && self.grace_ends.is_none() {
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
