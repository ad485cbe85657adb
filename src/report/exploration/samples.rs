//! Explorations for tests.

use std::time::Duration;

use super::PackageExplorations;
use crate::model::facts::error_path::RunOutcome;
use crate::model::facts::example::Example;
use crate::model::facts::finding::Finding;
use crate::model::facts::site::{CodeLocation, NoSite, Site};
use crate::model::judge::exploration::difference::Difference;
use crate::model::judge::exploration::{
    ExplorationVerdict, FoundPath, NotTried, PathFinding, PathFindingKind, PathSummary,
};
use crate::model::judge::verdict::{Change, Status};

/// Returns an injection at a line of the package's own code.
fn path(id: &str, call: &str, outcome: RunOutcome, line: u32) -> FoundPath {
    let location = CodeLocation {
        function: Some("demo::save".to_owned()),
        file: Some("src/main.rs".to_owned()),
        line: Some(line),
        module: "demo".to_owned(),
        is_own: true,
        ..CodeLocation::default()
    };
    let process = vec!["demo save".to_owned()];
    FoundPath {
        id: id.to_owned(),
        call: call.parse().expect(call),
        outcome,
        example: Some(Example { call: "write(3, 12 bytes) = -1 ENOSPC".to_owned(), process }),
        site: Some(Site { words: format!("demo::save at src/main.rs:{line}"), location: Some(location) }),
        no_site: None,
        differences: vec![Difference {
            part: "$PWD/out".to_owned(),
            lines: vec!["-all of it".to_owned(), "+a\u{1b}[31m part".to_owned()],
            cut: 2,
        }],
        same: 3,
        runs: 3,
    }
}

fn outcome(outcome: RunOutcome, paths: Vec<FoundPath>) -> PathFinding {
    let call = paths[0].call.clone();
    PathFinding { kind: PathFindingKind::Outcome(call, outcome), forbidden: None, paths, more: Vec::new() }
}

fn fact(key: &str, path: FoundPath) -> PathFinding {
    let finding = Finding::new(key.parse().expect(key), 1);
    let kind = PathFindingKind::Fact(Box::new(finding));
    PathFinding { kind, forbidden: None, paths: vec![path], more: vec!["read-EIO-00000009".to_owned()] }
}

fn summary() -> PathSummary {
    PathSummary {
        budget: Duration::from_secs(60),
        tried: 120,
        reachable: 718,
        outcomes: [(RunOutcome::Absorbed, 80), (RunOutcome::Reported, 37), (RunOutcome::Silent, 3)].into(),
        recorded: 1,
        excepted: 0,
        untried: vec![
            NotTried { reason: "the budget was used up".to_owned(), injections: Some(598) },
            NotTried { reason: "the dynamic loader makes the call".to_owned(), injections: None },
        ],
        limits: vec!["some of standard output varies between runs and is not compared".to_owned()],
    }
}

fn with_status(workload: &str, status: Status) -> ExplorationVerdict {
    let file = format!("expectations/{}.yaml", workload.replace("::", "/"));
    ExplorationVerdict::unexplored(workload, &file, Some(4), status)
}

/// Returns a verdict with every kind of finding.
pub(super) fn failed() -> ExplorationVerdict {
    let silent = [
        path("write-ENOSPC-0000000a", "write ENOSPC", RunOutcome::Silent, 12),
        path("write-ENOSPC-0000000b", "write ENOSPC", RunOutcome::Silent, 12),
        path("write-ENOSPC-0000000c", "write ENOSPC", RunOutcome::Silent, 40),
    ];
    let no_site = Some(NoSite::NoSymbols);
    let hidden = FoundPath { site: None, no_site, ..path("poll-EINTR-00000001", "poll EINTR", RunOutcome::Hang, 1) };
    let unstable = FoundPath { same: 1, ..path("read-EIO-00000002", "read EIO", RunOutcome::Panic, 2) };
    let forbidden = Some("`explore:` forbids it".to_owned());
    ExplorationVerdict {
        is_recorded: true,
        findings: vec![
            PathFinding { forbidden, ..outcome(RunOutcome::Hang, vec![hidden]) },
            PathFinding {
                more: vec!["write-ENOSPC-0000000d".to_owned()],
                ..outcome(RunOutcome::Silent, silent.to_vec())
            },
            fact("filesystem::unlink", path("read-EIO-00000003", "read EIO", RunOutcome::Reported, 3)),
        ],
        notes: vec![fact("signal::tgkill", path("read-EIO-00000004", "read EIO", RunOutcome::Absorbed, 4))],
        suspects: vec![outcome(RunOutcome::Panic, vec![unstable])],
        gone: vec![(RunOutcome::Signal, "mmap ENOMEM".parse().expect("a call"))],
        summary: Some(summary()),
        ..with_status("net::demo", Status::Failed)
    }
}

/// Returns verdicts of every status in two packages.
pub(super) fn packages() -> Vec<PackageExplorations> {
    let change = Change {
        before: "a\n".to_owned(),
        after: "b\n".to_owned(),
        written: Some("expectations/blessed.yaml".to_owned()),
        pending_dir: None,
    };
    let because = || "because\nof this".to_owned();
    let explored = |name: &str, status| ExplorationVerdict { summary: Some(summary()), ..with_status(name, status) };
    let others = vec![
        explored("passed", Status::Passed),
        ExplorationVerdict { change: Some(change), ..explored("blessed", Status::Blessed) },
        with_status("no-baseline", Status::NoBaseline { platform: "x86_64-linux-gnu".to_owned() }),
        with_status("ignored", Status::Ignored { reason: because() }),
        with_status("malformed", Status::Malformed { message: because() }),
        with_status("not-started", Status::NotStarted { reason: because() }),
        with_status("untraceable", Status::Untraceable { reason: because() }),
        with_status("broken", Status::Broken { reason: because() }),
    ];
    let sources = [("src/main.rs".to_owned(), "crates/demo/src/main.rs".to_owned())].into();
    let command = "cargo sysguard explore".to_owned();
    vec![
        PackageExplorations {
            name: "demo".to_owned(),
            folder: "crates/demo".to_owned(),
            verdicts: vec![failed()],
            sources,
            command: command.clone(),
        },
        PackageExplorations { name: "other".to_owned(), verdicts: others, command, ..PackageExplorations::default() },
    ]
}
