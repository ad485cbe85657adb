//! `run -- nextest run`: nextest's time limits do not end recordings and confirmations.

use libtest_mimic::Trial;

use super::project::{Project, nextest};

pub(crate) fn trials() -> Vec<Trial> {
    trials![run:
        nextest recording_waits_for_the_end_of_nextest,
        nextest confirming_waits_for_the_end_of_nextest,
        nextest unrepeatable_test_is_reported,
    ]
}

/// Returns a package in which nextest ends every test after five seconds. That is enough for three
/// runs, but not for a recording or a confirmation.
fn limited(name: &str, body: &str) -> Project {
    let limit = "[profile.default]\nslow-timeout = { period = \"1s\", terminate-after = 2 }\n";
    Project::foreign(name).file(".config/nextest.toml", limit).file("tests/it.rs", &test(body))
}

fn test(body: &str) -> String {
    format!("#[test]\nfn slow() {{\n    std::thread::sleep(std::time::Duration::from_millis(1500));\n    {body}\n}}\n")
}

fn recording_waits_for_the_end_of_nextest() {
    let project = limited("slots-record", "");
    let first = project.sysguard("run -- nextest run --test it").ends(101);
    assert!(!first.stderr.contains("TIMEOUT"), "{}", first.stderr);
    assert!(first.stderr.contains("run::slots-record::it::slow: no baseline"), "{}", first.stderr);
    project.sysguard("accept slots-record").ends(0);
    project.sysguard("run -- nextest run --test it").ends(0);
}

fn confirming_waits_for_the_end_of_nextest() {
    let project = limited("slots-confirm", "");
    project.sysguard("run --update unseen --runs 2 -- nextest run --test it").ends(0);

    // A new syscall of a known subsystem must be confirmed.
    project
        .write("tests/it.rs", &test("std::fs::create_dir_all(std::env::temp_dir().join(\"slots-confirm\")).unwrap();"));
    let found = project.sysguard("run -- nextest run --test it").ends(101);
    assert!(found.stderr.contains("new-syscall") && found.stderr.contains("mkdir"), "{}", found.stderr);
    assert!(!found.stderr.contains("TIMEOUT"), "{}", found.stderr);
    assert!(project.path("expectations/run/slots-confirm/it/slow.yaml.new").exists());

    // Without confirmation, one run in a slot suffices.
    let at_once = project.sysguard("run --confirm 0 -- nextest run --test it").ends(101);
    assert!(at_once.stderr.contains("new-syscall") && !at_once.stderr.contains("repeating"), "{}", at_once.stderr);

    // Only the run in the slot shows it.
    let once = format!(
        "let once = std::path::Path::new({:?});\n    if !once.exists() {{ std::fs::create_dir(once).unwrap(); }}",
        project.path("once")
    );
    project.write("tests/it.rs", &test(&once));
    let before = project.read("expectations/run/slots-confirm/tests.it.yaml");
    let ran = project.sysguard("run -- nextest run --test it --success-output immediate");
    assert!(ran.stderr.contains("not confirmed yet"), "{}", ran.stderr);
    assert!(
        !project.path("expectations/run/slots-confirm/it/slow.yaml.new").exists()
            || !project_proposes(&project, "mkdir")
    );
    assert_eq!(project.read("expectations/run/slots-confirm/tests.it.yaml"), before);
}

fn project_proposes(project: &Project, syscall: &str) -> bool {
    project.read("expectations/run/slots-confirm/it/slow.yaml.new").contains(&format!("{syscall}:"))
}

fn unrepeatable_test_is_reported() {
    let project = limited("slots-once", "");
    let body = format!("std::fs::create_dir({:?}).unwrap();", project.path("once"));
    project.write("tests/it.rs", &test(&body));
    let ran = project.sysguard("run -- nextest run --test it").ends(101);
    assert!(ran.stderr.contains("run::slots-once::it::slow"), "{}", ran.stderr);
    assert!(!project.path("expectations").exists());
}
