//! Tests of the index of first calls.

use super::*;
use crate::model::attribution::ObjectKind;
use crate::model::attribution::Subsystem;
use crate::model::expectation::Level;
use crate::model::expectation::storage::written_object;
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::observe::first::First;

/// Reference implementation: a linear search for the first call that shows the fact.
fn linear_search(fact: &Fact, calls: &FirstCalls<String>) -> Option<String> {
    if let Fact::Use { detail: Some(Detail::Error(ErrnoName(errno))), .. } = fact {
        let failed = calls.of_errors().filter(|(used, failed, ..)| failed == errno && is_shown_by(fact, used));
        return failed.min_by_key(|(_, _, at, _)| *at).map(|(.., kept)| kept.clone());
    }
    let phase = match fact {
        Fact::Phase { phase, .. } => Some(phase.as_str()),
        _ => None,
    };
    let shown = calls.of_uses().filter(|(place, used, ..)| *place == phase && is_shown_by(fact, used));
    shown.min_by_key(|(_, _, at, _)| *at).map(|(.., kept)| kept.clone())
}

fn written(used: &Use) -> Option<ObjectKind> {
    used.object.as_ref().map(written_object)
}

fn is_shown_by(fact: &Fact, used: &Use) -> bool {
    let Fact::Use { subsystem, syscall, detail } = fact.in_any_phase() else { return false };
    subsystem == used.subsystem
        && syscall.is_none_or(|syscall| syscall == used.syscall.name())
        && match detail {
            Some(Detail::Argument(argument)) => used.argument.as_deref() == Some(&argument),
            Some(Detail::Object(object)) => written(used) == Some(object),
            Some(Detail::Pair(pair)) => {
                used.argument.as_deref() == Some(&pair.argument) && written(used) == Some(pair.object)
            }
            Some(Detail::Abi(abi)) => abi == used.syscall.abi,
            Some(Detail::Error(_)) | None => true,
        }
}

/// Builds first calls from every combination of a few subsystems, syscalls, arguments, objects and
/// phases, in varying order. It leaves out every `missing`th, so that the first use of a fact
/// varies. Every third one also has an error, at another time.
fn combinations(missing: usize) -> FirstCalls<String> {
    let mut all = Vec::new();
    let subsystems = [Subsystem::Network, Subsystem::Filesystem];
    let mut number = 0;
    for (subsystem, syscall) in subsystems.into_iter().flat_map(|it| [(it, 3), (it, 16)]) {
        for argument in [None, Some("A"), Some("B")] {
            for object in [None, Some("file:ext4"), Some("file:xfs"), Some("pipe")] {
                for phase in [None, Some("serving"), Some("ending")] {
                    let used = Use {
                        subsystem,
                        syscall: Syscall { abi: Abi::X86_64, number: syscall },
                        argument: argument.map(Into::into),
                        object: object.map(Into::into),
                        ambient: number % 2 == 0,
                        met: Default::default(),
                    };
                    number += 1;
                    if number % missing == 0 {
                        continue;
                    }
                    let kept = format!("f{number}");
                    if number % 3 == 0 {
                        let error = Some(Errno(if number % 2 == 0 { 1 } else { 2 }));
                        let first = First { used: used.clone(), phase: None, of_run: false, error };
                        all.push((number * 104_729 % 1009, first, kept.clone()));
                    }
                    let of_run = phase.is_none();
                    let first = First { used, phase: phase.map(str::to_owned), of_run, error: None };
                    all.push((number * 7919 % 1009, first, kept));
                }
            }
        }
    }
    all.sort_by_key(|(order, ..)| *order);
    let mut calls = FirstCalls::default();
    all.iter().for_each(|(_, first, kept)| calls.add(first, kept));
    calls
}

#[test]
fn first_call_is_that_of_a_linear_search() {
    let details = ["argument=A", "argument=B", "argument=C", "object=file", "object=pipe", "object=file:ext4"];
    let mut keys = vec!["blind_spots::io_uring".to_owned()];
    for subsystem in ["network", "filesystem", "memory"] {
        keys.push(subsystem.to_owned());
        for syscall in ["close", "ioctl", "read"] {
            keys.push(format!("{subsystem}::{syscall}"));
            keys.extend(["serving", "never"].map(|phase| format!("phase={phase}::{subsystem}::{syscall}")));
            let details = details.iter().chain(&["error=EPERM", "error=ENOENT", "error=EIO", "abi=i386", "abi=x86_64"]);
            keys.extend(details.map(|detail| format!("{subsystem}::{syscall}::{detail}")));
        }
    }
    let document = Document { ambient_strict: true, level: Level::Error, ..Document::for_tests() };
    for missing in 2..40 {
        let calls = combinations(missing);
        let index = FirstByFact::of(&calls, &document);
        for key in &keys {
            let fact = key.parse().expect(key);
            let found = index.of_fact(&fact).cloned();
            assert_eq!(found, linear_search(&fact, &calls), "{key}, every {missing}th is missing");
        }
    }
}

fn used(syscall: i64, object: Option<&str>, ambient: bool) -> Use {
    Use {
        subsystem: Subsystem::Filesystem,
        syscall: Syscall { abi: Abi::X86_64, number: syscall },
        argument: None,
        object: object.map(Into::into),
        ambient,
        met: Default::default(),
    }
}

type Call = (Use, Option<i32>, bool, &'static str);

fn calls(all: &[Call]) -> FirstCalls<&'static str> {
    let mut calls = FirstCalls::default();
    for (used, errno, of_run, kept) in all {
        calls.add(&First { used: used.clone(), phase: None, of_run: *of_run, error: errno.map(Errno) }, kept);
    }
    calls
}

fn found(calls: &FirstCalls<&'static str>, document: &Document, key: &str) -> Option<&'static str> {
    FirstByFact::of(calls, document).of_fact(&key.parse().expect(key)).copied()
}

#[test]
fn first_call_counts_and_an_error_has_its_own() {
    let calls = calls(&[
        (used(1, Some("pipe"), false), None, true, "first"),
        (used(0, Some("file:ext4"), false), None, true, "second"),
        (used(0, None, false), Some(9), true, "third"),
        (used(0, Some("file:ext4"), false), Some(5), false, "fourth"),
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
        assert_eq!(found(&calls, &document, key), call, "{key}");
    }
}

#[test]
fn unjudged_call_counts_only_if_forbidden() {
    let calls = calls(&[
        (used(0, None, true), None, true, "ambient"),
        (used(1, None, false), None, true, "tolerated"),
        (used(3, None, false), None, true, "judged"),
        (used(3, None, false), Some(1), false, "refused"),
    ]);
    let document = Document { tolerate: vec![Rule::from("write")], ..Document::for_tests() };
    assert_eq!(found(&calls, &document, "filesystem"), Some("judged"));
    assert_eq!(found(&calls, &document, "filesystem::close::error=EPERM"), Some("refused"));
    assert_eq!(found(&calls, &document, "filesystem::write"), None);
    let strict = Document { ambient_strict: true, ..document.clone() };
    assert_eq!(found(&calls, &strict, "filesystem"), Some("ambient"));
    let forbids = Document { forbid: vec![Rule::from("write")], ..document };
    assert_eq!(found(&calls, &forbids, "filesystem::write"), Some("tolerated"));
}
