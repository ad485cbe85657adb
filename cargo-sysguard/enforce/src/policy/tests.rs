//! Tests of policies, and of the filters that are compiled from them.

use sysguard::unstable::model::expectation::{Expectation, format};
use sysguard::unstable::model::kernel::syscall::{Abi, Syscall};
use sysguard::unstable::model::run::platform::Platform;

use super::*;
use crate::source::Refusal;

const DOCUMENT: &str = "\
version: 2
command: [demo]
forbid:
  - {syscall: socket, argument: AF_PACKET}
  - {subsystem: bpf}
  - {path: /etc/shadow}
---
platform: x86_64-linux-gnu
subsystems:
  filesystem:
    openat:
      - file
      - O_WRONLY|O_CREAT file
    read:
      - file
  memory:
    mmap:
      - PROT_READ|PROT_EXEC file
  network:
    socket:
      - AF_INET socket:AF_INET:SOCK_STREAM
    connect:
      - loopback socket:AF_INET:SOCK_STREAM
  process:
    clone3:
errors:
  uses:
    filesystem:
      unlink:
        - file
";

fn platform() -> Platform {
    Platform::from_triple("x86_64-unknown-linux-gnu").expect("a triple")
}

fn expectation(text: &str) -> Expectation {
    format::read(text.as_bytes()).expect("it is read").expectation
}

fn policy(text: &str, options: &Options) -> Policy {
    let expectation = expectation(text);
    let source = Source::of("demo", &expectation, &platform()).expect("it can be enforced");
    Policy::of(&[source], options)
}

fn syscall(name: &str) -> Syscall {
    Syscall::from_name(Abi::X86_64, name).expect(name)
}

fn denial(policy: &Policy, name: &str, args: [u64; 6]) -> Option<Denial> {
    policy.denial(syscall(name), &args)
}

#[test]
fn baseline_error_paths_families_and_ambient_calls_are_allowed() {
    let policy = policy(DOCUMENT, &Options::default());
    let why = |name: &str| policy.allowed[&syscall(name)].why.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(why("read"), ["observed in demo"]);
    assert_eq!(why("unlink"), ["on error paths of demo"]);
    assert_eq!(why("clone"), ["instead of clone3: glibc uses clone3 since 2.34, or clone if a filter refuses it"]);
    assert_eq!(why("rseq"), ["any program: thread start of the C library"]);
    for (name, expected) in [
        ("openat2", None),
        ("unlinkat", None),
        ("restart_syscall", None),
        ("reboot", Some(Denial::NotAllowed)),
        ("bpf", Some(Denial::Refused)),
    ] {
        assert_eq!(denial(&policy, name, [0; 6]), expected, "{name}");
    }
}

#[test]
fn arguments_are_narrowed_only_on_request() {
    const ANONYMOUS_CODE: [u64; 6] = [0, 4096, 5, 0x22, u64::MAX, 0];
    let wide = policy(DOCUMENT, &Options::default());
    let narrow = policy(DOCUMENT, &Options { arguments: true, ..Options::default() });
    for (name, args, of_wide, of_narrow) in [
        ("socket", [2, 1, 0, 0, 0, 0], None, None),
        ("socket", [10, 1, 0, 0, 0, 0], None, Some(Denial::NotAllowed)),
        ("socket", [17, 3, 0, 0, 0, 0], Some(Denial::Refused), Some(Denial::Refused)),
        ("openat", [0, 0, 0, 0, 0, 0], None, None),
        ("openat", [0, 0, 0x8_0000, 0, 0, 0], None, None),
        ("openat", [0, 0, 0o101, 0, 0, 0], None, None),
        ("openat", [0, 0, 0o102, 0, 0, 0], None, Some(Denial::NotAllowed)),
        ("mmap", [0, 4096, 3, 0x22, u64::MAX, 0], None, None),
        ("mmap", [0, 4096, 5, 2, 3, 0], None, None),
        ("mmap", ANONYMOUS_CODE, None, Some(Denial::NotAllowed)),
        ("mprotect", [0, 4096, 1, 0, 0, 0], None, None),
        ("mprotect", [0, 4096, 5, 0, 0, 0], None, Some(Denial::NotAllowed)),
        ("connect", [3, 1, 16, 0, 0, 0], None, None),
    ] {
        assert_eq!(denial(&wide, name, args), of_wide, "{name} {args:x?}");
        assert_eq!(denial(&narrow, name, args), of_narrow, "{name} {args:x?}, narrow");
    }
}

#[test]
fn tolerated_calls_are_allowed_if_they_are_named() {
    let with = |rule: &str| DOCUMENT.replace("---\n", &format!("tolerate:\n  - {{{rule}}}\n---\n"));
    let policy = policy(&with("syscall: keyctl, object: file"), &Options::default());
    let why: Vec<String> = policy.allowed[&syscall("keyctl")].why.iter().map(ToString::to_string).collect();
    assert_eq!(why, ["tolerated in demo"]);
    let unnamed = expectation(&with("subsystem: keys"));
    let refusal = Source::of("demo", &unnamed, &platform()).expect_err("calls are missing");
    assert!(refusal.to_string().ends_with("lacks them: tolerate {subsystem: keys}"), "{refusal}");
    assert!(Source::of("demo", &expectation(&with("signal: SIGTERM")), &platform()).is_ok());
}

#[test]
fn program_can_be_started_although_execve_is_forbidden() {
    let text = DOCUMENT.replace("forbid:\n", "forbid:\n  - {syscall: execve}\n");
    for (starts, expected) in [(true, Some(Denial::NotAllowed)), (false, Some(Denial::Refused))] {
        let policy = policy(&text, &Options { starts, ..Options::default() });
        assert_eq!(denial(&policy, "execve", [0; 6]), expected);
        assert_eq!(policy.unenforced.iter().any(|rule| rule.starts_with("forbid {syscall: execve} for")), starts);
    }
}

#[test]
fn rule_on_a_path_is_not_enforced() {
    let policy = policy(DOCUMENT, &Options::default());
    assert_eq!(policy.unenforced.iter().collect::<Vec<_>>(), ["forbid {path: /etc/shadow}"]);
}

#[test]
fn incomplete_baselines_are_refused() {
    let head = "version: 2\ncommand: [demo]\n";
    let body = "platform: x86_64-linux-gnu\n";
    let uses = "subsystems:\n  filesystem:\n    read:\n";
    for (text, expected) in [
        (head.to_owned(), "no baseline"),
        (format!("{head}level: subsystem\n---\n{body}{uses}"), "level: subsystem"),
        (format!("{head}---\n{body}quiet: never\n{uses}"), "still growing"),
        (format!("{head}---\n{body}runs: 3\n{uses}"), "3 runs only"),
        (format!("{head}---\n{body}blind_spots: [io_uring, ld_preload]\n{uses}"), "missing: io_uring"),
    ] {
        let expectation = expectation(&text);
        let refusal: Refusal = Source::of("demo", &expectation, &platform()).expect_err(expected);
        assert!(refusal.to_string().contains(expected), "{refusal}");
        assert!(!refusal.help().is_empty());
    }
    let harmless = expectation(&format!("{head}---\n{body}blind_spots: [ld_preload]\n{uses}"));
    assert!(Source::of("demo", &harmless, &platform()).is_ok());
}

#[test]
fn call_has_the_arguments_of_those_it_replaces() {
    let text = DOCUMENT.replace("    read:\n", "    open:\n      - O_RDWR|O_CREAT file\n    read:\n");
    let narrow = policy(&text, &Options { arguments: true, ..Options::default() });
    for (flags, expected) in [(0o102, None), (0o2, Some(Denial::NotAllowed))] {
        assert_eq!(denial(&narrow, "openat", [0, 0, flags, 0, 0, 0]), expected, "{flags:o}");
        assert_eq!(denial(&narrow, "open", [0, flags, 0, 0, 0, 0]), expected, "{flags:o}");
    }
}

#[test]
fn nothing_replaces_what_is_forbidden_or_not_done() {
    let head = "version: 2\ncommand: [demo]\n";
    let body = "---\nplatform: x86_64-linux-gnu\nsubsystems:\n  filesystem:\n    mkdir:\n    openat:\n      - file\n";
    let forbidden = policy(&format!("{head}forbid: [{{syscall: mkdir}}]\n{body}"), &Options::default());
    assert_eq!(denial(&forbidden, "mkdirat", [0; 6]), Some(Denial::NotAllowed));
    assert_eq!(denial(&policy(&format!("{head}{body}"), &Options::default()), "mkdirat", [0; 6]), None);
    let narrow = policy(&format!("{head}{body}"), &Options { arguments: true, ..Options::default() });
    assert_eq!(denial(&narrow, "creat", [0; 6]), Some(Denial::NotAllowed));
    let writes = body.replace("      - file\n", "      - O_WRONLY|O_CREAT file\n");
    let narrow = policy(&format!("{head}{writes}"), &Options { arguments: true, ..Options::default() });
    assert_eq!(denial(&narrow, "creat", [0; 6]), None);
}
