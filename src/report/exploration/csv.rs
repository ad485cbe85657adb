//! Explorations as CSV: a line for each finding, note, suspect and outcome that is gone, or one for
//! a workload without any.

use std::io;

use super::{PackageExplorations, all, headline};
use crate::model::judge::verdict::Status;

const COLUMNS: [&str; 11] =
    ["package", "workload", "path", "line", "outcome", "difference", "key", "after", "call", "site", "replay"];

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageExplorations]) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    for (package, verdict) in all(packages) {
        let outcome = match verdict.status {
            Status::Ignored { .. } => "ignored",
            _ if verdict.status.is_failure() => "failed",
            _ => "passed",
        };
        let line = verdict.line.map(|line| line.to_string()).unwrap_or_default();
        let path = package.path(verdict);
        let mut row = |[difference, key, after, call, site, replay]: [&str; 6]| {
            let name = verdict.workload.as_str();
            let cells = [&package.name, name, &path, &line, outcome, difference, key, after, call, site, replay];
            csv.write_record(cells)
        };
        if verdict.all().next().is_none() && verdict.gone.is_empty() {
            row(["", "", "", &headline(verdict), "", ""])?;
        }
        for (list, finding) in verdict.all() {
            let difference = if list == "finding" { finding.rule() } else { list };
            for path in &finding.paths {
                let call = path.example.as_ref().map(|example| example.call.as_str()).unwrap_or_default();
                let site = path.site.as_ref().map(|site| site.words.as_str()).unwrap_or_default();
                let replay = package.replay(verdict, &path.id);
                row([difference, &finding.key(&verdict.workload), &path.call.to_string(), call, site, &replay])?;
            }
        }
        for (outcome, call) in &verdict.gone {
            row(["gone", &format!("{}::errors::{outcome}::{call}", verdict.workload), "", "", "", ""])?;
        }
    }
    csv.flush()
}
