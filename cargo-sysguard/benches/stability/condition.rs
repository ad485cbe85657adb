//! The condition of the machine in a round of tests. Main type: [`Condition`].

use std::fmt;
use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, available_parallelism};

/// The load on the machine during a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// No added load.
    Idle,
    /// Two busy threads per CPU.
    Load,
    /// All processes run on one CPU.
    OneCpu,
}

impl Condition {
    /// Returns the condition of a round. Every second round is a hard one.
    pub(crate) fn of(round: usize) -> Self {
        [Self::Idle, Self::Load, Self::Idle, Self::OneCpu][round % 4]
    }

    /// Returns the prefix of a command.
    pub(crate) fn prefix(self) -> &'static [&'static str] {
        if self == Self::OneCpu { &["taskset", "--cpu-list", "0"] } else { &[] }
    }

    /// Starts busy threads that end on drop.
    pub(crate) fn load(self) -> Option<Load> {
        (self == Self::Load).then(Load::start)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::Load => "under load",
            Self::OneCpu => "on one CPU",
        })
    }
}

/// Busy threads.
pub(crate) struct Load {
    ended: Arc<AtomicBool>,
}

impl Load {
    fn start() -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        for _ in 0..2 * available_parallelism().map_or(1, usize::from) {
            let ended = Arc::clone(&ended);
            thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    spin_loop();
                }
            });
        }
        Self { ended }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}
