//! A machine that has other things to do: what else runs decides races, and with them what a
//! workload calls. Main type: [`Busy`].
//!
//! A test whose client closes a connection that its server has closed already, or has not, never
//! shows the one on an idle machine, and mostly on a busy one. A baseline that was recorded on one
//! of them only fails on the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// Keeps CPUs busy for as long as it lives.
#[derive(Debug)]
pub(super) struct Busy {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Busy {
    /// As many as this process may use. Where a thread cannot be had, the machine has enough to do.
    pub(super) fn keep(cpus: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let spin = |over: Arc<AtomicBool>| {
            move || {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            }
        };
        let named = || thread::Builder::new().name("busy".to_owned());
        let threads = (0..cpus).filter_map(|_| named().spawn(spin(Arc::clone(&over))).ok()).collect();
        Self { over, threads }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}
