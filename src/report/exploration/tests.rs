//! Tests of explorations in every format.

use std::collections::BTreeSet;

use serde_json::Value;

use super::samples::{failed, packages};
use super::*;
use crate::report::schema::holds;
use crate::report::verdict::sarif_schema;

fn written(packages: &[PackageExplorations], format: &str) -> String {
    let mut out = Vec::new();
    explorations(&mut out, packages, format.parse().expect("a format")).expect("memory takes everything");
    String::from_utf8(out).expect("text")
}

fn json(packages: &[PackageExplorations], format: &str) -> Value {
    serde_json::from_str(&written(packages, format)).expect("JSON")
}

#[test]
fn finding_shows_call_place_difference_and_replay() {
    let mut out = Vec::new();
    exploration(&mut out, &failed(), "cargo sysguard explore", &Palette::plain()).expect("memory takes everything");
    insta::assert_snapshot!(String::from_utf8(out).expect("text"), @"");
}

#[test]
fn each_status_has_a_headline() {
    let packages = packages();
    let lines: Vec<String> =
        all(&packages).map(|(_, verdict)| format!("{}: {}", verdict.workload, headline(verdict))).collect();
    insta::assert_snapshot!(lines.join("\n"), @"");
    assert_eq!(closing(&packages), "6 of 8 workloads failed, 1 ignored");
    assert_eq!(closing(&[]), "no workload was explored");
}

#[test]
fn record_matches_its_schema() {
    let record = json(&packages(), "json");
    assert_eq!(record["schema"], "sysguard.explore/1");
    let finding = &record["workloads"][0]["findings"][1];
    assert_eq!(finding["key"], "net::demo::errors::silent::write ENOSPC");
    assert_eq!(finding["paths"][0]["replay"], "cargo sysguard explore net::demo --replay write-ENOSPC-0000000a");
    holds("explore-1", &record);
    let yaml: Value = serde_yaml::from_str(&written(&packages(), "yaml")).expect("YAML");
    assert_eq!(yaml, record);
}

#[test]
fn markdown_has_findings_and_a_row_for_each_workload() {
    insta::assert_snapshot!(written(&packages()[..1], "markdown"), @"");
}

#[test]
fn each_finding_is_a_line_of_csv() {
    insta::assert_snapshot!(written(&packages(), "csv"), @"");
}

#[test]
fn annotation_is_at_the_source_line_or_the_baseline() {
    insta::assert_snapshot!(written(&packages()[..1], "github"), @"");
    let text = written(&packages(), "github");
    assert!(text.contains("::error file=expectations/broken.yaml,line=4,"), "{text}");
}

#[test]
fn sarif_matches_its_schema_and_each_result_has_a_rule() {
    let log = json(&packages(), "sarif");
    let validator = jsonschema::validator_for(&sarif_schema()).expect("a schema");
    assert_eq!(validator.validate(&log).map_err(|error| error.to_string()), Ok(()));
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let mut fingerprints = BTreeSet::new();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("a small one");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(fingerprints.insert(result["partialFingerprints"]["primaryLocationLineHash"].to_string()), "{result}");
    }
    let silent = results.iter().filter(|result| result["ruleId"] == "sysguard/error-path-silent");
    let lines: Vec<u64> = silent
        .map(|it| it["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().expect("a line"))
        .collect();
    assert_eq!(lines, [12, 40], "a finding is one result for each source line");
    assert!(results.iter().all(|it| it["relatedLocations"].is_null() || it["relatedLocations"][0]["id"] == 1));
}

#[test]
fn junit_has_a_case_for_each_workload() {
    let text = written(&packages(), "junit");
    let report = quick_junit::Report::deserialize_from_str(&text).expect("JUnit's report");
    assert_eq!([report.tests, report.failures, report.errors], [9, 2, 4]);
    assert!(text.contains("replay: cargo sysguard explore net::demo --replay poll-EINTR-00000001"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn gitlab_gets_a_unique_fingerprint_for_each_place() {
    let list = json(&packages(), "gitlab");
    let violations = list.as_array().expect("a list");
    let fingerprints: BTreeSet<&str> = violations.iter().filter_map(|it| it["fingerprint"].as_str()).collect();
    assert_eq!(fingerprints.len(), violations.len());
    let places: Vec<String> = violations
        .iter()
        .map(|it| format!("{}:{} {}", it["location"]["path"], it["location"]["lines"]["begin"], it["severity"]))
        .collect();
    assert!(places.contains(&"\"crates/demo/src/main.rs\":40 \"major\"".to_owned()), "{places:?}");
    assert!(places.contains(&"\"crates/demo/expectations/net/demo.yaml\":4 \"blocker\"".to_owned()), "{places:?}");
}

#[test]
fn table_ends_with_the_numbers() {
    let text = written(&packages(), "table");
    assert!(text.ends_with("\n6 of 8 workloads failed, 1 ignored\n"), "{text}");
    assert!(!text.contains('\u{1b}'), "foreign text is escaped");
}
