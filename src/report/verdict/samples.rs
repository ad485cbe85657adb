//! Sample verdicts of every status, for the tests of all formats.

use std::time::Duration;

use super::PackageVerdicts;
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::finding::{Comparison, Finding};
use crate::model::judge::verdict::{Asked, Change, Status, Verdict};
use crate::model::run::recording::Growth;
use crate::model::run::workload::Exit;

pub(super) const BEFORE: &str = "\
# greets
version: 1
command: [hello]
---
platform: x86_64-linux-gnu
subsystems:
  filesystem:
    close:
    readlink:
  process:
    execve:
";

pub(super) const ADDED: &str = "  network:
    connect:
      objects:
        - socket:AF_INET:SOCK_STREAM
    socket:
      arguments:
        - AF_INET
      objects:
        - socket:AF_INET:SOCK_STREAM
";

pub(super) fn fact(key: &str) -> Fact {
    key.parse().expect(key)
}

pub(super) fn finding(key: &str, calls: u64, details: &[&str]) -> Finding {
    let details = details.iter().map(|detail| detail.parse::<Detail>().expect(detail)).collect();
    Finding { details, ..Finding::new(fact(key), calls) }
}

/// Returns the verdict on a program that newly opens a TCP socket.
pub(super) fn failed() -> Verdict {
    let stream = "object=socket:AF_INET:SOCK_STREAM";
    let mut verdict = Verdict {
        workload: "net::hello".to_owned(),
        file: "expectations/net/hello.yaml".to_owned(),
        line: Some(5),
        status: Status::Failed,
        comparison: Comparison {
            findings: vec![
                finding("network", 2, &[]),
                finding("blind_spots::io_uring", 0, &[]),
                finding("network::connect", 1, &[stream]),
                finding("network::socket", 1, &["argument=AF_INET", stream]),
                finding("filesystem::close::object=dir", 12, &[]),
            ],
            notes: vec![finding("filesystem::close::error=EBADF", 3, &[])],
            gone: vec![fact("filesystem::readlink")],
            ..Comparison::default()
        },
        growth: Growth::default(),
        change: Some(Change {
            before: BEFORE.to_owned(),
            after: BEFORE.replace("  process:", &format!("{ADDED}  process:")),
            written: Some("expectations/net/hello.yaml.new".to_owned()),
            pending_dir: None,
        }),
        elapsed: Duration::ZERO,
        asked: Asked::Test,
    };
    let line = |name: &str| BEFORE.lines().position(|line| line.trim() == format!("{name}:")).map(|index| index + 1);
    verdict.comparison.locate(|subsystem| subsystem.and_then(|subsystem| line(&subsystem.to_string())).or(Some(5)));
    verdict
}

/// Returns the same workload with another status and an empty comparison.
pub(super) fn with_status(status: Status) -> Verdict {
    Verdict { status, comparison: Comparison::default(), change: None, ..failed() }
}

pub(super) fn other_statuses() -> Vec<Status> {
    let reason = || "because\nof \u{1b}[31mthis".to_owned();
    vec![
        Status::Passed,
        Status::Blessed,
        Status::NoBaseline { platform: "x86_64-linux-gnu".to_owned() },
        Status::WrongExit { expected: Exit::Exited(0), actual: Exit::Signaled(11), output: "no\n".to_owned() },
        Status::Ignored { reason: reason() },
        Status::Malformed {
            message: "expectations/net/hello.yaml:3:1: unknown key `comand`\ncomand: [hello]".to_owned(),
        },
        Status::NotStarted { reason: reason() },
        Status::Untraceable { reason: reason() },
        Status::Broken { reason: reason() },
    ]
}

/// Renames a workload, with its own file.
fn named(name: &str, verdict: Verdict) -> Verdict {
    let file = format!("expectations/{}.yaml", name.replace("::", "/"));
    Verdict { workload: name.to_owned(), file, ..verdict }
}

/// Returns two packages with every status.
pub(super) fn packages() -> Vec<PackageVerdicts> {
    let mut privileged = failed();
    privileged.comparison.findings = vec![finding("process::ptrace", 3, &[]), finding("process::getpid", 1, &[])];
    privileged.comparison.findings[0].line = Some(10);
    privileged.comparison.notes.clear();
    privileged.comparison.gone.clear();
    let mut forbidden = failed();
    forbidden.comparison.findings[0].forbidden = Some("works, offline: 100%".to_owned());
    forbidden.comparison.findings.truncate(1);
    forbidden.comparison.notes.clear();
    forbidden.comparison.gone.clear();
    forbidden.change = None;
    let mut gone = with_status(Status::Passed);
    gone.comparison.gone = vec![fact("filesystem::readlink")];
    let others =
        other_statuses().into_iter().map(|status| named(&format!("other::{}", status.name()), with_status(status)));
    vec![
        PackageVerdicts {
            name: "demo".to_owned(),
            folder: String::new(),
            verdicts: vec![failed(), named("debugger", privileged), named("gone", gone)],
            ..PackageVerdicts::default()
        },
        PackageVerdicts {
            name: "demo-net".to_owned(),
            folder: "crates/demo net".to_owned(),
            verdicts: std::iter::once(named("offline", forbidden)).chain(others).collect(),
            ..PackageVerdicts::default()
        },
    ]
}

/// Returns one workload with `count` new calls and one note.
pub(super) fn many_findings(count: u64) -> Vec<PackageVerdicts> {
    let mut verdict = failed();
    verdict.comparison.findings =
        (0..count).map(|number| finding(&format!("filesystem::call{number}"), number, &[])).collect();
    verdict.comparison.gone.clear();
    vec![PackageVerdicts {
        name: "demo".to_owned(),
        folder: String::new(),
        verdicts: vec![verdict],
        ..PackageVerdicts::default()
    }]
}
