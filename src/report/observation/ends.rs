//! How processes ended, as a record and as lines of text. Main type: [`EndsRecord`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::signal;
use crate::model::observe::ends::Ends;

/// The ends of processes other than the first one, and the signals that handlers took.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct EndsRecord {
    /// The number of processes that each signal ended, by its name. Processes that sysguard killed
    /// are left out.
    killed: BTreeMap<Cow<'static, str>, u64>,
    /// The number of processes that exited with each status other than 0.
    statuses: BTreeMap<i32, u64>,
    /// The number of times that a handler took each signal, in any process.
    handled: BTreeMap<Cow<'static, str>, u64>,
}

impl EndsRecord {
    /// Returns the record, unless there is nothing to report.
    pub(super) fn of(Ends { signals, statuses, handled, .. }: &Ends) -> Option<Self> {
        let named = |signals: &BTreeMap<SignalName, u64>| {
            signals.iter().map(|(SignalName(number), count)| (signal::name(*number), *count)).collect()
        };
        let record = Self { killed: named(signals), statuses: statuses.clone(), handled: named(handled) };
        (!record.lines().is_empty()).then_some(record)
    }

    /// Returns a line for each kind of end: its words, and the counts as `SIGKILL:1 SIGSEGV:7`.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let lines = [
            ("processes ended by signals", counts(&self.killed)),
            ("processes with exit statuses", counts(&self.statuses)),
            ("signals taken by handlers", counts(&self.handled)),
        ];
        lines.into_iter().filter(|(_, counts)| !counts.is_empty()).collect()
    }
}

fn counts(counts: &BTreeMap<impl fmt::Display, u64>) -> String {
    counts.iter().map(|(what, count)| format!("{what}:{count}")).collect::<Vec<_>>().join(" ")
}
