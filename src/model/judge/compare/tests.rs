//! What differs, as a table of cases.

mod refused;

use super::*;
use crate::model::attribution::{Subsystem, Use};
use crate::model::expectation::{Entry, Rule};
use crate::model::facts::finding::Watched;
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::observe::observation::Tally;
use crate::model::run::platform::Platform;
use crate::model::run::workload::{DEFAULT_TIMEOUT, Exit, Program, Stdin, Workload};

fn document(level: Level) -> Document {
    let workload = Workload {
        program: Program::Command(vec!["true".to_owned()]),
        args: Vec::new(),
        env: BTreeMap::new(),
        with: BTreeMap::new(),
        stdin: Stdin::Null,
        cwd: None,
        timeout: DEFAULT_TIMEOUT,
        requires: Vec::new(),
        stop: None,
        exit: Exit::Exited(0),
    };
    Document {
        workload,
        level,
        ignore: None,
        tolerate: Vec::new(),
        forbid: Vec::new(),
        ambient_strict: false,
        families_strict: false,
    }
}

/// A baseline that holds these keys; a trailing `?` marks a syscall that is seen sometimes.
fn baseline(keys: &[&str]) -> Baseline {
    let mut baseline = Baseline::new(Platform::from_triple("x86_64-unknown-linux-gnu").expect("a triple"));
    for key in keys {
        let fact: Fact = key.trim_end_matches('?').parse().expect(key);
        let (subsystem, syscall, detail) = match fact {
            Fact::BlindSpot(_) | Fact::Phase { .. } => {
                baseline.insert(&fact);
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
    Projection { facts, ..Projection::default() }
}

/// Findings as `KIND KEY [DETAIL…] (forbidden: RULE) (beside MEMBER)`.
fn told(findings: &[Finding]) -> Vec<String> {
    let tell = |finding: &Finding| {
        let details = finding.details.iter().map(|detail| format!(" {}", detail.value()));
        let rule = finding.forbidden.iter().map(|rule| format!(" (forbidden: {rule})"));
        let head = format!("{} {}", finding.kind.name(), finding.fact);
        let kin = finding.kin.iter().map(|kin| format!(" (beside {})", kin.beside));
        std::iter::once(head).chain(details).chain(rule).chain(kin).collect()
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

const NOTHING: Case =
    Case { name: "nothing", level: Level::Object, held: Some(&[]), seen: &[], findings: &[], notes: &[], gone: &[] };

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
        held: Some(&["filesystem::close::object=file", "network::socket::argument=AF_INET", "blind_spots::io_uring"]),
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

const FAMILIES: &[Case] = &[
    Case {
        name: "a new member of a held family is a note, with what the other member holds",
        held: Some(&["filesystem::openat::object=file"]),
        seen: &["filesystem::openat2::object=file", "filesystem::openat::object=file"],
        notes: &["new-syscall filesystem::openat2 file (beside openat)"],
        ..NOTHING
    },
    Case {
        name: "what the other member does not hold is a finding of its own",
        held: Some(&["filesystem::openat::object=file"]),
        seen: &["filesystem::openat2::object=file", "filesystem::openat2::object=file:proc"],
        findings: &["new-object filesystem::openat2::object=file:proc"],
        notes: &["new-syscall filesystem::openat2 file (beside openat)"],
        gone: &["filesystem::openat"],
        ..NOTHING
    },
    Case {
        name: "an object moves between members that are both held",
        held: Some(&["filesystem::newfstatat::object=pipe", "filesystem::statx::object=file"]),
        seen: &["filesystem::newfstatat::object=pipe", "filesystem::statx::object=pipe"],
        notes: &["new-object filesystem::statx::object=pipe (beside newfstatat)"],
        gone: &["filesystem::statx::object=file"],
        ..NOTHING
    },
    Case {
        name: "a family is one within a subsystem only",
        held: Some(&["process::clone"]),
        seen: &["process::clone", "namespace::clone3::argument=CLONE_NEWNET"],
        findings: &["new-subsystem namespace", "new-syscall namespace::clone3 CLONE_NEWNET"],
        ..NOTHING
    },
    Case {
        name: "no family excuses another ABI",
        held: Some(&["filesystem::openat"]),
        seen: &["filesystem::openat", "filesystem::open::abi=i386"],
        findings: &["new-abi filesystem::open::abi=i386"],
        notes: &["new-syscall filesystem::open (beside openat)"],
        ..NOTHING
    },
];

#[test]
fn a_family_is_told_and_does_not_fail_unless_families_are_strict() {
    for case in FAMILIES {
        let held = case.held.map(baseline);
        let compared = |families_strict| {
            let document = Document { families_strict, ..document(case.level) };
            compare(&document, held.as_ref(), &projection(case.seen), &Observation::new())
        };
        let tolerant = compared(false);
        assert_eq!(told(&tolerant.findings), case.findings, "findings: {}", case.name);
        assert_eq!(told(&tolerant.notes), case.notes, "notes: {}", case.name);
        let gone: Vec<String> = tolerant.gone.iter().map(Fact::to_string).collect();
        assert_eq!(gone, case.gone, "gone: {}", case.name);
        let strict = compared(true);
        assert_eq!(told(&strict.notes), [""; 0], "strict: {}", case.name);
        let facts = |findings: &[Finding]| findings.iter().map(|finding| finding.fact.clone()).collect::<BTreeSet<_>>();
        let kindred = facts(&tolerant.notes);
        assert!(facts(&strict.findings).is_superset(&kindred), "strict: {}", case.name);
    }
}

#[test]
fn a_forbidden_member_of_a_family_is_no_note() {
    let used = Use {
        subsystem: Subsystem::Filesystem,
        syscall: Syscall::from_name(Abi::X86_64, "openat2").expect("a syscall"),
        argument: None,
        object: None,
        ambient: false,
    };
    let tally = Tally { calls: 1, ..Tally::default() };
    let observation = Observation { uses: BTreeMap::from([(used, tally)]), ..Observation::new() };
    let rule = Rule { syscall: Some("openat2".to_owned()), ..Rule::default() };
    let forbidding = Document { forbid: vec![rule], ..document(Level::Object) };
    let held = baseline(&["filesystem::openat"]);
    let comparison = compare(&forbidding, Some(&held), &projection(&["filesystem::openat2"]), &observation);
    assert_eq!(
        told(&comparison.findings),
        ["new-syscall filesystem::openat2 (forbidden: {syscall: openat2}) (beside openat)"]
    );
    assert_eq!(told(&comparison.notes), [""; 0]);
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

#[test]
fn a_phase_is_judged_where_the_baseline_names_it() {
    let found = |held: &[&str], seen: &[&str]| {
        let comparison =
            compare(&document(Level::Object), Some(&baseline(held)), &projection(seen), &Observation::new());
        comparison
            .findings
            .iter()
            .map(|finding| format!("{} {}", finding.kind.name(), finding.fact))
            .collect::<Vec<_>>()
    };
    let held = ["filesystem::openat", "network::read", "phase=serving::network::read"];
    let quiet =
        ["filesystem::openat", "network::read", "phase=serving::network::read", "phase=ending::filesystem::openat"];
    assert_eq!(found(&held, &quiet), [""; 0]);
    let opens = [&quiet[..], &["phase=serving::filesystem::openat"]].concat();
    assert_eq!(found(&held, &opens), ["new-syscall phase=serving::filesystem::openat"]);
    let binds = [&quiet[..], &["network::bind", "phase=serving::network::bind"]].concat();
    assert_eq!(found(&held, &binds), ["new-syscall network::bind"], "told once");
    assert_eq!(found(&held[..2], &opens), [""; 0]);
}

#[test]
fn that_a_workload_was_guarded_is_nothing_to_say_of_it_alone() {
    let with = |watched| Comparison { watched, ..Comparison::default() };
    assert!(!with(Watched::EveryCall).is_remarkable());
    assert!(!with(Watched::Guarded).is_remarkable());
    assert!(with(Watched::Unguarded { reason: "it names phases".to_owned() }).is_remarkable());
    let gone = Comparison { gone: vec![Fact::BlindSpot("vdso".to_owned())], ..Comparison::default() };
    assert!(gone.is_remarkable());
}
