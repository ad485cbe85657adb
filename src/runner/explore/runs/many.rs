//! Runs several attempts at once: one tracer for each thread. Main method: [`Explorer::attempts`].

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::{Explorer, NotExplored, Wanted};
use crate::linux::{Callers, SymbolFiles};
use crate::model::explore::injection::Injection;
use crate::model::explore::run::Attempt;

impl Explorer<'_> {
    /// Makes an attempt with each injection on `jobs` threads. `goes_on` is asked before each one;
    /// once it returns false, no further attempt begins. `done` gets the index of each injection
    /// and its attempt on the caller's thread, in the order in which they end.
    pub fn attempts(
        &self,
        injections: &[Injection],
        limit: Duration,
        jobs: usize,
        goes_on: &(dyn Fn() -> bool + Sync),
        done: &mut dyn FnMut(usize, Result<Attempt, NotExplored>),
    ) {
        let next = AtomicUsize::new(0);
        let (finished, results) = channel();
        thread::scope(|scope| {
            for _ in 0..jobs.clamp(1, injections.len().max(1)) {
                let (next, finished) = (&next, finished.clone());
                scope.spawn(move || {
                    // Runs share the unwind tables of their programs and libraries.
                    let files = SymbolFiles::default();
                    let mut callers = Callers::new(&files);
                    while goes_on()
                        && let at = next.fetch_add(1, Ordering::Relaxed)
                        && let Some(injection) = injections.get(at)
                    {
                        let attempt = self.inject(&mut callers, injection, limit, Wanted::Result);
                        // The receiver lives until all threads have ended.
                        let _ = finished.send((at, attempt.map(|replay| replay.attempt)));
                    }
                });
            }
            drop(finished);
            results.into_iter().for_each(|(at, attempt)| done(at, attempt));
        });
    }
}
