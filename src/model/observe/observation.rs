//! What runs showed: ordered counts of uses, folded from events. Main type: [`Observation`].
//!
//! It must not judge: comparing is another room.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::attribution::{Use, attribute, blind_spot, unanswerable};
use crate::model::kernel::call::{CallOutcome, Errno};
use crate::model::observe::call_site::CallSite;
use crate::model::run::platform::Platform;
use crate::model::run::workload::Exit;
use crate::model::trace::event::Event;

mod watch;

pub use watch::{Misplaced, Part, Watch};

/// How often one use occurred and how it failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Kernel entries.
    pub calls: u64,
    /// Failures by errno.
    pub errors: BTreeMap<Errno, u64>,
}

/// What one or several runs showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// How many runs are in it.
    pub runs: u32,
    /// Thread groups created; the first process counts.
    pub processes: u64,
    /// Tasks created; the first process counts.
    pub threads: u64,
    /// Events known to be missing. Other than 0 is an error.
    pub lost_events: u64,
    /// Every use with its tally.
    pub uses: BTreeMap<Use, Tally>,
    /// What each phase used, be it named by the program or the loader's: a part of `uses`.
    pub phases: BTreeMap<String, BTreeMap<Use, Tally>>,
    /// Who made the first call of a use, in the whole run and in a phase, of those that were asked
    /// about.
    pub sites: BTreeMap<(Option<String>, Use), CallSite>,
    /// What may have stayed unseen.
    pub blind_spots: BTreeSet<BlindSpot>,
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

/// Says whether it is the first.
fn count(uses: &mut BTreeMap<Use, Tally>, used: &Use, outcome: CallOutcome) -> bool {
    if let Some(tally) = uses.get_mut(used) {
        tally.count(outcome);
        return false;
    }
    uses.entry(used.clone()).or_default().count(outcome);
    true
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
    /// The observation of a run that has not begun.
    pub fn new() -> Self {
        Self { runs: 1, ..Self::default() }
    }

    /// Takes one event in; gives the use that it is the first of.
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
                    self.phases.get_mut(*phase).is_some_and(|uses| count(uses, &used, *outcome))
                });
                let of_run = count(&mut self.uses, &used, *outcome);
                return (of_run || of_phase.is_some()).then(|| First {
                    used,
                    phase: of_phase.map(str::to_owned),
                    of_run,
                });
            }
            Event::Blind(spot) => {
                self.blind_spots.insert(*spot);
            }
            Event::Ended { .. } => {}
        }
        None
    }

    /// Adds the runs of another observation of the same workload.
    pub fn merge(&mut self, other: Self) {
        self.runs += other.runs;
        self.processes += other.processes;
        self.threads += other.threads;
        self.lost_events += other.lost_events;
        add(&mut self.uses, other.uses);
        for (place, site) in other.sites {
            self.sites.entry(place).or_insert(site);
        }
        for (phase, uses) in other.phases {
            add(self.phases.entry(phase).or_default(), uses);
        }
        self.blind_spots.extend(other.blind_spots);
    }

    /// Keeps who made a first call.
    pub fn called_by(&mut self, First { used, phase, of_run }: First, site: CallSite) {
        if of_run {
            self.sites.insert((None, used.clone()), site.clone());
        }
        if phase.is_some() {
            self.sites.insert((phase, used), site);
        }
    }

    /// Whether it is known who calls it first.
    pub fn knows_caller(&self, First { used, phase, of_run }: &First) -> bool {
        let places = of_run.then_some(None).into_iter().chain(phase.clone().map(Some));
        places.into_iter().all(|phase| self.sites.contains_key(&(phase, used.clone())))
    }

    /// What was used outside all phases, and in each.
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

    /// All calls of all uses.
    pub fn calls(&self) -> u64 {
        self.uses.values().map(|tally| tally.calls).sum()
    }
}

/// A use that was not seen before, in the whole run or in a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct First {
    /// The use.
    pub used: Use,
    /// The phase that it is new to.
    pub phase: Option<String>,
    /// Whether it is new to the run.
    pub of_run: bool,
}

/// An observation together with what was run where: all that a report of it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The workload's name; `None` for a bare command.
    pub workload: Option<String>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it ran.
    pub platform: Platform,
    /// The kernel's release as `uname -r` prints it.
    pub kernel: String,
    /// Who watched.
    pub engine: Engine,
    /// How the (last) run ended.
    pub exit: Exit,
    /// Tasks that outlived the first process and were killed when the grace was over.
    pub killed_stragglers: u64,
    /// What the runs showed.
    pub observation: Observation,
}

/// How events are obtained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// Two ptrace stops a call: exact, with results.
    #[default]
    Ptrace,
    /// What a baseline expects runs unwatched, by a seccomp filter; everything else stops. No
    /// counts, errors or absences of what is expected.
    Guard,
    /// A notification a call, before it is made; calls whose result says what they used stop as
    /// under ptrace. No errors of the others.
    Notify,
}

impl Engine {
    /// The one of this name that can record what a workload uses.
    pub fn to_record(word: &str) -> Result<Self, NotAnEngine> {
        Self::named(word, [Self::Notify, Self::Ptrace])
    }

    /// The one of this name that can hold a workload against its baseline.
    pub fn to_judge(word: &str) -> Result<Self, NotAnEngine> {
        Self::named(word, [Self::Guard, Self::Ptrace])
    }

    fn named(word: &str, among: [Self; 2]) -> Result<Self, NotAnEngine> {
        among
            .into_iter()
            .find(|engine| engine.name() == word)
            .ok_or_else(|| NotAnEngine { word: word.to_owned(), among })
    }

    /// The name used on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ptrace => "ptrace",
            Self::Guard => "guard",
            Self::Notify => "notify",
        }
    }

    /// What it cannot see of a call that it tells.
    pub fn unknown(self) -> Option<&'static str> {
        (self == Self::Notify).then_some("errors of calls whose result does not say what they used")
    }
}

/// The word is no [`Engine`] that can be chosen here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no engine here: one of {}", .among.map(Engine::name).join(", "))]
pub struct NotAnEngine {
    word: String,
    among: [Engine; 2],
}

#[cfg(test)]
mod tests;
