//! Tests of what is shown beside findings: suspects, families, drift, and how a recording grew.

use super::*;
use crate::model::facts::example::Example;
use crate::model::facts::finding::Suspect;
use crate::model::facts::finding::{Finding, RelatedSyscall};
use crate::model::facts::fingerprint::FingerprintChange;
use crate::model::facts::site::Site;
use crate::model::run::recording::Growth;

/// Returns a verdict with a suspect and a member of a known family, on another machine than the
/// baseline's.
pub(super) fn remarked() -> Verdict {
    let related = Some(RelatedSyscall { family: "chmod".to_owned(), beside: "fchmodat".to_owned() });
    let cause = Some("glibc 2.39, not your change: fchmodat() tries it".to_owned());
    let mut verdict = Verdict { status: Status::Passed, change: None, ..failed() };
    verdict.comparison = Comparison {
        notes: vec![Finding { related, cause, ..finding("filesystem::fchmodat2", 1, &[]) }],
        suspects: vec![
            Suspect { finding: finding("filesystem::unlink", 3, &[]), seen: 1, runs: 2 },
            Suspect { finding: finding("blind_spots::io_uring", 0, &[]), seen: 3, runs: 5 },
        ],
        drift: vec![FingerprintChange {
            part: "libc".to_owned(),
            recorded: "glibc 2.36".to_owned(),
            now: "glibc 2.39".to_owned(),
        }],
        ..Comparison::default()
    };
    verdict.growth = Growth::from_counts(vec![5, 1, 0]);
    verdict
}

#[test]
fn passed_verdict_shows_suspects_families_and_drift() {
    insta::assert_snapshot!(rendered(&remarked(), &Palette::plain()), @r"
    net::hello: as expected (2 suspects, 1 note)

    suspect: new, but not in every run, so it does not fail:
      new-syscall filesystem::unlink  in 1 of 2 runs  3 calls
      new-blind-spot blind_spots::io_uring  in 3 of 5 runs

    drift: since the baseline was recorded: glibc 2.36 → glibc 2.39

    note: new, but of a known family: filesystem::fchmodat2 beside fchmodat (family chmod), glibc 2.39, not your change: fchmodat() tries it
    ");
}

#[test]
fn cause_is_shown_beside_its_finding() {
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
    let text = rendered(&verdict, &Palette::plain());
    insta::assert_snapshot!(text.split("\nnext:").next().unwrap_or_default(), @r"
    net::hello: 1 new system call, 1 new object

      new-syscall filesystem::fchmodat2          1 call    file (glibc 2.39, not your change: fchmodat() tries it)
      new-object  filesystem::close::object=dir  12 calls

    drift: since the baseline was recorded: glibc 2.36 → glibc 2.39
    ");
}

#[test]
fn recording_growth_is_shown() {
    let counts = |runs: usize, new: &[usize]| (1..=runs).map(|run| usize::from(new.contains(&run))).collect();
    for (growth, words) in [
        (counts(10, &[1, 2]), "; 10 runs, nothing new since run 2"),
        (counts(30, &[1, 27]), "; 30 runs, still not quiet: new facts in run 27"),
        (counts(3, &[1, 3]), "; 3 runs, new facts in the last"),
        (counts(1, &[1]), "; 1 run"),
        (counts(0, &[]), ""),
    ] {
        let blessed = Verdict { growth: Growth::from_counts(growth), ..with_status(Status::Blessed) };
        assert_eq!(summed_up(&blessed), format!("net::hello: blessed, nothing changed{words}\n"));
    }
}

#[test]
fn suspect_is_in_every_readable_format() {
    let package = PackageVerdicts {
        name: "demo".to_owned(),
        folder: String::new(),
        verdicts: vec![remarked()],
        ..PackageVerdicts::default()
    };
    let formats = ["table", "markdown", "json", "yaml", "csv", "github"];
    for format in VerdictFormat::ALL.into_iter().filter(|format| formats.contains(&format.name())) {
        let mut out = Vec::new();
        verdicts(&mut out, "test", std::slice::from_ref(&package), format).expect("memory takes everything");
        let text = String::from_utf8(out).expect("reports are text");
        assert!(text.contains("filesystem::unlink") && text.contains("blind_spots::io_uring"), "{format}:\n{text}");
    }
}

/// Returns a verdict with a finding that a new libc explains, and two from one call site.
fn explained() -> Verdict {
    let mut verdict = failed();
    let process = ["greeter", "sh -c …", "curl -s https://example.org/"].map(str::to_owned);
    let example = |call: &str| Some(Example::new(call, Some("0"), process.to_vec()));
    let by = |key: &str| Finding {
        site: Some(Site::of_words("greetings::hello at src/lib.rs:4".to_owned())),
        example: example("connect(3, 127.0.0.1:4433)"),
        ..finding(key, 1, &[])
    };
    let cause = Some("glibc 2.39, not your change: fchmodat() tries it".to_owned());
    verdict.comparison.findings =
        vec![by("network"), by("network::socket"), Finding { cause, ..finding("filesystem::fchmodat2", 1, &[]) }];
    (verdict.comparison.notes, verdict.comparison.gone) = (remarked().comparison.notes, Vec::new());
    verdict.comparison.drift = remarked().comparison.drift;
    verdict
}

fn written(verdict: Verdict, format: VerdictFormat) -> String {
    let package = PackageVerdicts {
        name: "demo".to_owned(),
        folder: String::new(),
        verdicts: vec![verdict],
        ..PackageVerdicts::default()
    };
    let mut out = Vec::new();
    verdicts(&mut out, "test", &[package], format).expect("memory takes everything");
    String::from_utf8(out).expect("reports are text")
}

#[test]
fn every_format_has_call_site_and_cause() {
    for format in VerdictFormat::ALL {
        let text = written(explained(), format);
        let [site, cause] = ["greetings::hello at src/lib.rs:4", "glibc 2.39, not your change"];
        for expected in [site, cause, "connect(3, 127.0.0.1:4433) = 0", "curl -s https://example.org/"] {
            assert!(text.contains(expected), "{format}: {expected}:\n{text}");
        }
    }
}

#[test]
fn pull_request_formats_show_call_site_once_and_drift() {
    let formats = ["markdown", "github"].map(|name| name.parse().expect("a format"));
    let [page, annotation] = formats.map(|format| written(explained(), format));
    insta::assert_snapshot!(page.split("\nNext:").next().unwrap_or_default(), @"
    ### sysguard: 1 of 1 workload failed

    #### `greeter → sh → curl`: 2 new

    in `greeter → sh -c … → curl -s https://example.org/`; by `greetings::hello at src/lib.rs:4`; `cargo sysguard accept @3813a02f`

    | | finding | calls | |
    |---|---|---:|---|
    | new subsystem | `net::hello::network` | 1 | `connect(3, 127.0.0.1:4433) = 0` |
    | new system call | `net::hello::network::socket` | 1 |  |

    | | finding | calls | |
    |---|---|---:|---|
    | new system call | `net::hello::filesystem::fchmodat2` | 1 | glibc 2.39, not your change: fchmodat() tries it |
    | note | `net::hello::filesystem::fchmodat2` | 1 | beside fchmodat (family chmod); glibc 2.39, not your change: fchmodat() tries it |

    Changed since the baseline was recorded:
    - `net::hello`: `glibc 2.36 → glibc 2.39`
    ");
    insta::assert_snapshot!(annotation.replace("%0A", "\n"), @"
    ::error file=expectations/net/hello.yaml,line=5,title=sysguard%3A net%3A%3Ahello::1 new subsystem, 2 new system calls
    new system call: net::hello::filesystem::fchmodat2 (glibc 2.39, not your change: fchmodat() tries it)
    changed since the baseline was recorded: glibc 2.36 → glibc 2.39
    next: cargo sysguard review net::hello (decide one by one)
    ::error file=expectations/net/hello.yaml,line=5,title=sysguard%3A greeter → sh → curl::2 new (network::socket)
    new-subsystem net::hello::network: connect(3, 127.0.0.1:4433) = 0
    new-syscall net::hello::network::socket
    in: greeter → sh -c … → curl -s https://example.org/
    by greetings::hello at src/lib.rs:4
    changed since the baseline was recorded: glibc 2.36 → glibc 2.39
    next: cargo sysguard test, then cargo sysguard accept @3813a02f
    ");
}

#[test]
fn text_shows_first_call_process_and_call_site_once() {
    let mut verdict = explained();
    let long = Example::new(&format!("execve({})", ["\"/usr/bin/tool\""; 8].join(", ")), Some("0"), Vec::new());
    verdict.comparison.findings[2].example = Some(long);
    (verdict.comparison.notes, verdict.comparison.drift, verdict.change) = Default::default();
    let mut out = Vec::new();
    crate::report::verdict::verdict(&mut out, &verdict, &Palette::plain()).expect("memory takes everything");
    let text = String::from_utf8(out).expect("a report is text");
    insta::assert_snapshot!(text.split("\nnext:").next().unwrap_or_default(), @r#"
    net::hello: 1 new subsystem, 2 new system calls

    @3813a02f greeter → sh → curl: 2 new
      in: greeter → sh -c … → curl -s https://example.org/
      by greetings::hello at src/lib.rs:4
      new-subsystem network
      new-syscall   network::socket  connect(3, 127.0.0.1:4433) = 0

      new-syscall filesystem::fchmodat2  1 call  (glibc 2.39, not your change: fchmodat() tries it)
        execve("/usr/bin/tool", "/usr/bin/tool", "/usr/bin/tool", "/usr/bin/tool",
          "/usr/bin/tool", "/usr/bin/tool", "/usr/bin/tool", "/usr/bin/tool") = 0
    "#);
}
