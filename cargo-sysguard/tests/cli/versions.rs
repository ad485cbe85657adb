//! Baselines of version 1: judged as they were written, and upgraded by a recording.

use std::mem::take;

use sysguard::unstable::model::expectation::{Version, format};

use super::project::Project;

/// Calls that had no argument in version 1.
const WITHOUT_ARGUMENT: &[&str] = &["execve", "openat"];

/// Returns a file with its only baseline as version 1 would hold it, with a reason for each call.
fn in_version_1(text: &str) -> String {
    let (document, _) = text.split_once("---\n").expect("a baseline");
    let older = format::read(document.replace("version: 2", "version: 1").as_bytes()).expect("a document");
    let mut baseline = format::read(text.as_bytes()).expect("a file").expectation.baselines.remove(0);
    baseline.version = Version::One;
    for (syscall, entry) in baseline.subsystems.values_mut().flatten() {
        for pair in take(&mut entry.pairs) {
            entry.arguments.insert(pair.argument);
            entry.objects.insert(pair.object);
        }
        if WITHOUT_ARGUMENT.contains(&syscall.as_str()) {
            entry.arguments.clear();
        }
        entry.why = Some(format!("it needs {syscall}"));
    }
    older.with(baseline)
}

/// Returns a text without the reasons of [`in_version_1`], and entries with nothing else as lists.
fn without_reasons(text: &str) -> String {
    let mut parsed = format::read(text.as_bytes()).expect("a file");
    let mut recorded = parsed.expectation.baselines.remove(0);
    for (syscall, entry) in recorded.subsystems.values_mut().flatten() {
        assert_eq!(take(&mut entry.why), Some(format!("it needs {syscall}")), "{text}");
    }
    parsed.without_baselines().with(recorded)
}

pub(crate) fn bless_upgrades_and_keeps_reasons() {
    const FILE: &str = "expectations/w.yaml";
    let project = Project::new("versions-bless").expecting("w", "command: [sh, -c, 'echo a > made; cat made']");
    project.sysguard("bless").ends(0);
    let latest = project.read(FILE);
    let older = in_version_1(&latest);
    assert!(older.starts_with("version: 1\n") && older.contains("objects:\n"), "{older}");
    project.write(FILE, &older);
    let judged = project.sysguard("test").ends(0).stderr;
    assert!(
        judged.contains("1 baseline is of version 1: ") && judged.contains("(upgrade: cargo sysguard bless)"),
        "{judged}"
    );
    assert_eq!(project.read(FILE), older, "a test upgrades nothing");
    let blessed = project.sysguard("bless").ends(0);
    assert!(!blessed.stderr.contains("version 1"), "{}", blessed.stderr);
    assert_eq!(without_reasons(&project.read(FILE)), latest);
    assert!(!project.sysguard("test").ends(0).stderr.contains("version 1"));
}

pub(crate) fn forced_run_upgrades_tests() {
    const FILE: &str = "expectations/run/versions-run/it.yaml";
    let project = Project::foreign("versions-run");
    project.sysguard("run --update unseen -- test").ends(0);
    let latest = project.read(FILE);
    let older = in_version_1(&latest);
    project.write(FILE, &older);
    let judged = project.sysguard("run -- test").ends(0).stderr;
    assert!(judged.contains("(upgrade: cargo sysguard run --update force -- …)"), "{judged}");
    assert_eq!(project.read(FILE), older);
    project.sysguard("run --update force -- test").ends(0);
    assert_eq!(without_reasons(&project.read(FILE)), latest);
    assert!(!project.sysguard("run -- test").ends(0).stderr.contains("version 1"));
}
