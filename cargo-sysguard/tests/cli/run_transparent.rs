//! `run --`: tests see the same environment as under cargo alone; other runners and harnesses
//! work.

use libtest_mimic::Trial;

use super::project::{Project, command, nextest, run, tracing, untraced};

pub(crate) fn trials() -> Vec<Trial> {
    trials![run:
        tracing tests_see_the_environment_of_plain_cargo,
        nextest tests_see_the_environment_of_plain_nextest,
        tracing tests_may_run_cargo_and_the_program,
        untraced runner_without_a_plan_executes_the_command,
        tracing harness_judges_its_own_workloads,
        nextest harness_judges_its_workloads_under_nextest,
        tracing runners_in_config_flags_are_called_inside,
        nextest runners_in_nextest_config_flags_are_called_inside,
        tracing missing_required_tracing_fails,
    ]
}

fn triple() -> String {
    let version = run(command("rustc").arg("-vV")).ends(0).stdout;
    version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host").to_owned()
}

fn runner_variable() -> String {
    format!("CARGO_TARGET_{}_RUNNER", triple().to_uppercase().replace('-', "_"))
}

/// A test that writes its environment into the file `$DUMP`.
const DUMPS: &str = r#"#[test]
fn dumps() {
    let mut all: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
    all.sort();
    std::fs::write(std::env::var("DUMP").unwrap(), all.join("\n")).unwrap();
}
"#;

/// Returns the environment of a test in a run, without variables that differ between any two runs.
fn environment(project: &Project, program: &str, line: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let mut command = project.run_by(program);
    command.args(line.split_whitespace()).env("DUMP", project.path("dump")).envs(variables.iter().copied());
    // sysguard removes these from every test, because they change the calls of any program.
    command.env_remove("RUST_BACKTRACE").env_remove("LC_ALL").env_remove("LD_PRELOAD");
    run(&mut command).ends(0);
    let differs = ["NEXTEST_RUN_ID=", "NEXTEST_ATTEMPT_ID=", "NEXTEST_TEST_GLOBAL_SLOT="];
    let dump = project.read("dump");
    dump.lines().filter(|line| !differs.iter().any(|name| line.starts_with(name))).map(str::to_owned).collect()
}

fn sees_the_same(project: &Project, flags: &str, line: &str) {
    let runner = runner_variable();
    for variables in [
        &[][..],
        &[(runner.as_str(), "env ONE=1"), ("SYSGUARD_CONFIRM", "2"), ("CARGO_TERM_COLOR", "never"), ("OTHER", "x")],
    ] {
        let alone = environment(project, env!("CARGO"), line, variables);
        let line = format!("run {flags} --update force --runs 1 -- {line}");
        assert_eq!(environment(project, super::project::BINARY, &line, variables), alone, "{line}");
        assert_eq!(alone.contains(&"ONE=1".to_owned()), !variables.is_empty());
    }
}

fn tests_see_the_environment_of_plain_cargo() {
    let project = Project::foreign("run-environment").file("tests/it.rs", DUMPS);
    sees_the_same(&project, "", "test --test it");
    sees_the_same(&project, "--per-test", "test --test it");
}

fn tests_see_the_environment_of_plain_nextest() {
    let project = Project::foreign("run-environment-nextest").file("tests/it.rs", DUMPS);
    sees_the_same(&project, "", "nextest run --test it");
}

fn tests_may_run_cargo_and_the_program() {
    const TESTS: &str = r#"use std::process::Command;
fn cargo(verb: &str) {
    let root = env!("CARGO_MANIFEST_DIR");
    let status = Command::new(env!("CARGO")).arg(verb).args(["--offline", "--manifest-path"])
        .arg(format!("{root}/inner/Cargo.toml")).args(["--target-dir", &format!("{root}/target/{verb}")]).status();
    assert!(status.unwrap().success());
}
#[test] fn runs_cargo_run() { cargo("run"); }
#[test] fn runs_cargo_test() { cargo("test"); }
// Crates that test commands do this.
#[test] fn runs_the_program_by_its_runner() {
    let named = |name: &str| name.starts_with("CARGO_TARGET_") && name.ends_with("_RUNNER");
    let runner = std::env::vars().find(|(name, _)| named(name)).map(|(_, value)| value);
    let mut words: Vec<String> = runner.iter().flat_map(|words| words.split(' ')).map(String::from).collect();
    words.push(env!("CARGO_BIN_EXE_run-cargo").into());
    assert_eq!(Command::new(&words[0]).args(&words[1..]).output().unwrap().stdout, b"hi\n");
}
"#;
    let inner = "[package]\nname = \"inner\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n";
    let project = Project::foreign("run-cargo")
        .file("src/main.rs", "fn main() { println!(\"hi\") }\n")
        .file("inner/Cargo.toml", inner)
        .file("inner/src/main.rs", "fn main() {}\n#[test]\nfn inside() {}\n")
        .file("tests/it.rs", TESTS);
    project.sysguard("run --update unseen --runs 1 -- test --test it").ends(0);
    let runner = runner_variable();
    run(project.command("run --update force --runs 1 -- test --test it").env(runner, "env INNER=1")).ends(0);
}

fn runner_without_a_plan_executes_the_command() {
    let project = Project::foreign("run-no-plan");
    let runner = |plan: Option<&str>, script: &str| {
        let mut command = project.command("target-runner triple sh -c");
        command.arg(script).envs(plan.map(|plan| ("SYSGUARD_PLAN", plan)));
        run(&mut command)
    };
    for plan in [None, Some("/no/such/plan")] {
        let ran = runner(plan, "echo out; echo err >&2; exit 7").ends(7);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("out\n", "err\n"));
    }
    let missing = project.sysguard("target-runner triple /no/such/program").ends(101);
    assert!(missing.stderr.contains("cannot execute /no/such/program"), "{}", missing.stderr);
}

fn judges_its_own(name: &str, line: &str, failed: i32) {
    let project = Project::new(name).with_harness().file("tests/it.rs", "#[test]\nfn quiet() {}\n");
    let project = project.expecting("w", "command: [/bin/true]\nforbid:\n  - {syscall: execve}");
    let ran = project
        .sysguard(&format!("run --format json --update unseen --require -- {line} --test sysguard"))
        .ends(failed);
    assert!(ran.stdout.contains("\"forbidden\"") && ran.stdout.contains("execve"), "{}", ran.stdout);
    assert!(!project.path("expectations/run").exists(), "a harness has no baseline");

    let project = project.expecting("w", "command: [/bin/true]");
    project.sysguard(&format!("run --update unseen --require -- {line}")).ends(0);
    assert!(project.read("expectations/w.yaml").contains("platform:"), "the harness gets the update mode");
    assert!(
        project.path(&format!("expectations/run/{name}/it")).with_extension("yaml").exists()
            || line.contains("nextest")
    );
    assert!(!project.files().keys().any(|file| file.contains("run/") && file.contains("sysguard")));
}

fn harness_judges_its_own_workloads() {
    judges_its_own("run-harness", "test", 101);
}

fn harness_judges_its_workloads_under_nextest() {
    judges_its_own("run-harness-nextest", "nextest run", 101);
}

fn calls_inside(name: &str, line: &str) {
    let project = Project::foreign(name);
    let marker = project.path("called");
    let script = format!("#!/bin/sh\necho \"$1\" >> {}\nshift\nexec \"$@\"\n", marker.display());
    let triple = triple();
    project.write("sub/runner.sh", &script);
    let runner = project.path("sub/runner.sh").display().to_string();
    project.write("sub/config.toml", &format!("[target.{triple}]\nrunner = ['sh', '{runner}', 'file']\n"));
    for (config, word) in [
        (format!("target.{triple}.runner='sh {runner} text'"), "text"),
        (format!("target.{triple}.runner=['sh', '{runner}', 'array']"), "array"),
        ("sub/config.toml".to_owned(), "file"),
        (format!("target.'cfg(unix)'.runner=['sh', '{runner}', 'cfg']"), "cfg"),
    ] {
        let _ = std::fs::remove_file(&marker);
        let mut command = project.command("run --require --update force --runs 1 --");
        command.args(line.split_whitespace()).args(["--test", "it", "--config", &config]);
        run(&mut command).ends(0);
        assert!(project.read("called").contains(word), "{config}");
        let file = project.files().into_iter().find(|(name, _)| name.ends_with("it.yaml"));
        let (name, text) = file.expect("a baseline");
        assert!(String::from_utf8_lossy(&text).contains("execve:"), "{name} of {config} knows the runner");
    }
}

fn runners_in_config_flags_are_called_inside() {
    calls_inside("run-config", "test");
}

fn runners_in_nextest_config_flags_are_called_inside() {
    calls_inside("run-config-nextest", "nextest run");
}

fn missing_required_tracing_fails() {
    let script = format!("#!/bin/sh\nunset {}\nexec \"{}\" \"$@\"\n", runner_variable(), env!("CARGO"));
    let project = Project::foreign("run-untraced").file("cargo.sh", &script);
    run(project.run_by("chmod").args(["+x", "cargo.sh"])).ends(0);
    for (flags, line, code) in [
        ("", "test --lib", 0),
        ("--require", "test --lib", 4),
        ("--require", "test --lib --no-run", 0),
        ("--require", "test --doc", 4),
    ] {
        let mut command = project.command(&format!("run {flags} -- {line}"));
        let ran = run(command.env("CARGO", project.path("cargo.sh"))).ends(code);
        assert_eq!(ran.stderr.contains("tracing is required"), code == 4, "{}", ran.stderr);
    }
}
