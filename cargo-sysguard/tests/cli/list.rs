//! `list`: one name per line, and JSON.

use super::project::{Project, run};

pub(crate) fn names_of_malformed_files_are_listed() {
    let project = Project::new("list")
        .expecting("net/echo", "command: [true]")
        .expecting("copy", "bin: list")
        .expecting("malformed", "nonsense: true");
    for (line, names) in [
        ("list", "copy\nmalformed\nnet::echo\n"),
        ("list echo cop", "copy\nnet::echo\n"),
        ("list nobody", ""),
        ("list --bins", "copy\n"),
    ] {
        assert_eq!(project.sysguard(line).ends(0).stdout, names, "{line}");
    }
    let wrong = project.file("expectations/other.yml", "version: 1\n").sysguard("list").ends(101);
    assert_eq!(wrong.stdout, "copy\nmalformed\nnet::echo\n");
    assert!(wrong.stderr.contains("expectations/other.yml"), "{}", wrong.stderr);
}

pub(crate) fn packages_are_selected_as_by_cargo() {
    let member = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    let project = Project::empty()
        .file(
            "Cargo.toml",
            "[workspace]\nmembers = [\"one\", \"two\"]\ndefault-members = [\"one\"]\nresolver = \"3\"\n",
        )
        .file("one/Cargo.toml", &member("one"))
        .file("one/src/lib.rs", "")
        .file("two/Cargo.toml", &member("two"))
        .file("two/src/lib.rs", "")
        .expecting("none", "command: [true]")
        .file("one/expectations/first.yaml", "version: 1\ncommand: [true]\n")
        .file("two/expectations/second.yaml", "version: 1\ncommand: [true]\n");
    for (line, names) in [
        ("list", "first\n"),
        ("list --workspace", "first\nsecond\n"),
        ("list --workspace --exclude one", "second\n"),
        ("list -p two", "second\n"),
        ("list -p two@0.1.0 -p o*", "first\nsecond\n"),
        ("list --manifest-path two/Cargo.toml", "second\n"),
    ] {
        assert_eq!(project.sysguard(line).ends(0).stdout, names, "{line}");
    }
    let below = run(project.command("list").current_dir(project.path("two/src"))).ends(0);
    assert_eq!(below.stdout, "second\n");
}

pub(crate) fn json_lists_the_same_workloads() {
    let project = Project::new("list-json")
        .expecting("copy", "bin: list-json\nignore: slow\n---\nplatform: x86_64-linux-gnu\nsubsystems: {}")
        .expecting("malformed", "nonsense: true");
    let stdout = project.sysguard("list --format json").ends(0).stdout;
    let record: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(record["schema"], "sysguard.list/1");
    assert_eq!(
        record["workloads"][0],
        serde_json::json!({"name": "copy", "package": "list-json", "file": "expectations/copy.yaml", "program": "bin", "ignored": "slow",
            "baselines": ["x86_64-linux-gnu"], "malformed": null})
    );
    assert!(record["workloads"][1]["malformed"].as_str().is_some_and(|reason| reason.contains(":2:1: ")), "{record}");
}
