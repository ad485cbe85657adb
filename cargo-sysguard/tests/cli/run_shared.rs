//! `run`: the tests of a binary share one file, `expectations/run/CRATE/tests.BINARY.yaml`.

use std::process::Stdio;

use libtest_mimic::Trial;

use super::project::{BINARY, Project, Ran, nextest, run, tracing};

pub(crate) fn trials() -> Vec<Trial> {
    trials![run:
        tracing new_call_is_reported_for_its_test,
        tracing calls_of_other_tests_are_still_new,
        tracing users_document_is_kept_and_obeyed,
        tracing shared_file_gains_and_loses_tests,
        tracing files_of_single_tests_stay_until_moved,
        tracing malformed_shared_file_fails_its_tests,
        tracing concurrent_decisions_are_all_kept,
        nextest concurrent_tests_are_all_recorded,
    ]
}

const RUN: &str = "run --per-test -- test --test it";
const RECORD: &str = "run --per-test --runs 1 --update unseen -- test --test it";

/// Returns the source of a test target with these names and bodies.
pub(super) fn source(tests: &[(&str, &str)]) -> String {
    tests.iter().map(|(name, body)| format!("#[test]\nfn {name}() {{ {body} }}\n")).collect()
}

const NOTHING: &str = "";
pub(super) const BINDS: &str = "std::net::TcpListener::bind((\"127.0.0.1\", 0)).unwrap();";
const THREE: [(&str, &str); 3] = [("one", NOTHING), ("three", NOTHING), ("two", NOTHING)];

/// Returns a package with recorded tests.
pub(super) fn recorded(name: &str, tests: &[(&str, &str)]) -> Project {
    let project = Project::foreign(name).file("tests/it.rs", &source(tests));
    project.sysguard(RECORD).ends(0);
    project
}

fn shared(name: &str) -> String {
    format!("expectations/run/{name}/tests.it.yaml")
}

/// Fails the trial unless libtest printed these outcomes.
#[track_caller]
fn has_outcomes(ran: &Ran, outcomes: &[(&str, &str)]) {
    for (test, outcome) in outcomes {
        let is_line = |line: &str| line.split_whitespace().eq(["test", test, "...", outcome]);
        assert!(ran.stdout.lines().any(is_line), "{test} {outcome}: {}", ran.stdout);
    }
}

/// Returns the added and the removed lines.
fn difference(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let without = |text: &str, other: &str| {
        let other: Vec<&str> = other.lines().collect();
        text.lines().filter(|line| !other.contains(line)).map(str::to_owned).collect()
    };
    (without(after, before), without(before, after))
}

fn new_call_is_reported_for_its_test() {
    let project = recorded("shared-new", &THREE);
    let file = shared("shared-new");
    let before = project.read(&file);
    let few = "    runs: 1\n";
    assert!(before.ends_with(&format!("\ntests:\n  one:\n{few}  three:\n{few}  two:\n{few}")), "{before}");
    let names = "run::shared-new::it::one\nrun::shared-new::it::three\nrun::shared-new::it::two\n";
    assert_eq!(project.sysguard("list").ends(0).stdout, names);
    let all = project.files();
    project.sysguard(RUN).ends(0);
    project.sysguard("run --per-test --runs 1 --update always -- test --test it").ends(0);
    assert_eq!(project.changed_since(&all), [""; 0], "nothing new, no byte changes");

    project.write("tests/it.rs", &source(&[("one", NOTHING), ("three", NOTHING), ("two", BINDS)]));
    let found = project.sysguard(RUN).ends(101);
    has_outcomes(&found, &[("one", "ok"), ("three", "ok"), ("two", "FAILED")]);
    assert!(found.stderr.contains("new-subsystem network"), "{}", found.stderr);
    assert!(found.stderr.contains(&file), "the file that holds it: {}", found.stderr);
    let proposal = "expectations/run/shared-new/it/two.yaml.new";
    assert_eq!(project.changed_since(&all), [proposal, "tests/it.rs"]);
    let pending = project.sysguard("pending").ends(101).stdout;
    assert!(pending.lines().all(|key| key.starts_with("run::shared-new::it::two::")), "{pending}");
    let review = project.sysguard("review").ends(101).stdout;
    assert!(review.contains("+  network:") && review.contains(&file), "{review}");

    let accept = ["accept", "shared-new::it::two::network", "--why", "serves clients"];
    run(project.run_by(BINARY).args(accept)).ends(0);
    let after = project.read(&file);
    let (added, removed) = difference(&before, &after);
    assert!(added.iter().any(|line| line == "          why: serves clients"), "{added:?}");
    assert_eq!(removed, [""; 0]);
    let tests = format!("\ntests:\n  one:\n{few}  three:\n{few}  two:\n{few}    subsystems:\n");
    assert!(after.contains(&tests), "{after}");
    project.sysguard("accept shared-new").ends(0);
    project.sysguard(RUN).ends(0);
    assert!(!project.path("expectations/run/shared-new/it").exists(), "no empty folder is left");
    project.sysguard("run --per-test --runs 1 --update always -- test --test it").ends(0);
    assert!(project.read(&file).contains("why: serves clients"));

    let report = project.sysguard("report").ends(0).stdout;
    assert!(report.contains("run::shared-new::it::two") && report.contains("serves clients"), "{report}");
    let explained = project.sysguard("explain bind").ends(0).stdout;
    assert!(explained.contains("run::shared-new::it::two"), "{explained}");
}

/// Most tests bind a socket, which makes it common. It is still new for the test that does not.
fn calls_of_other_tests_are_still_new() {
    let project = recorded("shared-without", &[("one", BINDS), ("three", NOTHING), ("two", BINDS)]);
    let file = shared("shared-without");
    let before = project.read(&file);
    let (common, tests) = before.split_once("\ntests:\n").expect("both parts");
    assert!(common.contains("    network:\n") && tests.contains("  three:\n    runs: 1\n    without:\n"), "{before}");
    assert!(tests.contains("      - network\n"), "{tests}");
    project.sysguard(RUN).ends(0);
    project.write("tests/it.rs", &source(&[("one", BINDS), ("three", BINDS), ("two", BINDS)]));
    let found = project.sysguard(RUN).ends(101);
    has_outcomes(&found, &[("one", "ok"), ("three", "FAILED"), ("two", "ok")]);
    assert!(found.stderr.contains("new-subsystem network"), "{}", found.stderr);
    project.sysguard("accept shared-without").ends(0);
    let (few, after) = ("    runs: 1\n", project.read(&file));
    assert!(after.ends_with(&format!("\ntests:\n  one:\n{few}  three:\n{few}  two:\n{few}")), "{after}");
    project.sysguard(RUN).ends(0);
}

fn users_document_is_kept_and_obeyed() {
    let project = recorded("shared-first", &THREE);
    let file = shared("shared-first");
    let written = project.read(&file);
    let (first, baseline) = written.split_once("---\n").expect("two documents");
    let rules =
        "tolerate:\n  - {syscall: bind}\n  - {syscall: listen}\nforbid:\n  - {subsystem: network, syscall: connect}\n";
    let first = format!("# mine\n{first}{rules}# and this\n");
    project.write(&file, &format!("{first}---\n{baseline}"));
    let unix = "std::os::unix::net::UnixDatagram::unbound().unwrap();";
    let connects = "let _ = std::net::TcpStream::connect((\"127.0.0.1\", 1));";
    project.write("tests/it.rs", &source(&[("one", connects), ("three", NOTHING), ("two", unix)]));
    let found = project.sysguard(RUN).ends(101);
    assert!(found.stderr.contains("forbidden"), "{}", found.stderr);
    project.sysguard("accept shared-first::it::two").ends(0);
    assert!(project.read(&file).starts_with(&first), "{}", project.read(&file));
    let passed = project.sysguard("run --per-test -- test --test it -- two three").ends(0);
    has_outcomes(&passed, &[("three", "ok"), ("two", "ok")]);
}

fn shared_file_gains_and_loses_tests() {
    let project = recorded("shared-gone", &THREE);
    let file = shared("shared-gone");
    let before = project.read(&file);
    project.write("tests/it.rs", &source(&[("one", NOTHING), ("a_new_one", NOTHING), ("two", NOTHING)]));
    let warned = project.sysguard("run --per-test --unreferenced=warn -- test").ends(101);
    let gone = format!("run::shared-gone::it::three in {}", project.path(&file).display());
    assert!(warned.stderr.contains(&format!("{gone} belongs to a test that no longer exists")), "{}", warned.stderr);
    assert!(warned.stderr.contains("run::shared-gone::it::a_new_one: no baseline"), "{}", warned.stderr);
    assert_eq!(project.read(&file), before);
    project.sysguard("accept shared-gone::it").ends(0);
    let with = project.read(&file);
    assert_eq!(difference(&before, &with), (vec!["  a_new_one:".to_owned()], Vec::new()));
    project.sysguard("accept shared-gone").ends(0);
    let deleted = project.sysguard("run --per-test --unreferenced=delete -- test").ends(0);
    assert!(deleted.stderr.contains(&format!("removed {gone}")), "{}", deleted.stderr);
    assert_eq!(difference(&with, &project.read(&file)), (Vec::new(), vec!["  three:".to_owned()]));
}

fn files_of_single_tests_stay_until_moved() {
    let project = recorded("shared-move", &THREE);
    let file = shared("shared-move");
    let own = |test: &str| format!("expectations/run/shared-move/it/{test}.yaml");
    run_git(&project);
    let together = project.files();
    let moved = project.sysguard("layout test").ends(0);
    assert_eq!(moved.stdout, format!("moved 3 tests of shared-move::it out of {file}\n"));
    assert_eq!(project.changed_since(&together), [&own("one"), &own("three"), &own("two"), &file].map(String::as_str));
    assert!(project.read(&own("one")).contains("\nrun: shared-move::it::one\n---\nplatform: "));
    assert!(project.sysguard("diff").ends(0).stdout.starts_with("nothing differs"));
    assert_eq!(project.sysguard("layout test").ends(0).stdout, "nothing to move\n");

    // Existing files are updated, and new tests go where the others are.
    project.write("tests/it.rs", &source(&[("one", NOTHING), ("three", NOTHING), ("two", NOTHING), ("z", NOTHING)]));
    project.sysguard(RECORD).ends(0);
    assert!(project.path(&own("z")).exists() && !project.path(&file).exists());
    project.sysguard(RUN).ends(0);
    let edited = format!("# mine\n{}", project.read(&own("z")));
    project.write(&own("z"), &edited);
    let joined = project.sysguard("layout binary").ends(0);
    assert!(joined.stderr.contains(&format!("kept {}: ", own("z"))), "{}", joined.stderr);
    let changed = project.changed_since(&together);
    assert_eq!(changed, [own("z").as_str(), "tests/it.rs"], "the shared file is unchanged");
    project.sysguard(RUN).ends(0);
    assert_eq!(project.read(&own("z")), edited);
    assert_eq!(project.sysguard("list").ends(0).stdout.lines().count(), 4);
}

fn run_git(project: &Project) {
    run(project.run_by("git").args(["init", "--quiet"])).ends(0);
    project.commit();
}

fn malformed_shared_file_fails_its_tests() {
    let project = recorded("shared-bad", &THREE);
    let file = shared("shared-bad");
    project.write(&file, &project.read(&file).replace("common:", "comon:"));
    let before = project.files();
    let ran = project.sysguard(RUN).ends(101);
    assert!(ran.stderr.contains("unknown key `comon`: did you mean `common`?"), "{}", ran.stderr);
    has_outcomes(&ran, &[("one", "FAILED"), ("three", "FAILED"), ("two", "FAILED")]);
    assert_eq!(project.sysguard("list").ends(0).stdout, "run::shared-bad::tests.it\n");
    let report = project.sysguard("report").ends(101);
    assert!(report.stderr.contains(&file), "{}", report.stderr);
    assert_eq!(project.changed_since(&before), [""; 0]);
}

fn concurrent_decisions_are_all_kept() {
    let names: Vec<String> = (0..12).map(|number| format!("t{number:02}")).collect();
    let tests: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), NOTHING)).collect();
    let project = Project::foreign("shared-accept").file("tests/it.rs", &source(&tests));
    project.sysguard("run --per-test --runs 1 -- test --test it").ends(101);
    let accept = |name: &String| {
        let mut command = project.command(&format!("accept shared-accept::it::{name}"));
        command.stdout(Stdio::null()).spawn().expect("the command starts")
    };
    for mut child in names.iter().map(accept).collect::<Vec<_>>() {
        assert!(child.wait().expect("it ends").success());
    }
    assert_eq!(project.sysguard("list").ends(0).stdout.lines().count(), names.len());
    project.sysguard(RUN).ends(0);
}

fn concurrent_tests_are_all_recorded() {
    let names: Vec<String> = (0..24).map(|number| format!("t{number:02}")).collect();
    let body = |number: usize| if number.is_multiple_of(8) { BINDS } else { NOTHING };
    let tests: Vec<(&str, &str)> =
        names.iter().enumerate().map(|(number, name)| (name.as_str(), body(number))).collect();
    let project = Project::foreign("shared-nextest").file("tests/it.rs", &source(&tests));
    let record = |threads: usize| {
        let line = format!("run --runs 1 --update unseen -- nextest run --test it -j {threads}");
        project.sysguard(&line).ends(0);
        project.read(&shared("shared-nextest"))
    };
    let first = record(8);
    assert_eq!(project.sysguard("list").ends(0).stdout.lines().count(), names.len());
    project.sysguard("run -- nextest run --test it -j 8").ends(0);
    assert_eq!(project.read(&shared("shared-nextest")), first);
    std::fs::remove_file(project.path(&shared("shared-nextest"))).expect("the file");
    assert_eq!(record(1), first, "the order in which tests end does not matter");

    // Concurrent findings of several tests are all proposed.
    let all_bind: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), BINDS)).collect();
    project.write("tests/it.rs", &source(&all_bind));
    project.sysguard("run -- nextest run --test it -j 8 --no-fail-fast").ends(101);
    project.sysguard("accept shared-nextest").ends(0);
    let text = project.read(&shared("shared-nextest"));
    assert!(!text.contains("without:") && text.contains("    network:\n"), "{text}");
    project.sysguard("run -- nextest run --test it -j 8").ends(0);
}
