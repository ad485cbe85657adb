//! The harness as called by test runners.

use std::path::PathBuf;

use super::project::{Project, Ran, command, run};

/// Builds the harness of a project with five workloads.
pub(crate) fn built(name: &str) -> (Project, PathBuf) {
    let project = Project::new(name)
        .with_harness()
        .expecting("file/copy", "command: [true]")
        .expecting("net/echo", "command: [true]")
        .expecting("net/echo-tls", "command: [true]")
        .expecting("absent", "command: [no-such-program]")
        .expecting("slow", "command: [true]\nignore: takes a day");
    let mut cargo = command(env!("CARGO"));
    cargo.args(["test", "--no-run", "--test", "sysguard", "--message-format=json"]).current_dir(project.path(""));
    let messages = run(&mut cargo).ends(0).stdout;
    let executable = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let harness = message["target"]["name"] == "sysguard" && message["target"]["kind"][0] == "test";
        harness.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
    });
    (project, executable.expect("an executable"))
}

fn call(executable: &PathBuf, line: &str) -> Ran {
    run(command(executable).args(line.split_whitespace()))
}

pub(crate) fn listing_runs_nothing() {
    let (project, harness) = built("harness-list");
    let project = project.expecting("malformed", "nonsense: true");
    let before = project.files();
    let all = "absent: test\nfile::copy: test\nmalformed: test\nnet::echo: test\nnet::echo-tls: test\nslow: test\n";
    for (line, listed) in [
        ("--list --format terse", all),
        ("--list --format terse --ignored", "absent: test\nslow: test\n"),
        ("--list --format terse echo", "net::echo: test\nnet::echo-tls: test\n"),
        ("--list --format terse --exact net::echo", "net::echo: test\n"),
    ] {
        assert_eq!(call(&harness, line).ends(0).stdout, listed, "{line}");
    }
    assert_eq!(project.changed_since(&before), [""; 0]);
    for line in ["--no-such-flag", "--test-threads=none"] {
        call(&harness, line).ends(101);
    }
    call(&harness, "--help").ends(0);
}

pub(crate) fn filters_and_exit_codes_match_libtest() {
    let (project, harness) = built("harness-select");
    project.sysguard("bless").ends(0);
    for (line, last) in [
        ("copy tls", "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out;"),
        (
            "net::echo --exact --nocapture",
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out;",
        ),
        ("--skip echo", "test result: ok. 1 passed; 0 failed; 2 ignored; 0 measured; 2 filtered out;"),
        ("nobody", "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 5 filtered out;"),
        ("--test-threads=1", "test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out;"),
    ] {
        let ran = call(&harness, line).ends(0);
        assert!(
            ran.stdout.trim_end().lines().last().is_some_and(|end| end.starts_with(last)),
            "{line}: {}",
            ran.stdout
        );
    }
    // `slow` was not blessed, so it has no baseline.
    let ran = run(command(&harness).args(["--ignored"]).env("CI", "1")).ends(101);
    assert!(ran.stdout.contains("test slow   ... FAILED"), "{}", ran.stdout);
    assert!(ran.stdout.contains("test absent ... ignored, no-such-program"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\nfailures:\n    slow\n"), "{}", ran.stdout);
}

/// A workload that leaves a process behind must not make its test leaky.
pub(crate) fn nextest_lists_and_runs_workloads() {
    let (project, _) = built("harness-nextest");
    let project = project.expecting("leaves", "command: [sh, -c, 'sleep 2718281 & exit 0']");
    project.sysguard("bless --runs 1").ends(0);
    let before = project.files();
    let nextest = |line: &str| run(project.run_by(env!("CARGO")).arg("nextest").args(line.split_whitespace()));
    let listed = nextest("list --test sysguard").ends(0).stdout;
    for name in ["file::copy", "leaves", "net::echo", "net::echo-tls"] {
        assert!(listed.contains(name), "{name}: {listed}");
    }
    assert!(!listed.contains("absent"), "it is an ignored test: {listed}");
    let ran = nextest("run --test sysguard").ends(0);
    assert!(ran.stderr.contains("4 tests run: 4 passed, 2 skipped"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("LEAK"), "{}", ran.stderr);
    assert!(!is_running("2718281"), "it outlived its trial");
    assert_eq!(project.changed_since(&before), [""; 0]);

    project.write("expectations/net/echo.yaml", &project.read("expectations/net/echo.yaml").replace("[true]", "[ls]"));
    let ran = nextest("run --test sysguard --no-fail-fast").ends(100);
    assert!(ran.stderr.contains("4 tests run: 3 passed, 1 failed, 2 skipped"), "{}", ran.stderr);
}

/// A test runner counts exit code 0 as passed, so the test must be listed as ignored.
pub(crate) fn nextest_skips_workloads_without_their_program() {
    let (project, harness) = built("harness-lacking");
    let project = project.expecting("needs", "command: [true]\nrequires: [no-such-program]");
    project.sysguard("bless --runs 1").ends(0);
    let nextest = |line: &str| {
        let words = line.split_whitespace();
        run(project.run_by(env!("CARGO")).args(["nextest", "run", "--test", "sysguard", "--no-fail-fast"]).args(words))
    };
    let ran = nextest("").ends(0);
    assert!(ran.stderr.contains("3 tests run: 3 passed, 3 skipped"), "{}", ran.stderr);
    let ran = nextest("--run-ignored only absent needs").ends(100);
    assert!(ran.stderr.contains("2 tests run: 0 passed, 2 failed"), "{}", ran.stderr);
    // Under SYSGUARD_REQUIRE=1 it is not listed as ignored.
    let required = |line: &str| run(command(&harness).args(line.split_whitespace()).env("SYSGUARD_REQUIRE", "1"));
    assert_eq!(required("--list --format terse --ignored").ends(0).stdout, "slow: test\n");
}

/// Returns whether a process with this argument is running.
fn is_running(argument: &str) -> bool {
    let processes = std::fs::read_dir("/proc").expect("processes").filter_map(Result::ok);
    let mut commands = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    commands.any(|command| command.split(|byte| *byte == 0).any(|word| word == argument.as_bytes()))
}

pub(crate) fn ignored_workloads_print_their_reasons() {
    let (_project, harness) = built("harness-ignored");
    let ran = call(&harness, "absent slow").ends(0);
    assert!(ran.stdout.contains("test slow   ... ignored, takes a day\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("test absent ... ignored, no-such-program is not installed\n"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "absent: ignored, no-such-program is not installed\n");
    run(command(&harness).arg("absent").env("SYSGUARD_REQUIRE", "1")).ends(101);
}
