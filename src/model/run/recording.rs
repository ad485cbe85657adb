//! How often a workload is run before what it showed is a baseline: until it is quiet. Main type:
//! [`Growth`].
//!
//! It must not run anything: it counts what each run brought, and says how many runs are due. The
//! numbers were measured over 65,000 runs of 118 programs: what ten runs show fails an unchanged
//! program less than once in 10,000 tests, given [`CONFIRMING_RUNS`].

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use crate::model::facts::fact::Fact;

/// Run first and forgotten: it fills caches that later runs find filled.
pub const WARM_UP_RUNS: u32 = 1;
/// No fewer runs are recorded.
pub const FEWEST_RUNS: u32 = 10;
/// So many runs in a row that bring nothing new are quiet.
pub const QUIET_RUNS: u32 = 8;
/// No more runs are recorded, quiet or not.
pub const MOST_RUNS: u32 = 30;
/// So many further runs must show a finding again.
pub const CONFIRMING_RUNS: u32 = 4;
/// A set that was recorded on fewer CPUs lacks what threads do when they really run at the same
/// time.
pub const FEWEST_CPUS: usize = 2;

/// How many runs are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Length {
    /// Until nothing new comes any more.
    #[default]
    UntilQuiet,
    /// So many (`--runs`).
    Exactly(NonZeroU32),
}

/// How a recording grew: the number of facts that each run brought, and none before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Growth(Vec<usize>);

impl Growth {
    /// The growth of a recording in which each run showed these facts.
    pub fn of(runs: &[BTreeSet<Fact>]) -> Self {
        let mut known = BTreeSet::new();
        Self(runs.iter().map(|facts| facts.iter().filter(|fact| known.insert(*fact)).count()).collect())
    }

    /// From what each run brought.
    pub fn from_counts(counts: Vec<usize>) -> Self {
        Self(counts)
    }

    /// What each run brought.
    pub fn counts(&self) -> &[usize] {
        &self.0
    }

    /// Runs so far.
    pub fn runs(&self) -> u32 {
        self.0.len().try_into().unwrap_or(u32::MAX)
    }

    /// The last run that brought something, counted from 1; 0 where none did.
    pub fn last_new(&self) -> u32 {
        let index = self.0.iter().rposition(|&count| count > 0);
        index.map_or(0, |index| (index + 1).try_into().unwrap_or(u32::MAX))
    }

    /// How many runs there will be, as far as is known by now.
    pub fn goal(&self, length: Length) -> u32 {
        match length {
            Length::Exactly(runs) => runs.get(),
            Length::UntilQuiet => (self.last_new() + QUIET_RUNS).clamp(FEWEST_RUNS, MOST_RUNS),
        }
    }

    /// Whether another run is due.
    pub fn goes_on(&self, length: Length) -> bool {
        self.runs() < self.goal(length)
    }

    /// Whether as many runs as are ever recorded brought something new to the end.
    pub fn is_restless(&self) -> bool {
        self.runs() >= MOST_RUNS && self.runs() - self.last_new() < QUIET_RUNS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of which those in `new` (counted from 1) bring something.
    fn growth(runs: u32, new: &[u32]) -> Growth {
        Growth((1..=runs).map(|run| usize::from(new.contains(&run))).collect())
    }

    #[test]
    fn it_goes_on_until_it_is_quiet_or_too_long() {
        use Length::UntilQuiet;
        let exactly = |runs| Length::Exactly(NonZeroU32::new(runs).expect("not zero"));
        for (length, runs, new, goal, restless) in [
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
            assert_eq!(growth.is_restless(), restless, "{length:?}, {runs} runs, new in {new:?}");
        }
    }

    #[test]
    fn a_fact_is_new_once() {
        let run = |keys: &[&str]| keys.iter().map(|key| key.parse().expect(key)).collect::<BTreeSet<Fact>>();
        let runs =
            [run(&["network"]), run(&["network", "network::socket"]), run(&[]), run(&["network::socket", "memory"])];
        let growth = Growth::of(&runs);
        assert_eq!(growth.counts(), [1, 1, 0, 1]);
        assert_eq!((growth.runs(), growth.last_new()), (4, 4));
        assert_eq!(Growth::of(&[]), Growth::default());
    }
}
