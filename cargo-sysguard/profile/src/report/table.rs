//! A profile as aligned columns for a terminal.

use std::io;

use sysguard::unstable::report::Palette;

use super::record::{GroupRecord, ProfileRecord};
use super::words;

/// A cell is aligned to the right if its column is one of numbers.
type Row<const COLUMNS: usize> = [String; COLUMNS];

pub(super) fn write(out: &mut dyn io::Write, record: &ProfileRecord, palette: &Palette) -> io::Result<()> {
    heading(out, palette, &format!("Totals of {}", words::command(record)))?;
    let totals = words::totals(&record.totals).into_iter().map(|line| [line.value, line.event, line.note]);
    rows(out, &totals.collect::<Vec<_>>(), &[0])?;
    writeln!(out)?;
    origins(out, record, palette)?;
    groups(out, palette, "Kernel time by subsystem", &record.subsystems)?;
    groups(out, palette, "Kernel time by section of MAINTAINERS", &record.sections)?;
    functions(out, record, palette)?;
    groups(out, palette, "User time by program or library", &record.modules)?;
    for line in words::runs(record) {
        writeln!(out, "{}{line}{:#}", palette.hint, palette.hint)?;
    }
    Ok(())
}

fn heading(out: &mut dyn io::Write, palette: &Palette, text: &str) -> io::Result<()> {
    writeln!(out, "{}{text}{:#}", palette.heading, palette.heading)
}

/// The table of the kernel's guide and that of `strace -c` in one.
fn origins(out: &mut dyn io::Write, record: &ProfileRecord, palette: &Palette) -> io::Result<()> {
    let head =
        ["% time", "calls", "usecs/call", "errors", "syscall", "subsystem (entry)", "subsystems that did the work"];
    let head = head.map(str::to_owned);
    let mut lines: Vec<Row<7>> = record
        .origins
        .iter()
        .map(|origin| {
            [
                words::percent(origin.share),
                words::count(origin.calls),
                words::microseconds(origin, record),
                words::count(origin.errors),
                words::origin(origin, record),
                origin.subsystem.as_deref().map(words::escaped).unwrap_or_default(),
                words::work(origin),
            ]
        })
        .collect();
    let user = ["(user code)".to_owned(), String::new(), String::new()];
    let [name, entry, work] = user;
    let user = [words::percent(record.user), String::new(), String::new(), String::new(), name, entry, work];
    let at = record.origins.iter().position(|origin| origin.share <= record.user).unwrap_or(lines.len());
    lines.insert(at, user);
    let calls = record.origins.iter().filter_map(|origin| origin.calls).sum();
    let errors = record.origins.iter().filter_map(|origin| origin.errors).sum();
    let all = words::percent(record.user + record.kernel);
    let (calls, errors) = (words::count(Some(calls)), words::count(Some(errors)));
    let total = [all, calls, String::new(), errors, "total".to_owned(), String::new(), String::new()];
    if record.traced.is_none() {
        let without = |[time, _, _, _, name, entry, work]: Row<7>| [time, name, entry, work];
        let lines: Vec<Row<4>> = [head].into_iter().chain(lines).chain([total]).map(without).collect();
        return titled(out, palette, &lines, &[0]);
    }
    let lines: Vec<Row<7>> = [head].into_iter().chain(lines).chain([total]).collect();
    titled(out, palette, &lines, &[0, 1, 2, 3])
}

fn groups(out: &mut dyn io::Write, palette: &Palette, title: &str, groups: &[GroupRecord]) -> io::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    let (shown, rest) = words::cut(groups, |group| group.share);
    let row = |group: &GroupRecord| {
        [words::percent(group.share), words::escaped(&group.name), words::functions(&group.functions)]
    };
    let rest = rest.map(|(count, share)| [words::percent(share), format!("({count} more)"), String::new()]);
    let head = ["% time".to_owned(), title.to_owned(), "functions (% time)".to_owned()];
    let lines: Vec<Row<3>> = [head].into_iter().chain(shown.iter().map(row)).chain(rest).collect();
    titled(out, palette, &lines, &[0])
}

fn functions(out: &mut dyn io::Write, record: &ProfileRecord, palette: &Palette) -> io::Result<()> {
    let sampled: Vec<_> = record.kernel_functions.iter().filter(|function| function.own > 0.0).collect();
    if sampled.is_empty() {
        return Ok(());
    }
    let (shown, rest) = words::cut(&sampled, |function| function.own);
    let head = ["self %", "total %", "kernel function"].map(str::to_owned);
    let rows = shown
        .iter()
        .map(|function| [words::percent(function.own), words::percent(function.total), words::escaped(&function.name)]);
    let rest = rest.map(|(count, share)| [words::percent(share), String::new(), format!("({count} more)")]);
    titled(out, palette, &[head].into_iter().chain(rows).chain(rest).collect::<Vec<_>>(), &[0, 1])
}

/// Writes rows, the first of which is a heading, and an empty line.
fn titled<const N: usize>(
    out: &mut dyn io::Write,
    palette: &Palette,
    lines: &[Row<N>],
    numbers: &[usize],
) -> io::Result<()> {
    let mut lines = aligned(lines, numbers).into_iter();
    if let Some(head) = lines.next() {
        heading(out, palette, &head)?;
    }
    lines.try_for_each(|line| writeln!(out, "{line}"))?;
    writeln!(out)
}

fn rows<const N: usize>(out: &mut dyn io::Write, lines: &[Row<N>], numbers: &[usize]) -> io::Result<()> {
    aligned(lines, numbers).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Returns rows as lines with aligned columns.
fn aligned<const N: usize>(rows: &[Row<N>], numbers: &[usize]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; N] = std::array::from_fn(width);
    let cell = |column: usize, text: &String| {
        // A width in a format string panics above 65535, and names may be longer.
        let space = " ".repeat(widths[column].saturating_sub(text.chars().count()));
        if numbers.contains(&column) { space + text } else { text.clone() + &space }
    };
    let line = |row: &Row<N>| {
        let cells = row.iter().enumerate().map(|(column, text)| cell(column, text));
        format!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
