//! Comparisons of signals that ended processes.

use super::*;
use crate::model::facts::signal_name::SignalName;

const CASES: &[Case] = &[
    Case {
        name: "a crash fails at every level, after new subsystems",
        level: Level::Subsystem,
        held: Some(&["filesystem::openat", "signals::SIGABRT"]),
        seen: &["filesystem::openat", "network::socket", "signals::SIGABRT", "signals::SIGKILL", "signals::SIGSEGV"],
        findings: &["new-subsystem network", "new-signal signals::SIGSEGV"],
        notes: &["new-signal signals::SIGKILL", "new-syscall network::socket"],
        ..NOTHING
    },
    Case {
        name: "level signal fails on every signal",
        level: Level::Signal,
        held: Some(&["signals::SIGPIPE"]),
        seen: &["signals::SIGKILL", "signals::SIGPIPE"],
        findings: &["new-signal signals::SIGKILL"],
        ..NOTHING
    },
    Case {
        name: "signals are gone where a new one fails",
        level: Level::Error,
        held: Some(&["signals::SIGKILL", "signals::SIGSEGV"]),
        gone: &["signals::SIGSEGV"],
        ..NOTHING
    },
];

#[test]
fn crashes_fail_at_every_level() {
    check(CASES);
}

#[test]
fn signals_of_a_baseline_without_them_are_not_judged() {
    let held = Baseline { version: Version::One, ..baseline(&["signals::SIGSEGV"]) };
    let comparison = compare(&document(Level::Object), Some(&held), &Projection::default(), &Observation::new());
    assert_eq!(comparison, Comparison { version: Version::One, ..Comparison::default() });
}

#[test]
fn finding_names_the_process_that_died() {
    let mut observation = Observation::new();
    observation.ends.keep(SignalName(11), vec!["sh -c …".to_owned(), "helper".to_owned()]);
    let comparison =
        compare(&document(Level::Object), Some(&baseline(&[])), &projection(&["signals::SIGSEGV"]), &observation);
    let example = comparison.findings[0].example.as_ref().expect("an example");
    assert_eq!((example.call.as_str(), example.origin().as_str()), ("killed by SIGSEGV", "sh -c … → helper"));
}
