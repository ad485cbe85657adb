//! `trace --log` and `trace --time`: writes calls as they happen, and sums up their times. Main
//! type: [`Log`].

mod filter;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use sysguard::unstable::linux::{Recorder, Selection};
use sysguard::unstable::model::attribution::{Use, attribute};
use sysguard::unstable::model::kernel::call::Call;
use sysguard::unstable::model::trace::logged::{Logged, TimedCall};
use sysguard::unstable::report;

use filter::Filters;
pub(crate) use filter::{Filter, names as call_names};

/// The log of one command, or only the times of its calls.
#[derive(Debug)]
pub(crate) struct Log {
    filters: Filters,
    destination: Destination,
    /// The time in the calls of each use; `None` if it is not measured.
    times: Option<BTreeMap<Use, Duration>>,
}

/// The destination of lines.
#[derive(Debug)]
enum Destination {
    /// Nowhere: only times are measured.
    Nowhere,
    Stderr,
    File(File),
    /// A pipe without a reader.
    Closed,
    Failed(io::Error),
}

impl Log {
    /// Returns a log that writes matching calls to a file, or else to standard error.
    pub(crate) fn new(filters: Vec<Filter>, file: Option<File>, has_times: bool) -> Self {
        let destination = file.map_or(Destination::Stderr, Destination::File);
        Self { filters: Filters::new(filters), destination, times: has_times.then(BTreeMap::new) }
    }

    /// Returns a log that measures times only.
    pub(crate) fn of_times() -> Self {
        let filters = Filters::new(Vec::new());
        Self { filters, destination: Destination::Nowhere, times: Some(BTreeMap::new()) }
    }

    /// Returns the time in the calls of each use.
    ///
    /// # Errors
    ///
    /// A line could not be written. A closed pipe is not an error.
    pub(crate) fn finish(self) -> io::Result<Option<BTreeMap<Use, Duration>>> {
        match self.destination {
            Destination::Failed(error) => Err(error),
            _ => Ok(self.times),
        }
    }
}

impl Recorder for Log {
    fn selects(&mut self, call: &Call, meant: &str, paths: &mut dyn FnMut() -> Vec<String>) -> Selection {
        match self.destination {
            Destination::Stderr | Destination::File(_) => self.filters.selects(call, meant, paths),
            Destination::Nowhere | Destination::Closed | Destination::Failed(_) => Selection::Ignored,
        }
    }

    fn selects_use(&mut self, TimedCall { call, outcome, answers, .. }: &TimedCall<'_>) -> bool {
        self.filters.selects_subsystem(attribute(call, *outcome, answers).subsystem)
    }

    fn time(&mut self, TimedCall { call, outcome, answers, took }: &TimedCall<'_>) {
        if let (Some(times), Destination::Nowhere) = (&mut self.times, &self.destination) {
            *times.entry(attribute(call, *outcome, answers)).or_default() += *took;
        }
    }

    fn write(&mut self, line: &Logged<'_>) {
        let text = || report::log_line(line, self.times.is_some());
        // One write per line, so that output of the command does not split it.
        let written = match &mut self.destination {
            Destination::Stderr => io::stderr().write_all(text().as_bytes()),
            Destination::File(file) => file.write_all(text().as_bytes()),
            Destination::Nowhere | Destination::Closed | Destination::Failed(_) => return,
        };
        if let Err(error) = written {
            let is_closed = error.kind() == io::ErrorKind::BrokenPipe;
            self.destination = if is_closed { Destination::Closed } else { Destination::Failed(error) };
        }
    }
}
