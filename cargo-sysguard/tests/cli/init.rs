//! `init`: what it writes for which package, what works next, and nothing damaged.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;

use super::project::{BINARY, Project, command, run, tracing, untraced};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        tracing("init::fresh_package_works_without_an_edit", fresh_package_works_without_an_edit),
        tracing("init::documents_say_how_programs_end", documents_say_how_programs_end),
        tracing("init::harness_of_a_fresh_package_works", harness_of_a_fresh_package_works),
        untraced("init::it_writes_once_and_says_so", it_writes_once_and_says_so),
        untraced("init::it_overwrites_nothing", it_overwrites_nothing),
        untraced("init::members_are_selected_as_by_cargo", members_are_selected_as_by_cargo),
        untraced("init::library_is_told_what_to_do_next", library_is_told_what_to_do_next),
        untraced("init::binary_of_an_absent_feature_is_skipped", binary_of_an_absent_feature_is_skipped),
        untraced("init::line_ends_and_marks_are_kept", line_ends_and_marks_are_kept),
        untraced("init::dependency_is_where_it_was_installed_from", dependency_is_where_it_was_installed_from),
    ]
}

/// What `cargo new` makes, committed with its lock file.
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

fn documents_say_how_programs_end() {
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
        let said: Vec<&str> = document.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect();
        assert_eq!(said.concat(), format!("version: 1\nbin: {name}\n{end}"), "{document}");
    }
    project.sysguard("bless --runs 1").ends(0);
    project.sysguard("test").ends(0);
}

fn harness_of_a_fresh_package_works() {
    let project = fresh("init-harness");
    // Known versions, so that nothing has to be looked up.
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

fn it_writes_once_and_says_so() {
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

fn it_overwrites_nothing() {
    let project = Project::new("init-kept")
        .file("tests/sysguard.rs", "// mine\n")
        .file("expectations/init-kept.yaml", "# mine, and not even an expectation\n");
    let before = project.files();
    project.sysguard("init --harness").ends(0);
    assert_eq!(project.changed_since(&before), [".gitignore", "Cargo.toml"]);
    // Another name for the same program is a workload of it, too.
    let project = Project::new("init-named").expecting("mine", "bin: init-named");
    let before = project.files();
    project.sysguard("init").ends(0);
    assert_eq!(project.changed_since(&before), [".gitignore"]);
}

/// A package without dependencies, to be a member.
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

    // A member's own file says nothing of the others.
    let project = project.file("one/.gitignore", "/x\n").file(".gitignore", "/target\n");
    project.sysguard("init --no-run").ends(0);
    assert_eq!(project.read("one/.gitignore"), "/x\n*.yaml.new\n");
    assert_eq!(project.read(".gitignore"), "/target\n*.yaml.new\n");
}

fn library_is_told_what_to_do_next() {
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
    assert!(ran.stdout.contains("skipped bin init-off: cargo builds it with the feature `off` only"), "{}", ran.stdout);
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

fn dependency_is_where_it_was_installed_from() {
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
