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
    insta::assert_snapshot!(String::from_utf8(out).expect("text"), @r#"
    net::demo: 1 forbidden finding, 1 silent difference, 1 new fact on an error path; 120 of 718 error paths tried

      forbidden hang  poll EINTR  (`explore:` forbids it)
        write(3, 12 bytes) = -1 ENOSPC
        in: demo save
        call site not known: no symbols
        $PWD/out:
          -all of it
          +a\u{1b}[31m part
          … 2 more lines
        replay: cargo sysguard explore net::demo --replay poll-EINTR-00000001

      silent  write ENOSPC
        write(3, 12 bytes) = -1 ENOSPC
        in: demo save
        by demo::save at src/main.rs:12
        $PWD/out:
          -all of it
          +a\u{1b}[31m part
          … 2 more lines
        replay: cargo sysguard explore net::demo --replay write-ENOSPC-0000000a
        replay: cargo sysguard explore net::demo --replay write-ENOSPC-0000000b
        write(3, 12 bytes) = -1 ENOSPC
        in: demo save
        by demo::save at src/main.rs:40
        replay: cargo sysguard explore net::demo --replay write-ENOSPC-0000000c
        1 more injection showed it, once each: write-ENOSPC-0000000d

      new-syscall  filesystem::unlink
        after read EIO: reported
        write(3, 12 bytes) = -1 ENOSPC
        in: demo save
        by demo::save at src/main.rs:3
        $PWD/out:
          -all of it
          +a\u{1b}[31m part
          … 2 more lines
        replay: cargo sysguard explore net::demo --replay read-EIO-00000003
        1 more injection showed it, once each: read-EIO-00000009

    note: new on error paths, but it does not fail:
      signal::tgkill (after read EIO)

    suspect: not repeatable, so it does not fail:
      panic read EIO, in 1 of 3 further runs: read-EIO-00000002

    gone: recorded, but did not occur:
      signal mmap ENOMEM

    outcomes: 80 absorbed, 37 reported, 3 silent (1 recorded)
    not tried: 598 injections (the budget was used up); some calls (the dynamic loader makes the call)
    note: some of standard output varies between runs and is not compared

    next:
      cargo sysguard explore net::demo  after the workload stops doing this, or after changing its rules in expectations/net/demo.yaml
    "#);
}

#[test]
fn each_status_has_a_headline() {
    let packages = packages();
    let lines: Vec<String> =
        all(&packages).map(|(_, verdict)| format!("{}: {}", verdict.workload, headline(verdict))).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    net::demo: 1 forbidden finding, 1 silent difference, 1 new fact on an error path; 120 of 718 error paths tried
    passed: as expected; 120 of 718 error paths tried
    blessed: blessed, nothing new; 120 of 718 error paths tried
    no-baseline: no baseline for x86_64-linux-gnu yet
    ignored: ignored, because
    malformed: malformed expectation, because
    not-started: not started, because
    untraceable: not traced, because
    broken: no verdict, because
    "#);
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
    insta::assert_snapshot!(written(&packages()[..1], "markdown"), @r#"
    ### sysguard, error paths: 1 of 1 workload failed

    #### net::demo: 1 forbidden finding, 1 silent difference, 1 new fact on an error path; 120 of 718 error paths tried

    - **forbidden** `poll EINTR` (\`explore:\` forbids it)
      - `write(3, 12 bytes) = -1 ENOSPC`
      - $PWD/out: `-all of it`, `+a\u{1b}[31m part`, … 2 more
      - `cargo sysguard explore net::demo --replay poll-EINTR-00000001`

    - **silent** `write ENOSPC`
      - `write(3, 12 bytes) = -1 ENOSPC` by `demo::save at src/main.rs:12`
      - $PWD/out: `-all of it`, `+a\u{1b}[31m part`, … 2 more
      - `cargo sysguard explore net::demo --replay write-ENOSPC-0000000a`
      - `write(3, 12 bytes) = -1 ENOSPC` by `demo::save at src/main.rs:12`
      - $PWD/out: `-all of it`, `+a\u{1b}[31m part`, … 2 more
      - `cargo sysguard explore net::demo --replay write-ENOSPC-0000000b`
      - `write(3, 12 bytes) = -1 ENOSPC` by `demo::save at src/main.rs:40`
      - $PWD/out: `-all of it`, `+a\u{1b}[31m part`, … 2 more
      - `cargo sysguard explore net::demo --replay write-ENOSPC-0000000c`
      - 1 more injection

    - **new-syscall** `filesystem::unlink`
      - after `read EIO`: reported
      - `write(3, 12 bytes) = -1 ENOSPC` by `demo::save at src/main.rs:3`
      - $PWD/out: `-all of it`, `+a\u{1b}[31m part`, … 2 more
      - `cargo sysguard explore net::demo --replay read-EIO-00000003`
      - 1 more injection

    New on error paths, but it does not fail: `signal::tgkill` (after `read EIO`).

    Not repeatable, so it does not fail: panic `read EIO`.

    Recorded, but did not occur: `signal mmap ENOMEM`.

    | Workload | Tried | Reachable | absorbed | reported | silent | panic | signal | hang | varying |
    |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
    | net::demo | 120 | 718 | 80 | 37 | 3 | 0 | 0 | 0 | 0 |

    Not tried of net::demo: 598 injections (the budget was used up); some calls (the dynamic loader makes the call).

    net::demo: some of standard output varies between runs and is not compared.
    "#);
}

#[test]
fn each_finding_is_a_line_of_csv() {
    insta::assert_snapshot!(written(&packages(), "csv"), @r#"
    package,workload,path,line,outcome,difference,key,after,call,site,replay
    demo,net::demo,crates/demo/expectations/net/demo.yaml,4,failed,forbidden,net::demo::errors::hang::poll EINTR,poll EINTR,"write(3, 12 bytes) = -1 ENOSPC",,cargo sysguard explore net::demo --replay poll-EINTR-00000001
    demo,net::demo,crates/demo/expectations/net/demo.yaml,4,failed,silent,net::demo::errors::silent::write ENOSPC,write ENOSPC,"write(3, 12 bytes) = -1 ENOSPC",demo::save at src/main.rs:12,cargo sysguard explore net::demo --replay write-ENOSPC-0000000a
    demo,net::demo,crates/demo/expectations/net/demo.yaml,4,failed,silent,net::demo::errors::silent::write ENOSPC,write ENOSPC,"write(3, 12 bytes) = -1 ENOSPC",demo::save at src/main.rs:12,cargo sysguard explore net::demo --replay write-ENOSPC-0000000b
    demo,net::demo,crates/demo/expectations/net/demo.yaml,4,failed,silent,net::demo::errors::silent::write ENOSPC,write ENOSPC,"write(3, 12 bytes) = -1 ENOSPC",demo::save at src/main.rs:40,cargo sysguard explore net::demo --replay write-ENOSPC-0000000c
    demo,net::demo,crates/demo/expectations/net/demo.yaml,4,failed,new-syscall,net::demo::errors::filesystem::unlink,read EIO,"write(3, 12 bytes) = -1 ENOSPC",demo::save at src/main.rs:3,cargo sysguard explore net::demo --replay read-EIO-00000003
    demo,net::demo,crates/demo/expectations/net/demo.yaml,4,failed,note,net::demo::errors::signal::tgkill,read EIO,"write(3, 12 bytes) = -1 ENOSPC",demo::save at src/main.rs:4,cargo sysguard explore net::demo --replay read-EIO-00000004
    demo,net::demo,crates/demo/expectations/net/demo.yaml,4,failed,suspect,net::demo::errors::panic::read EIO,read EIO,"write(3, 12 bytes) = -1 ENOSPC",demo::save at src/main.rs:2,cargo sysguard explore net::demo --replay read-EIO-00000002
    demo,net::demo,crates/demo/expectations/net/demo.yaml,4,failed,gone,net::demo::errors::signal::mmap ENOMEM,,,,
    other,passed,expectations/passed.yaml,4,passed,,,,as expected; 120 of 718 error paths tried,,
    other,blessed,expectations/blessed.yaml,4,passed,,,,"blessed, nothing new; 120 of 718 error paths tried",,
    other,no-baseline,expectations/no-baseline.yaml,4,failed,,,,no baseline for x86_64-linux-gnu yet,,
    other,ignored,expectations/ignored.yaml,4,ignored,,,,"ignored, because",,
    other,malformed,expectations/malformed.yaml,4,failed,,,,"malformed expectation, because",,
    other,not-started,expectations/not-started.yaml,4,failed,,,,"not started, because",,
    other,untraceable,expectations/untraceable.yaml,4,failed,,,,"not traced, because",,
    other,broken,expectations/broken.yaml,4,failed,,,,"no verdict, because",,
    "#);
}

#[test]
fn annotation_is_at_the_source_line_or_the_baseline() {
    insta::assert_snapshot!(written(&packages()[..1], "github"), @r#"
    ::error file=crates/demo/expectations/net/demo.yaml,line=4,title=sysguard%3A net%3A%3Ademo::forbidden: net::demo::errors::hang::poll EINTR (`explore:` forbids it)%0Awrite(3, 12 bytes) = -1 ENOSPC%0Ain: demo save%0A$PWD/out:%0A-all of it%0A+a\u{1b}[31m part%0A… 2 more%0Areplay: cargo sysguard explore net::demo --replay poll-EINTR-00000001
    ::error file=crates/demo/src/main.rs,line=12,title=sysguard%3A net%3A%3Ademo::silent: net::demo::errors::silent::write ENOSPC%0Awrite(3, 12 bytes) = -1 ENOSPC%0Ain: demo save%0Aby demo::save at src/main.rs:12%0A$PWD/out:%0A-all of it%0A+a\u{1b}[31m part%0A… 2 more%0Areplay: cargo sysguard explore net::demo --replay write-ENOSPC-0000000a
    ::error file=crates/demo/src/main.rs,line=40,title=sysguard%3A net%3A%3Ademo::silent: net::demo::errors::silent::write ENOSPC%0Awrite(3, 12 bytes) = -1 ENOSPC%0Ain: demo save%0Aby demo::save at src/main.rs:40%0A$PWD/out:%0A-all of it%0A+a\u{1b}[31m part%0A… 2 more%0Areplay: cargo sysguard explore net::demo --replay write-ENOSPC-0000000c
    ::error file=crates/demo/src/main.rs,line=3,title=sysguard%3A net%3A%3Ademo::new-syscall: net::demo::errors::filesystem::unlink after read EIO%0Awrite(3, 12 bytes) = -1 ENOSPC%0Ain: demo save%0Aby demo::save at src/main.rs:3%0A$PWD/out:%0A-all of it%0A+a\u{1b}[31m part%0A… 2 more%0Areplay: cargo sysguard explore net::demo --replay read-EIO-00000003
    ::warning file=crates/demo/expectations/net/demo.yaml,line=4,title=sysguard%3A net%3A%3Ademo::recorded, but did not occur: signal mmap ENOMEM
    "#);
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
