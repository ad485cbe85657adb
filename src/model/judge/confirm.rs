//! Confirms findings: a finding is confirmed if every run of the workload shows it. Main type:
//! [`Sightings`].
//!
//! It must not run anything. New subsystems and forbidden calls need no confirmation. Any other
//! finding that some run does not show becomes a [`Suspect`]: it is reported with its count and
//! does not fail.

use std::collections::BTreeSet;

use crate::model::attribution::Subsystem;
use crate::model::expectation::Projection;
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::{Comparison, Finding, FindingKind, Suspect};

/// The projection of each run of a workload.
#[derive(Debug, Clone, Default)]
pub struct Sightings(Vec<Projection>);

impl Sightings {
    /// Adds the next run.
    pub fn add(&mut self, run: Projection) {
        self.0.push(run);
    }

    /// Returns the number of runs.
    pub fn runs(&self) -> u32 {
        self.0.len().try_into().unwrap_or(u32::MAX)
    }

    /// Returns the facts of each run.
    pub fn facts(&self) -> Vec<BTreeSet<Fact>> {
        self.0.iter().map(|run| run.facts.keys().cloned().collect()).collect()
    }

    /// Returns whether another run can still confirm a finding of `comparison`, which covers all
    /// runs so far.
    pub fn can_confirm(&self, comparison: &Comparison) -> bool {
        let at_once = new_subsystems(comparison);
        comparison.findings.iter().any(|finding| !fails_at_once(finding, &at_once) && self.seen(finding) == self.runs())
    }

    /// Sets the calls of each finding to those of the first run that showed it, independent of the
    /// number of runs.
    pub fn with_calls_of_one_run(&self, mut comparison: Comparison) -> Comparison {
        for finding in comparison.new_mut() {
            if let Some(&calls) = self.0.iter().find_map(|run| run.facts.get(&finding.fact)) {
                finding.calls = calls;
            }
        }
        comparison
    }

    /// Moves findings that some run did not show to the suspects.
    pub fn sort(&self, mut comparison: Comparison) -> Comparison {
        let at_once = new_subsystems(&comparison);
        let certain = |finding: &Finding| fails_at_once(finding, &at_once) || self.seen(finding) == self.runs();
        let (findings, others) = comparison.findings.into_iter().partition(certain);
        comparison.findings = findings;
        let suspect = |finding| Suspect { seen: self.seen(&finding), runs: self.runs(), finding };
        comparison.suspects = Vec::into_iter(others).map(suspect).collect();
        comparison
    }

    fn seen(&self, finding: &Finding) -> u32 {
        let runs = self.0.iter().filter(|run| run.facts.contains_key(&finding.fact)).count();
        runs.try_into().unwrap_or(u32::MAX)
    }
}

fn new_subsystems(comparison: &Comparison) -> BTreeSet<Subsystem> {
    let new = comparison.findings.iter().filter(|finding| finding.kind == FindingKind::NewSubsystem);
    new.filter_map(|finding| finding.fact.subsystem()).collect()
}

/// Returns whether a finding fails without confirmation: forbidden calls, and everything in a new
/// subsystem.
fn fails_at_once(finding: &Finding, new_subsystems: &BTreeSet<Subsystem>) -> bool {
    finding.forbidden.is_some() || finding.fact.subsystem().is_some_and(|subsystem| new_subsystems.contains(&subsystem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(keys: &[&str]) -> Projection {
        let facts = keys.iter().map(|key| (key.parse().expect(key), 2)).collect();
        Projection { facts, ..Projection::default() }
    }

    fn finding(key: &str) -> Finding {
        let (key, forbidden) = match key.strip_suffix('!') {
            Some(key) => (key, Some("never".to_owned())),
            None => (key, None),
        };
        Finding { forbidden, ..Finding::new(key.parse().expect(key), 99) }
    }

    struct Case {
        name: &'static str,
        /// The new facts that each run showed.
        runs: &'static [&'static [&'static str]],
        /// The new facts of all runs together; `!`: forbidden.
        new: &'static [&'static str],
        findings: &'static [&'static str],
        suspects: &'static [&'static str],
        /// Whether another run can confirm a finding.
        open: bool,
    }

    const CASES: &[Case] = &[
        Case { name: "nothing new", runs: &[&[]], new: &[], findings: &[], suspects: &[], open: false },
        Case {
            name: "one run shows it: not confirmed yet",
            runs: &[&["filesystem::read"]],
            new: &["filesystem::read"],
            findings: &["filesystem::read"],
            suspects: &[],
            open: true,
        },
        Case {
            name: "every run shows one of two",
            runs: &[&["filesystem::read", "filesystem::write"], &["filesystem::read"], &["filesystem::read"]],
            new: &["filesystem::read", "filesystem::write"],
            findings: &["filesystem::read"],
            suspects: &["filesystem::write 1/3"],
            open: true,
        },
        Case {
            name: "facts that one of two runs showed are suspects",
            runs: &[&["filesystem::read"], &["filesystem::write"]],
            new: &["filesystem::read", "filesystem::write"],
            findings: &[],
            suspects: &["filesystem::read 1/2", "filesystem::write 1/2"],
            open: false,
        },
        Case {
            name: "a new subsystem and its calls fail at once in any run",
            runs: &[&["filesystem::read"], &["network", "network::socket"]],
            new: &["network", "filesystem::read", "network::socket"],
            findings: &["network", "network::socket"],
            suspects: &["filesystem::read 1/2"],
            open: false,
        },
        Case {
            name: "a forbidden fact fails at once, in the projection or not",
            runs: &[&["filesystem::read"], &[]],
            new: &["filesystem::read!", "memory::brk!"],
            findings: &["filesystem::read", "memory::brk"],
            suspects: &[],
            open: false,
        },
        Case {
            name: "blind spots and ABIs are confirmed like calls",
            runs: &[&["blind_spots::io_uring", "filesystem::read::abi=i386"], &["filesystem::read::abi=i386"]],
            new: &["blind_spots::io_uring", "filesystem::read::abi=i386"],
            findings: &["filesystem::read::abi=i386"],
            suspects: &["blind_spots::io_uring 1/2"],
            open: true,
        },
    ];

    #[test]
    fn facts_of_every_run_are_confirmed() {
        for case in CASES {
            let mut sightings = Sightings::default();
            case.runs.iter().for_each(|keys| sightings.add(run(keys)));
            let findings = case.new.iter().map(|key| finding(key)).collect();
            let all = Comparison { findings, ..Comparison::default() };
            assert_eq!(sightings.can_confirm(&all), case.open, "{}", case.name);
            let sorted = sightings.sort(all);
            let findings: Vec<String> = sorted.findings.iter().map(|finding| finding.fact.to_string()).collect();
            assert_eq!(findings, case.findings, "{}", case.name);
            let show = |Suspect { finding, seen, runs }: &Suspect| format!("{} {seen}/{runs}", finding.fact);
            let suspects: Vec<String> = sorted.suspects.iter().map(show).collect();
            assert_eq!(suspects, case.suspects, "{}", case.name);
        }
    }

    #[test]
    fn calls_are_those_of_one_run() {
        let mut sightings = Sightings::default();
        (0..5).for_each(|_| sightings.add(run(&["filesystem::read"])));
        let all = Comparison { findings: vec![finding("filesystem::read")], ..Comparison::default() };
        assert_eq!(sightings.with_calls_of_one_run(all).findings[0].calls, 2);
    }
}
