//! Tests of shared files in real folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

use super::super::{Decided, Layout, Store};
use crate::model::expectation::format::Parsed;
use crate::model::run::test_name::TestName;

pub(in crate::store) fn package() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let package = folder.path().to_owned();
    (folder, package)
}

pub(in crate::store) fn open(package: &Path) -> Store {
    Store::open(package, None).expect("the store opens")
}

pub(in crate::store) fn test(name: &str) -> TestName {
    TestName { package: "demo".to_owned(), binary: "it".to_owned(), test: Some(name.to_owned()) }
}

/// Returns the recorded expectation of a test that makes these calls.
pub(in crate::store) fn recorded(parsed: &Parsed, calls: &[&str]) -> String {
    let lines: String = calls.iter().map(|call| format!("    {call}:\n")).collect();
    let baseline = format!("---\nplatform: x86_64-linux-gnu\nsubsystems:\n  filesystem:\n{lines}");
    parsed.clone().without_baselines().text() + &baseline
}

pub(in crate::store) fn save(store: &Store, name: &str, calls: &[&str]) {
    let test = test(name);
    let text = recorded(&store.load_test(&test).expect("a start"), calls);
    assert!(store.save(&test.workload(), &text).expect("it is written"));
}

pub(in crate::store) const FILE: &str = "expectations/run/demo/tests.it.yaml";

pub(in crate::store) fn shared(package: &Path) -> String {
    fs::read_to_string(package.join(FILE)).expect("the shared file")
}

pub(in crate::store) fn names(package: &Path) -> Vec<String> {
    open(package).names().map(str::to_owned).collect()
}

#[test]
fn concurrent_writers_lose_nothing() {
    let (_folder, package) = package();
    let calls = |number: usize| if number.is_multiple_of(3) { vec!["read", "write"] } else { vec!["read"] };
    thread::scope(|scope| {
        for number in 0..16 {
            let package = &package;
            // Like separate processes, each thread opens its own store.
            scope.spawn(move || save(&open(package), &format!("t{number:02}"), &calls(number)));
        }
    });
    assert_eq!(names(&package).len(), 16);
    let at_once = shared(&package);
    fs::remove_file(package.join(FILE)).expect("the file");
    (0..16).rev().for_each(|number| save(&open(&package), &format!("t{number:02}"), &calls(number)));
    assert_eq!(shared(&package), at_once, "whatever their order");
    let entries = fs::read_dir(package.join("expectations/run/demo")).expect("a folder");
    assert_eq!(entries.count(), 1, "no lock is left behind");
}

#[test]
fn proposals_are_written_while_empty_folders_are_removed() {
    let (_folder, package) = package();
    thread::scope(|scope| {
        for name in ["deep::a", "deep::b", "deep::er::c"] {
            let package = &package;
            scope.spawn(move || {
                let name = test(name).workload();
                for round in 0..100 {
                    // Like separate processes, each look searches the folders again.
                    let store = open(package);
                    assert!(store.propose(&name, "version: 1\n").expect("it is written"), "{name} {round}");
                    assert!(store.remove_proposal(&name).expect("it is removed"), "{name} {round}");
                }
            });
        }
    });
    assert!(!package.join("expectations/run/demo/it").exists() && package.join("expectations/run/demo").is_dir());
}

#[test]
fn new_tests_follow_the_layout_of_their_binary() {
    let (_folder, package) = package();
    save(&open(&package), "one", &["read"]);
    save(&open(&package), "deep::a b", &["read", "write"]);
    assert_eq!(names(&package), ["run::demo::it::deep::a.20b", "run::demo::it::one"]);
    assert!(
        shared(&package)
            .ends_with("tests:\n  deep::a b:\n    subsystems:\n      filesystem:\n        write:\n  one:\n")
    );

    let before = shared(&package);
    let moved = open(&package).lay_out(Layout::Test).expect("it is moved");
    assert_eq!((moved.len(), moved[0].tests, moved[0].binary.as_str()), (1, 2, "demo::it"));
    assert!(!package.join(FILE).exists() && package.join("expectations/run/demo/it/deep/a.20b.yaml").is_file());
    save(&open(&package), "two", &["read"]);
    assert!(!package.join(FILE).exists() && package.join("expectations/run/demo/it/two.yaml").is_file());

    open(&package).remove("run::demo::it::two").expect("it is removed");
    let moved = open(&package).lay_out(Layout::Binary).expect("it is moved");
    assert_eq!((moved.len(), moved[0].tests, moved[0].kept.len()), (1, 2, 0));
    assert_eq!(shared(&package), before);
    assert!(!package.join("expectations/run/demo/it").exists(), "no empty folder is left");
    assert_eq!(open(&package).lay_out(Layout::Binary).expect("nothing to move"), []);
}

#[test]
fn own_file_takes_precedence_over_the_shared_one() {
    let (_folder, package) = package();
    save(&open(&package), "one", &["read"]);
    save(&open(&package), "two", &["read"]);
    let own = package.join("expectations/run/demo/it/one.yaml");
    fs::create_dir_all(own.parent().expect("a folder")).expect("the folder");
    let text = "# mine\nversion: 1\nrun: demo::it::one\nlevel: syscall\n";
    fs::write(&own, text).expect("the file");
    let store = open(&package);
    assert_eq!(store.load("run::demo::it::one").expect("it parses").text(), text);
    assert_eq!(store.file("run::demo::it::one"), Path::new("expectations/run/demo/it/one.yaml"));
    assert_eq!(store.file("run::demo::it::two"), Path::new(FILE));
    assert_eq!(names(&package).len(), 2);
    let before = shared(&package);
    save(&store, "one", &["read", "write"]);
    assert_eq!(shared(&package), before);
    let moved = store.lay_out(Layout::Binary).expect("it stays");
    assert_eq!((moved[0].tests, moved[0].kept.len()), (0, 1), "an edited document stays");
    assert!(own.is_file());
}

#[test]
fn unedited_file_is_removed_with_its_last_test() {
    let (_folder, package) = package();
    for (edited, remains) in [(false, false), (true, true)] {
        save(&open(&package), "one", &["read"]);
        if edited {
            fs::write(package.join(FILE), format!("# mine\n{}", shared(&package))).expect("the file");
        }
        assert!(open(&package).remove("run::demo::it::one").expect("it is removed"));
        assert!(!open(&package).remove("run::demo::it::one").expect("it is gone"));
        assert_eq!(package.join(FILE).exists(), remains);
    }
}

#[test]
fn accepted_proposal_is_written_to_the_shared_file() {
    let (_folder, package) = package();
    save(&open(&package), "one", &["read"]);
    fs::write(package.join(FILE), shared(&package).replace("---\n", "level: syscall\n---\n")).expect("the file");
    let store = open(&package);
    let proposal = recorded(&store.load_test(&test("two")).expect("a start"), &["read", "write"]);
    assert!(proposal.contains("\nlevel: syscall\n"), "{proposal}");
    store.propose("run::demo::it::two", &proposal).expect("it is written");
    // Another test's recording in between has no effect.
    save(&open(&package), "three", &["write"]);

    let store = open(&package);
    assert!(store.decide("run::demo::it::two", |pending| pending.accept(pending.all(), None)).expect("it is written"));
    assert_eq!(names(&package).len(), 3);
    assert!(shared(&package).contains("  two:\n") && !package.join("expectations/run/demo/it").exists());

    // The user's rules have changed since.
    store.propose("run::demo::it::four", &proposal.replace("::two", "::four")).expect("it is written");
    fs::write(package.join(FILE), shared(&package).replace("level: syscall", "level: object")).expect("the file");
    let error = store.pending_of("run::demo::it::four").expect_err("it does not fit").to_string();
    assert!(error.contains("the first document of the file has changed since"), "{error}");
}

#[test]
fn several_decisions_on_a_shared_file_are_undone_together() {
    let (_folder, package) = package();
    save(&open(&package), "one", &["read"]);
    let names = ["two", "three"].map(|name| test(name).workload());
    for name in ["two", "three"] {
        let proposal = recorded(&open(&package).load_test(&test(name)).expect("a start"), &["read", "write"]);
        open(&package).propose(&test(name).workload(), &proposal).expect("it is written");
    }
    let store = open(&package);
    let proposals = || names.each_ref().map(|name| fs::read_to_string(store.proposal_file(name)).ok());
    let (before, proposed) = (shared(&package), proposals());
    let decide = || {
        names.each_ref().map(|name| {
            let decided = store.decide_undoably(name, |pending| pending.accept(pending.all(), None));
            decided.expect("it is written").expect("something was pending")
        })
    };
    let undo = |decided: &[Decided; 2]| {
        let decisions = [(&store, names[0].as_str(), &decided[0]), (&store, names[1].as_str(), &decided[1])];
        Store::undo(&decisions).expect("readable")
    };
    let decided = decide();
    assert_eq!(proposals(), [None, None]);
    assert_eq!(undo(&decided), None);
    assert_eq!((shared(&package), proposals()), (before, proposed));

    // The first test has a proposal again, so nothing is restored, although the other files are
    // unchanged.
    let decided = decide();
    let (accepted, again) = (shared(&package), store.proposal_file(&names[0]));
    fs::create_dir_all(again.parent().expect("a folder")).expect("the folder");
    fs::write(&again, b"\xff").expect("the file");
    assert_eq!(undo(&decided), Some(again.clone()));
    assert_eq!((shared(&package), store.proposal_file(&names[1]).exists()), (accepted, false));
    assert_eq!(fs::read(&again).expect("the file"), b"\xff");
}

#[test]
fn misplaced_proposals_overwrite_nothing() {
    let (_folder, package) = package();
    save(&open(&package), "one", &["read"]);
    let before = shared(&package);
    let text = recorded(&Parsed::of_test("demo::it::one").expect("a name"), &["read", "write"]);
    for (file, name, reason) in [
        ("demo/tests.it.yaml.new", "run::demo::tests.it", "that file is shared by tests"),
        ("demo/it/two.yaml.new", "run::demo::it::two", "it names another test"),
        ("demo/other/two.yaml.new", "run::demo::other::two", "it names another test"),
    ] {
        let path = package.join("expectations/run").join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(path, &text).expect("the file");
        let decided = open(&package).decide(name, |pending| pending.accept(pending.all(), None));
        let error = decided.expect_err(name).to_string();
        assert!(error.contains(reason) && error.contains("does not fit"), "{error}");
    }
    assert_eq!((shared(&package), names(&package).len()), (before, 1));
}

#[test]
fn shared_file_must_name_its_binary() {
    let (_folder, package) = package();
    save(&open(&package), "one", &["read"]);
    fs::write(package.join(FILE), shared(&package).replace("tests: demo::it", "tests: demo::other")).expect("the file");
    let error = open(&package).load("run::demo::it::one").expect_err("another binary").to_string();
    assert!(error.contains("its `tests:` names another binary"), "{error}");
    assert_eq!(names(&package), ["run::demo::tests.it"]);
    assert!(open(&package).load("run::demo::tests.it").is_err());
}

#[test]
fn concurrent_decisions_on_one_test_lose_nothing() {
    use crate::model::facts::fact::Fact;
    let (_folder, package) = package();
    let store = open(&package);
    save(&store, "one", &["read"]);
    let calls: Vec<String> = ["close", "fsync", "lseek", "openat", "pread64", "write"].map(str::to_owned).into();
    let all: Vec<&str> = std::iter::once("read").chain(calls.iter().map(String::as_str)).collect();
    let name = test("one").workload();
    store.propose(&name, &recorded(&store.load_test(&test("one")).expect("it is recorded"), &all)).expect("written");
    thread::scope(|scope| {
        for call in &calls {
            let (package, name) = (&package, &name);
            scope.spawn(move || {
                let fact: Fact = format!("filesystem::{call}").parse().expect("a fact");
                let decided = open(package)
                    .decide(name, |pending| pending.accept(&pending.under(&fact), Some(&format!("why {call}"))));
                assert!(decided.expect("it is written"));
            });
        }
    });
    let text = shared(&package);
    for call in &calls {
        assert!(text.contains(&format!("why: why {call}\n")), "{call}:\n{text}");
    }
    assert!(open(&package).pending_of(&name).expect("readable").is_none(), "nothing is left");
}

#[test]
fn file_that_changed_meanwhile_is_not_overwritten() {
    let (_folder, package) = package();
    let store = open(&package);
    save(&store, "one", &["read"]);
    let before = store.load_test(&test("one")).expect("it is recorded");
    save(&open(&package), "one", &["read", "write"]);
    let name = test("one").workload();
    let refused = store.save_over(&name, &before, &recorded(&before, &["read", "close"]));
    let error = refused.expect_err("it changed").to_string();
    assert!(error.ends_with("it changed during the run: run it again"), "{error}");
    let now = store.load_test(&test("one")).expect("it is recorded");
    assert!(store.save_over(&name, &now, &recorded(&now, &["read", "close"])).expect("it is written"));
}

#[test]
fn name_too_long_for_a_key_has_a_file_of_its_own() {
    let (_folder, package) = package();
    let long = "é".repeat(600);
    save(&open(&package), "short", &["read"]);
    save(&open(&package), &long, &["read"]);
    let store = open(&package);
    assert!(!shared(&package).contains("éé"));
    let parsed = store.load(&test(&long).workload()).expect("it is read again");
    assert_eq!(parsed.expectation.baselines.len(), 1);
    assert_eq!(store.names().count(), 2);
}
