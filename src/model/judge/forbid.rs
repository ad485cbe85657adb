//! What an author forbids: the `forbid:` rules against what was observed. Main type: [`Broken`].
//!
//! Rules match every use, be it tolerated, ambient or in the baseline: a rule that scheduling can
//! switch off forbids nothing. What follows from it is [`compare`](crate::model::judge::compare)'s
//! and [`decide`](crate::model::judge::decide)'s.

use std::collections::BTreeMap;

use crate::model::attribution::Use;
use crate::model::expectation::Rule;
use crate::model::expectation::storage::written_object;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::kernel::call::Errno;
use crate::model::observe::observation::Observation;

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Calls that break it.
    pub calls: u64,
    /// Its author's reason, else the rule itself.
    pub rule: String,
}

/// Every fact that breaks a rule, as deep as the rule goes; of several rules the first.
pub fn broken(rules: &[Rule], observation: &Observation) -> BTreeMap<Fact, Broken> {
    let mut facts = BTreeMap::new();
    for rule in rules {
        for (fact, calls) in broken_by(rule, observation) {
            facts.entry(fact).or_insert_with(|| Broken { calls, rule: in_words(rule) });
        }
    }
    facts
}

/// Every fact that this rule forbids, with its calls.
fn broken_by(rule: &Rule, observation: &Observation) -> BTreeMap<Fact, u64> {
    let mut facts = BTreeMap::new();
    for (phase, uses) in observation.parts().filter(|(phase, _)| rule.is_of(*phase)) {
        for (used, tally) in uses.iter() {
            let whole = std::iter::once((None, tally.calls)).filter(|_| rule.error.is_none());
            let failed = tally.errors.iter().map(|(&errno, &calls)| (Some(errno), calls));
            let failed = failed.filter(|_| rule.error.is_some());
            for (errno, calls) in whole.chain(failed).filter(|&(errno, _)| rule.matches(used, errno)) {
                *facts.entry(fact_of(rule, phase, used, errno)).or_default() += calls;
            }
        }
    }
    facts
}

/// The use as deep as the rule names it; in a phase as deep as facts of phases go.
fn fact_of(rule: &Rule, phase: Option<&str>, used: &Use, errno: Option<Errno>) -> Fact {
    if let Some(phase) = phase.filter(|_| rule.phase.is_some()) {
        return used.in_phase(phase);
    }
    let argument = used.argument.as_ref().filter(|_| rule.argument.is_some());
    let object = used.object.as_ref().filter(|_| rule.object.is_some());
    let detail = errno
        .map(|errno| Detail::Error(errno.name().into_owned()))
        .or_else(|| object.map(|object| Detail::Object(written_object(object).into_owned())))
        .or_else(|| argument.map(|argument| Detail::Argument(argument.to_string())));
    let syscall = (detail.is_some() || rule.syscall.is_some()).then(|| used.syscall.name().into_owned());
    Fact::Use { subsystem: used.subsystem, syscall, detail }
}

/// Its author's reason, else the rule itself.
pub(in crate::model) fn in_words(rule: &Rule) -> String {
    let parts = || rule.parts().map(|(part, value)| format!("{part}: {value}")).collect::<Vec<_>>();
    rule.why.clone().unwrap_or_else(|| format!("{{{}}}", parts().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::Subsystem;
    use crate::model::kernel::syscall::{Abi, Syscall};
    use crate::model::observe::observation::Tally;

    /// Ten calls of an unknown number in `network` on a socket, three of which failed with EPERM;
    /// ambient.
    fn observation() -> Observation {
        let used = Use {
            subsystem: Subsystem::Network,
            syscall: Syscall { abi: Abi::X86_64, number: 0x3e7 },
            argument: Some("A".into()),
            object: Some("file:ext4".into()),
            ambient: true,
        };
        let tally = Tally { calls: 10, errors: BTreeMap::from([(Errno(1), 3)]) };
        Observation { uses: BTreeMap::from([(used, tally)]), ..Observation::new() }
    }

    /// What breaks the rules, as `FACT CALLS: RULE`.
    fn told(rules: &[Rule]) -> Vec<String> {
        let broken = broken(rules, &observation());
        broken.iter().map(|(fact, broken)| format!("{fact} {}: {}", broken.calls, broken.rule)).collect()
    }

    #[test]
    fn a_rule_is_broken_as_deep_as_it_goes_by_ambient_calls_too() {
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
            assert_eq!(told(&[rule]), [broken]);
        }
        assert_eq!(told(&[Rule { error: text("EACCES"), ..Rule::default() }]), [""; 0]);
    }

    #[test]
    fn a_rule_of_a_phase_is_broken_there_only() {
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
        let broken: Vec<(Fact, Broken)> = broken(&[rule("serving"), rule("ending")], &seen).into_iter().collect();
        let [(fact, Broken { calls: 4, rule })] = &broken[..] else { panic!("{broken:?}") };
        assert_eq!(fact.to_string(), "phase=serving::network::syscall_0x3e7");
        assert_eq!(rule, "{phase: serving, subsystem: network, object: file}");
    }

    #[test]
    fn the_first_rule_says_why() {
        let because =
            |why: &str| Rule { subsystem: Some(Subsystem::Network), why: Some(why.to_owned()), ..Rule::default() };
        assert_eq!(told(&[because("first"), because("second")]), ["network 10: first"]);
    }
}
