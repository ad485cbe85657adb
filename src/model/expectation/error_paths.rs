//! What an expectation says about error paths: which outcomes are accepted, and which facts follow
//! from what was recorded.
//!
//! Facts of error paths are kept apart from those of the baseline, which never grows by them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::merge::insert_use;
use super::project::{facts_of_uses, implied};
use super::terms::{ErrorPaths, ExploreSettings, OutcomeRule};
use crate::model::facts::error_path::{FailedCall, RunOutcome};
use crate::model::facts::fact::Fact;

impl ExploreSettings {
    /// How long a workload is explored by default.
    pub const BUDGET: Duration = Duration::from_secs(60);

    /// Returns the first exception that matches an outcome.
    pub fn exception(&self, call: &FailedCall, outcome: RunOutcome) -> Option<&OutcomeRule> {
        self.except.iter().find(|rule| rule.matches(call, outcome))
    }
}

impl OutcomeRule {
    /// Returns whether the rule matches this outcome of this call.
    pub fn matches(&self, call: &FailedCall, outcome: RunOutcome) -> bool {
        let is_wanted = |wanted: &Option<String>, actual: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| actual == Some(wanted))
        };
        is_wanted(&self.syscall, Some(&call.syscall))
            && is_wanted(&self.argument, call.argument.as_deref())
            && self.error.is_none_or(|wanted| wanted == call.fault)
            && self.outcome.is_none_or(|wanted| wanted == outcome)
    }
}

impl ErrorPaths {
    /// Returns the facts, with those that follow from them.
    pub fn expected(&self) -> BTreeSet<Fact> {
        let mut facts: BTreeSet<Fact> = facts_of_uses(&self.uses).collect();
        facts.extend(implied(facts.iter()));
        facts.extend(self.blind_spots.iter().cloned().map(Fact::BlindSpot));
        facts.extend(self.signals.iter().copied().map(Fact::Signal));
        facts
    }

    /// Returns whether it holds this outcome of this call.
    pub fn holds(&self, call: &FailedCall, outcome: RunOutcome) -> bool {
        self.outcomes.get(&outcome).is_some_and(|calls| calls.contains(call))
    }

    /// Adds a fact, together with the coarser facts that it is part of. Phases of error paths are
    /// not kept.
    pub fn insert(&mut self, fact: &Fact) {
        match fact {
            Fact::Use { subsystem, syscall, detail } => {
                insert_use(&mut self.uses, *subsystem, syscall.as_ref(), detail.as_ref());
            }
            Fact::BlindSpot(spot) => drop(self.blind_spots.insert(spot.clone())),
            Fact::Signal(signal) => drop(self.signals.insert(*signal)),
            Fact::Phase { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::error_path::FaultName;

    fn call(text: &str) -> FailedCall {
        text.parse().expect(text)
    }

    #[test]
    fn exception_matches_every_given_part() {
        let rule = OutcomeRule {
            syscall: Some("fcntl".to_owned()),
            argument: Some("F_SETFD".to_owned()),
            error: FaultName::from_name("EBADF"),
            outcome: Some(RunOutcome::Silent),
            why: None,
        };
        let matches = |rule: &OutcomeRule, text: &str, outcome| rule.matches(&call(text), outcome);
        assert!(matches(&rule, "fcntl F_SETFD EBADF", RunOutcome::Silent));
        for (text, outcome) in [
            ("fcntl F_SETFD EBADF", RunOutcome::Panic),
            ("fcntl F_SETFD EPERM", RunOutcome::Silent),
            ("fcntl F_GETFD EBADF", RunOutcome::Silent),
            ("fcntl EBADF", RunOutcome::Silent),
            ("ioctl F_SETFD EBADF", RunOutcome::Silent),
        ] {
            assert!(!matches(&rule, text, outcome), "{text} {outcome}");
        }
        let settings = ExploreSettings { except: vec![OutcomeRule { outcome: None, ..rule }], ..Default::default() };
        assert!(settings.exception(&call("fcntl F_SETFD EBADF"), RunOutcome::Panic).is_some());
        assert!(settings.exception(&call("read EIO"), RunOutcome::Panic).is_none());
    }

    #[test]
    fn recorded_facts_include_coarser_ones() {
        let mut paths = ErrorPaths::default();
        for key in ["device::ioctl::TCGETS,char:pts", "blind_spots::io_uring", "signals::SIGSEGV"] {
            paths.insert(&key.parse().expect(key));
        }
        paths.insert(&"phase=serving::network::read".parse().expect("a fact"));
        let expected: Vec<String> = paths.expected().iter().map(ToString::to_string).collect();
        let mut facts = [
            "device",
            "device::ioctl",
            "device::ioctl::argument=TCGETS",
            "device::ioctl::TCGETS,char:pts",
            "blind_spots::io_uring",
            "signals::SIGSEGV",
        ];
        let mut sorted = expected.clone();
        sorted.sort();
        facts.sort_unstable();
        assert_eq!(sorted, facts);
    }
}
