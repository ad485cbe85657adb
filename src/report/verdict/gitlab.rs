//! Verdicts as a Code Quality report of GitLab, which merge requests show: a list of alerts at
//! source lines, or else at lines of expectation files.
//!
//! The fields are those of <https://docs.gitlab.com/ci/testing/code_quality/>. GitLab compares the
//! fingerprints of two branches, so they are a public interface.

use std::io;

use serde::Serialize;

use super::alerts::{Alert, alerts};
use super::batch::PackageVerdicts;
use crate::model::judge::weight::Weight;
use crate::report::words::escaped;

#[derive(Debug, Serialize)]
struct Violation {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Debug, Serialize)]
struct Location {
    /// Relative to the repository.
    path: String,
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Lines {
    begin: usize,
}

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageVerdicts]) -> io::Result<()> {
    let violations: Vec<Violation> = alerts(packages).iter().map(Violation::of).collect();
    serde_json::to_writer_pretty(&mut *out, &violations)?;
    writeln!(out)
}

impl Violation {
    fn of(alert: &Alert<'_>) -> Self {
        // GitLab needs a line, so the first one is used if none is known.
        let expectation = || (alert.path(), alert.line.unwrap_or(1));
        let (path, begin) = alert.source.clone().map_or_else(expectation, |source| (source.path, source.line));
        Self {
            description: escaped(&alert.text),
            check_name: format!("sysguard/{}", alert.rule),
            fingerprint: alert.fingerprint(),
            severity: severity(alert.weight),
            location: Location { path, lines: Lines { begin } },
        }
    }
}

/// Returns GitLab's word for a weight; it has five, and `info` fails nothing.
fn severity(weight: Weight) -> &'static str {
    match weight {
        Weight::Forbidden => "blocker",
        Weight::NewSubsystem | Weight::Crash | Weight::Privileged => "critical",
        Weight::NewCall => "major",
        Weight::Detail => "minor",
        Weight::Note => "info",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::report::verdict::samples::{failed, packages};

    fn written(packages: &[PackageVerdicts]) -> Vec<Value> {
        let mut out = Vec::new();
        write(&mut out, packages).expect("memory takes everything");
        serde_json::from_slice(&out).expect("a list")
    }

    #[test]
    fn violation_has_all_fields_that_gitlab_reads() {
        let mut packages = packages();
        packages.truncate(1);
        packages[0].folder = "crates/demo net".to_owned();
        packages[0].verdicts = vec![failed()];
        let violation = serde_json::to_string_pretty(&written(&packages)[2]).expect("JSON");
        insta::assert_snapshot!(violation, @r#"
        {
          "check_name": "sysguard/new-syscall",
          "description": "new system call: net::hello::network::connect (socket:AF_INET:SOCK_STREAM)",
          "fingerprint": "05ec688a6fe0fb59",
          "location": {
            "lines": {
              "begin": 5
            },
            "path": "crates/demo net/expectations/net/hello.yaml"
          },
          "severity": "major"
        }
        "#);
    }

    #[test]
    fn each_violation_has_its_own_fingerprint_and_a_severity_of_gitlab() {
        let violations = written(&packages());
        let fingerprints: BTreeSet<&str> =
            violations.iter().filter_map(|violation| violation["fingerprint"].as_str()).collect();
        assert_eq!(fingerprints.len(), violations.len());
        for violation in &violations {
            let severity = violation["severity"].as_str().expect("a severity");
            assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity), "{violation}");
            assert!(violation["location"]["lines"]["begin"].as_u64() >= Some(1), "{violation}");
        }
        assert!(violations.len() > 15);
    }

    #[test]
    fn nothing_new_is_an_empty_list() {
        assert_eq!(written(&[]), Vec::<Value>::new());
    }
}
