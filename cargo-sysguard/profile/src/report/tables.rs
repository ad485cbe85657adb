//! The tables of a profile, as every format for readers has them. Main type: [`Table`].

use super::record::{GroupRecord, OriginRecord, ProfileRecord};
use super::words::{self, cut};

/// A table of text. Control characters are escaped; each format escapes its own markup.
pub(super) struct Table {
    /// The names of the columns.
    pub(super) head: Vec<String>,
    /// The number of leading columns that hold numbers.
    pub(super) numbers: usize,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&str], numbers: usize, rows: Vec<Vec<String>>) -> Self {
        Self { head: head.iter().copied().map(str::to_owned).collect(), numbers, rows }
    }

    /// Returns whether a column, counted from 0, holds numbers.
    pub(super) fn is_number(&self, column: usize) -> bool {
        column < self.numbers
    }
}

/// Returns the totals in the order and with the notes of `perf stat`.
pub(super) fn totals(record: &ProfileRecord) -> Table {
    let rows = words::totals(&record.totals).into_iter().map(|line| vec![line.value, line.event, line.note]);
    Table::new(&["total", "event", "note"], 1, rows.collect())
}

/// Returns one table with the columns of the kernel's guide and of `strace -c`. If calls were not
/// counted, their columns are left out.
pub(super) fn origins(record: &ProfileRecord) -> Table {
    table_of_origins(record, &record.origins, None)
}

/// Like [`origins`], with the first syscalls only.
pub(super) fn first_origins(record: &ProfileRecord) -> Table {
    let (shown, rest) = cut(&record.origins, |origin| origin.share);
    table_of_origins(record, shown, rest)
}

fn table_of_origins(record: &ProfileRecord, shown: &[OriginRecord], rest: Option<(usize, f64)>) -> Table {
    let mut rows: Vec<_> = shown.iter().map(|origin| row(origin, record)).collect();
    let user = shown.iter().position(|origin| origin.share <= record.user).unwrap_or(rows.len());
    rows.insert(user, summary(record.user, "(user code)".to_owned(), [None; 2]));
    rows.extend(rest.map(|(count, share)| summary(share, format!("({count} more)"), [None; 2])));
    let sum = |of: fn(&OriginRecord) -> Option<u64>| Some(record.origins.iter().filter_map(of).sum());
    let all = [sum(|origin| origin.calls), sum(|origin| origin.errors)];
    rows.push(summary(record.user + record.kernel, "total".to_owned(), all));
    let head =
        ["% time", "calls", "usecs/call", "errors", "syscall", "subsystem (entry)", "subsystems that did the work"];
    let mut table = Table::new(&head, 4, rows);
    if record.traced.is_none() {
        const COUNTS: std::ops::Range<usize> = 1..4;
        table.rows.iter_mut().chain([&mut table.head]).for_each(|row| drop(row.drain(COUNTS)));
        table.numbers = 1;
    }
    table
}

fn row(origin: &OriginRecord, record: &ProfileRecord) -> Vec<String> {
    vec![
        words::percent(origin.share),
        words::count(origin.calls),
        words::microseconds(origin, record),
        words::count(origin.errors),
        words::origin(origin, record),
        origin.subsystem.as_deref().map(words::escaped).unwrap_or_default(),
        words::work(origin),
    ]
}

/// Returns a row that is not a single syscall.
fn summary(share: f64, name: String, [calls, errors]: [Option<u64>; 2]) -> Vec<String> {
    let (calls, errors) = (words::count(calls), words::count(errors));
    vec![words::percent(share), calls, String::new(), errors, name, String::new(), String::new()]
}

/// Returns the kernel's time by subsystem.
pub(super) fn subsystems(record: &ProfileRecord) -> Table {
    groups("Kernel time by subsystem", &record.subsystems)
}

/// Returns the kernel's time by section of MAINTAINERS.
pub(super) fn sections(record: &ProfileRecord) -> Table {
    groups("Kernel time by section of MAINTAINERS", &record.sections)
}

/// Returns user time by program or library.
pub(super) fn modules(record: &ProfileRecord) -> Table {
    groups("User time by program or library", &record.modules)
}

fn groups(title: &str, groups: &[GroupRecord]) -> Table {
    let (shown, rest) = cut(groups, |group| group.share);
    let row = |group: &GroupRecord| {
        vec![words::percent(group.share), words::escaped(&group.name), words::functions(&group.functions)]
    };
    let rest = rest.map(|(count, share)| vec![words::percent(share), format!("({count} more)"), String::new()]);
    Table::new(&["% time", title, "functions (% time)"], 1, shown.iter().map(row).chain(rest).collect())
}

/// Returns the sampled kernel functions.
pub(super) fn kernel_functions(record: &ProfileRecord) -> Table {
    let sampled: Vec<_> = record.kernel_functions.iter().filter(|function| function.own > 0.0).collect();
    let (shown, rest) = cut(&sampled, |function| function.own);
    let rows = shown.iter().map(|function| {
        vec![words::percent(function.own), words::percent(function.total), words::escaped(&function.name)]
    });
    let rest = rest.map(|(count, share)| vec![words::percent(share), String::new(), format!("({count} more)")]);
    Table::new(&["self %", "total %", "kernel function"], 2, rows.chain(rest).collect())
}
