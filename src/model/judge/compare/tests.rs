//! A table of comparisons and their findings, notes and removed facts.

mod paired;
mod refused;
mod signals;
mod sites;

use super::*;
use crate::model::attribution::{Subsystem, Use};
use crate::model::engine::{Engine, UsedEngine};
use crate::model::expectation::Rule;
use crate::model::facts::blind_spot::RecordedBlindSpot;
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::observe::observation::Tally;
use crate::model::run::platform::Platform;

fn document(level: Level) -> Document {
    Document { level, ..Document::for_tests() }
}

/// Returns a baseline with these keys; a trailing `?` marks a syscall that is seen sometimes.
fn baseline(keys: &[&str]) -> Baseline {
    let mut baseline = Baseline::new(Platform::from_triple("x86_64-unknown-linux-gnu").expect("a triple"));
    for key in keys {
        let fact: Fact = key.trim_end_matches('?').parse().expect(key);
        baseline.insert(&fact);
        if let Fact::Use { subsystem, syscall: Some(syscall), .. } = fact {
            let entries = baseline.subsystems.entry(subsystem).or_default();
            entries.entry(syscall).or_default().sometimes |= key.ends_with('?');
        }
    }
    baseline
}

/// Returns one call of each key and of its parents.
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

/// Formats findings as `KIND KEY [DETAIL…] (forbidden: RULE) (beside MEMBER)`.
fn shown(findings: &[Finding]) -> Vec<String> {
    let show = |finding: &Finding| {
        let details = finding.details.iter().map(|detail| format!(" {}", detail.value()));
        let rule = finding.forbidden.iter().map(|rule| format!(" (forbidden: {rule})"));
        let head = format!("{} {}", finding.kind.name(), finding.fact);
        let related = finding.related.iter().map(|related| format!(" (beside {})", related.beside));
        std::iter::once(head).chain(details).chain(rule).chain(related).collect()
    };
    findings.iter().map(show).collect()
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
        name: "a new subsystem comes before all syscalls",
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
        name: "findings are ordered by kind, then by key",
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
        name: "a new syscall includes its arguments and objects only",
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
        name: "level subsystem fails on subsystems, ABIs and blind spots",
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
        name: "level argument makes objects notes",
        level: Level::Argument,
        held: Some(&["device::ioctl"]),
        seen: &["device::ioctl::argument=TCGETS", "device::ioctl::object=char:pts"],
        findings: &["new-argument device::ioctl::argument=TCGETS"],
        notes: &["new-object device::ioctl::object=char:pts"],
        ..NOTHING
    },
    Case {
        name: "a removed fact is reported once, as its outermost fact",
        held: Some(&["filesystem::close::object=file", "network::socket::argument=AF_INET", "blind_spots::io_uring"]),
        seen: &["filesystem::close"],
        gone: &["filesystem::close::object=file", "network", "blind_spots::io_uring"],
        ..NOTHING
    },
    Case {
        name: "an occasional syscall and its subsystem are not gone",
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
        name: "errors at their level are gone",
        level: Level::Error,
        held: Some(&["network::bind::error=EPERM"]),
        seen: &["network::bind"],
        gone: &["network::bind::error=EPERM"],
        ..NOTHING
    },
];

#[test]
fn findings_notes_and_gone_follow_the_level() {
    check(CASES);
}

fn check(cases: &[Case]) {
    for case in cases {
        let held = case.held.map(baseline);
        let observation = Observation::new();
        let comparison = compare(&document(case.level), held.as_ref(), &projection(case.seen), &observation);
        assert_eq!(shown(&comparison.findings), case.findings, "findings: {}", case.name);
        assert_eq!(shown(&comparison.notes), case.notes, "notes: {}", case.name);
        let gone: Vec<String> = comparison.gone.iter().map(Fact::to_string).collect();
        assert_eq!(gone, case.gone, "gone: {}", case.name);
    }
}

const FAMILIES: &[Case] = &[
    Case {
        name: "a new member of a held family is a note with the shared details",
        held: Some(&["filesystem::openat::object=file"]),
        seen: &["filesystem::openat2::object=file", "filesystem::openat::object=file"],
        notes: &["new-syscall filesystem::openat2 file (beside openat)"],
        ..NOTHING
    },
    Case {
        name: "a detail that the other member lacks is a finding",
        held: Some(&["filesystem::openat::object=file"]),
        seen: &["filesystem::openat2::object=file", "filesystem::openat2::object=file:proc"],
        findings: &["new-object filesystem::openat2::object=file:proc"],
        notes: &["new-syscall filesystem::openat2 file (beside openat)"],
        gone: &["filesystem::openat"],
        ..NOTHING
    },
    Case {
        name: "an object that another held member has is a note",
        held: Some(&["filesystem::newfstatat::object=pipe", "filesystem::statx::object=file"]),
        seen: &["filesystem::newfstatat::object=pipe", "filesystem::statx::object=pipe"],
        notes: &["new-object filesystem::statx::object=pipe (beside newfstatat)"],
        gone: &["filesystem::statx::object=file"],
        ..NOTHING
    },
    Case {
        name: "members are related only within a subsystem",
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
fn family_member_is_a_note_unless_strict() {
    for case in FAMILIES {
        let held = case.held.map(baseline);
        let compared = |families_strict| {
            let document = Document { families_strict, ..document(case.level) };
            compare(&document, held.as_ref(), &projection(case.seen), &Observation::new())
        };
        let tolerant = compared(false);
        assert_eq!(shown(&tolerant.findings), case.findings, "findings: {}", case.name);
        assert_eq!(shown(&tolerant.notes), case.notes, "notes: {}", case.name);
        let gone: Vec<String> = tolerant.gone.iter().map(Fact::to_string).collect();
        assert_eq!(gone, case.gone, "gone: {}", case.name);
        let strict = compared(true);
        assert_eq!(shown(&strict.notes), [""; 0], "strict: {}", case.name);
        let facts = |findings: &[Finding]| findings.iter().map(|finding| finding.fact.clone()).collect::<BTreeSet<_>>();
        let notes = facts(&tolerant.notes);
        assert!(facts(&strict.findings).is_superset(&notes), "strict: {}", case.name);
    }
}

#[test]
fn forbidden_family_member_is_a_finding() {
    let used = Use {
        subsystem: Subsystem::Filesystem,
        syscall: Syscall::from_name(Abi::X86_64, "openat2").expect("a syscall"),
        argument: None,
        object: None,
        ambient: false,
        met: Default::default(),
    };
    let tally = Tally { calls: 1, ..Tally::default() };
    let observation = Observation { uses: BTreeMap::from([(used, tally)]), ..Observation::new() };
    let rule = Rule { syscall: Some("openat2".to_owned()), ..Rule::default() };
    let forbidding = Document { forbid: vec![rule], ..document(Level::Object) };
    let held = baseline(&["filesystem::openat"]);
    let comparison = compare(&forbidding, Some(&held), &projection(&["filesystem::openat2"]), &observation);
    assert_eq!(
        shown(&comparison.findings),
        ["new-syscall filesystem::openat2 (forbidden: {syscall: openat2}) (beside openat)"]
    );
    assert_eq!(shown(&comparison.notes), [""; 0]);
}

#[test]
fn forbidden_fact_is_one_finding_even_if_held() {
    let used = Use {
        subsystem: Subsystem::Network,
        syscall: Syscall { abi: Abi::X86_64, number: 0x3e7 },
        argument: None,
        object: None,
        ambient: false,
        met: Default::default(),
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
        assert_eq!(shown(&comparison.findings), ["new-subsystem network (forbidden: offline)"]);
        assert_eq!(shown(&comparison.notes), notes);
        assert!(comparison.is_forbidden());
    }
    assert!(!compare(&document(Level::Object), None, &projection(&call), &observation).is_forbidden());
}

#[test]
fn kinds_are_found_by_name_and_ordered() {
    assert!(FindingKind::ALL.is_sorted());
    for kind in FindingKind::ALL {
        assert_eq!(FindingKind::from_name(kind.name()), Some(kind));
    }
}

#[test]
fn phase_is_judged_only_if_baseline_names_it() {
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
    assert_eq!(found(&held, &binds), ["new-syscall network::bind"], "shown once");
    assert_eq!(found(&held[..2], &opens), [""; 0]);
}

#[test]
fn guarded_run_alone_is_not_remarkable() {
    let with = |used| Comparison { used, ..Comparison::default() };
    assert!(!with(Engine::Ptrace.into()).is_remarkable());
    assert!(!with(Engine::Guard.into()).is_remarkable());
    assert!(with(UsedEngine::instead("it names phases".to_owned())).is_remarkable());
    let gone = Comparison { gone: vec![Fact::BlindSpot(RecordedBlindSpot::named("vdso"))], ..Comparison::default() };
    assert!(gone.is_remarkable());
}
