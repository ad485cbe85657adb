//! Tests of splits of hand-made baselines. A property test in `format::properties` shows that
//! splits lose nothing.

use std::collections::BTreeMap;

use super::{Difference, Facts, Split};
use crate::model::attribution::ObjectKind;
use crate::model::expectation::terms::Baseline;
use crate::model::facts::fact::Fact;
use crate::model::facts::fingerprint::Fingerprint;

fn baseline(keys: &[&str]) -> Baseline {
    let mut baseline = Baseline::new("x86_64-linux-gnu".parse().expect("a platform"));
    for key in keys {
        let (key, sometimes) = key.strip_suffix('?').map_or((*key, false), |key| (key, true));
        let fact: Fact = key.parse().expect(key);
        baseline.insert(&fact);
        if let Fact::Use { subsystem, syscall: Some(syscall), .. } = &fact {
            let entry = baseline.subsystems.get_mut(subsystem).and_then(|syscalls| syscalls.get_mut(syscall));
            entry.expect("it was inserted").sometimes |= sometimes;
        }
    }
    baseline
}

fn split(tests: &[(&str, &[&str])]) -> Split {
    let tests: BTreeMap<String, Baseline> =
        tests.iter().map(|(name, keys)| ((*name).to_owned(), baseline(keys))).collect();
    let split = Split::of("x86_64-linux-gnu".parse().expect("a platform"), &tests);
    assert_eq!(split.baselines(), tests, "nothing is lost");
    split
}

/// Formats the common facts that a test lacks, then its own facts.
fn difference(difference: &Difference) -> String {
    let without: Vec<String> = difference.without.iter().map(|fact| format!("-{fact}")).collect();
    (without.join(", ") + " " + &shown(&difference.facts)).trim().to_owned()
}

/// Formats calls as `call(details)`, with `?` for `seen: sometimes`, then phases and blind spots.
fn shown(facts: &Facts) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (subsystem, syscalls) in &facts.subsystems {
        parts.extend(syscalls.is_empty().then(|| format!("{}:", subsystem.slug())));
        for (name, entry) in syscalls {
            let (arguments, objects) =
                (entry.arguments.iter().map(String::as_str), entry.objects.iter().map(ObjectKind::as_str));
            let details: Vec<&str> = arguments.chain(objects).collect();
            parts.push(format!("{name}{}({})", if entry.sometimes { "?" } else { "" }, details.join(" ")));
        }
    }
    for (phase, subsystems) in &facts.phases {
        let names: Vec<&str> = subsystems.values().flatten().map(String::as_str).collect();
        parts.push(format!("{phase}={}", names.join(" ")));
    }
    parts.extend(facts.blind_spots.iter().map(ToString::to_string));
    parts.extend(facts.signals.iter().map(ToString::to_string));
    parts.join(", ")
}

#[test]
fn common_of_two_tests_is_what_both_use() {
    const OPEN: &str = "filesystem::openat::object=file";
    const OPEN_PROC: &str = "filesystem::openat::object=file:proc";
    const READ: &str = "filesystem::read";
    const READ_SOMETIMES: &str = "filesystem::read?";
    const BIND: &str = "network::bind";
    const LISTEN: &str = "network::listen";
    for (one, other, common, differences) in [
        (&[OPEN, READ][..], &[OPEN, READ][..], "openat(file), read()", ["", ""]),
        (&[OPEN, READ], &[OPEN], "openat(file)", ["read()", ""]),
        (&[OPEN_PROC], &[OPEN], "openat()", ["openat(file:proc)", "openat(file)"]),
        (&[OPEN, OPEN_PROC], &[OPEN], "openat(file)", ["openat(file:proc)", ""]),
        (&[BIND], &[LISTEN], "network:", ["bind()", "listen()"]),
        (&[BIND], &[READ], "", ["bind()", "read()"]),
        (&[READ_SOMETIMES], &[READ], "read()", ["read?()", ""]),
        (&[READ_SOMETIMES], &[READ_SOMETIMES], "read?()", ["", ""]),
        (&["blind_spots::io_uring"], &["blind_spots::io_uring", READ], "io_uring", ["", "read()"]),
        (&["signals::SIGPIPE", "signals::SIGSEGV"], &["signals::SIGPIPE"], "SIGPIPE", ["SIGSEGV", ""]),
        (
            &["phase=p::network::bind", "phase=p::network::listen"],
            &["phase=p::network::bind"],
            "p=bind",
            ["p=listen", ""],
        ),
        (&[], &[], "", ["", ""]),
        (&[OPEN], &[], "", ["openat(file)", ""]),
    ] {
        let split = split(&[("a", one), ("b", other)]);
        assert_eq!(shown(&split.common), common, "{one:?} and {other:?}");
        assert_eq!(split.tests.values().map(difference).collect::<Vec<_>>(), differences);
    }
}

#[test]
fn one_test_alone_has_no_difference() {
    let split = split(&[("a", &["filesystem::read?"])]);
    assert_eq!(shown(&split.common), "read?()");
    assert_eq!(shown(&split.tests["a"].facts), "");
}

#[test]
fn common_is_what_more_than_half_use() {
    const READ: &str = "filesystem::read";
    const READ_FILE: &str = "filesystem::read::object=file";
    const BIND: &str = "network::bind";
    const BIND_INET: &str = "network::bind::argument=loopback";
    const IO_URING: &str = "blind_spots::io_uring";
    for (tests, common, differences) in [
        (&[&[READ, BIND][..], &[READ, BIND], &[READ]][..], "read(), bind()", &["", "", "-network"][..]),
        (&[&[READ, BIND], &[READ], &[READ]], "read()", &["bind()", "", ""]),
        (&[&[READ, BIND], &[READ, BIND], &[READ], &[READ]], "read()", &["bind()", "bind()", "", ""]),
        (&[&[READ_FILE], &[READ_FILE], &[READ]], "read(file)", &["", "", "-filesystem::read::object=file"]),
        (&[&[READ_FILE], &[READ_FILE], &[]], "read(file)", &["", "", "-filesystem"]),
        (
            &[&[BIND_INET, READ], &[BIND_INET], &["network::listen"]],
            "bind(loopback)",
            &["read()", "", "-network::bind listen()"],
        ),
        (&[&[IO_URING], &[IO_URING], &[]], "", &["io_uring", "io_uring", ""]),
        (&[&["filesystem::read?"], &["filesystem::read?"], &[READ]], "read()", &["read?()", "read?()", ""]),
        (&[&["filesystem::read?"], &["filesystem::read?"], &[]], "read?()", &["", "", "-filesystem"]),
    ] {
        let names = ["a", "b", "c", "d"];
        let tests: Vec<(&str, &[&str])> = names.into_iter().zip(tests.iter().copied()).collect();
        let split = split(&tests);
        assert_eq!(shown(&split.common), common, "{tests:?}");
        assert_eq!(split.tests.values().map(difference).collect::<Vec<_>>(), differences, "{tests:?}");
    }
}

#[test]
fn new_test_that_does_little_changes_no_other() {
    const BOTH: &[&str] = &["filesystem::read", "network::bind"];
    let before = split(&[("a", BOTH), ("b", BOTH)]);
    let after = split(&[("a", BOTH), ("b", BOTH), ("c", &["filesystem::read"])]);
    assert_eq!(after.common, before.common);
    assert_eq!((&after.tests["a"], &after.tests["b"]), (&before.tests["a"], &before.tests["b"]));
    assert_eq!(difference(&after.tests["c"]), "-network");
}

#[test]
fn reasons_are_common_only_where_all_agree() {
    let with = |why: Option<&str>, owner: Option<&str>| {
        let mut baseline = baseline(&["network::bind"]);
        for entry in baseline.subsystems.values_mut().flat_map(BTreeMap::values_mut) {
            (entry.why, entry.owner) = (why.map(str::to_owned), owner.map(str::to_owned));
        }
        baseline
    };
    let platform = || "x86_64-linux-gnu".parse().expect("a platform");
    for (one, other, common) in [
        (Some("serves"), Some("serves"), Some("serves")),
        (Some("serves"), Some("asks"), None),
        (Some("serves"), None, None),
        (None, None, None),
    ] {
        let tests: BTreeMap<String, Baseline> =
            [("a".to_owned(), with(one, Some("net"))), ("b".to_owned(), with(other, Some("net")))].into();
        let split = Split::of(platform(), &tests);
        let entry = split.common.subsystems.values().flat_map(BTreeMap::values).next().expect("an entry");
        assert_eq!((entry.why.as_deref(), entry.owner.as_deref()), (common, Some("net")));
        assert_eq!(split.baselines(), tests);
    }
}

#[test]
fn fingerprint_of_most_tests_is_written_once() {
    let recorded = |rustc: &str| Baseline {
        fingerprint: Fingerprint { rustc: Some(rustc.to_owned()), ..Fingerprint::default() },
        ..baseline(&["network::bind"])
    };
    let versions = ["1.95.0", "1.96.0", "1.95.0"];
    let mut tests: BTreeMap<String, Baseline> =
        versions.iter().enumerate().map(|(number, rustc)| (number.to_string(), recorded(rustc))).collect();
    tests.insert("3".to_owned(), baseline(&["network::bind"]));
    let split = Split::of("x86_64-linux-gnu".parse().expect("a platform"), &tests);
    assert_eq!(split.fingerprint.rustc.as_deref(), Some("1.95.0"));
    let own: Vec<_> = split.tests.values().map(|test| test.fingerprint.clone()).collect();
    assert_eq!(own, [None, Some(recorded("1.96.0").fingerprint), None, Some(Fingerprint::default())]);
    assert_eq!(split.baselines(), tests);
}

#[test]
fn subsystem_without_syscalls_stays_beside_a_filled_one() {
    let split = split(&[("a", &["network::bind"]), ("b", &["network::bind"]), ("c", &["network"])]);
    assert_eq!(shown(&split.common), "bind()");
    assert_eq!(difference(&split.tests["c"]), "-network::bind network:");
}
