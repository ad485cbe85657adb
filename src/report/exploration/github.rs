//! Explorations as workflow commands of GitHub Actions: one annotation per finding and source line,
//! and one per workload that was not explored.
//!
//! GitHub shows ten errors and ten warnings per step, so no more are written.

use std::io;

use super::PackageExplorations;
use super::alerts::{Level, alerts};
use crate::report::verdict::annotation;
use crate::report::words::counted;

/// The number of annotations per level that GitHub shows for one step.
const ANNOTATIONS: usize = 10;

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageExplorations]) -> io::Result<()> {
    let all = alerts(packages);
    let levels = [
        (Level::Error, "error", "more error", "more errors"),
        (Level::Warning, "warning", "more warning", "more warnings"),
    ];
    for (level, command, one, more) in levels {
        let listed: Vec<_> = all.iter().filter(|alert| alert.level == level).collect();
        for alert in listed.iter().take(ANNOTATIONS) {
            let (path, line) = alert.place();
            let title = format!("sysguard: {}", alert.verdict.workload);
            writeln!(out, "{}", annotation(command, &path, Some(line), &title, &alert.whole()))?;
        }
        let cut = listed.len().saturating_sub(ANNOTATIONS);
        if cut > 0 {
            writeln!(out, "{}: `--format json` lists everything", counted(cut as u64, one, more))?;
        }
    }
    Ok(())
}
