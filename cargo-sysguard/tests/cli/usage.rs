//! The command line: how cargo calls it, and which usage is refused.

use std::env;
use std::path::Path;

use super::project::{BINARY, Project, command, run};

pub(crate) fn cargo_finds_the_subcommand_and_its_help() {
    let folder = Path::new(BINARY).parent().expect("a folder");
    let path = env::join_paths(
        std::iter::once(folder.to_owned()).chain(env::split_paths(&env::var_os("PATH").expect("a PATH"))),
    );
    let path = path.expect("a PATH");
    // In this repository `cargo sysguard` is an alias, so use another folder.
    let elsewhere = Project::empty();
    for arguments in [&["help", "sysguard"][..], &["sysguard", "--help"], &["sysguard", "test", "--help"]] {
        let help =
            run(command(env!("CARGO")).args(arguments).env("PATH", &path).current_dir(elsewhere.path(""))).ends(0);
        assert!(help.stdout.contains("Usage: cargo sysguard"), "{}", help.stdout);
    }
    let version = run(command(BINARY).arg("--version")).ends(0);
    assert_eq!(version.stdout, format!("cargo-sysguard {}\n", env!("CARGO_PKG_VERSION")));
}

pub(crate) fn wrong_usage_is_2_and_writes_nothing() {
    let project = Project::new("usage").expecting("first", "command: [true]");
    project.refuses(&[
        ("", "Usage: cargo sysguard"),
        ("frobnicate", "unrecognized subcommand"),
        ("test --no-such-flag", "unexpected argument '--no-such-flag'"),
        ("test -- --no-such-flag", "unexpected argument '--no-such-flag'"),
        ("test --update sometimes", "`sometimes` is not an update mode"),
        ("test -p nobody", "the workspace has no package `nobody`\nhelp: its packages are usage"),
        ("test --exclude usage", "--exclude requires --workspace"),
        ("bless nobody", "no workload matches `nobody`"),
        ("bless --runs 0", "invalid value '0' for '--runs <N>'"),
        ("test --confirm few", "invalid value 'few' for '--confirm <N>'"),
        ("list --manifest-path nowhere/Cargo.toml", "nowhere/Cargo.toml"),
        ("profile --no-such-flag -- true", "unexpected argument '--no-such-flag'"),
        (
            "profile --format xml -- true",
            "`xml` is not a format: use one of table, markdown, json, folded, svg, speedscope",
        ),
        ("profile -F 0 -- true", "0 is not in 1..=100000"),
        ("profile --call-graph lbr -- true", "invalid value 'lbr' for '--call-graph <MODE>'"),
        ("trace", "required arguments were not provided"),
        ("trace --format xml -- true", "`xml` is not a format"),
    ]);
    Project::empty().sysguard("list").ends(2);
}

pub(crate) fn bad_variable_is_named() {
    let project = Project::new("variables").expecting("first", "command: [true]");
    for (variable, value) in [("SYSGUARD_UPDATE", "perhaps"), ("SYSGUARD_REQUIRE", "perhaps")] {
        let ran = run(project.command("test").env(variable, value)).ends(2);
        assert!(
            ran.stderr.starts_with(&format!("error: the environment variable {variable} is `perhaps`")),
            "{}",
            ran.stderr
        );
    }
}

pub(crate) fn missing_workloads_are_a_warning() {
    let project = Project::new("nothing");
    for line in ["test", "bless"] {
        let ran = project.sysguard(line).ends(0);
        assert!(ran.stderr.contains("warning: no workloads found") && ran.stderr.contains("cargo sysguard init"));
    }
}
