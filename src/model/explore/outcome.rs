//! How a run with an injection ended, compared with runs without one. Main type: [`Outcomes`].

use std::collections::{BTreeMap, BTreeSet};

use crate::model::explore::injection::Fault;
use crate::model::explore::normalise::Reference;
use crate::model::explore::run::{Attempt, Content, RunResult};
use crate::model::explore::survey::Survey;
use crate::model::facts::error_path::RunOutcome;
use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::uapi::SIGPIPE;
use crate::model::run::workload::Exit;

/// The status of a Rust program after a panic of its main thread.
const PANICKED: i32 = 101;
/// The start of the message of a Rust panic: `thread 'main' panicked at src/main.rs:3:5:`, or
/// `thread 'main' (4711) panicked at …`.
const THREAD: &str = "thread '";
/// What follows in it.
const AT: &str = " panicked at ";

/// Classifies the runs of a workload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcomes {
    reference: Reference,
    /// The most messages of panics in a run without an injection.
    panics: usize,
    /// The signals that ended processes other than the first one in runs without an injection.
    signals: BTreeSet<SignalName>,
}

/// How a run with an injection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The outcome.
    pub outcome: RunOutcome,
    /// Its result, with masks where runs without an injection differ. What differs from
    /// [`Outcomes::expected`] is due to the injection.
    pub result: RunResult,
}

impl Outcomes {
    /// Compares with these runs without an injection.
    pub fn of(surveys: &[Survey]) -> Self {
        let results: Vec<&RunResult> = surveys.iter().map(|survey| &survey.result).collect();
        let signals = surveys.iter().flat_map(|survey| survey.observation.ends.signals.keys().copied()).collect();
        let panics = results.iter().map(|run| panics(&run.stderr).count()).max().unwrap_or_default();
        Self { reference: Reference::of(&results), panics, signals }
    }

    /// Returns the result of a run without an injection, with masks where such runs differ.
    pub fn expected(&self) -> &RunResult {
        self.reference.expected()
    }

    /// Returns what is not compared, and what follows from it, as sentences without a full stop.
    pub fn limits(&self) -> Vec<String> {
        let uncompared = self.reference.uncompared().iter().map(ToString::to_string);
        let missed = self.reference.hides_messages().then(|| {
            "new messages on standard error are not recognised, so that errors which are reported may count as silent"
                .to_owned()
        });
        uncompared.chain(missed).collect()
    }

    /// Returns how a run with an injection ended.
    pub fn ended(&self, attempt: &Attempt) -> Ended {
        let result = self.reference.masked(&attempt.result);
        let outcome = self.outcome(attempt, &result);
        Ended { outcome, result }
    }

    fn outcome(&self, attempt: &Attempt, result: &RunResult) -> RunOutcome {
        let Attempt { injection, reached, result: RunResult { exit, stderr, .. }, observation, hung, .. } = attempt;
        let expected = self.reference.expected();
        let is_expected_exit = self.reference.exits().contains(exit);
        if !reached {
            return RunOutcome::NotReached;
        }
        if *hung || (*exit == Some(Exit::TimedOut) && !is_expected_exit) {
            return RunOutcome::Hang;
        }
        let has_panicked = *exit == Some(Exit::Exited(PANICKED)) && !is_expected_exit;
        if has_panicked || panics(stderr).count() > self.panics {
            return RunOutcome::Panic;
        }
        let crash = |signal: &&SignalName| signal.is_crash() && !self.signals.contains(signal);
        let ended_by = match exit {
            Some(Exit::Signaled(signal)) if !is_expected_exit => Some(*signal),
            _ => observation.ends.signals.keys().find(crash).map(|signal| signal.0),
        };
        match ended_by {
            // The signal is how the kernel reports EPIPE to a program that does not ignore it.
            Some(SIGPIPE) if is_epipe(injection.fault) => return RunOutcome::Reported,
            Some(_) => return RunOutcome::Signal,
            None => {}
        }
        if !is_expected_exit || has_message(&expected.stderr, &result.stderr) {
            RunOutcome::Reported
        } else if result == expected {
            RunOutcome::Absorbed
        } else {
            RunOutcome::Silent
        }
    }
}

fn is_epipe(fault: Fault) -> bool {
    matches!(fault, Fault::Errno(errno) if errno.name() == "EPIPE")
}

/// Returns the lines that begin the messages of Rust panics.
fn panics(stderr: &Content) -> impl Iterator<Item = &[u8]> {
    let is_panic = |line: &&[u8]| {
        let text = String::from_utf8_lossy(line);
        text.find(THREAD).is_some_and(|at| text[at + THREAD.len()..].contains(AT))
    };
    stderr.start.split(|byte| *byte == b'\n').filter(is_panic)
}

/// Returns whether standard error has a line that it has not, or not as often, without an
/// injection.
fn has_message(expected: &Content, found: &Content) -> bool {
    let mut lines: BTreeMap<&[u8], usize> = BTreeMap::new();
    for line in expected.start.split(|byte| *byte == b'\n') {
        *lines.entry(line).or_default() += 1;
    }
    let mut is_known = |line: &[u8]| match lines.get_mut(line) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => line.trim_ascii().is_empty(),
    };
    let has_new_line = found.start.split(|byte| *byte == b'\n').any(|line| !is_known(line));
    let rest = |content: &Content| content.rest.map_or(0, |rest| rest.length);
    has_new_line || rest(found) > rest(expected)
}

#[cfg(test)]
mod tests;
