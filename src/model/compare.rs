//! The difference between what was expected and what was observed. Main type: [`Comparison`].
//!
//! It must not decide what to do about it: that is [`decide`](super::decide).

use std::collections::{BTreeMap, BTreeSet};

use super::expectation::{Baseline, Document, Level, Projection};
use super::forbid;
use super::observation::Observation;

pub use super::fact::{Detail, Fact};

/// What differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What fails: what is forbidden first, then by weight, then by key.
    pub findings: Vec<Finding>,
    /// New, but below the level that fails; in the same order.
    pub notes: Vec<Finding>,
    /// What the baseline holds and no run showed: the outermost facts, without what went with them.
    pub gone: Vec<Fact>,
}

impl Comparison {
    /// Whether a `forbid:` rule is broken: then no baseline makes the workload pass.
    pub fn is_forbidden(&self) -> bool {
        self.findings.iter().any(|finding| finding.forbidden.is_some())
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of difference. Of something forbidden it says how deep it lies, be it new or not.
    pub kind: FindingKind,
    /// The fact that is new.
    pub fact: Fact,
    /// Arguments and objects of a new syscall: as new as the syscall itself, and accepted with it.
    pub details: Vec<Detail>,
    /// How often it was called.
    pub calls: u64,
    /// The `forbid:` rule that it breaks, in its author's words.
    pub forbidden: Option<String>,
}

impl Finding {
    /// A fact that is new.
    pub fn new(fact: Fact, calls: u64) -> Self {
        Self { kind: FindingKind::of(&fact), fact, details: Vec::new(), calls, forbidden: None }
    }

    /// Whether this finding tells of the fact too, so that it is none of its own.
    fn includes(&self, fact: &Fact) -> bool {
        matches!(FindingKind::of(fact), FindingKind::NewArgument | FindingKind::NewObject)
            && fact.parent().as_ref() == Some(&self.fact)
    }
}

/// What kind of difference a finding is; the order is by weight, heaviest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A subsystem that the baseline does not hold.
    NewSubsystem,
    /// A blind spot that the baseline does not hold.
    NewBlindSpot,
    /// A call under another ABI.
    NewAbi,
    /// A syscall that the baseline does not hold within its subsystem.
    NewSyscall,
    /// An argument that the baseline does not hold for its syscall.
    NewArgument,
    /// An object that the baseline does not hold for its syscall.
    NewObject,
    /// An error that the baseline does not hold for its syscall.
    NewError,
}

impl FindingKind {
    /// Every kind, heaviest first.
    pub const ALL: [Self; 7] = [
        Self::NewSubsystem,
        Self::NewBlindSpot,
        Self::NewAbi,
        Self::NewSyscall,
        Self::NewArgument,
        Self::NewObject,
        Self::NewError,
    ];

    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NewSubsystem => "new-subsystem",
            Self::NewBlindSpot => "new-blind-spot",
            Self::NewAbi => "new-abi",
            Self::NewSyscall => "new-syscall",
            Self::NewArgument => "new-argument",
            Self::NewObject => "new-object",
            Self::NewError => "new-error",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it is when this fact is new.
    pub fn of(fact: &Fact) -> Self {
        match fact {
            Fact::BlindSpot(_) => Self::NewBlindSpot,
            Fact::Use { syscall: None, .. } => Self::NewSubsystem,
            Fact::Use { detail: None, .. } => Self::NewSyscall,
            Fact::Use { detail: Some(Detail::Argument(_)), .. } => Self::NewArgument,
            Fact::Use { detail: Some(Detail::Object(_)), .. } => Self::NewObject,
            Fact::Use { detail: Some(Detail::Error(_)), .. } => Self::NewError,
            Fact::Use { detail: Some(Detail::Abi(_)), .. } => Self::NewAbi,
        }
    }

    /// Whether it fails where a verdict looks this deep.
    fn fails_at(self, level: Level) -> bool {
        match self {
            Self::NewSubsystem | Self::NewBlindSpot | Self::NewAbi => true,
            Self::NewSyscall => level >= Level::Syscall,
            Self::NewArgument => level >= Level::Argument,
            Self::NewObject => level >= Level::Object,
            Self::NewError => level >= Level::Error,
        }
    }
}

/// Compares what was observed with a baseline; without one everything is new.
///
/// `projection` is what counts of `observation`; only `forbid:` looks past it, at every use.
pub fn compare(
    document: &Document,
    baseline: Option<&Baseline>,
    projection: &Projection,
    observation: &Observation,
) -> Comparison {
    let held = baseline.map(Baseline::facts).unwrap_or_default();
    let mut found = unknown(&held, projection);
    for (fact, broken) in forbid::broken(&document.forbid, observation) {
        found.entry(fact.clone()).or_insert_with(|| Finding::new(fact, broken.calls)).forbidden = Some(broken.rule);
    }
    let mut found: Vec<Finding> = found.into_values().collect();
    found.sort_by_key(|finding| (finding.forbidden.is_none(), finding.kind));
    let (findings, notes) =
        found.into_iter().partition(|finding| finding.forbidden.is_some() || finding.kind.fails_at(document.level));
    let gone = baseline.map(|baseline| gone(baseline, &held, projection, document.level)).unwrap_or_default();
    Comparison { findings, notes, gone }
}

/// The facts that are not held, each as a finding; arguments and objects of an unknown syscall are told with it.
fn unknown(held: &BTreeSet<Fact>, projection: &Projection) -> BTreeMap<Fact, Finding> {
    let mut found: BTreeMap<Fact, Finding> = BTreeMap::new();
    for (fact, &calls) in projection.facts.iter().filter(|(fact, _)| !held.contains(fact)) {
        let syscall = fact.parent().and_then(|parent| found.get_mut(&parent)).filter(|parent| parent.includes(fact));
        match (syscall, fact) {
            (Some(syscall), Fact::Use { detail: Some(detail), .. }) => syscall.details.push(detail.clone()),
            _ => {
                found.insert(fact.clone(), Finding::new(fact.clone(), calls));
            }
        }
    }
    found
}

/// What is held and was not seen. An entry that is seen only sometimes is not gone; errors count at [`Level::Error`] only.
fn gone(baseline: &Baseline, held: &BTreeSet<Fact>, projection: &Projection, level: Level) -> Vec<Fact> {
    let judged = |fact: &Fact| FindingKind::of(fact) != FindingKind::NewError || level >= Level::Error;
    let missing = |fact: &Fact| !projection.facts.contains_key(fact) && judged(fact) && !is_occasional(baseline, fact);
    let gone = held.iter().filter(|fact| missing(fact));
    gone.filter(|fact| !fact.parent().is_some_and(|parent| missing(&parent))).cloned().collect()
}

/// Whether the fact, or a part of it, was not in every recorded run.
fn is_occasional(baseline: &Baseline, fact: &Fact) -> bool {
    let Fact::Use { subsystem, syscall, .. } = fact else { return false };
    let Some(entries) = baseline.subsystems.get(subsystem) else { return false };
    match syscall {
        Some(syscall) => entries.get(syscall).is_some_and(|entry| entry.sometimes),
        None => entries.values().any(|entry| entry.sometimes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::{Subsystem, Use};
    use crate::model::expectation::{Entry, Rule};
    use crate::model::observation::Tally;
    use crate::model::platform::Platform;
    use crate::model::syscall::{Abi, Syscall};
    use crate::model::workload::{DEFAULT_TIMEOUT, Exit, Program, Stdin, Workload};

    fn document(level: Level) -> Document {
        let workload = Workload {
            program: Program::Command(vec!["true".to_owned()]),
            args: Vec::new(),
            env: BTreeMap::new(),
            stdin: Stdin::Null,
            cwd: None,
            timeout: DEFAULT_TIMEOUT,
            requires: Vec::new(),
            stop: None,
            exit: Exit::Exited(0),
        };
        Document { workload, level, ignore: None, tolerate: Vec::new(), forbid: Vec::new(), ambient_strict: false }
    }

    /// A baseline that holds these keys; a trailing `?` marks a syscall that is seen sometimes.
    fn baseline(keys: &[&str]) -> Baseline {
        let mut baseline = Baseline::new(Platform::from_triple("x86_64-unknown-linux-gnu").expect("a triple"));
        for key in keys {
            let fact: Fact = key.trim_end_matches('?').parse().expect(key);
            let (subsystem, syscall, detail) = match fact {
                Fact::BlindSpot(name) => {
                    baseline.blind_spots.insert(name);
                    continue;
                }
                Fact::Use { subsystem, syscall, detail } => (subsystem, syscall, detail),
            };
            let entries = baseline.subsystems.entry(subsystem).or_default();
            let Some(syscall) = syscall else { continue };
            let entry: &mut Entry = entries.entry(syscall).or_default();
            entry.sometimes |= key.ends_with('?');
            match detail {
                Some(Detail::Argument(value)) => entry.arguments.insert(value),
                Some(Detail::Object(value)) => entry.objects.insert(value),
                Some(Detail::Error(value)) => entry.errors.insert(value),
                Some(Detail::Abi(value)) => entry.abis.insert(value),
                None => false,
            };
        }
        baseline
    }

    /// One call of each key and of everything it is part of.
    fn projection(keys: &[&str]) -> Projection {
        let mut facts = BTreeMap::new();
        for key in keys {
            let mut next = Some(key.parse::<Fact>().expect(key));
            while let Some(fact) = next {
                next = fact.parent();
                facts.insert(fact, 1);
            }
        }
        Projection { facts }
    }

    /// Findings as `KIND KEY [DETAIL…] (forbidden: RULE)`.
    fn told(findings: &[Finding]) -> Vec<String> {
        let tell = |finding: &Finding| {
            let details = finding.details.iter().map(|detail| format!(" {}", detail.value()));
            let rule = finding.forbidden.iter().map(|rule| format!(" (forbidden: {rule})"));
            let head = format!("{} {}", finding.kind.name(), finding.fact);
            std::iter::once(head).chain(details).chain(rule).collect()
        };
        findings.iter().map(tell).collect()
    }

    struct Case {
        name: &'static str,
        level: Level,
        held: Option<&'static [&'static str]>,
        seen: &'static [&'static str],
        findings: &'static [&'static str],
        notes: &'static [&'static str],
        gone: &'static [&'static str],
    }

    const NOTHING: Case = Case {
        name: "nothing",
        level: Level::Object,
        held: Some(&[]),
        seen: &[],
        findings: &[],
        notes: &[],
        gone: &[],
    };

    const CASES: &[Case] = &[
        NOTHING,
        Case {
            name: "as expected",
            held: Some(&["network::socket::argument=AF_INET"]),
            seen: &["network::socket::argument=AF_INET"],
            ..NOTHING
        },
        Case {
            name: "a new subsystem comes before all calls, its own and others",
            held: Some(&["filesystem::close"]),
            seen: &[
                "filesystem::close",
                "filesystem::unlink",
                "network::socket::argument=AF_INET",
                "network::socket::object=socket:AF_INET:SOCK_STREAM",
                "network::connect",
            ],
            findings: &[
                "new-subsystem network",
                "new-syscall filesystem::unlink",
                "new-syscall network::connect",
                "new-syscall network::socket AF_INET socket:AF_INET:SOCK_STREAM",
            ],
            ..NOTHING
        },
        Case {
            name: "without a baseline everything is new and nothing is gone",
            held: None,
            seen: &["filesystem::openat::object=file", "blind_spots::io_uring"],
            findings: &[
                "new-subsystem filesystem",
                "new-blind-spot blind_spots::io_uring",
                "new-syscall filesystem::openat file",
            ],
            ..NOTHING
        },
        Case {
            name: "weight before key",
            level: Level::Error,
            held: Some(&["device::ioctl", "filesystem::openat"]),
            seen: &[
                "blind_spots::io_uring",
                "device::ioctl::argument=TCGETS",
                "device::ioctl::object=char:pts",
                "filesystem::openat::abi=i386",
                "filesystem::openat::error=EPERM",
                "filesystem::openat::object=dir",
                "filesystem::read",
            ],
            findings: &[
                "new-blind-spot blind_spots::io_uring",
                "new-abi filesystem::openat::abi=i386",
                "new-syscall filesystem::read",
                "new-argument device::ioctl::argument=TCGETS",
                "new-object device::ioctl::object=char:pts",
                "new-object filesystem::openat::object=dir",
                "new-error filesystem::openat::error=EPERM",
            ],
            ..NOTHING
        },
        Case {
            name: "a new syscall takes arguments and objects along and nothing else",
            level: Level::Error,
            held: Some(&["network::socket"]),
            seen: &[
                "network::socket",
                "network::bind::abi=i386",
                "network::bind::error=EPERM",
                "network::bind::object=socket:AF_INET:SOCK_STREAM",
            ],
            findings: &[
                "new-abi network::bind::abi=i386",
                "new-syscall network::bind socket:AF_INET:SOCK_STREAM",
                "new-error network::bind::error=EPERM",
            ],
            ..NOTHING
        },
        Case {
            name: "a level of subsystems fails on subsystems, ABIs and blind spots",
            level: Level::Subsystem,
            held: Some(&["filesystem::openat"]),
            seen: &[
                "blind_spots::io_uring",
                "filesystem::openat::abi=i386",
                "filesystem::openat::object=dir",
                "network::socket::argument=AF_INET",
            ],
            findings: &[
                "new-subsystem network",
                "new-blind-spot blind_spots::io_uring",
                "new-abi filesystem::openat::abi=i386",
            ],
            notes: &["new-syscall network::socket AF_INET", "new-object filesystem::openat::object=dir"],
            ..NOTHING
        },
        Case {
            name: "a level of arguments notes objects",
            level: Level::Argument,
            held: Some(&["device::ioctl"]),
            seen: &["device::ioctl::argument=TCGETS", "device::ioctl::object=char:pts"],
            findings: &["new-argument device::ioctl::argument=TCGETS"],
            notes: &["new-object device::ioctl::object=char:pts"],
            ..NOTHING
        },
        Case {
            name: "what is gone is told once, as far out as it goes",
            held: Some(&[
                "filesystem::close::object=file",
                "network::socket::argument=AF_INET",
                "blind_spots::io_uring",
            ]),
            seen: &["filesystem::close"],
            gone: &["filesystem::close::object=file", "network", "blind_spots::io_uring"],
            ..NOTHING
        },
        Case {
            name: "what is seen sometimes is not gone, its subsystem neither",
            held: Some(&["network::socket::argument=AF_INET?", "network::connect"]),
            gone: &["network::connect"],
            ..NOTHING
        },
        Case {
            name: "errors below their level are not gone",
            held: Some(&["network::bind::error=EPERM"]),
            seen: &["network::bind"],
            ..NOTHING
        },
        Case {
            name: "errors at their level are",
            level: Level::Error,
            held: Some(&["network::bind::error=EPERM"]),
            seen: &["network::bind"],
            gone: &["network::bind::error=EPERM"],
            ..NOTHING
        },
    ];

    #[test]
    fn new_fails_down_to_the_level_and_gone_is_told() {
        for case in CASES {
            let held = case.held.map(baseline);
            let observation = Observation::new();
            let comparison = compare(&document(case.level), held.as_ref(), &projection(case.seen), &observation);
            assert_eq!(told(&comparison.findings), case.findings, "findings: {}", case.name);
            assert_eq!(told(&comparison.notes), case.notes, "notes: {}", case.name);
            let gone: Vec<String> = comparison.gone.iter().map(Fact::to_string).collect();
            assert_eq!(gone, case.gone, "gone: {}", case.name);
        }
    }

    #[test]
    fn what_is_forbidden_fails_be_it_new_or_not_and_is_one_finding() {
        let used = Use {
            subsystem: Subsystem::Network,
            syscall: Syscall { abi: Abi::X86_64, number: 0x3e7 },
            argument: None,
            object: None,
            ambient: false,
        };
        let tally = Tally { calls: 10, ..Tally::default() };
        let observation = Observation { uses: BTreeMap::from([(used, tally)]), ..Observation::new() };
        let rule = Rule { subsystem: Some(Subsystem::Network), why: Some("offline".to_owned()), ..Rule::default() };
        let forbidding = Document { forbid: vec![rule.clone()], tolerate: vec![rule], ..document(Level::Subsystem) };
        let call = ["network::syscall_0x3e7"];
        for (held, seen, notes) in [
            (Some(baseline(&call)), projection(&call), vec![]),
            (Some(baseline(&[])), projection(&call), vec!["new-syscall network::syscall_0x3e7"]),
            (None, projection(&[]), vec![]),
        ] {
            let comparison = compare(&forbidding, held.as_ref(), &seen, &observation);
            assert_eq!(told(&comparison.findings), ["new-subsystem network (forbidden: offline)"]);
            assert_eq!(told(&comparison.notes), notes);
            assert!(comparison.is_forbidden());
        }
        assert!(!compare(&document(Level::Object), None, &projection(&call), &observation).is_forbidden());
    }

    #[test]
    fn kinds_are_found_by_name_and_listed_by_weight() {
        assert!(FindingKind::ALL.is_sorted());
        for kind in FindingKind::ALL {
            assert_eq!(FindingKind::from_name(kind.name()), Some(kind));
        }
    }
}
