//! An observation as people read it: by the subsystem that was reached, most calls first. Main type: [`Group`].

use std::cmp::Reverse;

use super::record::{Errors, ObservationRecord, SyscallRecord, UseRecord};
use crate::model::attribution::Subsystem;

/// A subsystem and what reached it.
pub(super) struct Group<'a> {
    pub(super) subsystem: Subsystem,
    pub(super) calls: u64,
    pub(super) lines: Vec<Line<'a>>,
}

/// A syscall as far as it reached one subsystem.
pub(super) struct Line<'a> {
    pub(super) syscall: &'a SyscallRecord,
    pub(super) calls: u64,
    pub(super) errors: Errors,
    pub(super) uses: Vec<&'a UseRecord>,
}

/// Everything in an order for people: number of calls, then name.
pub(super) fn groups<'a>(record: &'a ObservationRecord<'_>) -> Vec<Group<'a>> {
    let group = |subsystem: Subsystem, calls| {
        let mut lines: Vec<Line> = record.syscalls.iter().filter_map(|syscall| line(syscall, subsystem)).collect();
        lines.sort_by_key(|line| Reverse(line.calls));
        Group { subsystem, calls, lines }
    };
    let mut groups: Vec<Group> = record.subsystems.iter().map(|reached| group(reached.name, reached.calls)).collect();
    groups.sort_by_key(|group| Reverse(group.calls));
    groups
}

/// The part of a syscall that reached this subsystem.
fn line(syscall: &SyscallRecord, subsystem: Subsystem) -> Option<Line<'_>> {
    let mut uses: Vec<&UseRecord> = syscall.uses.iter().filter(|used| used.subsystem == subsystem).collect();
    if uses.is_empty() {
        return None;
    }
    uses.sort_by_key(|used| Reverse(used.calls));
    let mut errors = Errors::new();
    for (name, count) in uses.iter().flat_map(|used| &used.errors) {
        *errors.entry(name.clone()).or_default() += count;
    }
    Some(Line { syscall, calls: uses.iter().map(|used| used.calls).sum(), errors, uses })
}
