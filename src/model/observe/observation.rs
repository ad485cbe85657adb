//! Ordered counts of uses, folded from events. Main type: [`Observation`].
//!
//! It must not judge: comparing belongs to `judge`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::attribution::{Condition, Use, attribute, blind_spot, unanswerable};
use crate::model::facts::example::Example;
use crate::model::kernel::call::{CallOutcome, Errno};
use crate::model::observe::call_site::CallSite;
use crate::model::observe::ends::Ends;
use crate::model::observe::first::FirstCalls;
use crate::model::run::platform::Platform;
use crate::model::run::workload::Exit;
use crate::model::trace::event::Event;

mod observer;

pub use crate::model::engine::Engine;
pub use crate::model::observe::first::First;
pub use observer::{Misplaced, Observer, Part};

/// The number of calls of one use, and their errors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of calls.
    pub calls: u64,
    /// The number of failures by errno.
    pub errors: BTreeMap<Errno, u64>,
}

/// What one or several runs used of the kernel.
///
/// Questions and assertions take a [`Subsystem`](crate::Subsystem), the name of a syscall, or a
/// [`Rule`](crate::Rule):
///
/// ```no_run
/// # fn main() -> Result<(), sysguard::Error> {
/// use sysguard::{Rule, Subsystem, Tracer};
///
/// let seen = Tracer::new("ls").run()?.observation;
/// assert!(seen.uses(Subsystem::Filesystem));
/// seen.at_most("openat", 20);
/// seen.forbid(Rule::from("socket").argument("AF_INET"));
/// for (name, calls) in seen.syscalls() {
///     println!("{calls:>6} {name}");
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// The number of runs.
    pub runs: u32,
    /// Thread groups created, including the first process.
    pub processes: u64,
    /// Tasks created, including the first process.
    pub threads: u64,
    /// Events known to be lost; any value but 0 is an error.
    pub lost_events: u64,
    /// Every use with its tally.
    #[doc(hidden)]
    pub uses: BTreeMap<Use, Tally>,
    /// The uses of each phase, named by the program or the loader's: a part of `uses`.
    #[doc(hidden)]
    pub phases: BTreeMap<String, BTreeMap<Use, Tally>>,
    /// The call sites of first calls, as far as recorded.
    #[doc(hidden)]
    pub sites: FirstCalls<CallSite>,
    /// First calls as text, as far as recorded.
    #[doc(hidden)]
    pub examples: FirstCalls<Example>,
    /// Blind spots: uses that may have been missed.
    pub blind_spots: BTreeSet<BlindSpot>,
    /// How processes other than the first one ended.
    #[doc(hidden)]
    pub ends: Ends,
    /// The conditions that every call was compared with.
    #[doc(hidden)]
    pub conditions: BTreeSet<Condition>,
}

impl Tally {
    fn count(&mut self, outcome: CallOutcome) {
        self.calls += 1;
        if let CallOutcome::Failed(errno) = outcome {
            *self.errors.entry(errno).or_default() += 1;
        }
    }

    fn remove(&mut self, part: &Self) {
        self.calls = self.calls.saturating_sub(part.calls);
        for (errno, count) in &part.errors {
            self.errors.entry(*errno).and_modify(|all| *all = all.saturating_sub(*count));
        }
        self.errors.retain(|_, count| *count > 0);
    }
}

/// What is new in a call: its use, or an error of a known use.
#[derive(Debug, Clone, Copy, Default)]
struct New {
    used: bool,
    error: bool,
}

/// Counts a call. Returns what is new in it.
fn count(uses: &mut BTreeMap<Use, Tally>, used: &Use, outcome: CallOutcome) -> New {
    if let Some(tally) = uses.get_mut(used) {
        let known = tally.errors.len();
        tally.count(outcome);
        return New { used: false, error: tally.errors.len() > known };
    }
    uses.entry(used.clone()).or_default().count(outcome);
    New { used: true, error: matches!(outcome, CallOutcome::Failed(_)) }
}

fn add(uses: &mut BTreeMap<Use, Tally>, more: BTreeMap<Use, Tally>) {
    for (used, tally) in more {
        let mine = uses.entry(used).or_default();
        mine.calls += tally.calls;
        for (errno, count) in tally.errors {
            *mine.errors.entry(errno).or_default() += count;
        }
    }
}

impl Observation {
    /// Returns the empty observation of one run.
    #[doc(hidden)]
    pub fn new() -> Self {
        Self { runs: 1, ..Self::default() }
    }

    /// Adds one event. Returns its use if this is the first call of that use, or the first with its
    /// error.
    fn fold(&mut self, event: &Event, phase: Option<&str>) -> Option<First> {
        match event {
            Event::Spawned { process, .. } => {
                self.threads += 1;
                self.processes += u64::from(*process);
            }
            Event::Called { call, outcome, answers, .. } => {
                self.blind_spots.extend(blind_spot(call, *outcome));
                self.blind_spots.extend(unanswerable(call, *outcome, answers));
                let used = attribute(call, *outcome, answers);
                let of_phase = phase.filter(|phase| {
                    if !self.phases.contains_key(*phase) {
                        self.phases.insert((*phase).to_owned(), BTreeMap::new());
                    }
                    self.phases.get_mut(*phase).is_some_and(|uses| count(uses, &used, *outcome).used)
                });
                let of_run = count(&mut self.uses, &used, *outcome);
                let error = match outcome {
                    CallOutcome::Failed(errno) if of_run.error => Some(*errno),
                    _ => None,
                };
                return (of_run.used || error.is_some() || of_phase.is_some()).then(|| First {
                    used,
                    phase: of_phase.map(str::to_owned),
                    of_run: of_run.used,
                    error,
                });
            }
            Event::Blind(spot) => {
                self.blind_spots.insert(*spot);
            }
            // The observer knows which tasks lead a process.
            Event::Ended { .. } => {}
            Event::Handled { signal, .. } => self.ends.handled(*signal),
        }
        None
    }

    /// Adds the runs of another observation of the same workload.
    #[doc(hidden)]
    pub fn merge(&mut self, other: Self) {
        self.runs += other.runs;
        self.processes += other.processes;
        self.threads += other.threads;
        self.lost_events += other.lost_events;
        add(&mut self.uses, other.uses);
        self.sites.merge(other.sites);
        self.examples.merge(other.examples);
        for (phase, uses) in other.phases {
            add(self.phases.entry(phase).or_default(), uses);
        }
        self.blind_spots.extend(other.blind_spots);
        self.ends.merge(other.ends);
        self.conditions.retain(|condition| other.conditions.contains(condition));
    }

    /// Returns the uses outside all phases (`None`), then those of each phase.
    #[doc(hidden)]
    pub fn parts(&self) -> impl Iterator<Item = (Option<&str>, Cow<'_, BTreeMap<Use, Tally>>)> {
        let phases = self.phases.iter().map(|(phase, uses)| (Some(phase.as_str()), Cow::Borrowed(uses)));
        std::iter::once((None, self.outside())).chain(phases)
    }

    fn outside(&self) -> Cow<'_, BTreeMap<Use, Tally>> {
        if self.phases.is_empty() {
            return Cow::Borrowed(&self.uses);
        }
        let mut rest = self.uses.clone();
        for (used, tally) in self.phases.values().flatten() {
            rest.entry(used.clone()).and_modify(|all| all.remove(tally));
        }
        rest.retain(|_, tally| tally.calls > 0);
        Cow::Owned(rest)
    }

    /// Returns the number of all calls.
    pub fn calls(&self) -> u64 {
        self.uses.values().map(|tally| tally.calls).sum()
    }
}

/// An observation with its command and platform, as a report needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedRun {
    /// The workload's name; `None` for a bare command.
    pub workload: Option<String>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The platform of the run.
    pub platform: Platform,
    /// The kernel release, as `uname -r` prints it.
    pub kernel: String,
    /// The engine that watched it.
    pub engine: Engine,
    /// How the (last) run ended.
    pub exit: Exit,
    /// Tasks that outlived the first process and were killed after the grace period.
    pub killed_stragglers: u64,
    /// The wall time in the calls of each use, summed over all tasks; `None` if not measured.
    pub times: Option<BTreeMap<Use, Duration>>,
    /// The uses of the runs.
    pub observation: Observation,
}

#[cfg(test)]
mod tests;
