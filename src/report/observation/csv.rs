//! An observation as CSV: one line per use.

use std::io;

use super::record::{ObservationRecord, SyscallRecord, UseRecord, format_errors};
use crate::model::taxonomy::{Filed, Taxonomy};

/// The columns. Their order is a public interface.
const HEADER: [&str; 12] = [
    "subsystem",
    "syscall",
    "abi",
    "number",
    "argument",
    "object",
    "calls",
    "errors",
    "entry_point",
    "source",
    "section",
    "config",
];

pub(super) fn write(out: &mut dyn io::Write, record: &ObservationRecord<'_>, taxonomy: &Taxonomy) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    // Groups of another taxonomy get a column of their own, with its name.
    let own = taxonomy.is_default();
    let column = format!("group ({})", taxonomy.name());
    csv.write_record(HEADER.into_iter().chain((!own).then_some(column.as_str())))?;
    let uses = record.syscalls.iter().flat_map(|syscall| syscall.uses.iter().map(move |used| (syscall, used)));
    let mut lines: Vec<(&SyscallRecord, &UseRecord)> = uses.collect();
    // Sorted again, because a syscall may reach a subsystem other than that of its entry point.
    lines.sort_by(|(a, used_a), (b, used_b)| {
        (used_a.subsystem, &a.name, a.abi).cmp(&(used_b.subsystem, &b.name, b.abi))
    });
    for (syscall, used) in lines {
        let filed = Filed { call: &syscall.name, reached: used.subsystem, entry_point: syscall.subsystem };
        let group = (!own).then(|| taxonomy.group(filed).to_owned());
        csv.write_record(fields(syscall, used).into_iter().chain(group))?;
    }
    csv.flush()
}

/// Returns the fields of a line. Unknown values are empty.
fn fields(syscall: &SyscallRecord, used: &UseRecord) -> [String; 12] {
    [
        used.subsystem.to_string(),
        syscall.name.to_string(),
        syscall.abi.to_string(),
        syscall.number.to_string(),
        used.argument.as_deref().unwrap_or_default().to_owned(),
        used.object.as_deref().unwrap_or_default().to_owned(),
        used.calls.to_string(),
        format_errors(&used.errors),
        syscall.entry_point.unwrap_or_default().to_owned(),
        used.source.unwrap_or_default().to_owned(),
        used.section.unwrap_or_default().to_owned(),
        used.config.clone().unwrap_or_default(),
    ]
}
