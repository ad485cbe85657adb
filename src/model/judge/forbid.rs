//! Applies `forbid:` rules to an observation. Main type: [`Broken`].
//!
//! Rules match every use and every signal that ended a process, including tolerated, ambient and
//! held ones, so that scheduling cannot switch a rule off. It must not decide what follows:
//! [`compare`](crate::model::judge::compare) and [`decide`](crate::model::judge::decide) do.

use std::collections::BTreeMap;

use crate::model::attribution::Use;
use crate::model::expectation::project::all_details_of;
use crate::model::expectation::{Rule, Version};
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::kernel::call::Errno;
use crate::model::observe::observation::Observation;

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The number of calls that break it.
    pub calls: u64,
    /// The author's reason, or the rule itself.
    pub rule: String,
    /// The rule's place among all.
    pub at: usize,
}

/// Returns every fact that breaks a rule, at the detail of the rule; of several rules the first.
/// Rules on an argument or an object give the facts of baselines of `version`.
pub fn broken(rules: &[Rule], observation: &Observation, version: Version) -> BTreeMap<Fact, Broken> {
    let mut facts = BTreeMap::new();
    for (at, rule) in rules.iter().enumerate() {
        for (fact, calls) in broken_by(rule, observation, version) {
            facts.entry(fact).or_insert_with(|| Broken { calls, rule: rule_text(rule), at });
        }
    }
    facts
}

/// Returns every fact that this rule forbids, with its calls.
fn broken_by(rule: &Rule, observation: &Observation, version: Version) -> BTreeMap<Fact, u64> {
    let signals = observation.ends.signals.keys().filter(|signal| rule.matches_signal(**signal));
    let mut facts: BTreeMap<Fact, u64> = signals.map(|signal| (Fact::Signal(*signal), 0)).collect();
    for (phase, uses) in observation.parts().filter(|(phase, _)| rule.is_of(*phase)) {
        for (used, tally) in uses.iter() {
            let whole = std::iter::once((None, tally.calls)).filter(|_| rule.error.is_none());
            let failed = tally.errors.iter().map(|(&errno, &calls)| (Some(errno), calls));
            let failed = failed.filter(|_| rule.error.is_some());
            for (errno, calls) in whole.chain(failed).filter(|&(errno, _)| rule.matches(used, errno)) {
                *facts.entry(fact_of(rule, phase, used, errno, version)).or_default() += calls;
            }
        }
    }
    facts
}

/// Returns the fact of a use at the detail that the rule names; a syscall for rules on a phase.
fn fact_of(rule: &Rule, phase: Option<&str>, used: &Use, errno: Option<Errno>, version: Version) -> Fact {
    if let Some(phase) = phase.filter(|_| rule.phase.is_some()) {
        return used.in_phase(phase);
    }
    let is_named = |detail: &Detail| match detail {
        _ if rule.selects_calls() => true,
        Detail::Pair(_) => rule.argument.is_some() || rule.object.is_some(),
        Detail::Argument(_) => rule.argument.is_some(),
        _ => rule.object.is_some(),
    };
    // Of an argument and an object on their own, the object says more.
    let details = all_details_of(used, version).into_iter().rev().flatten();
    let error = errno.map(|errno| Detail::Error(ErrnoName(errno)));
    let detail = error.or_else(|| details.into_iter().find(is_named));
    let syscall = (detail.is_some() || rule.syscall.is_some()).then(|| used.syscall.name().into_owned());
    Fact::Use { subsystem: used.subsystem, syscall, detail }
}

/// Returns the author's reason, or the rule itself.
pub(in crate::model) fn rule_text(rule: &Rule) -> String {
    let parts = || rule.parts().map(|(part, value)| format!("{part}: {value}")).collect::<Vec<_>>();
    rule.why.clone().unwrap_or_else(|| format!("{{{}}}", parts().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::Subsystem;
    use crate::model::facts::signal_name::SignalName;
    use crate::model::kernel::syscall::{Abi, Syscall};
    use crate::model::observe::observation::Tally;

    /// Ten ambient calls of an unknown number in `network`, three of which failed with EPERM.
    fn observation() -> Observation {
        let used = Use {
            subsystem: Subsystem::Network,
            syscall: Syscall { abi: Abi::X86_64, number: 0x3e7 },
            argument: Some("A".into()),
            object: Some("file:ext4".into()),
            ambient: true,
            met: Default::default(),
        };
        let tally = Tally { calls: 10, errors: BTreeMap::from([(Errno(1), 3)]) };
        Observation { uses: BTreeMap::from([(used, tally)]), ..Observation::new() }
    }

    /// Formats the broken rules as `FACT CALLS: RULE`.
    fn shown(rules: &[Rule]) -> Vec<String> {
        let broken = broken(rules, &observation(), Version::One);
        broken.iter().map(|(fact, broken)| format!("{fact} {}: {}", broken.calls, broken.rule)).collect()
    }

    #[test]
    fn ambient_calls_break_rules_at_their_detail() {
        let text = |text: &str| Some(text.to_owned());
        let subsystem = Some(Subsystem::Network);
        for (rule, broken) in [
            (Rule { subsystem, ..Rule::default() }, "network 10: {subsystem: network}"),
            (
                Rule { syscall: text("syscall_0x3e7"), ..Rule::default() },
                "network::syscall_0x3e7 10: {syscall: syscall_0x3e7}",
            ),
            (
                Rule { subsystem, argument: text("A"), ..Rule::default() },
                "network::syscall_0x3e7::argument=A 10: {subsystem: network, argument: A}",
            ),
            (
                Rule { object: text("file"), ..Rule::default() },
                "network::syscall_0x3e7::object=file 10: {object: file}",
            ),
            (Rule { error: text("EPERM"), ..Rule::default() }, "network::syscall_0x3e7::error=EPERM 3: {error: EPERM}"),
        ] {
            assert_eq!(shown(&[rule]), [broken]);
        }
        assert_eq!(shown(&[Rule { error: text("EACCES"), ..Rule::default() }]), [""; 0]);
    }

    #[test]
    fn signal_breaks_a_rule_where_signals_are_not_judged() {
        let mut seen = observation();
        seen.ends.signals.insert(SignalName(11), 2);
        let broken =
            broken(&[Rule::default().signal("SIGSEGV"), Rule::default().signal("SIGKILL")], &seen, Version::One);
        let shown: Vec<String> = broken.iter().map(|(fact, broken)| format!("{fact}: {}", broken.rule)).collect();
        assert_eq!(shown, ["signals::SIGSEGV: {signal: SIGSEGV}"]);
    }

    #[test]
    fn rule_of_a_phase_is_broken_only_there() {
        let mut seen = observation();
        let (used, mut tally) =
            seen.uses.first_key_value().map(|(used, tally)| (used.clone(), tally.clone())).expect("one");
        tally.calls = 4;
        seen.phases.insert("serving".to_owned(), BTreeMap::from([(used, tally)]));
        let rule = |phase: &str| Rule {
            phase: Some(phase.to_owned()),
            subsystem: Some(Subsystem::Network),
            object: Some("file".to_owned()),
            ..Rule::default()
        };
        let broken: Vec<(Fact, Broken)> =
            broken(&[rule("serving"), rule("ending")], &seen, Version::One).into_iter().collect();
        let [(fact, Broken { calls: 4, rule, at: 0 })] = &broken[..] else { panic!("{broken:?}") };
        assert_eq!(fact.to_string(), "phase=serving::network::syscall_0x3e7");
        assert_eq!(rule, "{phase: serving, subsystem: network, object: file}");
    }

    #[test]
    fn first_rule_gives_the_reason() {
        let because =
            |why: &str| Rule { subsystem: Some(Subsystem::Network), why: Some(why.to_owned()), ..Rule::default() };
        assert_eq!(shown(&[because("first"), because("second")]), ["network 10: first"]);
    }
}
