//! `enforce --prove`: the proof of a profile, denied calls, and baselines that are too short.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use libtest_mimic::Trial;
use serde_json::Value;

use super::project::{Project, run, tracing, untraced};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        proofs:
        untraced proof_needs_a_file,
        tracing passed_runs_are_written_as_a_proof,
        tracing denied_call_is_shown_and_nothing_is_written,
        tracing workload_that_must_not_run_has_no_proof,
        tracing baseline_of_few_runs_is_refused,
    ]
}

/// A workload that makes a directory if `MORE` says so.
const DOCUMENT: &str = "\
command: [sh, -c, 'ls none; if test $MORE = yes; then mkdir $TMPDIR/made; fi; ls']
env: {MORE: no-more}
";

fn proof_needs_a_file() {
    let project = Project::new("proof_without_file").expecting("demo", DOCUMENT);
    project.refuses(&[
        ("enforce demo --format oci --prove 2", "name the profile by -o FILE"),
        ("enforce demo --format oci -o f --prove 1", "at least 2 runs: half of them are traced"),
        ("enforce demo --format oci --check f --prove 2", "cannot be used with"),
    ]);
}

fn passed_runs_are_written_as_a_proof() {
    let project = Project::new("proof_written").expecting("demo", DOCUMENT);
    project.sysguard("bless demo").ends(0);
    // Without runc on PATH, the proof is the same everywhere.
    let mut command = project.command("enforce demo --format oci --runtime runc@1.3 -o p.json --prove 4");
    let ran = run(command.env("PATH", path_without_runc(&project))).ends(0);
    assert!(ran.stderr.contains("demo: no denied call in 2 traced and 2 untraced runs, 2 of them busy"), "{ran:?}");
    assert!(project.read("p.json").contains("Proved by 4 runs without a denial: p.json.proof.json."));
    let proof: Value = serde_json::from_str(&project.read("p.json.proof.json")).expect("JSON");
    assert_eq!((&proof["proved"], &proof["denials"]), (&Value::from(true), &Value::Array(Vec::new())));
    let workload = &proof["workloads"][0];
    assert_eq!(workload["not_contained"], "not run under runc: not installed");
    assert_eq!(workload["runs"]["traced"], 2);
    let executables = workload["executables"].as_array().expect("a list");
    assert!(
        executables.iter().any(|it| it["path"].as_str().is_some_and(|path| path.ends_with("/ls"))),
        "{executables:?}"
    );
    project.sysguard("enforce demo --format oci --runtime runc@1.3 --check p.json").ends(0);
}

/// Returns a `PATH` with the programs that the command needs, and without runc.
fn path_without_runc(project: &Project) -> PathBuf {
    let folder = project.path("bin");
    fs::create_dir(&folder).expect("a new folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    for name in ["cargo", "rustc", "env"] {
        let file = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
        symlink(file.expect(name), folder.join(name)).expect("a link");
    }
    folder
}

fn denied_call_is_shown_and_nothing_is_written() {
    let project = Project::new("proof_denied").expecting("demo", DOCUMENT);
    project.sysguard("bless demo").ends(0);
    let file = "expectations/demo.yaml";
    project.write(file, &project.read(file).replace("MORE: no-more", "MORE: \"yes\""));
    for action in ["enosys", "kill"] {
        let ran =
            project.sysguard(&format!("enforce demo --format oci --action {action} -o p.json --prove 2")).ends(101);
        for part in [
            "mkdir is denied: 1 call in 1 of 1 traced runs, it is not allowed",
            "mkdir(\"$TMPDIR/made\", 0777)",
            "in: sh -c … → mkdir",
            "the profile is not proved for demo; nothing was written",
        ] {
            assert!(ran.stderr.contains(part), "{part}: {ran:?}");
        }
        assert!(!project.path("p.json").exists() && !project.path("p.json.proof.json").exists());
    }
}

fn workload_that_must_not_run_has_no_proof() {
    for (name, key, word) in
        [("proof_cwd", "cwd: .", "remove `cwd:`"), ("proof_ignored", "ignore: it deletes files", "remove `ignore:`")]
    {
        let project = Project::new(name).expecting("demo", &format!("command: [sh, -c, 'echo >> ran']\n{key}"));
        project.sysguard("bless demo --include-ignored").ends(0);
        let before = project.files();
        let ran = project.sysguard("enforce demo --format oci -o p.json --prove 2").ends(101);
        assert!(ran.stderr.contains(word), "{ran:?}");
        assert_eq!(project.changed_since(&before), [""; 0]);
    }
}

fn baseline_of_few_runs_is_refused() {
    let project = Project::new("proof_few_runs").expecting("demo", DOCUMENT);
    project.sysguard("bless demo --runs 2").ends(0);
    assert!(project.read("expectations/demo.yaml").contains("\nruns: 2\n"));
    let ran = project.sysguard("enforce demo --format oci").ends(101);
    assert!(ran.stderr.contains("`runs: 2`") && ran.stderr.contains("without `--runs`"), "{ran:?}");
    project.sysguard("bless demo").ends(0);
    assert!(!project.read("expectations/demo.yaml").contains("\nruns:"));
    project.sysguard("enforce demo --format oci").ends(0);
}
