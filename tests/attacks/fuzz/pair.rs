//! One pair of lists: the first is blessed by ptrace, the second, with one more operation, is
//! judged by every engine. Main types: [`Judge`] and [`Miss`].

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sysguard::unstable::model::expectation::Baseline;
use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::observe::observation::Engine;
use sysguard::unstable::model::run::workload::Exit;

use super::list::{Chance, List};
use crate::engines::{Bench, Run, Target};

/// How often an ordered list is recorded, and how often a free one.
const RECORDED: (usize, usize) = (2, 4);
/// How many runs by ptrace must show what is new.
const SHOWN: usize = 2;
/// How many more runs by ptrace confirm a miss.
const CONFIRMED: usize = 5;
/// How often an engine that missed something runs again, to measure the rate.
const AGAIN: u32 = 5;

/// The engines that are judged.
const JUDGED: &[Engine] =
    if cfg!(target_arch = "x86_64") { &[Engine::Guard, Engine::Notify] } else { &[Engine::Notify] };

/// Something new that an engine did not find.
#[derive(Debug)]
pub(crate) struct Miss {
    pub(crate) engine: Engine,
    pub(crate) facts: BTreeSet<Fact>,
    /// In how many of how many runs it was missed.
    pub(crate) rate: (u32, u32),
    pub(crate) list: List,
    /// The index of its new operation.
    pub(crate) inserted: usize,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts: Vec<String> = self.facts.iter().map(ToString::to_string).collect();
        let (missed, runs) = self.rate;
        writeln!(f, "{:?} missed {} in {missed} of {runs} runs", self.engine, facts.join(", "))?;
        writeln!(f, "  new: {}", self.list.operations[self.inserted])?;
        writeln!(f, "  list: {}", self.list)?;
        write!(f, "  argument: {}", self.list.argument())
    }
}

/// The result of a pair.
#[derive(Debug)]
pub(crate) enum Judged {
    /// A run did not end well, so there is no result.
    Unfit(String),
    NothingNew,
    Found,
    Missed(Vec<Miss>),
}

/// Judges pairs in a folder of its own.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) bench: &'a Bench,
    pub(crate) program: &'a Path,
    pub(crate) folder: PathBuf,
}

/// A list and the index of its new operation.
struct Pair {
    list: List,
    inserted: usize,
}

/// What ptrace finds in a pair.
struct Truth {
    baseline: Baseline,
    held: BTreeSet<Fact>,
    /// What each run of the longer list reached, and how its operations ended.
    runs: Vec<Run>,
}

impl Truth {
    /// Returns what every run shows beyond the baseline.
    fn additions(&self) -> BTreeSet<Fact> {
        self.shared(self.runs.iter())
    }

    /// Returns what a run must show if its operations ended like this. Without turns another run
    /// may have done other things.
    fn expected_of(&self, run: &Run, is_ordered: bool) -> BTreeSet<Fact> {
        let alike: Vec<&Run> = self.runs.iter().filter(|other| other.state == run.state).collect();
        match alike.is_empty() {
            true if is_ordered => self.additions(),
            true => BTreeSet::new(),
            false => self.shared(alike.into_iter()),
        }
    }

    fn shared<'a>(&self, runs: impl Iterator<Item = &'a Run>) -> BTreeSet<Fact> {
        let shared = runs.map(|run| run.reached.clone()).reduce(|all, run| &all & &run).unwrap_or_default();
        &shared - &self.held
    }
}

impl Judge<'_> {
    /// Judges the pair with this number of this seed.
    pub(crate) fn judge(&self, seed: u64, number: u64) -> Judged {
        let mut chance = Chance::new(seed, number);
        let list = List::any(&mut chance);
        let (list, inserted) = list.and_another(&mut chance);
        self.pair(&Pair { list, inserted }).unwrap_or_else(Judged::Unfit)
    }

    fn pair(&self, pair: &Pair) -> Result<Judged, String> {
        let truth = self.truth(pair, SHOWN)?;
        if truth.additions().is_empty() {
            return Ok(Judged::NothingNew);
        }
        let mut misses = Vec::new();
        for engine in JUDGED {
            if self.missed(*engine, pair, &truth)?.is_empty() {
                continue;
            }
            // Only what is new in every run counts, however many there are.
            let truth = self.truth(pair, CONFIRMED)?;
            let (mut missed, mut facts) = (0, BTreeSet::new());
            for _ in 0..AGAIN {
                let again = self.missed(*engine, pair, &truth)?;
                missed += u32::from(!again.is_empty());
                facts.extend(again);
            }
            if missed > 0 {
                let (list, inserted) = (pair.list.clone(), pair.inserted);
                misses.push(Miss { engine: *engine, facts, rate: (missed, AGAIN), list, inserted });
            }
        }
        Ok(if misses.is_empty() { Judged::Found } else { Judged::Missed(misses) })
    }

    /// Records the baseline of the shorter list, and runs the longer one this many times.
    fn truth(&self, pair: &Pair, shown: usize) -> Result<Truth, String> {
        let nothing = self.bench.baseline(BTreeSet::new());
        let shorter = pair.list.without(pair.inserted);
        let (few, many) = RECORDED;
        let recorded = if pair.list.is_ordered { few } else { many }.max(shown);
        let mut facts = BTreeSet::new();
        for _ in 0..recorded {
            facts.extend(self.run(Engine::Ptrace, &shorter, &nothing)?.facts);
        }
        let baseline = self.bench.baseline(facts);
        let mut truth = Truth { held: baseline.expected(), baseline, runs: Vec::new() };
        while truth.runs.len() < shown && (truth.runs.is_empty() || !truth.additions().is_empty()) {
            truth.runs.push(self.run(Engine::Ptrace, &pair.list, &nothing)?);
        }
        Ok(truth)
    }

    fn missed(&self, engine: Engine, pair: &Pair, truth: &Truth) -> Result<BTreeSet<Fact>, String> {
        let found = self.run(engine, &pair.list, &truth.baseline)?;
        Ok(&truth.expected_of(&found, pair.list.is_ordered) - &found.reached)
    }

    fn run(&self, engine: Engine, list: &List, baseline: &Baseline) -> Result<Run, String> {
        let target = Target {
            program: self.program.to_owned(),
            args: vec![list.argument()],
            folder: self.folder.clone(),
            timeout: Duration::from_secs(30),
        };
        let run = self.bench.run(engine, &target, baseline)?;
        match run.exit {
            Exit::Exited(0) => Ok(run),
            exit => Err(format!("{engine:?}: {exit:?}: {}", run.output.trim())),
        }
    }

    /// Returns the same miss with as few operations as possible.
    pub(crate) fn minimise(&self, miss: Miss) -> Miss {
        let mut smallest = miss;
        let mut at = smallest.list.operations.len();
        while at > 0 {
            at -= 1;
            if at >= smallest.list.operations.len() || at == smallest.inserted {
                continue;
            }
            let list = smallest.list.without(at);
            let Some(inserted) =
                list.operations.iter().position(|it| *it == smallest.list.operations[smallest.inserted])
            else {
                continue;
            };
            let same = |judged| match judged {
                Ok(Judged::Missed(misses)) => misses.into_iter().find(|miss: &Miss| miss.engine == smallest.engine),
                _ => None,
            };
            // An occasional miss needs more than one try.
            let tried = (0..3).find_map(|_| same(self.pair(&Pair { list: list.clone(), inserted })));
            smallest = tried.unwrap_or(smallest);
        }
        smallest
    }
}
