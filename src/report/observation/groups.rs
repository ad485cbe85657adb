//! An observation grouped by the subsystem that was reached, most calls first. Main type:
//! [`Group`].

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::record::{Errors, GroupRecord, ObservationRecord, SyscallRecord, TaxonomyRecord, UseRecord, sum};
use crate::model::taxonomy::{Filed, Taxonomy};

/// A group of a taxonomy with its calls; by default a subsystem.
pub(super) struct Group<'a> {
    /// The name for machines: the slug of one of sysguard's own subsystems.
    pub(super) slug: &'a str,
    pub(super) title: &'a str,
    pub(super) calls: u64,
    pub(super) seconds: Option<Duration>,
    pub(super) lines: Vec<Line<'a>>,
}

/// The part of a syscall that belongs to one group.
pub(super) struct Line<'a> {
    pub(super) syscall: &'a SyscallRecord,
    pub(super) calls: u64,
    pub(super) seconds: Option<Duration>,
    pub(super) errors: Errors,
    pub(super) uses: Vec<&'a UseRecord>,
}

/// Returns all groups, by number of calls and then by name.
pub(super) fn groups<'a>(record: &'a ObservationRecord<'_>, taxonomy: &'a Taxonomy) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<(&str, &str), Vec<Line<'a>>> = BTreeMap::new();
    for syscall in &record.syscalls {
        let mut uses: BTreeMap<(&str, &str), Vec<&UseRecord>> = BTreeMap::new();
        for used in &syscall.uses {
            uses.entry(names(taxonomy, syscall, used)).or_default().push(used);
        }
        for (group, uses) in uses {
            groups.entry(group).or_default().push(line(syscall, uses));
        }
    }
    let group = |((slug, title), mut lines): ((&'a str, &'a str), Vec<Line<'a>>)| {
        lines.sort_by_key(|line| Reverse(line.calls));
        let seconds = lines.iter().map(|line| line.seconds).fold(None, sum);
        Group { slug, title, calls: lines.iter().map(|line| line.calls).sum(), seconds, lines }
    };
    let mut groups: Vec<Group> = groups.into_iter().map(group).collect();
    groups.sort_by_key(|group| Reverse(group.calls));
    groups
}

/// Adds the groups of a taxonomy other than the default to the record.
pub(super) fn add_taxonomy(record: &mut ObservationRecord<'_>, taxonomy: &Taxonomy) {
    if taxonomy.is_default() {
        return;
    }
    let group = |group: Group<'_>| GroupRecord {
        name: group.title.to_owned(),
        calls: group.calls,
        syscalls: group.lines.iter().map(|line| line.syscall.name.to_string()).collect(),
    };
    let mut groups: Vec<GroupRecord> = groups(record, taxonomy).into_iter().map(group).collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    record.taxonomy = Some(TaxonomyRecord { name: taxonomy.name().to_owned(), groups });
}

/// Returns slug and title of the group of a use.
fn names<'a>(taxonomy: &'a Taxonomy, syscall: &SyscallRecord, used: &UseRecord) -> (&'a str, &'a str) {
    let filed = Filed { call: &syscall.name, reached: used.subsystem, entry_point: syscall.subsystem };
    let title = taxonomy.group(filed);
    (if taxonomy.is_default() { used.subsystem.slug() } else { title }, title)
}

/// Returns the part of a syscall that belongs to one group.
fn line<'a>(syscall: &'a SyscallRecord, mut uses: Vec<&'a UseRecord>) -> Line<'a> {
    uses.sort_by_key(|used| Reverse(used.calls));
    let mut errors = Errors::new();
    for (name, count) in uses.iter().flat_map(|used| &used.errors) {
        *errors.entry(name.clone()).or_default() += count;
    }
    let seconds = uses.iter().map(|used| used.seconds).fold(None, sum);
    Line { syscall, calls: uses.iter().map(|used| used.calls).sum(), seconds, errors, uses }
}
