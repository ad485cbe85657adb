//! Assertions on an [`Observation`], by rules that are checked first.

use std::collections::BTreeMap;

use crate::model::attribution::Use;
use crate::model::expectation::Rule;
use crate::model::expectation::format::check_rule;
use crate::model::judge::forbid::in_words;
use crate::model::observe::observation::Observation;

impl Observation {
    /// What a rule matches. A name that nothing has would match nothing for ever, so it panics.
    #[track_caller]
    fn matching(&self, rule: &Rule) -> BTreeMap<Use, u64> {
        check_rule(rule).unwrap_or_else(|unknown| panic!("{unknown}"));
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

    /// How often what is named was called: a [`Subsystem`](crate::model::attribution::Subsystem), a
    /// system call's name, or a [`Rule`].
    ///
    /// # Panics
    ///
    /// Where the name is that of no syscall or error.
    #[track_caller]
    pub fn calls_of(&self, what: impl Into<Rule>) -> u64 {
        self.matching(&what.into()).values().sum()
    }

    /// Whether it was called at all.
    ///
    /// # Panics
    ///
    /// As [`calls_of`](Self::calls_of).
    #[track_caller]
    pub fn uses(&self, what: impl Into<Rule>) -> bool {
        self.calls_of(what) > 0
    }

    /// Asserts that it was not called.
    ///
    /// # Panics
    ///
    /// Where it was, with what and how often; and as [`calls_of`](Self::calls_of).
    #[track_caller]
    pub fn forbid(&self, what: impl Into<Rule>) {
        self.at_most(what, 0);
    }

    /// Asserts that it was called no more often than this.
    ///
    /// # Panics
    ///
    /// Where it was, with what and how often; and as [`calls_of`](Self::calls_of).
    #[track_caller]
    pub fn at_most(&self, what: impl Into<Rule>, most: u64) {
        let rule = what.into();
        let matching = self.matching(&rule);
        let told: Vec<String> =
            matching.iter().map(|(used, calls)| format!("{}  {calls}", in_words(&Rule::from(used)))).collect();
        let calls: u64 = matching.values().sum();
        let rule = in_words(&rule);
        assert!(calls <= most, "{rule}: {calls} calls, {most} are allowed:\n  {}", told.join("\n  "));
    }
}
