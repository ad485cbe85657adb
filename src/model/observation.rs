//! What runs showed: ordered counts of uses, folded from events. Main type: [`Observation`].
//!
//! It must not judge: comparing is another room.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::attribution::{Use, attribute, blind_spot};
use super::event::{BlindSpot, CallOutcome, Errno, Event};
use super::platform::Platform;
use super::workload::Exit;

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
    /// What may have stayed unseen.
    pub blind_spots: BTreeSet<BlindSpot>,
}

impl Observation {
    /// The observation of a run that has not begun.
    pub fn new() -> Self {
        Self { runs: 1, ..Self::default() }
    }

    /// Takes one event in.
    pub fn fold(&mut self, event: &Event) {
        match event {
            Event::Spawned { process, .. } => {
                self.threads += 1;
                self.processes += u64::from(*process);
            }
            Event::Called { call, outcome, answers, .. } => {
                self.blind_spots.extend(blind_spot(call, *outcome));
                let tally = self.uses.entry(attribute(call, *outcome, answers)).or_default();
                tally.calls += 1;
                if let CallOutcome::Failed(errno) = outcome {
                    *tally.errors.entry(*errno).or_default() += 1;
                }
            }
            Event::Blind(spot) => {
                self.blind_spots.insert(*spot);
            }
            Event::Ended { .. } => {}
        }
    }

    /// Adds the runs of another observation of the same workload.
    pub fn merge(&mut self, other: Self) {
        self.runs += other.runs;
        self.processes += other.processes;
        self.threads += other.threads;
        self.lost_events += other.lost_events;
        for (used, tally) in other.uses {
            let mine = self.uses.entry(used).or_default();
            mine.calls += tally.calls;
            for (errno, count) in tally.errors {
                *mine.errors.entry(errno).or_default() += count;
            }
        }
        self.blind_spots.extend(other.blind_spots);
    }

    /// All calls of all uses.
    pub fn calls(&self) -> u64 {
        self.uses.values().map(|tally| tally.calls).sum()
    }
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
    /// What a baseline expects runs unwatched, by a seccomp filter; everything else stops. No counts, errors or absences of what is expected.
    Guard,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Self; 2] = [Self::Ptrace, Self::Guard];

    /// The name used on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ptrace => "ptrace",
            Self::Guard => "guard",
        }
    }
}

/// The word is no [`Engine`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no engine: one of guard, ptrace")]
pub struct NotAnEngine(String);

impl FromStr for Engine {
    type Err = NotAnEngine;

    fn from_str(word: &str) -> Result<Self, NotAnEngine> {
        Self::ALL.into_iter().find(|engine| engine.name() == word).ok_or_else(|| NotAnEngine(word.to_owned()))
    }
}
