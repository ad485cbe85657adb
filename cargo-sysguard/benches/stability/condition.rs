//! Under what a round is tested. Main type: [`Condition`].

use std::fmt;
use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, available_parallelism};

/// What the machine does meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nothing of ours.
    Idle,
    /// Two busy threads for each CPU.
    Load,
    /// All is done on one CPU.
    OneCpu,
}

impl Condition {
    /// Every second round is a hard one.
    pub(crate) fn of(round: usize) -> Self {
        [Self::Idle, Self::Load, Self::Idle, Self::OneCpu][round % 4]
    }

    /// What comes before a command.
    pub(crate) fn prefix(self) -> &'static [&'static str] {
        if self == Self::OneCpu { &["taskset", "--cpu-list", "0"] } else { &[] }
    }

    /// Keeps the CPUs busy until it is dropped.
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

/// Threads that do nothing but run.
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
