//! What is told beside findings: suspects, families, drift, and how a recording grew.

use super::*;
use crate::model::compare::{Finding, Kin};
use crate::model::confirm::Suspect;
use crate::model::fingerprint::Drift;
use crate::model::recording::Growth;

/// A run with a suspect and a member of a known family, on another machine than the baseline's.
pub(super) fn remarked() -> Verdict {
    let kin = Some(Kin { family: "chmod".to_owned(), beside: "fchmodat".to_owned() });
    let cause = Some("glibc 2.39, not your change: fchmodat() tries it".to_owned());
    let mut verdict = Verdict { status: Status::Passed, change: None, ..failed() };
    verdict.comparison = Comparison {
        notes: vec![Finding { kin, cause, ..finding("filesystem::fchmodat2", 1, &[]) }],
        suspects: vec![
            Suspect { finding: finding("filesystem::unlink", 3, &[]), seen: 1, runs: 2 },
            Suspect { finding: finding("blind_spots::io_uring", 0, &[]), seen: 3, runs: 5 },
        ],
        drift: vec![Drift { part: "libc".to_owned(), recorded: "glibc 2.36".to_owned(), now: "glibc 2.39".to_owned() }],
        ..Comparison::default()
    };
    verdict.growth = Growth::from_counts(vec![5, 1, 0]);
    verdict
}

#[test]
fn suspects_families_and_drift_are_told_though_nothing_fails() {
    insta::assert_snapshot!(told(&remarked(), &Palette::plain()), @r"
    net::hello: as expected (2 suspects, 1 note)

    suspect: new, but not in every run, so it does not fail:
      new-syscall filesystem::unlink  in 1 of 2 runs  3 calls
      new-blind-spot blind_spots::io_uring  in 3 of 5 runs

    drift: since the baseline was recorded: glibc 2.36 → glibc 2.39

    note: new, but of a known family: filesystem::fchmodat2 beside fchmodat (family chmod), glibc 2.39, not your change: fchmodat() tries it
    ");
}

#[test]
fn a_cause_stands_beside_the_finding_that_it_explains() {
    let mut verdict = failed();
    verdict.comparison.findings.drain(..4);
    verdict.comparison.findings.insert(
        0,
        Finding {
            cause: Some("glibc 2.39, not your change: fchmodat() tries it".to_owned()),
            ..finding("filesystem::fchmodat2", 1, &["object=file"])
        },
    );
    (verdict.comparison.notes, verdict.comparison.gone, verdict.change) = (Vec::new(), Vec::new(), None);
    verdict.comparison.drift = remarked().comparison.drift;
    let text = told(&verdict, &Palette::plain());
    insta::assert_snapshot!(text.split("\nnext:").next().unwrap_or_default(), @r"
    net::hello: 1 new system call, 1 new object

      new-syscall filesystem::fchmodat2          1 call    file (glibc 2.39, not your change: fchmodat() tries it)
      new-object  filesystem::close::object=dir  12 calls

    drift: since the baseline was recorded: glibc 2.36 → glibc 2.39
    ");
}

#[test]
fn the_growth_of_a_recording_is_told() {
    let counts = |runs: usize, new: &[usize]| (1..=runs).map(|run| usize::from(new.contains(&run))).collect();
    for (growth, words) in [
        (counts(10, &[1, 2]), "; 10 runs, nothing new since run 2"),
        (counts(30, &[1, 27]), "; 30 runs and never quiet, something new in run 27"),
        (counts(3, &[1, 3]), "; 3 runs, something new in the last"),
        (counts(1, &[1]), "; 1 run"),
        (counts(0, &[]), ""),
    ] {
        let blessed = Verdict { growth: Growth::from_counts(growth), ..with_status(Status::Blessed) };
        assert_eq!(summed_up(&blessed), format!("net::hello: blessed, nothing changed{words}\n"));
    }
}

#[test]
fn a_suspect_is_told_in_every_format_for_readers() {
    let package = PackageVerdicts { name: "demo".to_owned(), folder: String::new(), verdicts: vec![remarked()] };
    let formats = ["table", "markdown", "json", "yaml", "csv", "github"];
    for format in VerdictFormat::ALL.into_iter().filter(|format| formats.contains(&format.name())) {
        let mut out = Vec::new();
        verdicts(&mut out, "test", std::slice::from_ref(&package), format).expect("memory takes everything");
        let text = String::from_utf8(out).expect("reports are text");
        assert!(text.contains("filesystem::unlink") && text.contains("blind_spots::io_uring"), "{format}:\n{text}");
    }
}
