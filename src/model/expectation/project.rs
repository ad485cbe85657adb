//! From an observation to the facts that count. Main type: [`Projection`].
//!
//! Comparing and recording both look through [`project`], so that what is written is what is judged. It must not judge itself:
//! `forbid:` is applied elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::storage::written_object;
use super::terms::{Baseline, Document, Entry, Level, Rule};
use crate::model::attribution::calls::{is_housekeeping, is_on_fd};
use crate::model::attribution::{Subsystem, Use, reach};
use crate::model::compare::{Detail, Fact};
use crate::model::event::Errno;
use crate::model::observation::{Observation, Tally};
use crate::model::platform::Platform;

/// The facts of an observation that a baseline can hold: neither ambient nor tolerated, in the words of an expectation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    /// Each fact (a subsystem, a syscall in it, a detail of that, a blind spot) with its calls; a blind spot has none.
    pub facts: BTreeMap<Fact, u64>,
    /// Those that only calls show which were refused because of their fd: they have reached nothing.
    pub refused: BTreeSet<Fact>,
}

/// What counts of an observation: without what `document` tolerates and, unless it is strict, without ambient calls.
///
/// A subsystem reached by such calls only is no fact. Errors are facts at [`Level::Error`] only.
pub fn project(observation: &Observation, document: &Document, platform: &Platform) -> Projection {
    let mut facts = BTreeMap::new();
    let (mut refused, mut reached) = (BTreeSet::new(), BTreeSet::new());
    for (used, outcome, calls) in judged(&observation.uses, document) {
        let error = outcome.filter(|_| document.level >= Level::Error);
        for fact in facts_of(used, error, platform) {
            let shown = if is_refused(used, outcome) { &mut refused } else { &mut reached };
            shown.insert(fact.clone());
            *facts.entry(fact).or_default() += calls;
        }
    }
    refused.retain(|fact| !reached.contains(fact));
    for (phase, uses) in &observation.phases {
        for (used, _, calls) in judged(uses, document).filter(|(used, outcome, _)| !is_refused(used, *outcome)) {
            let (subsystem, syscall) = (used.subsystem, used.syscall.name().into_owned());
            *facts.entry(Fact::Phase { phase: phase.clone(), subsystem, syscall }).or_default() += calls;
        }
    }
    facts.extend(observation.blind_spots.iter().map(|spot| (Fact::BlindSpot(spot.name().to_owned()), 0)));
    Projection { facts, refused }
}

/// Whether the call reached nothing.
fn is_refused(used: &Use, outcome: Option<Errno>) -> bool {
    let is_on_fd = is_on_fd(used.syscall);
    is_on_fd && outcome.is_some_and(|errno| reach::is_refused(&used.syscall.name(), errno, used.object.as_deref()))
}

/// The uses that count, with how they ended and how often so.
fn judged<'a>(
    uses: &'a BTreeMap<Use, Tally>,
    document: &'a Document,
) -> impl Iterator<Item = (&'a Use, Option<Errno>, u64)> {
    let counts = |used: &Use| !used.ambient || document.ambient_strict;
    let ends = uses.iter().filter(move |(used, _)| counts(used));
    let ends = ends.flat_map(|(used, tally)| outcomes(tally).map(move |(outcome, calls)| (used, outcome, calls)));
    ends.filter(|(used, outcome, _)| !document.tolerate.iter().any(|rule| rule.matches(used, *outcome)))
}

/// Whether the use is, or holds, a fact that is not known.
pub fn is_news(used: &Use, known: &BTreeSet<Fact>, platform: &Platform) -> bool {
    facts_of(used, None, platform).any(|fact| !known.contains(&fact))
}

/// Whether the use is one of those that the fact tells of; an error is of any.
pub fn tells_of(fact: &Fact, used: &Use) -> bool {
    let Fact::Use { subsystem, syscall, detail } = fact.in_any_phase() else { return false };
    subsystem == used.subsystem
        && syscall.is_none_or(|syscall| syscall == used.syscall.name())
        && match detail {
            Some(Detail::Argument(argument)) => used.argument.as_deref() == Some(&argument),
            Some(Detail::Object(object)) => used.object.as_deref().is_some_and(|own| written_object(own) == object),
            Some(Detail::Error(_) | Detail::Abi(_)) | None => true,
        }
}

/// A tally taken apart: the calls that did not fail, then those of each error.
fn outcomes(tally: &Tally) -> impl Iterator<Item = (Option<Errno>, u64)> {
    let failed: u64 = tally.errors.values().sum();
    let succeeded = (None, tally.calls.saturating_sub(failed));
    let errors = tally.errors.iter().map(|(&errno, &calls)| (Some(errno), calls));
    std::iter::once(succeeded).chain(errors).filter(|&(_, calls)| calls > 0)
}

/// A use as facts, the coarsest first. Of what an fd that is only kept house with stands for, whoever opened or used it tells.
pub(in crate::model) fn facts_of(used: &Use, error: Option<Errno>, platform: &Platform) -> impl Iterator<Item = Fact> {
    let foreign_abi = Some(used.syscall.abi).filter(|&abi| platform.abi() != Some(abi));
    let details = [
        used.argument.as_ref().map(|argument| Detail::Argument(argument.to_string())),
        used.object
            .as_ref()
            .filter(|_| !is_housekeeping(used.syscall))
            .map(|object| Detail::Object(written_object(object).into_owned())),
        error.map(|errno| Detail::Error(errno.name().into_owned())),
        foreign_abi.map(|abi| Detail::Abi(abi.name().to_owned())),
    ];
    let subsystem = used.subsystem;
    let syscall = used.syscall.name().into_owned();
    let detailed = details.into_iter().flatten().map({
        let syscall = syscall.clone();
        move |detail| Fact::Use { subsystem, syscall: Some(syscall.clone()), detail: Some(detail) }
    });
    [
        Fact::Use { subsystem, syscall: None, detail: None },
        Fact::Use { subsystem, syscall: Some(syscall), detail: None },
    ]
    .into_iter()
    .chain(detailed)
}

impl Rule {
    /// Whether calls of this use that ended so (`None`: without an error) are meant: every part that is given must match.
    ///
    /// An object may be given as an observation names it (`file:ext4`) or as an expectation does (`file`).
    pub fn matches(&self, used: &Use, outcome: Option<Errno>) -> bool {
        fn agrees(wanted: Option<&String>, actual: Option<&str>) -> bool {
            wanted.is_none_or(|wanted| actual == Some(wanted.as_str()))
        }
        let object = used.object.as_deref();
        self.subsystem.is_none_or(|subsystem| subsystem == used.subsystem)
            && agrees(self.syscall.as_ref(), Some(&used.syscall.name()))
            && agrees(self.argument.as_ref(), used.argument.as_deref())
            && agrees(self.error.as_ref(), outcome.map(Errno::name).as_deref())
            && (agrees(self.object.as_ref(), object)
                || agrees(self.object.as_ref(), object.map(written_object).as_deref()))
    }
}

impl From<Subsystem> for Rule {
    fn from(subsystem: Subsystem) -> Self {
        Self { subsystem: Some(subsystem), ..Self::default() }
    }
}

/// The name of a system call.
impl From<&str> for Rule {
    fn from(syscall: &str) -> Self {
        Self { syscall: Some(syscall.to_owned()), ..Self::default() }
    }
}

/// Exactly this use.
impl From<&Use> for Rule {
    fn from(used: &Use) -> Self {
        let text = |part: Option<&str>| part.map(str::to_owned);
        Self {
            subsystem: Some(used.subsystem),
            syscall: Some(used.syscall.name().into_owned()),
            argument: text(used.argument.as_deref()),
            object: text(used.object.as_deref()),
            ..Self::default()
        }
    }
}

impl Baseline {
    /// Everything that this baseline holds, in the words of a [`Projection`].
    pub fn facts(&self) -> BTreeSet<Fact> {
        let mut facts: BTreeSet<Fact> = self.blind_spots.iter().cloned().map(Fact::BlindSpot).collect();
        for (&subsystem, syscalls) in &self.subsystems {
            facts.insert(Fact::Use { subsystem, syscall: None, detail: None });
            for (syscall, entry) in syscalls {
                facts.extend(entry_facts(subsystem, syscall, entry));
            }
        }
        for (phase, subsystems) in &self.phases {
            let syscalls = subsystems
                .iter()
                .flat_map(|(&subsystem, syscalls)| syscalls.iter().map(move |syscall| (subsystem, syscall)));
            facts.extend(syscalls.map(|(subsystem, syscall)| Fact::Phase {
                phase: phase.clone(),
                subsystem,
                syscall: syscall.clone(),
            }));
        }
        facts
    }
}

/// A syscall and its details.
fn entry_facts(subsystem: Subsystem, syscall: &str, entry: &Entry) -> impl Iterator<Item = Fact> {
    let details = entry.details().map(Some);
    std::iter::once(None).chain(details).map(move |detail| Fact::Use {
        subsystem,
        syscall: Some(syscall.to_owned()),
        detail,
    })
}

impl Entry {
    /// What is held of the syscall beyond its name.
    pub fn details(&self) -> impl Iterator<Item = Detail> {
        let arguments = self.arguments.iter().cloned().map(Detail::Argument);
        let objects = self.objects.iter().cloned().map(Detail::Object);
        let errors = self.errors.iter().cloned().map(Detail::Error);
        let abis = self.abis.iter().cloned().map(Detail::Abi);
        arguments.chain(objects).chain(errors).chain(abis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::BlindSpot;
    use crate::model::syscall::{Abi, Syscall};

    /// A number that no table knows, so that its name depends on none.
    const CALL: &str = "syscall_0x3e7";

    fn used(subsystem: Subsystem, object: Option<&'static str>) -> Use {
        let syscall = Syscall { abi: Abi::X86_64, number: 0x3e7 };
        Use { subsystem, syscall, argument: None, object: object.map(Into::into), ambient: false }
    }

    /// The facts in the form of keys, with their calls.
    fn projected(uses: &[(Use, Tally)], document: &Document) -> Vec<String> {
        let observation = Observation { uses: uses.iter().cloned().collect(), ..Observation::new() };
        let platform = "x86_64-linux-gnu".parse().expect("a platform");
        let name = |fact: &Fact| match fact {
            Fact::Use { subsystem, syscall, detail } => {
                format!("{subsystem} {} {detail:?}", syscall.as_deref().unwrap_or("-"))
            }
            other => other.to_string(),
        };
        let projection = project(&observation, document, &platform);
        projection.facts.iter().map(|(fact, calls)| format!("{} {calls}", name(fact))).collect()
    }

    fn calls(calls: u64) -> Tally {
        Tally { calls, errors: BTreeMap::new() }
    }

    #[test]
    fn a_use_is_a_subsystem_a_syscall_and_its_details() {
        let mut foreign = used(Subsystem::Network, None);
        foreign.syscall.abi = Abi::I386;
        foreign.argument = Some("AF_INET".into());
        let uses = [
            (used(Subsystem::Filesystem, Some("file:ext4")), calls(2)),
            (used(Subsystem::Filesystem, Some("file:xfs")), calls(3)),
            (used(Subsystem::Filesystem, Some("file:proc")), calls(1)),
            (foreign, calls(4)),
        ];
        assert_eq!(
            projected(&uses, &Document::for_tests()),
            [
                "filesystem - None 6".to_owned(),
                format!("filesystem {CALL} None 6"),
                format!("filesystem {CALL} Some(Object(\"file\")) 5"),
                format!("filesystem {CALL} Some(Object(\"file:proc\")) 1"),
                "network - None 4".to_owned(),
                format!("network {CALL} None 4"),
                format!("network {CALL} Some(Argument(\"AF_INET\")) 4"),
                format!("network {CALL} Some(Abi(\"i386\")) 4"),
            ]
        );
    }

    #[test]
    fn ambient_calls_count_only_when_the_document_is_strict() {
        let mut used = used(Subsystem::Futex, None);
        used.ambient = true;
        let uses = [(used, calls(1))];
        assert!(projected(&uses, &Document::for_tests()).is_empty());
        let strict = Document { ambient_strict: true, ..Document::for_tests() };
        assert_eq!(projected(&uses, &strict), ["futex - None 1".to_owned(), format!("futex {CALL} None 1")]);
    }

    #[test]
    fn tolerated_calls_are_no_facts() {
        let tally = Tally { calls: 5, errors: [(Errno(2), 2), (Errno(13), 3)].into() };
        let uses = [(used(Subsystem::Filesystem, Some("file:ext4")), tally)];
        let tolerating = |rules: &[Rule]| {
            let document = Document { tolerate: rules.to_vec(), level: Level::Error, ..Document::for_tests() };
            projected(&uses, &document)
        };
        let noent = Rule { error: Some("ENOENT".to_owned()), ..Rule::default() };
        let acces = Rule { error: Some("EACCES".to_owned()), ..Rule::default() };
        assert_eq!(
            tolerating(std::slice::from_ref(&noent)),
            [
                "filesystem - None 3".to_owned(),
                format!("filesystem {CALL} None 3"),
                format!("filesystem {CALL} Some(Object(\"file\")) 3"),
                format!("filesystem {CALL} Some(Error(\"EACCES\")) 3"),
            ]
        );
        assert!(tolerating(&[noent, acces]).is_empty(), "every call ended in a tolerated error");
    }

    #[test]
    fn every_given_part_of_a_rule_must_match() {
        let used = used(Subsystem::Filesystem, Some("file:ext4"));
        let rule = |subsystem, syscall: Option<&str>, argument: Option<&str>, object: Option<&str>| Rule {
            subsystem,
            syscall: syscall.map(str::to_owned),
            argument: argument.map(str::to_owned),
            object: object.map(str::to_owned),
            ..Rule::default()
        };
        for (rule, matches) in [
            (rule(Some(Subsystem::Filesystem), None, None, None), true),
            (rule(Some(Subsystem::Filesystem), Some(CALL), None, Some("file")), true),
            (rule(None, Some(CALL), None, Some("file:ext4")), true),
            (rule(None, None, None, Some("file:xfs")), false),
            (rule(Some(Subsystem::Network), Some(CALL), None, None), false),
            (rule(None, Some(CALL), Some("AF_INET"), None), false),
            (rule(None, Some("openat"), None, None), false),
        ] {
            assert_eq!(rule.matches(&used, None), matches, "{rule:?}");
        }
    }

    #[test]
    fn errors_are_facts_at_the_level_of_errors_only() {
        let tally = Tally { calls: 1, errors: [(Errno(2), 1)].into() };
        let uses = [(used(Subsystem::Filesystem, None), tally)];
        assert_eq!(projected(&uses, &Document::for_tests()).len(), 2);
        let document = Document { level: Level::Error, ..Document::for_tests() };
        assert_eq!(projected(&uses, &document)[2], format!("filesystem {CALL} Some(Error(\"ENOENT\")) 1"));
    }

    #[test]
    fn a_baseline_holds_facts_in_the_same_words() {
        let entry = Entry { objects: ["file".to_owned()].into(), why: Some("reads".to_owned()), ..Entry::default() };
        let mut baseline = Baseline::new("x86_64-linux-gnu".parse().expect("a platform"));
        baseline.subsystems.entry(Subsystem::Filesystem).or_default().insert(CALL.to_owned(), entry);
        baseline.blind_spots.insert("io_uring".to_owned());
        let observation = Observation {
            uses: [(used(Subsystem::Filesystem, Some("file:ext4")), calls(1))].into(),
            blind_spots: [BlindSpot::IoUring].into(),
            ..Observation::new()
        };
        let projection = project(&observation, &Document::for_tests(), &baseline.platform);
        assert_eq!(projection.facts.keys().cloned().collect::<BTreeSet<_>>(), baseline.facts());
    }
}
