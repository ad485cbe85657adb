//! The README's steps for "your project", in a fresh package and in packages from crates.io: each
//! succeeds, and no file of the package changes.
//!
//! Cargo fetches the packages by version, if a registry can be reached.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Completion, Trial};
use tempfile::TempDir;

use super::project::{Project, command, run, untraceable};

const README: &str = include_str!("../../../README.md");

pub(crate) fn trials() -> Vec<Trial> {
    let fetched = |name: &str, package, version, runner| {
        Trial::ignorable_test(name, move || steps_in_package(package, version, runner))
    };
    vec![
        super::project::tracing("readme::steps_work_in_a_fresh_package", steps_work_in_a_fresh_package),
        fetched("readme::steps_work_in_a_program_with_assert_cmd", "hexyl", "0.16.0", "test"),
        fetched("readme::steps_work_in_a_tokio_server", "mini-redis", "0.4.1", "test"),
        fetched("readme::steps_work_in_a_library_under_nextest", "semver", "1.0.26", "nextest run"),
    ]
}

/// Returns the commands of the section from `init` on. Those before it install the program under
/// test.
fn steps(runner: &str) -> Vec<String> {
    let section = README.split("\n## In your project\n").nth(1).expect("the section");
    let block = section.split("```console\n").nth(1).and_then(|block| block.split("```").next()).expect("its commands");
    let lines = block.lines().map(|line| line.split(" #").next().unwrap_or(line).trim_end());
    let steps = lines.filter_map(|line| line.strip_prefix("$ cargo sysguard "));
    let steps: Vec<String> = steps.map(|step| step.replace("-- test", &format!("-- {runner}"))).collect();
    assert!(steps.len() >= 5, "{steps:?}");
    steps
}

/// Runs every step. Each must exit with 0, and only files of sysguard may be new.
fn all_steps(project: &Project, runner: &str, prepare: impl Fn(&mut Command)) {
    for step in steps(runner) {
        let mut command = project.command(&step);
        prepare(&mut command);
        let ran = run(&mut command);
        assert_eq!(ran.code, 0, "\ncargo sysguard {step}\nstdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
        let last = ran.stderr.trim_end().lines().last().unwrap_or_default();
        // A library has no program to run.
        let is_expected = last.contains(" traced, 0 new") || ran.stderr.contains("warning: no workloads found");
        assert!(is_expected || step == "init" || step == "bless", "{step}: {}", ran.stderr);
    }
    let status = project.status();
    let is_ours = |line: &str| line.ends_with(" .gitignore") || line.starts_with("?? expectations/");
    assert!(status.contains("?? expectations/") && status.lines().all(is_ours), "{status}");
    assert!(!status.contains(".new"), "{status}");
}

fn steps_work_in_a_fresh_package() {
    let project = Project::empty();
    run(project.run_by(env!("CARGO")).args(["init", "--quiet", "--vcs", "git", "--name", "readme-fresh"])).ends(0);
    run(project.run_by(env!("CARGO")).args(["generate-lockfile", "--offline"])).ends(0);
    project.commit();
    all_steps(&project, "test", |_| {});
}

fn steps_in_package(package: &str, version: &str, runner: &str) -> Result<Completion, libtest_mimic::Failed> {
    let nextest = || run(command(env!("CARGO")).args(["nextest", "--version"])).code == 0;
    let missing = untraceable().or_else(|| {
        (runner != "test" && !nextest()).then(|| "requires cargo-nextest, which is not installed".to_owned())
    });
    if let Some(reason) = missing {
        let required = std::env::var_os("SYSGUARD_REQUIRE").is_some_and(|value| value == "1");
        return if required { Err(reason.into()) } else { Ok(Completion::ignored_with(reason)) };
    }
    // A network is never required.
    let Some(sources) = fetch(package, version) else {
        return Ok(Completion::ignored_with(format!("{package} {version} cannot be fetched from crates.io")));
    };
    let project = Project::empty();
    copy(&sources, &project.path(""));
    let target = tempfile::tempdir().expect("a temporary directory");
    let online = |command: &mut Command| {
        command.env_remove("CARGO_NET_OFFLINE").env("CARGO_TARGET_DIR", target.path());
    };
    run(project.run_by("git").args(["init", "--quiet"])).ends(0);
    if !project.path("Cargo.lock").exists() {
        let mut lock = project.run_by(env!("CARGO"));
        online(&mut lock);
        run(lock.arg("generate-lockfile")).ends(0);
    }
    project.commit();
    // `run` must have the same outcome as cargo alone.
    let mut alone = project.run_by(env!("CARGO"));
    online(&mut alone);
    run(alone.args(runner.split(' '))).ends(0);
    assert_eq!(project.status(), "", "cargo alone changes nothing");
    all_steps(&project, runner, online);
    Ok(Completion::Completed)
}

/// Fetches a package with cargo and returns the folder of its sources, or nothing without a
/// registry.
fn fetch(package: &str, version: &str) -> Option<PathBuf> {
    let folder: TempDir = tempfile::tempdir().expect("a temporary directory");
    let manifest = format!(
        "[package]\nname = \"fetches\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{package} = \"={version}\"\n\n[workspace]\n"
    );
    fs::create_dir_all(folder.path().join("src")).expect("a folder");
    fs::write(folder.path().join("src/lib.rs"), "").expect("a file");
    fs::write(folder.path().join("Cargo.toml"), manifest).expect("a file");
    let mut cargo = command(env!("CARGO"));
    cargo
        .args(["fetch", "--quiet"])
        .current_dir(folder.path())
        .env_remove("CARGO_NET_OFFLINE")
        .env("CARGO_NET_RETRY", "1");
    if run(&mut cargo).code != 0 {
        return None;
    }
    let mut metadata = command(env!("CARGO"));
    metadata.args(["metadata", "--format-version", "1", "--offline"]).current_dir(folder.path());
    let metadata: serde_json::Value = serde_json::from_str(&run(&mut metadata).ends(0).stdout).expect("metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    let fetched = packages.iter().find(|found| found["name"] == package && found["version"] == version)?;
    Some(Path::new(fetched["manifest_path"].as_str()?).parent()?.to_owned())
}

fn copy(from: &Path, to: &Path) {
    let ran = run(command("cp").arg("-r").arg(from.join(".")).arg(to));
    ran.ends(0);
}
