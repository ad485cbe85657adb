//! Finds the example of each fact: the first call that shows it. Main type: [`FirstExamples`].

use super::first_callers::FirstCalls;
use super::terms::Document;
use crate::model::facts::fact::Fact;
use crate::model::observe::example::Example;
use crate::model::observe::observation::Observation;

/// The examples of an observation, by fact.
#[derive(Debug, Clone)]
pub struct FirstExamples<'a>(FirstCalls<'a, Example>);

impl<'a> FirstExamples<'a> {
    /// Indexes the examples of an observation, as far as this document judges the calls.
    pub fn of(observation: &'a Observation, document: &Document) -> Self {
        Self(FirstCalls::of(document, observation.examples.first(), observation.examples.failed()))
    }

    /// Returns the example of a fact; `None` if the observation has none.
    pub fn of_fact(&self, fact: &Fact) -> Option<Example> {
        self.0.of_fact(fact).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::{Subsystem, Use};
    use crate::model::expectation::Level;
    use crate::model::expectation::first_callers::FirstCallers;
    use crate::model::expectation::terms::Rule;
    use crate::model::kernel::call::Errno;
    use crate::model::kernel::syscall::{Abi, Syscall};
    use crate::model::observe::call_site::{CallSite, Frame};
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

    #[test]
    fn site_and_example_are_of_the_same_call() {
        let used = |number, ambient| Use {
            subsystem: Subsystem::Network,
            syscall: Syscall { abi: Abi::X86_64, number },
            argument: None,
            object: None,
            ambient,
        };
        let mut seen = Observation::new();
        let calls = [
            (used(0, true), None, true, "ambient"),
            (used(1, false), None, true, "tolerated"),
            (used(3, false), None, true, "judged"),
            (used(3, false), Some(1), false, "refused"),
            (used(3, false), Some(2), false, "absent"),
        ];
        for (used, errno, of_run, function) in calls {
            let first = First { used, phase: None, of_run, error: errno.map(Errno) };
            let frames = vec![Frame { function: Some(function.to_owned()), ..Frame::default() }];
            seen.called_by(&first, &CallSite { frames, ..CallSite::default() });
            seen.shown_by(&first, &Example::new(function, None, Vec::new()));
        }
        let document = Document { tolerate: vec![Rule::from("write")], ..Document::for_tests() };
        let (callers, examples) = (FirstCallers::of(&seen, &document), FirstExamples::of(&seen, &document));
        for (key, function) in [
            ("network", Some("judged")),
            ("network::close", Some("judged")),
            ("network::close::error=EPERM", Some("refused")),
            ("network::close::error=ENOENT", Some("absent")),
            ("network::close::error=EIO", None),
            ("network::write", None),
        ] {
            let fact = key.parse().expect(key);
            let site = callers.of_fact(&fact);
            assert_eq!(site.is_some(), function.is_some(), "{key}");
            assert!(site.is_none_or(|site| site.words.contains(function.unwrap_or_default())), "{key}");
            assert_eq!(examples.of_fact(&fact).map(|example| example.call).as_deref(), function, "{key}");
        }
    }
}
