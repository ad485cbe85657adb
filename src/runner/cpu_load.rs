//! Load on every CPU, so that a recording also shows what a workload does on a busy machine. Main
//! type: [`CpuLoad`].
//!
//! Other load decides races, and with them which calls a workload makes. Example: a client closes a
//! connection that its server may or may not have closed already. An idle machine shows only one of
//! the two outcomes, a busy one mostly the other. A baseline recorded on one of them fails on the
//! other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// Keeps CPUs busy until it is dropped.
#[derive(Debug)]
pub struct CpuLoad {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl CpuLoad {
    /// Starts one busy thread per CPU. A thread that cannot be created is left out: the machine is
    /// loaded enough then.
    pub fn keep(cpus: usize) -> Self {
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

impl Drop for CpuLoad {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A busy thread returns nothing.
            let _ = thread.join();
        }
    }
}
