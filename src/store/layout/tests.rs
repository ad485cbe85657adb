//! Tests of moves between the layouts, also while other stores write.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::super::shared::tests::{FILE, names, open, package, recorded, save, shared, test};
use super::super::{KeptReason, Layout, Moved, Store};
use crate::model::expectation::format::Parsed;

fn lay_out(package: &Path, layout: Layout) -> Moved {
    let mut moved = open(package).lay_out(layout).expect("it is moved");
    moved.pop().expect("one binary")
}

fn own(test: &str) -> String {
    format!("expectations/run/demo/it/{test}.yaml")
}

fn put(package: &Path, file: &str, text: &str) {
    let path = package.join(file);
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
    fs::write(path, text).expect("the file");
}

/// Writes a test's own file without edits.
fn put_own(package: &Path, name: &str, calls: &[&str]) -> String {
    let text = recorded(&Parsed::of_test(&test(name).to_string()).expect("a name"), calls);
    put(package, &own(name), &text);
    text
}

/// Returns the calls that are recorded of a test on x86_64.
fn calls(store: &Store, name: &str) -> Vec<String> {
    let parsed = store.load(&test(name).workload()).expect("it is recorded");
    let subsystems = parsed.expectation.baselines.into_iter().flat_map(|baseline| baseline.subsystems.into_values());
    subsystems.flat_map(|syscalls| syscalls.into_keys()).collect()
}

#[test]
fn shared_rules_keep_a_test_in_its_own_file() {
    for (edit, moved) in [
        ("# a comment\n", 1),
        ("level: syscall\n", 0),
        ("tolerate:\n  - {syscall: bind, why: may}\n", 0),
        ("forbid:\n  - {subsystem: bpf}\n", 0),
        ("ambient: strict\n", 0),
        ("ignore: later\n", 0),
    ] {
        let (_folder, package) = package();
        save(&open(&package), "one", &["read"]);
        fs::write(package.join(FILE), shared(&package).replacen("---\n", &format!("{edit}---\n"), 1))
            .expect("the file");
        let text = put_own(&package, "two", &["read", "write"]);
        let before = open(&package).load(&test("two").workload()).expect("it parses").expectation;
        let done = lay_out(&package, Layout::Binary);
        assert_eq!((done.tests, done.kept.len()), (moved, 1 - moved), "{edit}");
        for kept in done.kept {
            assert_eq!(kept.file, Path::new(&own("two")), "{edit}");
            assert_eq!(
                kept.reason.to_string(),
                format!("the first document of {FILE} has rules that would apply to this test")
            );
            assert_eq!(fs::read_to_string(package.join(own("two"))).expect("the file"), text, "{edit}");
        }
        assert_eq!(open(&package).load(&test("two").workload()).expect("it parses").expectation, before, "{edit}");
    }
}

#[test]
fn baselines_of_other_platforms_move_into_the_own_file() {
    let (_folder, package) = package();
    save(&open(&package), "one", &["read"]);
    save(&open(&package), "two", &["read"]);
    let other = shared(&package).split_once("---\n").expect("documents").1.replace("x86_64", "aarch64");
    fs::write(package.join(FILE), shared(&package) + "---\n" + &other).expect("the file");
    put(&package, &own("one"), "# mine\nversion: 1\nrun: demo::it::one\nlevel: syscall\n");
    let done = lay_out(&package, Layout::Test);
    assert_eq!((done.tests, done.kept), (2, Vec::new()));
    assert!(!package.join(FILE).exists());
    for name in ["one", "two"] {
        let baselines = open(&package).load(&test(name).workload()).expect("it parses").expectation.baselines;
        let mut platforms: Vec<String> = baselines.iter().map(|baseline| baseline.platform.to_string()).collect();
        platforms.sort();
        assert_eq!(platforms, ["aarch64-linux-gnu", "x86_64-linux-gnu"], "{name}");
    }
    assert!(fs::read_to_string(package.join(own("one"))).expect("the file").starts_with("# mine\nversion: 2\n"));
}

#[test]
fn different_baselines_of_one_platform_stay_apart() {
    let (_folder, package) = package();
    save(&open(&package), "one", &["read"]);
    save(&open(&package), "two", &["read"]);
    let text = put_own(&package, "one", &["read", "write"]);
    let before = shared(&package);
    let done = lay_out(&package, Layout::Binary);
    assert_eq!((done.tests, done.kept.len()), (0, 1));
    let reason = format!(
        "{FILE} and {} hold different baselines of demo::it::one for x86_64-linux-gnu: remove one of them",
        own("one")
    );
    assert_eq!(done.kept[0].reason.to_string(), reason);
    assert_eq!(shared(&package), before);

    let done = lay_out(&package, Layout::Test);
    assert_eq!((done.tests, done.kept.len()), (1, 1));
    assert_eq!(done.kept[0].reason.to_string(), reason);
    assert!(package.join(own("two")).is_file());
    assert!(shared(&package).contains("  one:\n") && !shared(&package).contains("  two:\n"), "{}", shared(&package));
    assert_eq!(fs::read_to_string(package.join(own("one"))).expect("the file"), text);
}

#[test]
fn misplaced_and_long_names_are_not_moved() {
    let (_folder, package) = package();
    let long = "x".repeat(600);
    save(&open(&package), &long, &["read"]);
    put(&package, &own("alias"), &put_own(&package, "one", &["read"]));
    let done = lay_out(&package, Layout::Binary);
    let reasons: Vec<&KeptReason> = done.kept.iter().map(|kept| &kept.reason).collect();
    assert_eq!(reasons, [&KeptReason::OtherName, &KeptReason::NameTooLong]);
    assert_eq!((done.tests, names(&package).len()), (1, 3));
}

#[test]
fn open_store_follows_a_move() {
    for (from, to) in [(Layout::Binary, Layout::Test), (Layout::Test, Layout::Binary)] {
        let (_folder, package) = package();
        ["gone", "one", "two"].iter().for_each(|name| save(&open(&package), name, &["read"]));
        lay_out(&package, Layout::Test);
        if from == Layout::Binary {
            lay_out(&package, Layout::Binary);
        }
        let store = open(&package);
        let start = store.load_test(&test("one")).expect("it is recorded");
        lay_out(&package, to);
        let name = test("one").workload();
        assert!(store.save_over(&name, &start, &recorded(&start, &["read", "write"])).expect("it is written"));
        assert!(store.remove(&test("gone").workload()).expect("it is removed"));
        save(&store, "new", &["read"]);

        assert_eq!(calls(&store, "one"), ["read", "write"], "{to:?}");
        let now = open(&package);
        assert_eq!(calls(&now, "one"), ["read", "write"], "{to:?}");
        assert_eq!(names(&package).len(), 3, "{to:?}");
        assert_eq!(package.join(FILE).exists(), to == Layout::Binary);
        for name in ["one", "two", "new"] {
            assert_eq!(package.join(own(name)).exists(), to == Layout::Test, "{name}");
        }
        // The file can be moved again, so it has no trace of the other layout.
        let back = lay_out(&package, from);
        assert_eq!((back.tests, back.kept), (3, Vec::new()));
    }
}

#[test]
fn concurrent_moves_and_writes_lose_nothing() {
    const WRITERS: usize = 6;
    const ROUNDS: usize = 25;
    let (_folder, package) = package();
    let name = |number: usize| format!("t{number}");
    (0..WRITERS).for_each(|number| save(&open(&package), &name(number), &["read"]));
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let mover = scope.spawn(|| {
            let mut moves = 0;
            while !is_done.load(Ordering::Relaxed) {
                for layout in [Layout::Test, Layout::Binary] {
                    moves +=
                        open(&package).lay_out(layout).expect("it is moved").iter().map(|one| one.tests).sum::<usize>();
                }
            }
            moves
        });
        let write = |number: usize| {
            let (store, test) = (open(&package), test(&name(number)));
            for round in 0..ROUNDS {
                let before = store.load(&test.workload()).expect("it stays recorded");
                let set: &[&str] = if round % 2 == 0 { &["read", "write"] } else { &["read", "close"] };
                assert!(store.save_over(&test.workload(), &before, &recorded(&before, set)).expect("it is written"));
                assert_eq!(calls(&store, &name(number)).len(), 2, "{round}");
            }
        };
        let writers: Vec<_> = (0..WRITERS).map(|number| scope.spawn(move || write(number))).collect();
        writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
        is_done.store(true, Ordering::Relaxed);
        assert!(mover.join().expect("the mover") > 0);
    });
    (0..WRITERS).for_each(|number| assert_eq!(calls(&open(&package), &name(number)), ["read", "write"], "{number}"));
}
