//! `init`: the files that it writes, the commands that work next, and the files that it keeps.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;

use super::project::{BINARY, Project, command, run, tracing, untraced};

pub(crate) fn trials() -> Vec<Trial> {
    trials![init:
        tracing fresh_package_works_without_an_edit,
        tracing documents_record_how_programs_end,
        tracing harness_of_a_fresh_package_works,
        untraced files_are_written_once_and_listed,
        untraced existing_files_are_not_overwritten,
        untraced members_are_selected_as_by_cargo,
        untraced library_gets_the_next_commands,
        untraced binary_of_an_absent_feature_is_skipped,
        untraced line_ends_and_marks_are_kept,
        untraced dependency_uses_the_installed_source,
    ]
}

/// Returns a package as `cargo new` creates it, committed with its lock file.
fn fresh(name: &str) -> Project {
    let project = Project::empty();
    run(project.run_by(env!("CARGO")).args(["init", "--quiet", "--vcs", "git", "--name", name])).ends(0);
    run(project.run_by(env!("CARGO")).args(["generate-lockfile", "--offline"])).ends(0);
    project.commit();
    project
}

fn fresh_package_works_without_an_edit() {
    let project = fresh("init-fresh");
    for line in ["init", "bless", "test"] {
        project.sysguard(line).ends(0);
    }
    run(project.run_by(env!("CARGO")).arg("test")).ends(0);
    assert_eq!(project.status(), " M .gitignore\n?? expectations/init-fresh.yaml\n");
    assert_eq!(project.read(".gitignore"), "/target\n*.yaml.new\n");
    let again = project.sysguard("init").ends(0);
    assert!(!again.stdout.contains("wrote"), "{}", again.stdout);
    project.sysguard("test").ends(0);
}

fn documents_record_how_programs_end() {
    const CATCHES: &str = r#"
unsafe extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn _exit(code: i32) -> !;
}
extern "C" fn end(_: i32) { unsafe { _exit(3) } }
fn main() {
    unsafe { signal(15, end) };
    loop { std::thread::sleep(std::time::Duration::from_secs(9)) }
}
"#;
    let usage = "fn main() { eprintln!(\"usage: FILE\"); std::process::exit(2) }";
    let server = "fn main() { loop { std::thread::sleep(std::time::Duration::from_secs(9)) } }";
    let project = Project::new("init-ends")
        .file("src/bin/init-usage.rs", usage)
        .file("src/bin/init-server.rs", server)
        .file("src/bin/init-catches.rs", CATCHES);
    project.sysguard("init").ends(0);
    let stop = "stop: {after: 2s, signal: SIGTERM}\n";
    for (name, end) in [
        ("init-ends", String::new()),
        ("init-usage", "exit: 2\n".to_owned()),
        ("init-server", stop.to_owned()),
        ("init-catches", format!("{stop}exit: 3\n")),
    ] {
        let document = project.read(&format!("expectations/{name}.yaml"));
        let lines: Vec<&str> = document.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines.concat(), format!("version: 2\nbin: {name}\n{end}"), "{document}");
    }
    project.sysguard("bless --runs 1").ends(0);
    project.sysguard("test").ends(0);
}

fn harness_of_a_fresh_package_works() {
    let project = fresh("init-harness");
    // Locked versions need no lookup in a registry.
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock"), project.path("Cargo.lock"))
        .expect("a lock file");
    let ran = project.sysguard("init --harness").ends(0);
    assert!(ran.stdout.contains("sysguard from the folder "), "{}", ran.stdout);
    project.sysguard("bless").ends(0);
    project.sysguard("test").ends(0);
    let ran = run(project.run_by(env!("CARGO")).args(["test", "--test", "sysguard"])).ends(0);
    assert!(ran.stdout.contains("test init-harness ... ok"), "{}", ran.stdout);
    let written =
        " M .gitignore\n M Cargo.lock\n M Cargo.toml\n?? expectations/init-harness.yaml\n?? tests/sysguard.rs\n";
    assert_eq!(project.status(), written);
}

fn files_are_written_once_and_listed() {
    let project = Project::new("init-once");
    let (before, manifest) = (project.files(), project.read("Cargo.toml"));
    let ran = project.sysguard("init --harness --no-run").ends(0);
    let written = [".gitignore", "Cargo.toml", "expectations/init-once.yaml", "tests/sysguard.rs"];
    assert_eq!(project.changed_since(&before), written);
    for name in written {
        assert!(ran.stdout.contains(name), "{}", ran.stdout);
    }
    let after = project.read("Cargo.toml");
    assert_eq!(after, manifest + "\n[[test]]\nname = \"sysguard\"\nharness = false\n");

    let before = project.files();
    let again = project.sysguard("init --harness --no-run").ends(0);
    assert_eq!(project.changed_since(&before), [""; 0]);
    assert!(!again.stdout.contains("wrote"), "{}", again.stdout);
}

fn existing_files_are_not_overwritten() {
    let project = Project::new("init-kept")
        .file("tests/sysguard.rs", "// mine\n")
        .file("expectations/init-kept.yaml", "# mine, and not even an expectation\n");
    let before = project.files();
    project.sysguard("init --harness").ends(0);
    assert_eq!(project.changed_since(&before), [".gitignore", "Cargo.toml"]);
    // A workload with another name also counts for its program.
    let project = Project::new("init-named").expecting("mine", "bin: init-named");
    let before = project.files();
    project.sysguard("init").ends(0);
    assert_eq!(project.changed_since(&before), [".gitignore"]);
}

/// Returns the manifest of a workspace member without dependencies.
fn member(name: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
}

fn members_are_selected_as_by_cargo() {
    let main = "fn main() {}\n";
    let project = Project::empty()
        .file("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"3\"\n")
        .file("one/Cargo.toml", &member("init-one"))
        .file("one/src/main.rs", main)
        .file("two/Cargo.toml", &member("init-two"))
        .file("two/src/main.rs", main);
    let before = project.files();
    let ran = project.sysguard("init --no-run -p init-two").ends(0);
    assert!(ran.stdout.contains("cargo sysguard bless -p init-two"), "{}", ran.stdout);
    let two = [".gitignore", "two/expectations/init-two.yaml"];
    assert_eq!(project.changed_since(&before), two);
    let ran = project.sysguard("init --no-run").ends(0);
    assert!(ran.stdout.contains("wrote one/expectations/init-one.yaml"), "{}", ran.stdout);
    assert_eq!(project.changed_since(&before), [two[0], "one/expectations/init-one.yaml", two[1]]);

    // The `.gitignore` of one member does not cover the others.
    let project = project.file("one/.gitignore", "/x\n").file(".gitignore", "/target\n");
    project.sysguard("init --no-run").ends(0);
    assert_eq!(project.read("one/.gitignore"), "/x\n*.yaml.new\n");
    assert_eq!(project.read(".gitignore"), "/target\n*.yaml.new\n");
}

fn library_gets_the_next_commands() {
    let project = Project::foreign("init-library");
    let before = project.files();
    let ran = project.sysguard("init").ends(0);
    assert_eq!(project.changed_since(&before), [".gitignore"]);
    assert!(ran.stdout.contains("  cargo sysguard run --update unseen -- test "), "{}", ran.stdout);

    let project = Project::foreign("init-examples").file("examples/init-shown.rs", "fn main() {}\n");
    let before = project.files();
    project.sysguard("init").ends(0);
    assert_eq!(project.changed_since(&before), [".gitignore", "expectations/init-shown.yaml"]);
    assert!(project.read("expectations/init-shown.yaml").contains("\nexample: init-shown\n"));
}

fn binary_of_an_absent_feature_is_skipped() {
    let manifest = member("init-features")
        + "[features]\ndefault = [\"on\"]\non = [\"below\"]\nbelow = []\noff = []\n\n[[bin]]\nname = \"init-below\"\n\
           required-features = [\"below\"]\n\n[[bin]]\nname = \"init-off\"\nrequired-features = [\"off\"]\n\n[workspace]\n";
    let project = Project::empty()
        .file("Cargo.toml", &manifest)
        .file("src/bin/init-below.rs", "fn main() {}\n")
        .file("src/bin/init-off.rs", "fn main() {}\n");
    let before = project.files();
    let ran = project.sysguard("init").ends(0);
    assert!(ran.stdout.contains("skipped bin init-off: it needs the feature `off`"), "{}", ran.stdout);
    assert_eq!(project.changed_since(&before), [".gitignore", "expectations/init-below.yaml"]);
    project.sysguard("init --no-run --features off").ends(0);
    assert!(project.path("expectations/init-off.yaml").exists());
}

fn line_ends_and_marks_are_kept() {
    let windows = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let manifest = member("init-windows") + "\n[dev-dependencies]\n\n[workspace]\n";
    let project = Project::empty()
        .file("Cargo.toml", &windows(&manifest))
        .file(".gitignore", &windows("/target\n"))
        .file("src/main.rs", "fn main() {}\n");
    project.sysguard("init --harness --no-run").ends(0);
    assert_eq!(project.read(".gitignore"), windows("/target\n*.yaml.new\n"));
    let after = project.read("Cargo.toml");
    let bare = after.strip_prefix('\u{feff}').expect("a byte order mark");
    assert!(!bare.replace("\r\n", "").contains('\n'), "{after:?}");
    let added = |line: &&str| {
        line.starts_with("sysguard = {") || ["[[test]]", "name = \"sysguard\"", "harness = false"].contains(line)
    };
    let kept: Vec<&str> = bare.lines().filter(|line| !added(line) && !line.is_empty()).collect();
    assert_eq!(kept, manifest.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>());
    run(project.run_by(env!("CARGO")).args(["metadata", "--no-deps", "--format-version", "1"])).ends(0);
}

fn dependency_uses_the_installed_source() {
    let version = env!("CARGO_PKG_VERSION");
    for (source, dependency) in [
        ("registry+https://github.com/rust-lang/crates.io-index", format!("sysguard = \"{version}\"\n")),
        (
            "git+https://example.com/sysguard.git?branch=main#0123abc",
            "sysguard = { git = \"https://example.com/sysguard.git\", rev = \"0123abc\" }\n".to_owned(),
        ),
    ] {
        let project =
            Project::empty().file("Cargo.toml", &member("init-installed")).file("src/main.rs", "fn main() {}\n");
        let record = format!("[v1]\n\"cargo-sysguard {version} ({source})\" = [\"cargo-sysguard\"]\n");
        let project = project.file("root/.crates.toml", &record).file("root/bin/none", "");
        let installed = project.path("root/bin/cargo-sysguard");
        fs::copy(BINARY, &installed).expect("a program");
        let ran = run(command(installed).args(["init", "--harness", "--no-run"]).current_dir(project.path(""))).ends(0);
        assert!(project.read("Cargo.toml").contains(&dependency), "{}\n{}", project.read("Cargo.toml"), ran.stdout);
    }
}
