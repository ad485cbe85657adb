//! Tests of what runs have in common.

use proptest::prelude::*;

use super::*;
use crate::model::explore::run::{LeftFile, LeftKind};
use crate::model::explore::samples::run;
use crate::model::kernel::uapi::SIGTERM;

fn reference(runs: &[RunResult]) -> Reference {
    Reference::of(&runs.iter().collect::<Vec<_>>())
}

fn uncompared(reference: &Reference) -> Vec<String> {
    reference.uncompared().iter().map(ToString::to_string).collect()
}

#[test]
fn equal_runs_are_compared_as_a_whole() {
    let one = run(0, "out\n", "err\n").with_file("$PWD/a", "text");
    let reference = reference(&[one.clone(), one.clone()]);
    assert_eq!(reference.expected(), &one);
    assert_eq!(uncompared(&reference), [""; 0]);
    let mut other_mode = one.clone();
    other_mode.files.values_mut().for_each(|file| file.mode = 0o600);
    for other in [
        run(1, "out\n", "err\n").with_file("$PWD/a", "text"),
        run(0, "", "err\n").with_file("$PWD/a", "text"),
        run(0, "out\n", "").with_file("$PWD/a", "text"),
        run(0, "out\n", "err\n").with_file("$PWD/a", "tex"),
        run(0, "out\n", "err\n").with_file("$PWD/a", "text").with_file("$PWD/b", ""),
        run(0, "out\n", "err\n"),
        other_mode,
    ] {
        assert_eq!(reference.masked(&other), other);
        assert_ne!(&reference.masked(&other), reference.expected());
    }
}

#[test]
fn what_varies_is_masked_in_each_part() {
    let of = |pid: u32| {
        let mut run = run(0, &format!("pid {pid}\n"), &format!("log of {pid}\n"));
        run = run.with_file("$PWD/pid", &format!("it is {pid}\n")).with_file(&format!("$TMPDIR/tmp.{pid}/x"), "x");
        let link = LeftFile { mode: 0, kind: LeftKind::Link(format!("/proc/{pid}/exe")) };
        run.files.insert("$PWD/link".to_owned(), link);
        run
    };
    let reference = reference(&[of(10), of(11), of(12)]);
    assert_eq!(reference.masked(&of(999)), *reference.expected());
    assert_eq!(uncompared(&reference), [""; 0]);
    let names: Vec<&String> = reference.expected().files.keys().collect();
    assert_eq!(names, ["$PWD/link", "$PWD/pid", "$TMPDIR/tmp.…/x"]);
    let mut other = of(999);
    other.files.remove("$PWD/link");
    let missing: Vec<String> = reference.masked(&other).files.into_keys().collect();
    assert_eq!(missing, ["$PWD/pid", "$TMPDIR/tmp.…/x"]);
    assert_ne!(reference.masked(&of(999).with_file("$TMPDIR/tmp.3/x", "x")), *reference.expected());
    assert_ne!(reference.masked(&of(999).with_file("$TMPDIR/tmp.999/x", "y")), *reference.expected());
}

#[test]
fn what_varies_wholly_is_not_compared() {
    let of = |text: &str, files: &[&str]| files.iter().fold(run(0, text, text), |run, file| run.with_file(file, "x"));
    let runs = [of("e4f1\n", &["$PWD/a"]), of("17c9\n", &["$PWD/b", "$PWD/c"])];
    let reference = reference(&runs);
    let expected = [
        "standard output varies between runs and is not compared",
        "standard error varies between runs and is not compared",
        "file names in $PWD vary between runs and are not compared",
    ];
    assert_eq!(uncompared(&reference), expected);
    assert!(reference.hides_messages());
    assert_eq!(reference.masked(&of("other\n", &["$PWD/d"])), *reference.expected());
    assert_ne!(reference.masked(&of("", &[])), *reference.expected(), "each run wrote something");
    assert_ne!(reference.masked(&of("other\n", &["$HOME/d"])), *reference.expected());
}

#[test]
fn lines_that_some_runs_lack_are_not_compared() {
    let reference = reference(&[run(0, "", "a\n"), run(0, "", "a\nretry\n")]);
    assert_eq!(uncompared(&reference), ["some of standard error varies between runs and is not compared"]);
    assert!(reference.hides_messages());
}

#[test]
fn every_end_of_the_runs_is_expected() {
    let killed = RunResult { exit: Some(Exit::Signaled(SIGTERM)), ..run(0, "", "") };
    let reference = reference(&[run(0, "", ""), killed.clone()]);
    assert_eq!(uncompared(&reference), ["exit status varies between runs, so each of its values is expected"]);
    assert_eq!(reference.masked(&killed), *reference.expected());
    assert_ne!(reference.masked(&run(1, "", "")), *reference.expected());
}

#[test]
fn long_output_is_compared_by_its_hash() {
    let of = |last: &str| {
        let mut run = run(0, "", "");
        run.stdout.push(&vec![b'a'; Content::LIMIT]);
        run.stdout.push(last.as_bytes());
        run
    };
    let same = reference(&[of("x"), of("x")]);
    assert_eq!(same.masked(&of("x")), *same.expected());
    assert_ne!(same.masked(&of("y")), *same.expected());
    let other = reference(&[of("x"), of("y")]);
    assert_eq!(other.masked(&of("z")), *other.expected());
    assert_eq!(uncompared(&other), ["some of standard output varies between runs and is not compared"]);
}

/// A run with a few files; names and texts hold numbers, which may differ between runs.
fn any_run() -> impl Strategy<Value = RunResult> {
    let file = ("\\$PWD/[ab]/?[ab]?[0-9]?", "[ab]{0,2}[0-9]?\n?");
    (0..2, "([ab][0-9]?\n){0,3}", "([ab][0-9]?\n){0,3}", prop::collection::vec(file, 0..4)).prop_map(
        |(status, stdout, stderr, files)| {
            files.iter().fold(run(status, &stdout, &stderr), |run, (path, text)| run.with_file(path, text))
        },
    )
}

proptest! {
    #[test]
    fn runs_without_an_injection_are_expected(runs in prop::collection::vec(any_run(), 1..4)) {
        let reference = reference(&runs);
        for run in &runs {
            prop_assert_eq!(&reference.masked(run), reference.expected());
        }
    }

    #[test]
    fn equal_runs_mask_nothing(run in any_run(), other in any_run()) {
        let reference = reference(&[run.clone(), run.clone(), run.clone()]);
        prop_assert_eq!(reference.expected(), &run);
        prop_assert_eq!(reference.masked(&other) == run, other == run);
        prop_assert!(reference.uncompared().is_empty());
    }
}
