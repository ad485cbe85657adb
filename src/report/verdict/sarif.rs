//! Verdicts as SARIF 2.1.0: one result per finding, at the source line that caused it. The line of
//! its subsystem in the expectation file is a related location, or the location if there is no
//! source line.
//!
//! The names of rules and the fingerprints are a public interface: code scanning recognises an
//! alert by them.

use std::collections::BTreeMap;
use std::io;

use serde_json::json;
use serde_sarif::sarif::{
    ArtifactContent, ArtifactLocation, Location, Message, MultiformatMessageString, PhysicalLocation, PropertyBag,
    Region, ReportingDescriptor, Result as SarifResult, ResultLevel, Run, SCHEMA_URL, Sarif, Tool, ToolComponent,
};

use super::alerts::{Alert, Level, alerts};
use super::batch::{PackageVerdicts, SourceLine};
use crate::model::facts::finding::FindingKind;
use crate::model::judge::verdict::Verdict;
use crate::model::run::test_name;

/// The number of results that code scanning accepts per run; the heaviest come first.
const RESULTS: usize = 5_000;

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageVerdicts]) -> io::Result<()> {
    let rules: Vec<ReportingDescriptor> = RULES.iter().map(|&(name, text)| rule(name, text)).collect();
    let driver =
        ToolComponent::builder().name("sysguard").semantic_version(env!("CARGO_PKG_VERSION")).rules(rules).build();
    let run = Run::builder().tool(Tool::builder().driver(driver).build()).results(results(packages)).build();
    let log = Sarif::builder().schema(SCHEMA_URL).version(json!("2.1.0")).runs(vec![run]).build();
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

/// Every rule and what breaks it. The rule of a finding is its kind; that of a workload without a
/// comparison is its status.
const RULES: [(&str, &str); 18] = [
    ("forbidden", "The workload does something that a `forbid:` rule forbids."),
    (FindingKind::NewSubsystem.name(), "The workload uses a subsystem of the kernel that is not in its baseline."),
    (FindingKind::NewSignal.name(), "A signal that is not in the baseline ended a process of the workload."),
    (FindingKind::NewBlindSpot.name(), "The workload does something that hides calls from tracing."),
    (FindingKind::NewAbi.name(), "The workload makes a system call under another ABI."),
    (FindingKind::NewSyscall.name(), "The workload makes a system call that is not in its baseline."),
    (FindingKind::NewArgument.name(), "The workload gives a system call an argument that is not in its baseline."),
    (FindingKind::NewObject.name(), "The workload uses a system call on a kind of object that is not in its baseline."),
    (
        FindingKind::NewUse.name(),
        "The workload gives a system call an argument on a kind of object; its baseline holds both, but not together.",
    ),
    (FindingKind::NewError.name(), "A system call of the workload fails with an error that is not in its baseline."),
    ("gone", "The workload no longer does something that is in its baseline."),
    ("suspect", "The workload did something new, but not in every run. This does not fail the test."),
    ("no-baseline", "There is no baseline for this platform yet."),
    ("wrong-exit", "The workload did not end as its expectation says."),
    ("malformed", "The expectation file cannot be read."),
    ("not-started", "The workload could not be built or started."),
    ("untraceable", "The workload must be traced, but tracing is impossible here."),
    ("broken", "The workload was not traced completely, so there is no verdict."),
];

/// Returns the description of a rule.
pub(in crate::report) fn rule(name: &str, text: &str) -> ReportingDescriptor {
    let text = MultiformatMessageString::builder().text(text).build();
    ReportingDescriptor::builder()
        .id(rule_id(name))
        .name(name)
        .short_description(text.clone())
        .full_description(text)
        .build()
}

fn rule_id(name: &str) -> String {
    format!("sysguard/{name}")
}

/// Returns the results of a run, the heaviest first.
fn results(packages: &[PackageVerdicts]) -> Vec<SarifResult> {
    alerts(packages).into_iter().take(RESULTS).map(result).collect()
}

fn result(alert: Alert<'_>) -> SarifResult {
    let path = alert.path();
    // Code scanning identifies an alert by the first fingerprint.
    let fingerprints = [
        ("primaryLocationLineHash".to_owned(), format!("{}:1", alert.fingerprint())),
        ("sysguard/key/v1".to_owned(), alert.key.clone()),
    ];
    let level = match alert.level {
        Level::Error => ResultLevel::Error,
        Level::Warning => ResultLevel::Warning,
        Level::Note => ResultLevel::Note,
    };
    let rule_index = RULES.iter().position(|(rule, _)| *rule == alert.rule).and_then(|index| i64::try_from(index).ok());
    let expectation = location(&path, alert.verdict, alert.line);
    let (place, related) = match &alert.source {
        None => (expectation, None),
        Some(SourceLine { path, line }) => {
            let mut expectation = expectation;
            expectation.id = Some(1);
            expectation.message = Some(Message::builder().text("the baseline without it").build());
            (place_at_line(path, *line), Some(vec![expectation]))
        }
    };
    let properties = properties(alert.key.clone(), alert.group);
    let mut result = SarifResult::builder()
        .rule_id(rule_id(alert.rule))
        .level(level)
        .message(Message::builder().text(alert.text).build())
        .locations(vec![place])
        .partial_fingerprints(BTreeMap::from(fingerprints))
        .properties(properties)
        .build();
    result.rule_index = rule_index;
    result.related_locations = related;
    result
}

/// Returns the key of a finding and the id of its cause.
fn properties(key: String, group: Option<String>) -> PropertyBag {
    let group = group.map(|group| ("group".to_owned(), json!(group)));
    let properties = group.into_iter().chain([("key".to_owned(), json!(key))]);
    PropertyBag::builder().additional_properties(properties.collect::<BTreeMap<_, _>>()).build()
}

/// Returns a place in the expectation file. Code scanning requires a line, so the first one is used
/// if none is known.
fn location(path: &str, verdict: &Verdict, line: Option<usize>) -> Location {
    let line = line.unwrap_or(1);
    let mut region = Region::builder().start_line(i64::try_from(line).unwrap_or(i64::MAX)).build();
    // The change of a shared file is that of one test's part, with other line numbers.
    let change = verdict.change.as_ref().filter(|_| !test_name::is_path_of_shared_file(&verdict.file));
    let text = change.and_then(|change| change.before.lines().nth(line - 1));
    region.snippet = text.map(|text| ArtifactContent::builder().text(text).build());
    place(path, region)
}

/// Returns a line of a file.
pub(in crate::report) fn place_at_line(path: &str, line: usize) -> Location {
    place(path, Region::builder().start_line(i64::try_from(line).unwrap_or(i64::MAX)).build())
}

fn place(path: &str, region: Region) -> Location {
    let file = ArtifactLocation::builder().uri(uri(path)).uri_base_id("%SRCROOT%").build();
    Location::builder()
        .physical_location(PhysicalLocation::builder().artifact_location(file).region(region).build())
        .build()
}

/// Returns a relative URI (RFC 3986): reserved characters except the slash are encoded.
pub(super) fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::model::facts::finding::Suspect;
    use crate::model::judge::verdict::Status;
    use crate::report::verdict::batch::all;
    use crate::report::verdict::samples::{failed, many_findings, packages};

    fn written(packages: &[PackageVerdicts]) -> Value {
        let mut out = Vec::new();
        write(&mut out, packages).expect("memory takes everything");
        serde_json::from_slice(&out).expect("SARIF is JSON")
    }

    fn results(log: &Value) -> &[Value] {
        log["runs"][0]["results"].as_array().expect("results")
    }

    #[test]
    fn result_has_all_fields_that_code_scanning_reads() {
        let mut packages = packages();
        packages.truncate(1);
        packages[0].folder = "crates/demo net".to_owned();
        packages[0].verdicts = vec![failed()];
        let first = serde_json::to_string_pretty(&results(&written(&packages))[2]).expect("JSON");
        insta::assert_snapshot!(first, @r#"
        {
          "level": "error",
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "crates/demo%20net/expectations/net/hello.yaml",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "snippet": {
                    "text": "platform: x86_64-linux-gnu"
                  },
                  "startLine": 5
                }
              }
            }
          ],
          "message": {
            "text": "new system call: net::hello::network::connect (socket:AF_INET:SOCK_STREAM)"
          },
          "partialFingerprints": {
            "primaryLocationLineHash": "05ec688a6fe0fb59:1",
            "sysguard/key/v1": "net::hello::network::connect"
          },
          "properties": {
            "key": "net::hello::network::connect"
          },
          "ruleId": "sysguard/new-syscall",
          "ruleIndex": 5
        }
        "#);
    }

    /// Returns the schema that the types are generated from, out of the sources of their crate.
    pub(in crate::report) fn schema() -> Value {
        let metadata = cargo_metadata::MetadataCommand::new()
            .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
            .other_options(["--filter-platform".to_owned(), env!("SYSGUARD_TARGET").to_owned()])
            .exec()
            .expect("cargo knows this workspace");
        let found = metadata.packages.iter().find(|package| *package.name == "serde-sarif").expect("a dependency");
        let text = std::fs::read(found.manifest_path.with_file_name("src/schema.json")).expect("the schema");
        let mut schema: Value = serde_json::from_slice(&text).expect("a schema is JSON");
        // Its pattern for a language has a surplus bracket. No language is written here.
        for definition in ["run", "toolComponent"] {
            schema["definitions"][definition]["properties"]["language"] = json!({});
        }
        schema
    }

    #[test]
    fn log_matches_the_schema_of_sarif() {
        let validator = jsonschema::validator_for(&schema()).expect("a schema");
        let mut log = written(&packages());
        assert_eq!(validator.validate(&log).map_err(|error| error.to_string()), Ok(()));
        // cargo-deny once wrote this, and code scanning refused it.
        log["runs"][0]["results"][0]["message"] = json!("text");
        assert!(!validator.is_valid(&log), "the schema is checked");
    }

    #[test]
    fn every_result_has_rule_location_and_unique_fingerprint() {
        let log = written(&packages());
        assert_eq!(log["version"], "2.1.0");
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
        let mut fingerprints = BTreeSet::new();
        for result in results(&log) {
            let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("a small one");
            assert_eq!(rules[index]["id"], result["ruleId"]);
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().expect("a URI");
            assert!(!uri.starts_with('/') && !uri.contains(['\\', ' ']), "{uri}");
            assert!(place["region"]["startLine"].as_u64() >= Some(1), "{result}");
            assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{result}");
            let fingerprint = result["partialFingerprints"]["primaryLocationLineHash"].as_str().expect("a fingerprint");
            assert!(fingerprints.insert(fingerprint), "{result}");
        }
        assert!(results(&log).len() > 15);
    }

    #[test]
    fn every_kind_and_failing_status_has_a_rule() {
        let names: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
        for kind in FindingKind::ALL {
            assert!(names.contains(&kind.name()), "{}", kind.name());
        }
        let packages = packages();
        let failing = all(&packages).map(|(_, verdict)| &verdict.status).filter(|status| status.is_failure());
        for status in failing.filter(|status| **status != Status::Failed) {
            assert!(names.contains(&status.name()), "{}", status.name());
        }
    }

    #[test]
    fn heaviest_results_stay_within_the_limit() {
        let mut packages = many_findings(6_000);
        packages[0].verdicts[0].comparison.findings.push(crate::report::verdict::samples::finding("network", 1, &[]));
        let log = written(&packages);
        assert_eq!(results(&log).len(), RESULTS);
        assert_eq!(results(&log)[0]["ruleId"], "sysguard/new-subsystem");
    }

    #[test]
    fn suspect_is_a_note_with_its_own_rule() {
        let mut packages = packages();
        packages.truncate(1);
        let found = crate::report::verdict::samples::finding("filesystem::unlink", 3, &[]);
        packages[0].verdicts.truncate(1);
        packages[0].verdicts[0].comparison.suspects = vec![Suspect { finding: found, seen: 1, runs: 5 }];
        let log = written(&packages);
        let suspect = results(&log).iter().find(|result| result["ruleId"] == "sysguard/suspect").expect("a result");
        assert_eq!(suspect["level"], "note");
        let text = "new system call, but in 1 of 5 runs only: net::hello::filesystem::unlink";
        assert_eq!(suspect["message"]["text"], text);
    }

    #[test]
    fn path_is_encoded_as_uri() {
        for (path, expected) in [("a/b-c.yaml", "a/b-c.yaml"), ("a b/%/\u{e4}#?", "a%20b/%25/%C3%A4%23%3F")] {
            assert_eq!(uri(path), expected);
        }
    }
}
