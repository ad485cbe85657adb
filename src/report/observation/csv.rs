//! One line a use, for spreadsheets.

use std::io;

use super::record::{ObservationRecord, SyscallRecord, UseRecord, errors_in_words};
use crate::model::taxonomy::{Filed, Taxonomy};

/// The columns; their order is a public interface.
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
    // Another's words are a column of their own, which names them.
    let own = taxonomy.is_default();
    let column = format!("group ({})", taxonomy.name());
    csv.write_record(HEADER.into_iter().chain((!own).then_some(column.as_str())))?;
    let uses = record.syscalls.iter().flat_map(|syscall| syscall.uses.iter().map(move |used| (syscall, used)));
    let mut lines: Vec<(&SyscallRecord, &UseRecord)> = uses.collect();
    // The lists are sorted already, only that a syscall may reach a subsystem other than its own.
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

/// What is not known is an empty field.
fn fields(syscall: &SyscallRecord, used: &UseRecord) -> [String; 12] {
    [
        used.subsystem.to_string(),
        syscall.name.to_string(),
        syscall.abi.to_string(),
        syscall.number.to_string(),
        used.argument.as_deref().unwrap_or_default().to_owned(),
        used.object.as_deref().unwrap_or_default().to_owned(),
        used.calls.to_string(),
        errors_in_words(&used.errors),
        syscall.entry_point.unwrap_or_default().to_owned(),
        used.source.unwrap_or_default().to_owned(),
        used.section.unwrap_or_default().to_owned(),
        used.config.clone().unwrap_or_default(),
    ]
}
