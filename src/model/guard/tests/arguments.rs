//! Tests of arguments that a filter sees in registers only in part: a call with another argument
//! than the baseline holds must stop.

use super::*;
use crate::model::facts::fact::Pair;

const FACTS: &[&str] = &[
    "network::socket::object=socket:AF_INET:SOCK_DGRAM",
    "network::connect::argument=loopback",
    "network::connect::object=socket:AF_INET:SOCK_DGRAM",
    "network::bind::argument=loopback",
    "network::bind::object=socket:AF_INET:SOCK_DGRAM",
    "network::sendto::argument=loopback",
    "network::sendto::object=socket:AF_INET:SOCK_DGRAM",
    "network::sendmsg::argument=loopback",
    "network::sendmsg::object=socket:AF_INET:SOCK_DGRAM",
    "network::sendmmsg::argument=loopback",
    "network::sendmmsg::object=socket:AF_INET:SOCK_DGRAM",
    "filesystem::openat::object=file",
    "process::execve::argument=sh",
    "process::execve::object=file",
];

/// Returns the guard of a baseline with these facts. In version 2 each argument of a syscall is
/// held with each of its objects, and so is each object alone.
fn guard_of(facts: &[&str], document: &Document, version: Version) -> Guard {
    let mut baseline = Baseline { version, ..baseline_of(facts) };
    for entry in baseline.subsystems.values_mut().flat_map(|entries| entries.values_mut()) {
        if version == Version::Two && !entry.arguments.is_empty() {
            let (arguments, objects) = (std::mem::take(&mut entry.arguments), entry.objects.clone());
            let pairs = |argument: String| {
                objects.iter().map(move |object| Pair { argument: argument.clone(), object: object.clone() })
            };
            entry.pairs.extend(arguments.into_iter().flat_map(pairs));
        }
    }
    let streams = (0..3).map(|fd| (fd, Some(Object::character("null")))).collect();
    Guard::new(document, &baseline, &baseline.platform, &streams).expect("a guard")
}

#[test]
fn calls_with_an_address_stop_if_it_is_judged() {
    let [old, new] = Version::ALL.map(|version| guard_of(FACTS, &Document::for_tests(), version));
    for (name, args, expected) in [
        ("connect", &[3, 0x1000, 16][..], [true, false]),
        // Also to 0.0.0.0.
        ("bind", &[3, 0x1000, 16], [true, false]),
        ("sendto", &[3, 0x1000, 1, 0, 0x2000, 16], [true, false]),
        ("sendto", &[3, 0x1000, 1, 0, 1 << 32, 16], [true, false]),
        // A send(2) names no address.
        ("sendto", &[3, 0x1000, 1, 0, 0, 0], [true, true]),
        ("sendmsg", &[3, 0x1000, 0], [true, false]),
        ("sendmmsg", &[3, 0x1000, 1], [true, false]),
        ("execve", &[0x1000], [false, false]),
        ("openat", &[0, 0x1000, 0], [false, false]),
    ] {
        assert_eq!([&old, &new].map(|guard| passes(guard, name, args)), expected, "{name} {args:x?}");
    }
}

#[test]
fn looked_at_calls_are_expected_only_with_their_argument() {
    let file = Object::file("ext4", false, None);
    let socket = Object::socket(2, 2, 17);
    let reading = FACTS.to_vec();
    let writing = [FACTS, &["filesystem::openat::O_WRONLY|O_CREAT,file"]].concat();
    for (facts, name, args, object, expected) in [
        (&reading, "openat", &[0, 0x1000, 0][..], &file, [true, true]),
        (&reading, "openat", &[0, 0x1000, 1], &file, [true, false]),
        (&reading, "openat", &[0, 0x1000, 0o1000], &file, [true, false]),
        (&writing, "openat", &[0, 0x1000, 0o101], &file, [true, true]),
        (&writing, "openat", &[0, 0x1000, 0o102], &file, [true, false]),
        (&reading, "connect", &[3, 0x1000, 16], &socket, [true, false]),
        (&reading, "sendto", &[3, 0x1000, 1, 0, 0x2000, 16], &socket, [true, false]),
        (&reading, "sendto", &[3, 0x1000, 1, 0, 0, 0], &socket, [true, true]),
        (&reading, "execve", &[0x1000], &file, [true, false]),
    ] {
        let guards = Version::ALL.map(|version| guard_of(facts, &Document::for_tests(), version));
        let expects = guards.map(|guard| guard.expects(&call(name, args), Some(object)));
        assert_eq!(expects, expected, "{name} {args:x?}");
    }
}

#[test]
fn opens_for_reading_and_writing_differ() {
    let likeness = |flags| Guard::likeness(&call("openat", &[0, 0x1000, flags]));
    assert!(likeness(0).is_some());
    assert_eq!(likeness(0), likeness(0));
    assert_ne!(likeness(0), likeness(1));
}

#[test]
fn messages_of_connected_unix_sockets_pass() {
    let facts = [
        "unix::socket::object=socket:AF_UNIX:SOCK_STREAM",
        "unix::sendmsg::object=socket:AF_UNIX:SOCK_STREAM",
        "unix::connect::argument=path",
        "unix::connect::object=socket:AF_UNIX:SOCK_STREAM",
    ];
    let guard = guard_of(&facts, &Document::for_tests(), Version::Two);
    assert!(passes(&guard, "sendmsg", &[3, 0x1000, 0]));
    assert!(!passes(&guard, "connect", &[3, 0x1000, 110]));
    // Fds of other kinds are unsafe, because messages on them may name an address.
    for (object, expected) in
        [(Object::socket(1, 1, 0), true), (Object::socket(1, 2, 0), false), (Object::socket(2, 2, 17), false)]
    {
        assert_eq!(guard.is_safe(guard.class(3), &object, Access::BOTH), expected, "{object:?}");
    }
}

#[test]
fn forbidden_argument_in_memory_stops_the_call() {
    let rule = |syscall: &str, argument: &str| Rule {
        syscall: Some(syscall.to_owned()),
        argument: Some(argument.to_owned()),
        ..Rule::default()
    };
    let document = Document { forbid: vec![rule("connect", "global")], ..Document::for_tests() };
    let guard = guard_of(FACTS, &document, Version::One);
    assert!(!passes(&guard, "connect", &[3, 0x1000, 16]));
    assert!(passes(&guard, "bind", &[3, 0x1000, 16]));
    let others = Rule { argument: Some("PROT_EXEC".to_owned()), ..Rule::default() };
    let document = Document { forbid: vec![others], ..Document::for_tests() };
    assert!(passes(&guard_of(FACTS, &document, Version::One), "connect", &[3, 0x1000, 16]));
    let document = Document { forbid: vec![rule("openat", "O_WRONLY|O_CREAT")], ..Document::for_tests() };
    let guard = guard_of(FACTS, &document, Version::One);
    let file = Object::file("ext4", false, None);
    assert!(guard.expects(&call("openat", &[0, 0x1000, 0]), Some(&file)));
    assert!(!guard.expects(&call("openat", &[0, 0x1000, 0o101]), Some(&file)));
}
