//! Large numbers: every call of every task is counted, and trees that are traced at the same time
//! do not mix.

use libtest_mimic::Failed;
use sysguard::unstable::model::run::workload::Exit;

use crate::seen::Watched;
use crate::trials::{Plain, ensure_eq, watch};

/// Trial names and functions.
pub(crate) const TRIALS: &[Plain] = &[
    ("loads::200000_calls", counts_to_the_last_one),
    ("loads::200_threads", follows_threads),
    ("loads::1000_children", follows_children),
    ("loads::eight_trees_side_by_side", eight_at_a_time),
];

fn counts_to_the_last_one() -> Result<(), Failed> {
    let seen = watch(Watched::tracee("many_calls"))?;
    ensure_eq!(seen.calls("getppid"), 200_000);
    ensure_eq!((seen.processes, seen.threads), (1, 1));
    Ok(())
}

fn follows_threads() -> Result<(), Failed> {
    let seen = watch(Watched::tracee("many_threads"))?;
    ensure_eq!(seen.calls("getppid"), 200 * 50);
    ensure_eq!((seen.processes, seen.threads), (1, 201));
    Ok(())
}

fn follows_children() -> Result<(), Failed> {
    let seen = watch(Watched::tracee("many_children"))?;
    ensure_eq!(seen.calls("getppid"), 1000);
    ensure_eq!((seen.processes, seen.threads), (1001, 1001));
    Ok(())
}

/// Each tree runs a loop of its own length; a stray event would show as a wrong count.
fn eight_at_a_time() -> Result<(), Failed> {
    let one = |length: u64| {
        move || {
            let script = format!("i=0; while [ $i -lt {length} ]; do i=$((i+1)); kill -0 $$; done; exit {length}");
            watch(Watched::shell(&script)).map(|seen| (seen.calls("kill"), seen.outcome.exit))
        }
    };
    let running: Vec<_> = (1..=8).map(|n| (n, std::thread::spawn(one(n * 20)))).collect();
    for (n, thread) in running {
        let length = n * 20;
        let seen = thread.join().map_err(|_| "a tracer panicked")??;
        ensure_eq!(seen, (length, Exit::Exited(length as i32)));
    }
    Ok(())
}
