//! `init`: a first expectation, and nothing damaged.

use super::project::Project;

pub(crate) fn it_writes_once_and_says_so() {
    let project = Project::new("init-once");
    let (before, manifest) = (project.files(), project.read("Cargo.toml"));
    let ran = project.sysguard("init").ends(0);
    let written = ["Cargo.toml", "expectations/example.yaml", "tests/sysguard.rs"];
    assert_eq!(project.changed_since(&before), written);
    for name in written {
        assert!(ran.stdout.contains(name), "{}", ran.stdout);
    }
    let after = project.read("Cargo.toml");
    assert_eq!(after, manifest + "\n[[test]]\nname = \"sysguard\"\nharness = false\n");

    let before = project.files();
    let again = project.sysguard("init").ends(0);
    assert_eq!(project.changed_since(&before), [""; 0]);
    assert!(!again.stdout.contains("wrote"), "{}", again.stdout);
}

pub(crate) fn it_overwrites_nothing() {
    let project =
        Project::new("init-kept").file("tests/sysguard.rs", "// mine\n").file("expectations/example.yaml", "# mine\n");
    let before = project.files();
    project.sysguard("init").ends(0);
    assert_eq!(project.changed_since(&before), ["Cargo.toml"]);
}

pub(crate) fn its_example_passes() {
    let project = Project::new("init-example");
    project.sysguard("init").ends(0);
    project.sysguard("bless").ends(0);
    let ran = project.sysguard("test").ends(0);
    assert!(ran.stdout.contains("test example ... ok"), "{}", ran.stdout);
}
