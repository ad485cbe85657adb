//! `run --`: tests of projects without sysguard, traced without an edit.

use libtest_mimic::Trial;

use super::project::{Project, Ran, command, nextest, run, tracing, untraced};

const CONNECTS: &str = "#[test]\nfn quiet() { let _ = std::net::TcpStream::connect((\"127.0.0.1\", 1)); }\n";
const FAILS: &str = "#[test]\nfn quiet() { panic!(\"on purpose\"); }\n";

pub(crate) fn trials() -> Vec<Trial> {
    trials![run:
        untraced unsupported_cargo_command_is_2,
        tracing first_run_proposes_then_exit_follows_cargo,
        tracing per_test_works_without_nextest,
        nextest each_test_is_a_workload_under_nextest,
        tracing users_runner_is_called_inside,
        tracing listing_is_not_traced,
        tracing update_flags_write_but_ci_does_not,
        tracing files_of_deleted_tests_are_found,
    ]
}

/// Returns the existing expectations and proposals below `expectations/run/NAME/`.
fn files(project: &Project, name: &str) -> Vec<String> {
    let below = format!("expectations/run/{name}/");
    let files = project.files().into_keys().filter(|file| file.starts_with("expectations/"));
    files.map(|file| file.strip_prefix(&below).map_or(file.clone(), str::to_owned)).collect()
}

fn unsupported_cargo_command_is_2() {
    let project = Project::foreign("run-nonsense");
    for line in ["run", "run -- build", "run -- nextest list", "run --no-such-flag -- test", "target-runner x"] {
        project.sysguard(line).ends(2);
    }
}

fn first_run_proposes_then_exit_follows_cargo() {
    let project = Project::foreign("run-first");
    let first = project.sysguard("run -- test").ends(101);
    assert!(
        first.stdout.contains("test quiet ... ok")
            && first.stdout.contains("Doc-tests") | first.stderr.contains("Doc-tests")
    );
    assert!(first.stderr.contains("run::run-first::it: no baseline"), "{}", first.stderr);
    assert_eq!(files(&project, "run-first"), ["it.yaml.new", "run_first.yaml.new"]);
    assert!(project.sysguard("pending").ends(101).stdout.contains("run::run-first::it::process::execve\n"));

    project.sysguard("accept run-first::it run::run-first::run_first").ends(0);
    assert_eq!(files(&project, "run-first"), ["it.yaml", "run_first.yaml"]);
    assert!(project.read("expectations/run/run-first/it.yaml").contains("\nrun: run-first::it\n"));
    project.sysguard("run -- test").ends(0);
    assert_eq!(project.sysguard("list").ends(0).stdout, "run::run-first::it\nrun::run-first::run_first\n");

    let before = project.files();
    project.write("tests/it.rs", FAILS);
    let failed = project.sysguard("run -- test").ends(101);
    assert!(failed.stdout.contains("on purpose"), "{}", failed.stdout);
    assert_eq!(project.changed_since(&before), ["tests/it.rs"], "a failing test writes no proposal");

    project.write("tests/it.rs", CONNECTS);
    let found = project.sysguard("run -- test").ends(101);
    assert!(found.stderr.contains("new-subsystem network"), "{}", found.stderr);
    assert!(found.stderr.contains(" tests/it.rs:2 it::quiet → "), "{}", found.stderr);
    assert_eq!(project.changed_since(&before), ["expectations/run/run-first/it.yaml.new", "tests/it.rs"]);
    project.sysguard("reject run-first::it").ends(0);
    assert_eq!(project.changed_since(&before), ["tests/it.rs"]);
}

fn each_test_has_its_own(project: &Project, name: &str, line: &str, without: &str) {
    project.sysguard(&format!("run {line}")).ends(101);
    assert_eq!(files(project, name), ["it/quiet.yaml.new", &format!("{without}/inside.yaml.new")]);
    project.sysguard(&format!("run --update unseen {line}")).ends(0);
    let shared = ["tests.it.yaml", &format!("tests.{without}.yaml")];
    assert_eq!(files(project, name), shared);
    project.sysguard(&format!("run {line}")).ends(0);

    project.write("tests/it.rs", CONNECTS);
    let ran = project.sysguard(&format!("run {line}")).ends(101);
    assert!(ran.stderr.contains("new-subsystem network"), "{}", ran.stderr);
    assert_eq!(files(project, name), ["it/quiet.yaml.new", shared[0], shared[1]]);
}

fn per_test_works_without_nextest() {
    each_test_has_its_own(&Project::foreign("run-each"), "run-each", "--per-test -- test", "run_each");
}

fn each_test_is_a_workload_under_nextest() {
    let project = Project::foreign("run-nextest");
    each_test_has_its_own(&project, "run-nextest", "-- nextest run", "run_nextest");
    project.write("tests/it.rs", FAILS);
    project.sysguard("run -- nextest run").ends(100);
}

fn users_runner_is_called_inside() {
    let project = Project::foreign("run-inside");
    let marker = project.path("called");
    let script = format!("#!/bin/sh\necho called >> {}\nexec \"$@\"\n", marker.display());
    let config = "[target.'cfg(target_os = \"linux\")']\nrunner = ['sh', 'runner.sh']\n";
    let project = project.file("runner.sh", &script).file(".cargo/config.toml", config);
    project.sysguard("run --runs 1 -- test --test it").ends(101);
    assert!(marker.exists());
    let proposal = project.read("expectations/run/run-inside/it.yaml.new");
    assert!(proposal.contains("    execve:\n"), "{proposal}");
}

fn listing_is_not_traced() {
    let project = Project::foreign("run-listing");
    let before = project.files();
    let stdout = |ran: Ran| ran.ends(0).stdout;
    let plain =
        stdout(run(command(env!("CARGO")).args(["test", "--tests", "--", "--list"]).current_dir(project.path(""))));
    assert_eq!(stdout(project.sysguard("run -- test --tests -- --list")), plain);
    assert_eq!(project.changed_since(&before), [""; 0]);
}

fn update_flags_write_but_ci_does_not() {
    let project = Project::foreign("run-updates");
    let before = project.files();
    let ran = run(project.command("run --format json -- test --test it").env("CI", "1")).ends(101);
    assert!(ran.stdout.starts_with("{\n  \"schema\": \"sysguard.run/1\""), "{}", ran.stdout);
    assert_eq!(project.changed_since(&before), [""; 0]);
    // A run of some of the tests makes no first baseline.
    project.sysguard("run -- test --test it quiet").ends(101);
    assert_eq!(project.changed_since(&before), [""; 0]);
    project.sysguard("run --runs 1 --update always -- test --test it").ends(0);
    assert_eq!(files(&project, "run-updates"), ["it.yaml"]);
    // Unselected tests do not count as deleted.
    let ran = project.sysguard("run -- test --test it nothing").ends(0);
    assert!(!ran.stderr.contains("gone"), "{}", ran.stderr);
}

fn files_of_deleted_tests_are_found() {
    let project = Project::foreign("run-orphans");
    project.sysguard("run --per-test --runs 1 --update always -- test").ends(0);
    project.sysguard("layout test").ends(0);
    let quiet = project.read("expectations/run/run-orphans/it/quiet.yaml");
    let project = project
        .file("expectations/run/run-orphans/it/left_out.yaml", &quiet)
        .file("expectations/run/run-orphans/it/gone.yaml", &quiet);
    let before = project.files();
    project.sysguard("run --per-test --unreferenced=reject -- test -- quiet").ends(0);
    let ran = project.sysguard("run --per-test --unreferenced=reject -- test").ends(101);
    assert!(ran.stderr.contains("it/gone.yaml belongs to a test that no longer exists"), "{}", ran.stderr);
    assert_eq!(project.changed_since(&before), [""; 0]);
    project.sysguard("run --per-test --unreferenced=delete -- test").ends(0);
    assert_eq!(project.changed_since(&before), ["expectations/run/run-orphans/it/gone.yaml"]);
}
