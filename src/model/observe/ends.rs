//! How the processes of a run ended, and which signals handlers took. Main type: [`Ends`].
//!
//! The first process is left out: its end is that of the run. It must not judge.

use std::collections::BTreeMap;

use crate::model::facts::example::Example;
use crate::model::facts::signal_name::SignalName;
use crate::model::run::workload::Exit;

/// The ends of the processes of a run other than the first one. A process counts once, however many
/// threads it had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ends {
    /// The number of processes that each signal ended. A process that sysguard killed is left out.
    pub signals: BTreeMap<SignalName, u64>,
    /// The number of processes that exited with each status other than 0.
    pub statuses: BTreeMap<i32, u64>,
    /// The number of times that a handler took each signal, in any process; empty if these were not
    /// counted.
    pub handled: BTreeMap<SignalName, u64>,
    /// The first process that each signal ended, as far as recorded.
    pub examples: BTreeMap<SignalName, Example>,
}

impl Ends {
    /// Counts the end of a process.
    pub(super) fn ended(&mut self, exit: Exit) {
        match exit {
            Exit::Exited(0) | Exit::TimedOut => {}
            Exit::Exited(status) => *self.statuses.entry(status).or_default() += 1,
            Exit::Signaled(signal) => *self.signals.entry(SignalName(signal)).or_default() += 1,
        }
    }

    /// Counts a signal that a handler takes.
    pub(super) fn handled(&mut self, signal: i32) {
        *self.handled.entry(SignalName(signal)).or_default() += 1;
    }

    /// Keeps the commands of a process that a signal ended, unless an earlier one is kept.
    pub fn keep(&mut self, signal: SignalName, process: Vec<String>) {
        self.examples.entry(signal).or_insert_with(|| Example::new(&format!("killed by {signal}"), None, process));
    }

    /// Adds the ends of a later run. Earlier examples stay.
    pub(super) fn merge(&mut self, later: Self) {
        let Self { signals, statuses, handled, examples } = later;
        add(&mut self.signals, signals);
        add(&mut self.statuses, statuses);
        add(&mut self.handled, handled);
        for (signal, example) in examples {
            self.examples.entry(signal).or_insert(example);
        }
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, more: BTreeMap<K, u64>) {
    for (key, count) in more {
        *counts.entry(key).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::uapi::{SIGKILL, SIGSEGV};

    #[test]
    fn good_ends_do_not_count() {
        let mut ends = Ends::default();
        [Exit::Exited(0), Exit::Exited(3), Exit::Exited(3), Exit::Signaled(SIGSEGV), Exit::TimedOut]
            .into_iter()
            .for_each(|exit| ends.ended(exit));
        assert_eq!(ends.statuses, BTreeMap::from([(3, 2)]));
        assert_eq!(ends.signals, BTreeMap::from([(SignalName(SIGSEGV), 1)]));
    }

    #[test]
    fn later_runs_add_to_counts_and_keep_examples() {
        let with = |process: &str| {
            let mut ends = Ends::default();
            ends.ended(Exit::Signaled(SIGKILL));
            ends.handled(SIGSEGV);
            ends.keep(SignalName(SIGKILL), vec![process.to_owned()]);
            ends
        };
        let mut all = with("first");
        all.merge(with("second"));
        assert_eq!(all.signals, BTreeMap::from([(SignalName(SIGKILL), 2)]));
        assert_eq!(all.handled, BTreeMap::from([(SignalName(SIGSEGV), 2)]));
        let example = &all.examples[&SignalName(SIGKILL)];
        assert_eq!((example.call.as_str(), example.origin().as_str()), ("killed by SIGKILL", "first"));
    }
}
