//! Judges machines by evidence as it would be read there.

use super::{Availability, Evidence, ProcMount, Refusal, prerequisites, probe, reason, version};
use crate::model::trace::prerequisite::PrerequisiteState;

const FREE: &str = "Name:\tx\nTracerPid:\t0\nCapEff:\t0000000000000000\nSeccomp:\t0\nSeccomp_filters:\t0\n";
const FILTERED: &str = "TracerPid:\t0\nCapEff:\t00000000a80425fb\nSeccomp:\t2\nSeccomp_filters:\t1\n";
const TRACED: &str = "TracerPid:\t4711\nCapEff:\t000001ffffffffff\nSeccomp:\t0\n";
const PRIVILEGED: &str = "TracerPid:\t0\nCapEff:\t0000000000080000\nSeccomp:\t0\n";

fn evidence() -> Evidence {
    Evidence {
        attempt: Ok(Availability::Works),
        proc: ProcMount::Ours,
        files: Availability::Works,
        release: "6.18.44-generic".to_owned(),
        yama: Some("1".to_owned()),
        status: FREE.to_owned(),
        container: None,
        rustflags: String::new(),
    }
}

fn refused(request: &'static str, errno: i32) -> Result<Availability, Refusal> {
    Err(Refusal { request, errno })
}

/// Returns the names of the prerequisites that are not open, with `?` after a suspect.
fn in_the_way(evidence: &Evidence) -> Vec<String> {
    let prerequisites = prerequisites(evidence);
    let blamed = prerequisites.iter().filter(|prerequisite| prerequisite.state != PrerequisiteState::Met);
    blamed
        .map(|prerequisite| {
            format!("{}{}", prerequisite.name, if prerequisite.state == PrerequisiteState::Suspect { "?" } else { "" })
        })
        .collect()
}

#[test]
fn each_machine_is_judged_by_its_evidence() {
    let with_yama = |yama: &str| Evidence { yama: Some(yama.to_owned()), ..evidence() };
    let with_status = |status: &str| Evidence { status: status.to_owned(), ..evidence() };
    let with_flags = |flags: &str| Evidence { rustflags: flags.to_owned(), ..evidence() };
    let seize = refused("PTRACE_SEIZE", libc::EPERM);
    for (what, evidence, expected) in [
        ("all open", evidence(), vec![]),
        ("no Yama", Evidence { yama: None, ..evidence() }, vec![]),
        ("Yama 0", with_yama("0"), vec![]),
        ("Yama 2", Evidence { attempt: seize, ..with_yama("2") }, vec!["ptrace", "yama"]),
        ("Yama 2, privileged", Evidence { status: PRIVILEGED.to_owned(), ..with_yama("2") }, vec![]),
        (
            "Yama 3",
            Evidence { attempt: seize, status: PRIVILEGED.to_owned(), ..with_yama("3") },
            vec!["ptrace", "yama"],
        ),
        ("a filter that allows ptrace", with_status(FILTERED), vec![]),
        (
            "a filter that refuses ptrace",
            Evidence { attempt: seize, ..with_status(FILTERED) },
            vec!["ptrace", "seccomp?"],
        ),
        (
            "a strict container",
            Evidence { attempt: seize, container: Some("Docker"), ..with_status(FILTERED) },
            vec!["ptrace", "capability?", "seccomp?"],
        ),
        ("traced, without children", with_status(TRACED), vec![]),
        ("traced with children", Evidence { attempt: seize, ..with_status(TRACED) }, vec!["ptrace", "tracer?"]),
        (
            "qemu-user",
            Evidence { attempt: refused("PTRACE_SEIZE", libc::ENOSYS), ..evidence() },
            vec!["ptrace", "emulator"],
        ),
        (
            "Linux 5.2",
            Evidence {
                attempt: refused("PTRACE_GET_SYSCALL_INFO", libc::EIO),
                release: "5.2.0".to_owned(),
                ..evidence()
            },
            vec!["ptrace", "kernel"],
        ),
        ("the address sanitizer", with_flags("-C debuginfo=1 -Zsanitizer=thread,address"), vec!["sanitizer?"]),
        ("the leak sanitizer", with_flags("-Zsanitizer=leak\u{1f}-Copt-level=1"), vec!["sanitizer?"]),
        ("the thread sanitizer", with_flags("-Z sanitizer=thread"), vec![]),
        ("no proc", Evidence { proc: ProcMount::Missing, ..evidence() }, vec!["/proc"]),
        ("another namespace's proc", Evidence { proc: ProcMount::Foreign, ..evidence() }, vec!["/proc"]),
        ("no statx", Evidence { files: Availability::FallsBack, ..evidence() }, vec![]),
        ("no statx and no fstatat", Evidence { files: Availability::Refused, ..evidence() }, vec!["statx"]),
        ("no process_vm_readv", Evidence { attempt: Ok(Availability::FallsBack), ..evidence() }, vec![]),
        ("an unreadable child", Evidence { attempt: Ok(Availability::Refused), ..evidence() }, vec!["memory"]),
        ("nothing can be read", Evidence { release: String::new(), status: String::new(), ..evidence() }, vec![]),
    ] {
        assert_eq!(in_the_way(&evidence), expected, "{what}");
    }
}

#[test]
fn every_closed_gate_has_a_remedy() {
    let attempt = refused("PTRACE_SEIZE", libc::EPERM);
    for (status, yama) in [(FILTERED, "2"), (TRACED, "3"), (FREE, "2")] {
        let evidence = Evidence {
            attempt,
            status: status.to_owned(),
            yama: Some(yama.to_owned()),
            container: Some("Docker"),
            ..evidence()
        };
        for prerequisite in prerequisites(&evidence) {
            let needs_remedy = prerequisite.state != PrerequisiteState::Met && prerequisite.name != "ptrace";
            assert_eq!(!prerequisite.remedies.is_empty(), needs_remedy, "{prerequisite:?}");
        }
    }
}

#[test]
fn refusal_names_the_gates_and_the_help() {
    let attempt = refused("PTRACE_SEIZE", libc::EPERM);
    let yama = Evidence { attempt, yama: Some("3".to_owned()), ..evidence() };
    insta::assert_snapshot!(reason(&prerequisites(&yama)), @"PTRACE_SEIZE is refused: Operation not permitted (os error 1); kernel.yama.ptrace_scope is 3: tracing is disabled until the next boot; run `cargo sysguard doctor` for what to do");
    let foreign = Evidence { proc: ProcMount::Foreign, ..evidence() };
    insta::assert_snapshot!(reason(&prerequisites(&foreign)), @"/proc shows another PID namespace: files of other processes would be attributed to the workload; run `cargo sysguard doctor` for what to do");
    let filtered = Evidence { attempt, status: FILTERED.to_owned(), ..evidence() };
    insta::assert_snapshot!(reason(&prerequisites(&filtered)), @"PTRACE_SEIZE is refused: Operation not permitted (os error 1); perhaps a seccomp filter refuses ptrace; run `cargo sysguard doctor` for what to do");
}

#[test]
fn release_is_parsed_as_two_numbers() {
    for (release, expected) in [
        ("6.18.44-generic", Some((6, 18))),
        ("5.3", Some((5, 3))),
        ("4.19.0-21-amd64", Some((4, 19))),
        ("5.15.0+", Some((5, 15))),
        ("", None),
        ("rolling", None),
    ] {
        assert_eq!(version(release), expected, "{release}");
    }
}

#[test]
fn attempt_is_the_first_gate() {
    let prerequisites = probe("");
    let names: Vec<&str> = prerequisites.iter().map(|prerequisite| prerequisite.name).collect();
    assert_eq!(
        names,
        [
            "ptrace",
            "kernel",
            "emulator",
            "tracer",
            "yama",
            "capability",
            "seccomp",
            "container",
            "sanitizer",
            "/proc",
            "statx",
            "memory"
        ]
    );
    // The other prerequisites explain the attempt: none may be in the way of a successful one.
    if prerequisites[0].state == PrerequisiteState::Met {
        assert!(
            prerequisites.iter().all(|prerequisite| prerequisite.state == PrerequisiteState::Met),
            "{prerequisites:?}"
        );
    }
}
