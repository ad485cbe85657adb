//! Verdicts as a JUnit report in Jenkins' schema. A package is a suite, a workload is a test case,
//! and the keys of its findings are its output.

use std::io;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::batch::PackageVerdicts;
use super::headline;
use crate::model::facts::finding::Finding;
use crate::model::facts::finding::Suspect;
use crate::model::judge::verdict::{Status, Verdict};
use crate::report::Palette;

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageVerdicts]) -> io::Result<()> {
    let mut report = Report::new("sysguard");
    for package in packages {
        let mut suite = TestSuite::new(package.name.as_str());
        for verdict in &package.verdicts {
            suite.add_test_case(test_case(package, verdict)?);
        }
        report.add_test_suite(suite);
    }
    let text = report.to_string().map_err(io::Error::other)?;
    // The schema allows this sum for a suite, but not for the whole report.
    out.write_all(text.replacen(&format!(" skipped=\"{}\"", report.skipped), "", 1).as_bytes())
}

fn test_case(package: &PackageVerdicts, verdict: &Verdict) -> io::Result<TestCase> {
    let mut case = TestCase::new(verdict.workload.as_str(), status(verdict)?);
    case.set_classname(package.name.as_str());
    let findings = verdict.comparison.findings.iter();
    let keys: Vec<String> = findings.map(|finding| finding.fact.key(&verdict.workload)).collect();
    if !keys.is_empty() {
        case.set_system_out(keys.join("\n"));
    }
    let suspects: Vec<String> = verdict.comparison.suspects.iter().map(|suspect| suspected(suspect, verdict)).collect();
    if !suspects.is_empty() {
        case.set_system_err(allowed(&suspects.join("\n")));
    }
    if !verdict.elapsed.is_zero() {
        case.set_time(verdict.elapsed);
    }
    Ok(case)
}

/// `suspect: net::hello::filesystem::unlink in 1 of 5 runs`
fn suspected(Suspect { finding, seen, runs }: &Suspect, verdict: &Verdict) -> String {
    format!("suspect: {} in {seen} of {runs} runs", finding.fact.key(&verdict.workload))
}

/// Returns failure for a judgement on the workload, and error if there is none.
fn status(verdict: &Verdict) -> io::Result<TestCaseStatus> {
    let (kind, name) = match &verdict.status {
        Status::Passed | Status::Blessed => return Ok(TestCaseStatus::success()),
        Status::Ignored { reason } => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(allowed(reason));
            return Ok(skipped);
        }
        Status::Failed => {
            (NonSuccessKind::Failure, verdict.comparison.findings.first().map_or(verdict.status.name(), Finding::rule))
        }
        Status::NoBaseline { .. } | Status::WrongExit { .. } => (NonSuccessKind::Failure, verdict.status.name()),
        Status::Malformed { .. } | Status::NotStarted { .. } | Status::Untraceable { .. } | Status::Broken { .. } => {
            (NonSuccessKind::Error, verdict.status.name())
        }
    };
    let mut text = Vec::new();
    super::verdict(&mut text, verdict, &Palette::plain())?;
    let mut failed = TestCaseStatus::non_success(kind);
    failed.set_type(name).set_message(allowed(&headline(verdict)));
    failed.set_description(allowed(&String::from_utf8_lossy(&text)));
    Ok(failed)
}

/// Removes the two characters that XML forbids and quick-junit keeps; it removes the others itself.
pub(in crate::report) fn allowed(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "")
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;
    use crate::report::verdict::samples::{failed, finding, packages, with_status};

    fn written(packages: &[PackageVerdicts]) -> String {
        let mut out = Vec::new();
        write(&mut out, packages).expect("memory takes everything");
        String::from_utf8(out).expect("XML is text")
    }

    #[test]
    fn packages_are_suites_and_workloads_test_cases() {
        let mut packages = packages();
        packages[0].verdicts.truncate(1);
        packages[1].verdicts.retain(|verdict| ["passed", "wrong-exit", "ignored"].contains(&verdict.status.name()));
        insta::assert_snapshot!(written(&packages), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="sysguard" tests="4" failures="2" errors="0">
            <testsuite name="demo" tests="1" skipped="0" errors="0" failures="1">
                <testcase name="net::hello" classname="demo">
                    <failure message="1 new subsystem, 1 new blind spot, 2 new system calls, 1 new object" type="new-subsystem">net::hello: 1 new subsystem, 1 new blind spot, 2 new system calls, 1 new object

          new-subsystem  network                        2 calls
          new-blind-spot blind_spots::io_uring
          new-syscall    network::connect               1 call    socket:AF_INET:SOCK_STREAM
          new-syscall    network::socket                1 call    AF_INET socket:AF_INET:SOCK_STREAM
          new-object     filesystem::close::object=dir  12 calls

        note: new, but below the level that fails: filesystem::close::error=EBADF
        gone: in the baseline, but not seen: filesystem::readlink

        --- expectations/net/hello.yaml
        +++ expectations/net/hello.yaml.new
        @@ -7,5 +7,14 @@
           filesystem:
             close:
             readlink:
        +  network:
        +    connect:
        +      objects:
        +        - socket:AF_INET:SOCK_STREAM
        +    socket:
        +      arguments:
        +        - AF_INET
        +      objects:
        +        - socket:AF_INET:SOCK_STREAM
           process:
             execve:

        next:
          cargo sysguard review net::hello  decide one by one
          cargo sysguard accept net::hello  accept everything; writes expectations/net/hello.yaml
          cargo sysguard accept KEY         accept what is below a key, such as net::hello::network
          cargo sysguard test net::hello    run it again
        </failure>
                    <system-out>net::hello::network
        net::hello::blind_spots::io_uring
        net::hello::network::connect
        net::hello::network::socket
        net::hello::filesystem::close::object=dir</system-out>
                </testcase>
            </testsuite>
            <testsuite name="demo-net" tests="3" skipped="1" errors="0" failures="1">
                <testcase name="other::passed" classname="demo-net"/>
                <testcase name="other::wrong-exit" classname="demo-net">
                    <failure message="ended with signal SIGSEGV, expected exit status 0" type="wrong-exit">other::wrong-exit: ended with signal SIGSEGV, expected exit status 0

        output:
          | no

        next:
          cargo sysguard test other::wrong-exit  after fixing how it ends, or setting `exit:` or `cwd:` in expectations/other/wrong-exit.yaml
        </failure>
                </testcase>
                <testcase name="other::ignored" classname="demo-net">
                    <skipped message="because
        of this"/>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn passed_workload_has_suspects_and_duration() {
        let mut packages = packages();
        packages.truncate(1);
        let mut passed = with_status(Status::Passed);
        passed.elapsed = std::time::Duration::from_millis(1234);
        let suspect = Suspect { finding: finding("filesystem::unlink", 3, &[]), seen: 1, runs: 5 };
        passed.comparison.suspects = vec![suspect];
        packages[0].verdicts = vec![passed];
        let text = written(&packages);
        assert!(text.contains(r#"time="1.234">"#), "{text}");
        let expected = "<system-err>suspect: net::hello::filesystem::unlink in 1 of 5 runs</system-err>";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn invalid_xml_characters_are_removed_and_markup_escaped() {
        let mut packages = packages();
        packages.truncate(1);
        let reason = "a\u{0}b\u{8}\u{fffe} <c> & \"d\"".to_owned();
        packages[0].verdicts = vec![with_status(Status::Ignored { reason })];
        let text = written(&packages);
        assert!(text.contains(r#"<skipped message="ab &lt;c&gt; &amp; &quot;d&quot;"/>"#), "{text}");
    }

    type Names = &'static [&'static str];

    /// The elements of Jenkins' schema (junit-10.xsd of its xUnit plugin) that are written here:
    /// name, required attributes, other attributes, children.
    const SCHEMA: &[(&str, Names, Names, Names)] = &[
        ("", &[], &[], &["testsuites"]),
        ("testsuites", &[], &["name", "time", "tests", "failures", "errors"], &["testsuite"]),
        (
            "testsuite",
            &["name", "tests", "failures", "errors"],
            &["group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"],
            &["testsuite", "properties", "testcase", "system-out", "system-err"],
        ),
        (
            "testcase",
            &["name"],
            &["time", "classname", "group"],
            &["skipped", "error", "failure", "system-out", "system-err"],
        ),
        ("failure", &[], &["type", "message"], &[]),
        ("error", &[], &["type", "message"], &[]),
        ("skipped", &[], &["type", "message"], &[]),
        ("system-out", &[], &[], &[]),
        ("system-err", &[], &[], &[]),
    ];

    /// Returns the differences between a report and the schema.
    fn violations(text: &str) -> Vec<String> {
        let row = |name: &str| SCHEMA.iter().find(|row| row.0 == name);
        let mut reader = Reader::from_str(text);
        let (mut open, mut violations) = (vec![String::new()], Vec::new());
        loop {
            let event = reader.read_event().expect("XML");
            let (Event::Start(element) | Event::Empty(element)) = &event else {
                match event {
                    Event::End(_) => drop(open.pop()),
                    Event::Eof => return violations,
                    _ => {}
                }
                continue;
            };
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let name = text(element.name().as_ref());
            let parent = open.last().and_then(|parent| row(parent)).expect("a known parent");
            if !parent.3.contains(&name.as_str()) {
                violations.push(format!("<{name}> in <{}>", parent.0));
            }
            let (_, required, others, _) = row(&name).unwrap_or(&SCHEMA[0]);
            let has: Vec<String> =
                element.attributes().map(|attribute| text(attribute.expect("XML").key.as_ref())).collect();
            let knows = |attribute: &&String| [*required, *others].concat().contains(&attribute.as_str());
            violations.extend(has.iter().filter(|attribute| !knows(attribute)).map(|one| format!("{one} of <{name}>")));
            let misses = required.iter().filter(|attribute| !has.iter().any(|one| one == *attribute));
            violations.extend(misses.map(|attribute| format!("no {attribute} of <{name}>")));
            if matches!(event, Event::Start(_)) {
                open.push(name);
            }
        }
    }

    #[test]
    fn report_matches_the_schema_of_jenkins() {
        let mut packages = packages();
        packages[0].verdicts[0].elapsed = std::time::Duration::from_millis(1234);
        packages[0].verdicts[1].comparison.suspects =
            vec![Suspect { finding: finding("filesystem::unlink", 3, &[]), seen: 1, runs: 5 }];
        let text = written(&packages);
        assert_eq!(violations(&text), [""; 0], "{text}");
        let odd = text.replacen("<testcase name=", "<testcase surprise=", 1).replacen("system-out", "system-up", 2);
        let expected = ["surprise of <testcase>", "no name of <testcase>", "<system-up> in <testcase>"];
        assert_eq!(violations(&odd), expected, "the schema is checked");
    }

    #[test]
    fn other_junit_parser_reads_it() {
        let mut packages = packages();
        packages[0].verdicts.push(failed());
        let report = Report::deserialize_from_str(&written(&packages)).expect("JUnit's report");
        let counts = [report.tests, report.failures, report.errors];
        assert_eq!(counts, [14, 6, 4]);
        let cases: usize = report.test_suites.iter().map(|suite| suite.test_cases.len()).sum();
        assert_eq!((report.test_suites.len(), cases), (2, 14));
    }
}
