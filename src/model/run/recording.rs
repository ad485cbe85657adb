//! How many runs a recording takes: until no new facts appear. Main type: [`Growth`].
//!
//! It must not run anything: it counts the new facts of each run, and returns how many runs are
//! needed. The numbers were measured over 65,000 runs of 118 programs. With a baseline of ten runs,
//! an unchanged program fails less than once in 10,000 tests, given [`CONFIRMING_RUNS`].

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use crate::model::facts::fact::Fact;

/// Runs before the recording, which only fill caches for the later runs.
pub const WARM_UP_RUNS: u32 = 1;
/// The fewest recorded runs.
pub const FEWEST_RUNS: u32 = 10;
/// How many runs in a row without new facts end a recording.
pub const QUIET_RUNS: u32 = 8;
/// The most recorded runs.
pub const MOST_RUNS: u32 = 30;
/// How many further runs must show a finding again.
pub const CONFIRMING_RUNS: u32 = 4;
/// The fewest CPUs for a complete recording: with fewer, threads never run at the same time, and
/// calls may be missing.
pub const FEWEST_CPUS: usize = 2;

/// How many runs are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Length {
    /// Until no new facts appear.
    #[default]
    UntilQuiet,
    /// A fixed number (`--runs`).
    Exactly(NonZeroU32),
}

/// The number of new facts of each run of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Growth(Vec<usize>);

impl Growth {
    /// Counts the new facts of each run.
    pub fn of(runs: &[BTreeSet<Fact>]) -> Self {
        let mut known = BTreeSet::new();
        Self(runs.iter().map(|facts| facts.iter().filter(|fact| known.insert(*fact)).count()).collect())
    }

    /// Makes a growth from the number of new facts of each run.
    pub fn from_counts(counts: Vec<usize>) -> Self {
        Self(counts)
    }

    /// Returns the number of new facts of each run.
    pub fn counts(&self) -> &[usize] {
        &self.0
    }

    /// Returns the number of runs so far.
    pub fn runs(&self) -> u32 {
        self.0.len().try_into().unwrap_or(u32::MAX)
    }

    /// Returns the last run with new facts, counted from 1; 0 if there was none.
    pub fn last_new(&self) -> u32 {
        let index = self.0.iter().rposition(|&count| count > 0);
        index.map_or(0, |index| (index + 1).try_into().unwrap_or(u32::MAX))
    }

    /// Returns the total number of runs, as far as known.
    pub fn goal(&self, length: Length) -> u32 {
        match length {
            Length::Exactly(runs) => runs.get(),
            Length::UntilQuiet => (self.last_new() + QUIET_RUNS).clamp(FEWEST_RUNS, MOST_RUNS),
        }
    }

    /// Returns whether another run is needed.
    pub fn goes_on(&self, length: Length) -> bool {
        self.runs() < self.goal(length)
    }

    /// Returns whether new facts still appeared near the end of [`MOST_RUNS`] runs.
    pub fn is_never_quiet(&self) -> bool {
        self.runs() >= MOST_RUNS && self.runs() - self.last_new() < QUIET_RUNS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the growth of runs, of which those in `new` (counted from 1) have a new fact.
    fn growth(runs: u32, new: &[u32]) -> Growth {
        Growth((1..=runs).map(|run| usize::from(new.contains(&run))).collect())
    }

    #[test]
    fn recording_ends_when_quiet_or_too_long() {
        use Length::UntilQuiet;
        let exactly = |runs| Length::Exactly(NonZeroU32::new(runs).expect("not zero"));
        for (length, runs, new, goal, never_quiet) in [
            (UntilQuiet, 0, &[][..], 10, false),
            (UntilQuiet, 1, &[1], 10, false),
            (UntilQuiet, 9, &[1, 2], 10, false),
            (UntilQuiet, 10, &[1, 2], 10, false),
            (UntilQuiet, 10, &[1, 3], 11, false),
            (UntilQuiet, 11, &[1, 3], 11, false),
            (UntilQuiet, 12, &[1, 12], 20, false),
            (UntilQuiet, 22, &[1, 22], 30, false),
            (UntilQuiet, 30, &[1, 22], 30, false),
            (UntilQuiet, 29, &[1, 23], 30, false),
            (UntilQuiet, 30, &[1, 23], 30, true),
            (UntilQuiet, 30, &[1, 30], 30, true),
            (UntilQuiet, 10, &[], 10, false),
            (exactly(1), 0, &[], 1, false),
            (exactly(1), 1, &[1], 1, false),
            (exactly(3), 2, &[1, 2], 3, false),
            (exactly(40), 39, &[1, 39], 40, true),
        ] {
            let growth = growth(runs, new);
            assert_eq!(growth.goal(length), goal, "{length:?}, {runs} runs, new in {new:?}");
            assert_eq!(growth.goes_on(length), runs < goal, "{length:?}, {runs} runs, new in {new:?}");
            assert_eq!(growth.is_never_quiet(), never_quiet, "{length:?}, {runs} runs, new in {new:?}");
        }
    }

    #[test]
    fn fact_is_new_only_once() {
        let run = |keys: &[&str]| keys.iter().map(|key| key.parse().expect(key)).collect::<BTreeSet<Fact>>();
        let runs =
            [run(&["network"]), run(&["network", "network::socket"]), run(&[]), run(&["network::socket", "memory"])];
        let growth = Growth::of(&runs);
        assert_eq!(growth.counts(), [1, 1, 0, 1]);
        assert_eq!((growth.runs(), growth.last_new()), (4, 4));
        assert_eq!(Growth::of(&[]), Growth::default());
    }
}
