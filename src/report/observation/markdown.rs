//! An observation as the table of the kernel's workload-tracing guide
//! (Documentation/admin-guide/workload-tracing.rst), with its four columns.

use std::io;

use super::callers;
use super::ends::EndsRecord;
use super::groups::groups;
use super::record::ObservationRecord;
use super::table::label;
use crate::model::observe::observation::ObservedRun;
use crate::model::taxonomy::Taxonomy;
use crate::report::markup::markdown as cell;

pub(super) fn write(
    out: &mut dyn io::Write,
    recording: &ObservedRun,
    record: &ObservationRecord<'_>,
    taxonomy: &Taxonomy,
) -> io::Result<()> {
    writeln!(out, "| System Call | # calls | Linux Subsystem | System Call (API) |")?;
    writeln!(out, "|---|---|---|---|")?;
    for group in groups(record, taxonomy) {
        for line in group.lines {
            let name = label(line.syscall, recording.platform.abi());
            let api = line.syscall.entry_point.map(|entry_point| format!("{entry_point}()")).unwrap_or_default();
            writeln!(out, "| {name} | {} | {} | {api} |", line.calls, cell(group.title))?;
        }
    }
    let lines: Vec<_> = record.ends.iter().flat_map(EndsRecord::lines).collect();
    if !lines.is_empty() {
        writeln!(out)?;
    }
    for (words, counts) in lines {
        writeln!(out, "- {words}: {}", cell(&counts))?;
    }
    // The default taxonomy is not named; any other one is.
    if !taxonomy.is_default() {
        writeln!(out, "\nSubsystems by the taxonomy {}.", cell(taxonomy.name()))?;
    }
    callers::write_markdown(out, &recording.observation)
}
