//! The table of the kernel's workload-tracing guide (Documentation/admin-guide/workload-tracing.rst), with its four columns.

use std::io;

use super::groups::groups;
use super::record::ObservationRecord;
use super::table::label;
use crate::model::observation::Recording;

pub(super) fn write(out: &mut dyn io::Write, recording: &Recording, record: &ObservationRecord<'_>) -> io::Result<()> {
    writeln!(out, "| System Call | # calls | Linux Subsystem | System Call (API) |")?;
    writeln!(out, "|---|---|---|---|")?;
    for group in groups(record) {
        for line in group.lines {
            let name = label(line.syscall, recording.platform.abi());
            let api = line.syscall.entry_point.map(|entry_point| format!("{entry_point}()")).unwrap_or_default();
            writeln!(out, "| {name} | {} | {} | {api} |", line.calls, group.subsystem.title())?;
        }
    }
    Ok(())
}
