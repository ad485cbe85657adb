//! Tests of a finding about a signal, in every format.

use super::*;
use crate::model::facts::example::Example;
use crate::model::facts::finding::Finding;

/// Returns a verdict on a workload in which a helper began to crash.
fn crashed() -> Verdict {
    let mut verdict = Verdict { change: None, ..failed() };
    let example = Example::new("killed by SIGSEGV", None, vec!["sh -c …".to_owned(), "helper --fast".to_owned()]);
    verdict.comparison = Comparison {
        findings: vec![Finding { example: Some(example), ..finding("signals::SIGSEGV", 0, &[]) }],
        notes: vec![finding("signals::SIGKILL", 0, &[])],
        ..Comparison::default()
    };
    verdict
}

#[test]
fn crash_is_shown_with_the_process_that_died() {
    insta::assert_snapshot!(rendered(&crashed(), &Palette::plain()), @"
    net::hello: 1 new signal

    @90bd691d sh → helper: 1 new
      in: sh -c … → helper --fast
      new-signal signals::SIGSEGV  killed by SIGSEGV

    note: new, but below the level that fails: signals::SIGKILL

    next:
      cargo sysguard bless net::hello  accept everything; writes expectations/net/hello.yaml
      cargo sysguard test net::hello   run it again
    ");
}

#[test]
fn crash_is_in_every_format() {
    let package = PackageVerdicts { name: "demo".to_owned(), verdicts: vec![crashed()], ..PackageVerdicts::default() };
    for format in VerdictFormat::ALL {
        let mut out = Vec::new();
        verdicts(&mut out, "test", std::slice::from_ref(&package), format).expect("memory takes everything");
        let text = String::from_utf8(out).expect("reports are text");
        assert!(text.contains("signals::SIGSEGV"), "{format}:\n{text}");
        let has_process =
            format.name() == "csv" || text.contains("helper --fast") || text.contains("helper \\-\\-fast");
        assert!(has_process, "{format}:\n{text}");
    }
}
