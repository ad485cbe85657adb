//! Tests of projection: tolerated and ambient calls, phases, and new calls.

use super::*;
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::syscall::{Abi, Syscall};

/// An unknown number, so that its name does not depend on a table.
const CALL: &str = "syscall_0x3e7";

fn used(subsystem: Subsystem, object: Option<&'static str>) -> Use {
    let syscall = Syscall { abi: Abi::X86_64, number: 0x3e7 };
    Use { subsystem, syscall, argument: None, object: object.map(Into::into), ambient: false, met: Default::default() }
}

/// Formats the projected facts like keys, with their number of calls.
fn projected(uses: &[(Use, Tally)], document: &Document) -> Vec<String> {
    let observation = Observation { uses: uses.iter().cloned().collect(), ..Observation::new() };
    let platform = "x86_64-linux-gnu".parse().expect("a platform");
    let projection = project(&observation, document, &platform, Version::One);
    projection.facts.iter().map(|(fact, calls)| format!("{fact} {calls}")).collect()
}

fn calls(calls: u64) -> Tally {
    Tally { calls, errors: BTreeMap::new() }
}

#[test]
fn use_gives_subsystem_syscall_and_details() {
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
            "filesystem 6".to_owned(),
            format!("filesystem::{CALL} 6"),
            format!("filesystem::{CALL}::object=file 5"),
            format!("filesystem::{CALL}::object=file:proc 1"),
            "network 4".to_owned(),
            format!("network::{CALL} 4"),
            format!("network::{CALL}::argument=AF_INET 4"),
            format!("network::{CALL}::abi=i386 4"),
        ]
    );
}

#[test]
fn argument_and_object_are_one_fact_in_version_2() {
    let with = |argument: Option<&'static str>, object| Use {
        argument: argument.map(Into::into),
        ..used(Subsystem::Device, object)
    };
    let uses = [
        (with(Some("TCGETS"), Some("char:pts")), calls(2)),
        (with(Some("TCGETS"), None), calls(3)),
        (with(Some("TCXONC"), None), calls(1)),
        (with(None, Some("char:pts")), calls(1)),
    ];
    let observation = Observation { uses: uses.into(), ..Observation::new() };
    let platform: Platform = "x86_64-linux-gnu".parse().expect("a platform");
    let details = |version| {
        let facts = project(&observation, &Document::for_tests(), &platform, version).facts;
        let details = facts.iter().filter_map(|(fact, calls)| Some(format!("{} {calls}", fact.detail()?)));
        details.collect::<Vec<_>>()
    };
    assert_eq!(details(Version::One), ["argument=TCGETS 5", "argument=TCXONC 1", "object=char:pts 3"]);
    assert_eq!(details(Version::Two), ["argument=TCXONC 1", "object=char:pts 1", "TCGETS,char:pts 2"]);
}

#[test]
fn ambient_calls_count_only_in_strict_documents() {
    let mut used = used(Subsystem::Futex, None);
    used.ambient = true;
    let uses = [(used, calls(1))];
    assert!(projected(&uses, &Document::for_tests()).is_empty());
    let strict = Document { ambient_strict: true, ..Document::for_tests() };
    assert_eq!(projected(&uses, &strict), ["futex 1".to_owned(), format!("futex::{CALL} 1")]);
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
            "filesystem 3".to_owned(),
            format!("filesystem::{CALL} 3"),
            format!("filesystem::{CALL}::object=file 3"),
            format!("filesystem::{CALL}::error=EACCES 3"),
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
fn errors_are_facts_only_at_error_level() {
    let tally = Tally { calls: 1, errors: [(Errno(2), 1)].into() };
    let uses = [(used(Subsystem::Filesystem, None), tally)];
    assert_eq!(projected(&uses, &Document::for_tests()).len(), 2);
    let document = Document { level: Level::Error, ..Document::for_tests() };
    assert_eq!(projected(&uses, &document)[2], format!("filesystem::{CALL}::error=ENOENT 1"));
}

#[test]
fn signals_are_facts_unless_tolerated_or_not_judged() {
    let mut observation = Observation::new();
    observation.ends.signals = [(SignalName(6), 1), (SignalName(9), 3)].into();
    let facts = |document: Document, version| {
        let platform = "x86_64-linux-gnu".parse().expect("a platform");
        let facts = project(&observation, &document, &platform, version).facts;
        facts.iter().map(|(fact, calls)| format!("{fact} {calls}")).collect::<Vec<_>>()
    };
    let both = ["signals::SIGABRT 0", "signals::SIGKILL 0"];
    assert_eq!(facts(Document::for_tests(), Version::One), [""; 0]);
    assert_eq!(facts(Document::for_tests(), Version::Two), both);
    assert_eq!(facts(Document { level: Level::Signal, ..Document::for_tests() }, Version::One), both);
    // SIGIOT is another name of SIGABRT; a rule without a signal is about calls.
    let tolerate = vec![Rule::default().signal("SIGIOT"), Rule::default().object("file")];
    assert_eq!(facts(Document { tolerate, ..Document::for_tests() }, Version::Two), ["signals::SIGKILL 0"]);
}

#[test]
fn rule_with_a_signal_matches_no_call() {
    let rule = Rule::default().signal("SIGSEGV");
    assert!(rule.matches_signal(SignalName(11)) && !rule.matches_signal(SignalName(9)));
    assert!(!rule.matches(&used(Subsystem::Filesystem, None), None));
    assert!(!Rule::default().matches_signal(SignalName(11)));
}

#[test]
fn rule_for_a_phase_tolerates_only_there() {
    let uses = [(used(Subsystem::Filesystem, None), calls(5)), (used(Subsystem::Network, None), calls(2))];
    let phase = [(used(Subsystem::Filesystem, None), calls(3)), (used(Subsystem::Network, None), calls(2))];
    let observation =
        Observation { uses: uses.into(), phases: [("starting".to_owned(), phase.into())].into(), ..Observation::new() };
    let facts = |tolerate: Vec<Rule>| {
        let document = Document { tolerate, ..Document::for_tests() };
        let facts =
            project(&observation, &document, &"x86_64-linux-gnu".parse().expect("a platform"), Version::One).facts;
        facts.iter().map(|(fact, calls)| format!("{fact} {calls}")).collect::<Vec<_>>()
    };
    let call = |subsystem: &str, calls: u64| format!("{subsystem}::{CALL} {calls}");
    let all = facts(Vec::new());
    assert!(all.contains(&call("filesystem", 5)) && all.contains(&call("phase=starting::network", 2)), "{all:?}");
    let starting = Rule { phase: Some("starting".to_owned()), ..Rule::default() };
    assert_eq!(facts(vec![starting]), ["filesystem 2".to_owned(), call("filesystem", 2)]);
}

#[test]
fn call_site_is_wanted_for_unheld_and_forbidden() {
    let platform: Platform = "x86_64-linux-gnu".parse().expect("a platform");
    let mut baseline = Baseline::new(platform.clone());
    for key in [format!("filesystem::{CALL}"), format!("phase=serving::filesystem::{CALL}")] {
        baseline.insert(&key.parse().expect("a fact"));
    }
    baseline.phases.insert("ending".to_owned(), BTreeMap::new());
    let forbid = vec![Rule { phase: Some("leaving".to_owned()), ..Rule::default() }];
    let document = Document { forbid, ..Document::for_tests() };
    let filter = FirstCallFilter::new(&document, &baseline, &platform);
    for (subsystem, phase, is_wanted) in [
        (Subsystem::Filesystem, None, false),
        (Subsystem::Filesystem, Some("serving"), false),
        (Subsystem::Filesystem, Some("ending"), true),
        (Subsystem::Filesystem, Some("unnamed"), false),
        (Subsystem::Filesystem, Some("leaving"), true),
        (Subsystem::Network, None, true),
    ] {
        let first = First { used: used(subsystem, None), phase: phase.map(str::to_owned), of_run: false, error: None };
        assert_eq!(filter.selects(&first), is_wanted, "{first:?}");
    }
}

#[test]
fn baseline_and_projection_name_facts_alike() {
    let entry = Entry { objects: ["file".into()].into(), why: Some("reads".to_owned()), ..Entry::default() };
    let mut baseline = Baseline::new("x86_64-linux-gnu".parse().expect("a platform"));
    baseline.subsystems.entry(Subsystem::Filesystem).or_default().insert(CALL.to_owned(), entry);
    baseline.blind_spots.insert(BlindSpot::IoUring.into());
    baseline.signals.insert(SignalName(11));
    let mut observation = Observation {
        uses: [(used(Subsystem::Filesystem, Some("file:ext4")), calls(1))].into(),
        blind_spots: [BlindSpot::IoUring].into(),
        ..Observation::new()
    };
    observation.ends.signals.insert(SignalName(11), 1);
    let projection = project(&observation, &Document::for_tests(), &baseline.platform, baseline.version);
    assert_eq!(projection.facts.keys().cloned().collect::<BTreeSet<_>>(), baseline.facts());
}
