//! `test`: verdicts, proposals and exit codes.

use super::diff::git;
use super::project::{Project, run};

const CONNECTS: &str = "fn main() { let _ = std::net::TcpStream::connect((\"127.0.0.1\", 1)); }\n";

/// Returns a blessed program that now opens a socket. Each trial needs another name.
fn newly_connecting(name: &str, harness: bool) -> Project {
    let project = Project::new(name).expecting("own", &format!("bin: {name}"));
    let project = if harness { project.with_harness() } else { project };
    project.sysguard("bless").ends(0);
    project.sysguard("test").ends(0);
    project.file("src/main.rs", CONNECTS)
}

fn fails_and_is_proposed(project: &Project) {
    let before = project.files();
    let in_ci = run(project.command("test").env("CI", "true")).ends(101);
    assert_eq!(project.changed_since(&before), [""; 0], "in CI nothing is written");
    assert!(in_ci.stdout.contains("network"), "{}", in_ci.stdout);

    let ran = project.sysguard("test").ends(101);
    assert_eq!(project.changed_since(&before), ["expectations/own.yaml.new"]);
    let [network, socket] = ["network", "socket"].map(|word| ran.stdout.find(word).expect(word));
    assert!(network < socket, "the subsystem comes first:\n{}", ran.stdout);

    // A passing run removes the stale proposal.
    project.write("src/main.rs", "fn main() {}\n");
    project.sysguard("test").ends(0);
    assert_eq!(project.changed_since(&before), ["src/main.rs"]);
}

pub(crate) fn new_subsystem_fails_and_is_proposed() {
    fails_and_is_proposed(&newly_connecting("test-harness", true));
}

/// The tool gets copies of the expectation and its proposal.
pub(crate) fn diff_tool_shows_the_change() {
    let project = newly_connecting("test-difftool", true);
    let test = |tool: &str| run(project.command("test").env("SYSGUARD_DIFF_TOOL", tool)).ends(101);
    let shown = test("diff --normal").stdout;
    assert!(shown.contains("\n> ") && !shown.contains("\n+++ "), "the tool's form replaces the built-in one:\n{shown}");
    let missing = test("no-such-diff-tool --dark");
    let warning = "warning: cannot run SYSGUARD_DIFF_TOOL (`no-such-diff-tool --dark`): ";
    assert!(missing.stderr.contains(warning), "{}", missing.stderr);
    assert!(missing.stdout.contains("\n+++ "), "the built-in diff is the fallback:\n{}", missing.stdout);
}

/// The path of the dependency looks like that of one from a registry.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) fn changed_dependency_is_named() {
    let project = Project::new("test-moved").expecting("own", "bin: test-moved");
    let project = project.file("src/main.rs", "fn main() {\n    greeting::greet();\n}\n");
    let (registry, manifest) = (Project::empty(), project.read("Cargo.toml"));
    let depend = |version: &str, body: &str| {
        let folder = format!("registry/src/index/greeting-{version}");
        let package = format!("[package]\nname = \"greeting\"\nversion = \"{version}\"\nedition = \"2024\"\n");
        registry.write(&format!("{folder}/Cargo.toml"), &package);
        registry.write(&format!("{folder}/src/lib.rs"), &format!("#[inline(never)]\npub fn greet() {{ {body} }}\n"));
        let place = registry.path(&folder);
        let dependency = format!("[dependencies]\ngreeting = {{ path = {place:?} }}\n\n[dev-dependencies]");
        project.write("Cargo.toml", &manifest.replace("[dev-dependencies]", &dependency));
    };
    depend("0.1.0", "");
    project.sysguard("bless").ends(0);
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "before"]);

    depend("0.2.0", "let _ = std::net::TcpStream::connect((\"127.0.0.1\", 1));");
    let ran = project.sysguard("test --update no").ends(101);
    // Long lines are wrapped.
    let site = " src/main.rs:2 test_moved::main → greeting 0.2.0 (0.1.0 when the baseline last\n    changed) greeting::greet: 3 new\n";
    assert!(ran.stdout.contains(site), "{}", ran.stdout);
    // Without a committed baseline, the moved dependencies are unknown.
    project.write("expectations/own.yaml", &format!("# mine\n{}", project.read("expectations/own.yaml")));
    let ran = project.sysguard("test --update no").ends(101);
    assert!(
        ran.stdout.contains("src/main.rs:2 test_moved::main → greeting 0.2.0 greeting::greet: 3 new\n"),
        "{}",
        ran.stdout
    );
}

pub(crate) fn package_without_harness_behaves_the_same() {
    fails_and_is_proposed(&newly_connecting("test-plain", false));
}

pub(crate) fn each_status_has_its_exit_code() {
    let project = Project::new("test-statuses")
        .with_harness()
        .expecting("absent", "command: [true]\nrequires: [no-such-program]")
        .expecting("good", "command: [true]")
        .expecting("malformed", "nonsense: true")
        .expecting("nowhere", "example: nowhere")
        .expecting("wrong-exit", "command: [false]");
    project.sysguard("bless good").ends(0);
    let before = project.files();
    for (line, code) in [
        ("test good", 0),
        ("test absent", 0),
        ("test absent --require", 3),
        ("test nobody", 0),
        ("test malformed", 101),
        ("test wrong-exit good", 101),
        ("test nowhere", 3),
        ("test", 3),
        ("test good --no-run", 0),
        ("test nowhere --no-run", 3),
        ("test -- --exact good", 0),
        ("test --bins", 0),
        ("test --examples", 3),
    ] {
        project.sysguard(line).ends(code);
    }
    let all = project.sysguard("test");
    assert!(all.stdout.contains("test good       ... ok"), "the others still run:\n{}", all.stdout);
    assert_eq!(project.changed_since(&before), [""; 0]);

    let misnamed = project.file("expectations/other.yml", "version: 1\n").sysguard("test good expectations/").ends(101);
    assert!(misnamed.stdout.contains("expectations/other.yml"), "{}", misnamed.stdout);
    assert!(misnamed.stdout.contains("1 passed; 1 failed"), "{}", misnamed.stdout);
}

pub(crate) fn uncompilable_target_is_3() {
    let project = Project::new("test-broken")
        .expecting("broken", "example: broken")
        .expecting("good", "example: good")
        .file("examples/broken.rs", "fn main() { nonsense }\n")
        .file("examples/good.rs", "fn main() {}\n");
    let ran = project.sysguard("bless").ends(3);
    assert!(ran.stderr.contains("cannot find value `nonsense`"), "{}", ran.stderr);
    assert!(ran.stdout.contains("good: blessed"), "{}", ran.stdout);
    project.sysguard("test").ends(3);
    let with_harness = project.with_harness().file("tests/sysguard.rs", "fn main() { nonsense }\n");
    let ran = with_harness.sysguard("test").ends(3);
    assert!(ran.stderr.contains("the test target `sysguard`"), "{}", ran.stderr);
}

pub(crate) fn endless_durations_are_accepted() {
    let project = Project::new("test-endless")
        .expecting("timeout", "command: [true]\ntimeout: 18446744073709551615s")
        .expecting("stop", "command: [true]\nstop: {after: 18446744073709551615s, signal: SIGTERM}");
    for line in ["bless --runs 1", "test", "test --engine ptrace"] {
        project.sysguard(line).ends(0);
    }
}

pub(crate) fn timeout_fails_without_a_proposal() {
    let project = Project::new("test-timeout").expecting("sleeper", "command: [sleep, '600']\ntimeout: 200ms");
    let before = project.files();
    let ran = project.sysguard("test").ends(101);
    assert!(ran.stdout.contains("timed out"), "{}", ran.stdout);
    project.sysguard("bless").ends(101);
    assert_eq!(project.changed_since(&before), [""; 0]);
}

pub(crate) fn findings_without_writable_proposal_are_reported() {
    let project = newly_connecting("test-unwritable", false).file("expectations/own.yaml.new/in-the-way", "");
    let before = project.files();
    let ran = project.sysguard("test").ends(101);
    let expected = "own: 1 new subsystem, ";
    let line = ran.stdout.lines().find(|line| line.starts_with(expected)).expect(expected);
    assert!(line.contains(", but ") && line.contains("expectations/own.yaml.new: it is a directory"), "{line}");
    assert!(ran.stdout.contains("new-subsystem network"), "{}", ran.stdout);
    assert_eq!(project.changed_since(&before), [""; 0]);
    let shown = project.sysguard("test --pending-dir elsewhere").ends(101).stdout;
    let elsewhere = project.path("elsewhere").display().to_string();
    assert!(shown.contains(&format!("\n  cargo sysguard accept own --pending-dir {elsewhere}  ")), "{shown}");
    assert_eq!(project.changed_since(&before), ["elsewhere/expectations/own.yaml.new"]);
}
