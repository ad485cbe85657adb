//! Finds the example of each fact: the first call that shows it. Main type: [`FirstExamples`].
//!
//! Unlike [`FirstCallers`](super::first_callers::FirstCallers), it follows the order of calls, and
//! leaves out calls that are not judged.

use std::collections::BTreeMap;

use super::first_callers::shown;
use super::terms::{Document, Rule};
use crate::model::attribution::Use;
use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::observe::example::Example;
use crate::model::observe::observation::Observation;

/// The examples of an observation, by fact.
#[derive(Debug, Clone, Default)]
pub struct FirstExamples<'a>(BTreeMap<Fact, (usize, &'a Example)>);

impl<'a> FirstExamples<'a> {
    /// Indexes the examples of an observation.
    ///
    /// A call that is neither judged nor forbidden by this document is no example: its finding is
    /// about other calls.
    pub fn of(observation: &'a Observation, document: &Document) -> Self {
        let mut index = Self::default();
        for (phase, used, at, example) in observation.examples.first() {
            if !counts(document, phase, used) {
                continue;
            }
            let abi = phase.is_none().then(|| detailed(used, Detail::Abi(used.syscall.abi)));
            shown(phase, used).into_iter().chain(abi).for_each(|fact| index.add(fact, at, example));
        }
        for (used, errno, at, example) in observation.examples.failed() {
            if counts(document, None, used) || document.forbid.iter().any(|rule| rule.matches(used, Some(errno))) {
                index.add(detailed(used, Detail::Error(ErrnoName(errno))), at, example);
            }
        }
        index
    }

    fn add(&mut self, fact: Fact, at: usize, example: &'a Example) {
        let earliest = self.0.entry(fact).or_insert((at, example));
        if at < earliest.0 {
            *earliest = (at, example);
        }
    }

    /// Returns the example of a fact; `None` if the observation has none.
    pub fn of_fact(&self, fact: &Fact) -> Option<Example> {
        self.0.get(fact).map(|(_, example)| (*example).clone())
    }
}

/// Returns whether a finding can be about calls of this use.
fn counts(document: &Document, phase: Option<&str>, used: &Use) -> bool {
    let concerns = |rule: &Rule| rule.is_of(phase) && rule.matches(used, None);
    let is_judged = || (!used.ambient || document.ambient_strict) && !document.tolerate.iter().any(concerns);
    is_judged() || document.forbid.iter().any(concerns)
}

fn detailed(used: &Use, detail: Detail) -> Fact {
    Fact::Use { subsystem: used.subsystem, syscall: Some(used.syscall.name().into_owned()), detail: Some(detail) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::Subsystem;
    use crate::model::expectation::Level;
    use crate::model::kernel::call::Errno;
    use crate::model::kernel::syscall::{Abi, Syscall};
    use crate::model::observe::observation::First;

    fn used(syscall: i64, argument: Option<&'static str>, object: Option<&str>, ambient: bool) -> Use {
        Use {
            subsystem: Subsystem::Filesystem,
            syscall: Syscall { abi: Abi::X86_64, number: syscall },
            argument: argument.map(Into::into),
            object: object.map(Into::into),
            ambient,
        }
    }

    fn seen(calls: &[(Use, Option<i32>, bool, &str)]) -> Observation {
        let mut seen = Observation::new();
        for (used, errno, of_run, text) in calls {
            let first = First { used: used.clone(), phase: None, of_run: *of_run, error: errno.map(Errno) };
            seen.shown_by(&first, &Example::new(text, None, Vec::new()));
        }
        seen
    }

    fn found(seen: &Observation, document: &Document, key: &str) -> Option<String> {
        FirstExamples::of(seen, document).of_fact(&key.parse().expect(key)).map(|example| example.call)
    }

    #[test]
    fn example_is_the_first_call_of_a_fact() {
        let seen = seen(&[
            (used(1, None, Some("pipe"), false), None, true, "first"),
            (used(0, None, Some("file:ext4"), false), None, true, "second"),
            (used(0, None, None, false), Some(9), true, "third"),
            (used(0, None, Some("file:ext4"), false), Some(5), false, "fourth"),
        ]);
        let document = Document { level: Level::Error, ..Document::for_tests() };
        for (key, call) in [
            ("filesystem", Some("first")),
            ("filesystem::read", Some("second")),
            ("filesystem::read::object=file", Some("second")),
            ("filesystem::read::error=EBADF", Some("third")),
            ("filesystem::read::error=EIO", Some("fourth")),
            ("filesystem::read::error=EPERM", None),
            ("filesystem::read::abi=x86_64", Some("second")),
            ("network", None),
        ] {
            assert_eq!(found(&seen, &document, key).as_deref(), call, "{key}");
        }
    }

    #[test]
    fn unjudged_call_is_an_example_only_if_forbidden() {
        let seen = seen(&[
            (used(0, None, None, true), None, true, "ambient"),
            (used(1, None, None, false), None, true, "tolerated"),
            (used(3, None, None, false), None, true, "judged"),
        ]);
        let tolerate = vec![Rule::from("write")];
        let document = Document { tolerate, ..Document::for_tests() };
        assert_eq!(found(&seen, &document, "filesystem").as_deref(), Some("judged"));
        let strict = Document { ambient_strict: true, ..document.clone() };
        assert_eq!(found(&seen, &strict, "filesystem").as_deref(), Some("ambient"));
        let forbids = Document { forbid: vec![Rule::from("write")], ..document };
        assert_eq!(found(&seen, &forbids, "filesystem::write").as_deref(), Some("tolerated"));
    }
}
