//! The closing line of `run` and `test`, and their progress.

use libtest_mimic::Trial;

use super::project::{Project, Ran, nextest, tracing};

const CONNECTS: &str = "#[test]\nfn quiet() { let _ = std::net::TcpStream::connect((\"127.0.0.1\", 1)); }\n";
const FAILS: &str = "#[test]\nfn quiet() { panic!(\"on purpose\"); }\n";
const SLEEPS: &str = "#[test]\nfn quiet() { std::thread::sleep(std::time::Duration::from_secs(6)); }\n";

pub(crate) fn trials() -> Vec<Trial> {
    trials![closing:
        tracing run_prints_the_number_of_traced_binaries,
        nextest run_prints_the_number_of_traced_tests,
        tracing test_prints_the_number_of_traced_workloads,
        tracing long_recording_prints_its_progress,
        nextest long_recording_prints_its_progress_under_nextest,
    ]
}

#[track_caller]
fn ends_with_line(ran: &Ran, line: &str) {
    assert_eq!(ran.stderr.lines().last(), Some(line), "{}", ran.stderr);
}

fn run_prints_the_number_of_traced_binaries() {
    let project = Project::foreign("closing-run");
    let line = "run --runs 2 -- test";
    ends_with_line(&project.sysguard(line).ends(101), "2 test binaries traced, 0 new, 2 without a baseline");
    let recording = project.sysguard("run --runs 2 --update unseen -- test").ends(0);
    ends_with_line(&recording, "2 test binaries traced, 0 new, 2 recorded");
    ends_with_line(&project.sysguard(line).ends(0), "2 test binaries traced, 0 new");
    let json = project.sysguard("run --format json -- test").ends(0);
    ends_with_line(&json, "2 test binaries traced, 0 new");
    serde_json::from_str::<serde_json::Value>(&json.stdout).expect("nothing but JSON");
    project.write("tests/it.rs", FAILS);
    ends_with_line(
        &project.sysguard("run -- test --no-fail-fast").ends(101),
        "2 test binaries traced, 0 new, 1 failed",
    );
    project.write("tests/it.rs", CONNECTS);
    let found = project.sysguard(line).ends(101);
    let last = found.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("2 test binaries traced, ") && last.ends_with(" new in 1 test binary"), "{last}");
}

fn run_prints_the_number_of_traced_tests() {
    let project = Project::foreign("closing-nextest");
    project.sysguard("run --runs 2 --update unseen -- nextest run").ends(0);
    ends_with_line(&project.sysguard("run -- nextest run").ends(0), "2 tests traced, 0 new");
    project.write("tests/it.rs", FAILS);
    let ran = project.sysguard("run -- nextest run --no-fail-fast --retries 2").ends(100);
    ends_with_line(&ran, "2 tests traced, 0 new, 1 failed");
}

fn test_prints_the_number_of_traced_workloads() {
    for project in [Project::new("closing-test"), Project::new("closing-harness").with_harness()] {
        let project = project
            .expecting("good", "command: [\"true\"]")
            .expecting("left", "command: [\"true\"]\nignore: slow")
            .expecting("lacks", "command: [\"true\"]\nrequires: [no-such-program]");
        project.sysguard("bless good").ends(0);
        ends_with_line(&project.sysguard("test").ends(0), "1 workload traced, 0 new, 2 ignored");
        let project = project.expecting("bad", "command: [\"false\"]").expecting("first", "command: [ls]");
        let ran = project.sysguard("test --format json").ends(101);
        ends_with_line(&ran, "3 workloads traced, 0 new, 1 without a baseline, 1 failed, 2 ignored");
        serde_json::from_str::<serde_json::Value>(&ran.stdout).expect("nothing but JSON");
    }
}

fn long_recording_prints_its_progress() {
    let project = Project::foreign("closing-long").file("tests/it.rs", SLEEPS);
    let ran = project.sysguard("run --runs 2 -- test --test it").ends(101);
    assert!(has_slow_line(&ran, "run::closing-long::it"), "{}", ran.stderr);
    let project = project.expecting("slow", "command: [sleep, \"6\"]");
    let ran = project.sysguard("bless --runs 2").ends(0);
    assert!(has_slow_line(&ran, "slow"), "{}", ran.stderr);
}

fn long_recording_prints_its_progress_under_nextest() {
    let project = Project::foreign("closing-progress").file("tests/it.rs", SLEEPS);
    let ran = project.sysguard("run --runs 2 -- nextest run --test it").ends(101);
    assert!(has_slow_line(&ran, "run::closing-progress::it::quiet"), "{}", ran.stderr);
}

/// Returns whether a line says that a workload is slow. The number of its run may be any.
fn has_slow_line(ran: &Ran, workload: &str) -> bool {
    let is_line = |line: &str| line.starts_with("slow [> 1") && line.contains(&format!("s] {workload}: "));
    ran.stderr.lines().any(is_line)
}
