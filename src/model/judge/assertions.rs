//! Assertions on an [`Observation`] by rules.
//!
//! The names in a rule are checked first: a rule with an unknown name would never match.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::attribution::{Subsystem, Use};
use crate::model::expectation::Rule;
use crate::model::expectation::format::check_rule;
use crate::model::judge::forbid::rule_text;
use crate::model::observe::observation::Observation;

impl Observation {
    /// Returns the uses that a rule matches, with their calls. It panics on an unknown name, which
    /// would never match.
    #[track_caller]
    fn matching(&self, rule: &Rule) -> BTreeMap<Use, u64> {
        // Not in a closure, so that the panic names the user's line.
        if let Err(unknown) = check_rule(rule) {
            panic!("{unknown}");
        }
        assert!(
            rule.condition().is_none_or(|condition| self.conditions.contains(&condition)),
            "{}: calls were not compared with this range or path; pass the rule to `Tracer::rules` or `Check::rules`",
            rule_text(rule)
        );
        let mut calls = BTreeMap::new();
        for (_, uses) in self.parts().filter(|(phase, _)| rule.is_of(*phase)) {
            for (used, tally) in uses.iter() {
                let matching = match &rule.error {
                    None => rule.matches(used, None).then_some(tally.calls),
                    Some(_) => tally
                        .errors
                        .iter()
                        .find_map(|(&errno, &calls)| rule.matches(used, Some(errno)).then_some(calls)),
                };
                if let Some(matching) = matching {
                    *calls.entry(used.clone()).or_default() += matching;
                }
            }
        }
        calls
    }

    /// Returns the number of processes that a signal ended, if the rule matches that signal.
    fn ended_by(&self, rule: &Rule) -> u64 {
        self.ends.signals.iter().filter(|(signal, _)| rule.matches_signal(**signal)).map(|(_, count)| count).sum()
    }

    /// Returns the number of calls of each syscall, by name.
    pub fn syscalls(&self) -> BTreeMap<Cow<'static, str>, u64> {
        let mut calls = BTreeMap::new();
        for (used, tally) in &self.uses {
            *calls.entry(used.syscall.name()).or_default() += tally.calls;
        }
        calls
    }

    /// Returns the number of calls that reached each subsystem.
    pub fn subsystems(&self) -> BTreeMap<Subsystem, u64> {
        let mut calls = BTreeMap::new();
        for (used, tally) in &self.uses {
            *calls.entry(used.subsystem).or_default() += tally.calls;
        }
        calls
    }

    /// Returns how many calls match a [`Subsystem`], the name
    /// of a syscall, or a [`Rule`]. For a rule on a signal, these are the processes that it ended.
    ///
    /// # Panics
    ///
    /// If a name is not a syscall, error or signal, or if calls were not compared with the range or
    /// path of a rule: see [`Rule::path`].
    #[track_caller]
    pub fn calls_of(&self, what: impl Into<Rule>) -> u64 {
        let rule = what.into();
        self.matching(&rule).values().sum::<u64>() + self.ended_by(&rule)
    }

    /// Returns whether any call matches.
    ///
    /// # Panics
    ///
    /// As [`calls_of`](Self::calls_of).
    #[track_caller]
    pub fn uses(&self, what: impl Into<Rule>) -> bool {
        self.calls_of(what) > 0
    }

    /// Asserts that no call matches.
    ///
    /// # Panics
    ///
    /// If a call matches, with a list of all; and as [`calls_of`](Self::calls_of).
    #[track_caller]
    pub fn forbid(&self, what: impl Into<Rule>) {
        self.at_most(what, 0);
    }

    /// Asserts that every call matches one of these: subsystems, names of syscalls, or rules. Calls
    /// that scheduler, allocator, loader and vDSO decide are left out.
    ///
    /// # Panics
    ///
    /// If a call matches none, with a list of all; and as [`calls_of`](Self::calls_of).
    #[track_caller]
    pub fn only(&self, allowed: impl IntoIterator<Item = impl Into<Rule>>) {
        let rules: Vec<Rule> = allowed.into_iter().map(Into::into).collect();
        let matching: BTreeSet<Use> = rules.iter().flat_map(|rule| self.matching(rule).into_keys()).collect();
        let others = self.uses.iter().filter(|(used, _)| !used.ambient && !matching.contains(used));
        let listed: Vec<String> =
            others.map(|(used, tally)| format!("{}  {}", rule_text(&Rule::from(used)), tally.calls)).collect();
        let allowed: Vec<String> = rules.iter().map(rule_text).collect();
        assert!(listed.is_empty(), "only {} is allowed:\n  {}", allowed.join(", "), listed.join("\n  "));
    }

    /// Asserts that at most this many calls match.
    ///
    /// # Panics
    ///
    /// If more calls match, with a list of them; and as [`calls_of`](Self::calls_of).
    #[track_caller]
    pub fn at_most(&self, what: impl Into<Rule>, most: u64) {
        let rule = what.into();
        let matching = self.matching(&rule);
        let listed: Vec<String> =
            matching.iter().map(|(used, calls)| format!("{}  {calls}", rule_text(&Rule::from(used)))).collect();
        let ended = self.ended_by(&rule);
        let calls: u64 = matching.values().sum();
        let rule = rule_text(&rule);
        assert!(ended <= most, "{rule} ended {ended} processes, {most} are allowed");
        assert!(calls <= most, "{rule}: {calls} calls, {most} are allowed:\n  {}", listed.join("\n  "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::signal_name::SignalName;

    fn crashed() -> Observation {
        let mut seen = Observation::new();
        seen.ends.signals.insert(SignalName(11), 2);
        seen
    }

    #[test]
    fn range_and_path_match_compared_calls() {
        use crate::model::attribution::{Extent, Met};
        use crate::model::kernel::syscall::{Abi, Syscall};
        use crate::model::observe::observation::Tally;

        let (range, path) = (Rule::default().address("10.0.0.0/8"), Rule::from("openat").path("/etc/**"));
        let conditions = [&range, &path].map(|rule| rule.condition().expect("a condition"));
        let used = |name: &str, subsystem, met: &[usize]| Use {
            subsystem,
            syscall: Syscall::from_name(Abi::X86_64, name).expect(name),
            argument: None,
            object: None,
            ambient: false,
            met: Met::new(met.iter().map(|&at| (conditions[at].clone(), Extent::All))),
        };
        let tally = |calls| Tally { calls, errors: BTreeMap::new() };
        let seen = Observation {
            uses: [
                (used("connect", Subsystem::Network, &[0]), tally(2)),
                (used("connect", Subsystem::Network, &[]), tally(5)),
                (used("openat", Subsystem::Filesystem, &[1]), tally(3)),
            ]
            .into(),
            conditions: conditions.clone().into(),
            ..Observation::new()
        };
        assert_eq!([&range, &path].map(|rule| seen.calls_of(rule.clone())), [2, 3]);
        seen.forbid(range.syscall("sendto"));
        seen.only([Rule::from(Subsystem::Network), path]);
    }

    #[test]
    #[should_panic(
        expected = "{path: /etc/**}: calls were not compared with this range or path; pass the rule to `Tracer"
    )]
    fn uncompared_range_or_path_panics() {
        crashed().forbid(Rule::default().path("/etc/**"));
    }

    #[test]
    #[should_panic(expected = "bits behind the prefix are set, so write `10.0.0.0/8`")]
    fn invalid_range_panics() {
        crashed().forbid(Rule::default().address("10.0.0.1/8"));
    }

    #[test]
    fn rule_on_a_signal_counts_processes() {
        let rule = |name: &str| Rule::default().signal(name);
        assert_eq!(crashed().calls_of(rule("SIGSEGV")), 2);
        assert!(!crashed().uses(rule("SIGABRT")));
        crashed().at_most(rule("SIGSEGV"), 2);
    }

    #[test]
    #[should_panic(expected = "{signal: SIGSEGV} ended 2 processes, 0 are allowed")]
    fn forbidden_signal_panics() {
        crashed().forbid(Rule::default().signal("SIGSEGV"));
    }

    #[test]
    #[should_panic(expected = "a rule by `signal` takes no other part")]
    fn signal_of_calls_panics() {
        crashed().forbid(Rule::from("kill").signal("SIGSEGV"));
    }

    #[test]
    #[should_panic(expected = "unknown signal `SIGSEGF`: did you mean `SIGSEGV`?")]
    fn unknown_signal_panics() {
        crashed().forbid(Rule::default().signal("SIGSEGF"));
    }
}
