//! Unusual paths: packages that moved after the build, missing or linked folders, spaces in
//! `TMPDIR`.

use std::fs;
use std::os::unix::fs::symlink;

use libtest_mimic::Trial;

use super::harness::built;
use super::project::{Project, command, run, tracing, untraced};

pub(crate) fn trials() -> Vec<Trial> {
    trials![places:
        untraced moved_harness_finds_its_workloads,
        untraced missing_workloads_are_reported,
        tracing symbolic_links_add_no_workloads,
        tracing missing_cwd_is_3_and_named,
        tracing explicit_pending_folder_is_written_in_ci,
        tracing spaces_in_tmpdir_change_nothing,
    ]
}

/// A nextest archive with `--workspace-remap` moves packages like this.
fn moved_harness_finds_its_workloads() {
    let (project, harness) = built("places-moved");
    let folder = Project::empty();
    let [copy, old, new] = ["harness", "ws/old", "ws/new"].map(|name| folder.path(name));
    fs::create_dir(folder.path("ws")).expect("a folder");
    fs::copy(&harness, &copy).expect("a copy");
    let listed = |variable: &str, place: &std::path::Path| {
        let mut list = command(&copy);
        run(list.args(["--list", "--format", "terse"]).env(variable, place)).ends(0).stdout
    };
    let before = listed("CARGO_MANIFEST_DIR", &project.path(""));
    assert!(before.contains("net::echo: test\n"), "{before}");
    for place in [&old, &new] {
        run(command("mv").arg(project.path("")).arg(place)).ends(0);
        for variable in ["CARGO_MANIFEST_DIR", "SYSGUARD_WORKSPACE_ROOT"] {
            assert_eq!(listed(variable, place), before, "{variable}");
        }
        run(command("mv").arg(place).arg(project.path(""))).ends(0);
    }
    run(command("mv").arg(project.path("")).arg(&new)).ends(0);
    let ran = run(&mut command(&copy)).ends(101);
    assert!(ran.stderr.starts_with("error: cannot find the package "), "{}", ran.stderr);
    assert!(ran.stderr.contains("SYSGUARD_WORKSPACE_ROOT"), "{}", ran.stderr);
    run(command("mv").arg(&new).arg(project.path(""))).ends(0);
}

fn missing_workloads_are_reported() {
    let project = Project::new("places-missing").with_harness();
    let expected = "warning: no workloads found in ";
    let ran = project.sysguard("test").ends(0);
    assert!(ran.stderr.contains(expected) && ran.stderr.contains("cargo sysguard init"), "{}", ran.stderr);
    fs::create_dir(project.path("expectations")).expect("a folder");
    let ran = project.sysguard("test").ends(0);
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    fs::remove_dir(project.path("expectations")).expect("a folder");
    let project = project.file("expectations", "");
    for line in ["test", "bless", "list"] {
        let ran = project.sysguard(line).ends(101);
        assert!(ran.stderr.contains("expectations: it is not a folder"), "{line}: {}", ran.stderr);
    }
}

fn symbolic_links_add_no_workloads() {
    let project = Project::new("places-links").expecting("sub/one", "command: [true]");
    for name in ["up", "again"] {
        symlink("..", project.path(&format!("expectations/sub/{name}"))).expect("a link");
    }
    symlink("../..", project.path("expectations/sub/package")).expect("a link");
    assert_eq!(project.sysguard("list").ends(0).stdout, "sub::one\n");
    project.sysguard("bless --runs 1").ends(0);
    let ran = project.sysguard("test").ends(0);
    assert!(ran.stdout.contains("test result: ok. 1 passed;"), "{}", ran.stdout);
}

fn missing_cwd_is_3_and_named() {
    let project = Project::new("places-cwd")
        .expecting("absolute", "command: [true]\ncwd: /no/such/folder")
        .expecting("below", "command: [true]\ncwd: nowhere");
    let below = project.path("nowhere").display().to_string();
    for line in ["test", "bless", "test --engine ptrace"] {
        for (name, path) in [("absolute", "/no/such/folder"), ("below", &below)] {
            let ran = project.sysguard(&format!("{line} {name}")).ends(3);
            let expected = format!("cannot enter the working directory {path}: No such file or directory");
            assert!(
                format!("{}{}", ran.stdout, ran.stderr).contains(&expected),
                "{line}: {}{}",
                ran.stdout,
                ran.stderr
            );
        }
    }
    let ran = project.sysguard("bless below").ends(3);
    assert!(ran.stderr.contains("next:\n  cargo sysguard bless below  "), "{}", ran.stderr);
}

fn explicit_pending_folder_is_written_in_ci() {
    let project = Project::new("places-ci").with_harness().expecting("first", "command: [true]");
    let before = project.files();
    run(project.command("test").env("CI", "1")).ends(101);
    assert_eq!(project.changed_since(&before), [""; 0]);
    run(project.command("test --pending-dir elsewhere --update no").env("CI", "1")).ends(101);
    assert_eq!(project.changed_since(&before), [""; 0]);
    run(project.command("test --pending-dir elsewhere").env("CI", "1")).ends(101);
    assert_eq!(project.changed_since(&before), ["elsewhere/expectations/first.yaml.new"]);
}

fn spaces_in_tmpdir_change_nothing() {
    let temporary = Project::empty();
    let blank = temporary.path("a b");
    fs::create_dir(&blank).expect("a folder");
    let project = Project::foreign("places-blanks").expecting("first", "command: [true]");
    for (line, code) in [("bless first --runs 1", 0), ("test first", 0), ("run --update unseen --runs 1 -- test", 0)] {
        run(project.command(line).env("TMPDIR", &blank)).ends(code);
    }
    assert!(project.path("expectations/run/places-blanks/it.yaml").is_file());
    assert_eq!(fs::read_dir(&blank).expect("a folder").count(), 0, "nothing is left");
}
