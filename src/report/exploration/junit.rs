//! Explorations as a JUnit report in Jenkins' schema. A package is a suite, a workload is a test
//! case, and the keys of its findings are its output.

use std::io;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{PackageExplorations, headline, text};
use crate::model::judge::exploration::{ExplorationVerdict, PathFinding};
use crate::model::judge::verdict::Status;
use crate::report::Palette;
use crate::report::verdict::allowed_in_xml;

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageExplorations]) -> io::Result<()> {
    let mut report = Report::new("sysguard");
    for package in packages {
        let mut suite = TestSuite::new(package.name.as_str());
        for verdict in &package.verdicts {
            let mut case = TestCase::new(verdict.workload.as_str(), status(package, verdict)?);
            case.set_classname(package.name.as_str());
            let keys: Vec<String> = verdict.findings.iter().map(|finding| finding.key(&verdict.workload)).collect();
            if !keys.is_empty() {
                case.set_system_out(allowed_in_xml(&keys.join("\n")));
            }
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    let text = report.to_string().map_err(io::Error::other)?;
    // The schema allows this sum for a suite, but not for the whole report.
    out.write_all(text.replacen(&format!(" skipped=\"{}\"", report.skipped), "", 1).as_bytes())
}

fn status(package: &PackageExplorations, verdict: &ExplorationVerdict) -> io::Result<TestCaseStatus> {
    let (kind, name) = match &verdict.status {
        Status::Passed | Status::Blessed => return Ok(TestCaseStatus::success()),
        Status::Ignored { reason } => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(allowed_in_xml(reason));
            return Ok(skipped);
        }
        Status::Failed => {
            (NonSuccessKind::Failure, verdict.findings.first().map_or(verdict.status.name(), PathFinding::rule))
        }
        Status::NoBaseline { .. } | Status::WrongExit { .. } => (NonSuccessKind::Failure, verdict.status.name()),
        Status::Malformed { .. } | Status::NotStarted { .. } | Status::Untraceable { .. } | Status::Broken { .. } => {
            (NonSuccessKind::Error, verdict.status.name())
        }
    };
    let mut whole = Vec::new();
    text::write(&mut whole, verdict, &package.command, &Palette::plain())?;
    let mut failed = TestCaseStatus::non_success(kind);
    failed.set_type(name).set_message(allowed_in_xml(&headline(verdict)));
    failed.set_description(allowed_in_xml(&String::from_utf8_lossy(&whole)));
    Ok(failed)
}
