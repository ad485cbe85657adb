//! An observation as aligned columns for a terminal: subsystems, their syscalls, and the uses of
//! each.

use std::io;
use std::time::Duration;

use super::ends::EndsRecord;
use super::groups::{Group, groups};
use super::record::{Errors, ObservationRecord, SyscallRecord, UseRecord, format_errors, sum};
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::kernel::syscall::Abi;
use crate::model::observe::observation::ObservedRun;
use crate::model::taxonomy::Taxonomy;
use crate::report::Palette;
use crate::report::style::Painted;
use crate::report::words::{counted, escaped, len, padded};

/// One line of the table.
struct Row {
    label: String,
    calls: String,
    /// Empty if times were not measured.
    seconds: String,
    errors: String,
    heading: bool,
}

pub(super) fn write(
    out: &mut dyn io::Write,
    recording: &ObservedRun,
    record: &ObservationRecord<'_>,
    taxonomy: &Taxonomy,
    palette: &Palette,
) -> io::Result<()> {
    let seconds = recording.times.as_ref().map_or("", |_| "Seconds").to_owned();
    let mut rows = vec![Row { seconds, ..Row::heading("System call", "Calls", "Errors") }];
    let groups = groups(record, taxonomy);
    for group in &groups {
        rows.extend(group_rows(group, recording.platform.abi()));
    }
    rows.push(totals(record, len(&groups)));
    write_rows(out, &rows, palette)?;
    writeln!(out)?;
    for (words, counts) in record.ends.iter().flat_map(EndsRecord::lines) {
        writeln!(out, "{words}: {counts}")?;
    }
    write_coverage(out, recording, taxonomy, palette)
}

/// Returns a syscall's name, with its ABI if that is not the platform's own: `openat (i386)`.
pub(super) fn label(syscall: &SyscallRecord, own: Option<Abi>) -> String {
    if own == Some(syscall.abi) { syscall.name.to_string() } else { format!("{} ({})", syscall.name, syscall.abi) }
}

impl Row {
    fn new(label: String, calls: u64, errors: String) -> Self {
        Self { label, calls: calls.to_string(), seconds: String::new(), errors, heading: false }
    }

    /// Adds the time in these calls.
    fn in_time(self, time: Option<Duration>) -> Self {
        Self { seconds: time.map_or_else(String::new, |time| format!("{:.6}", time.as_secs_f64())), ..self }
    }

    fn heading(label: &str, calls: impl ToString, errors: impl ToString) -> Self {
        let (label, seconds) = (label.to_owned(), String::new());
        Self { label, calls: calls.to_string(), seconds, errors: errors.to_string(), heading: true }
    }
}

fn group_rows(group: &Group<'_>, own: Option<Abi>) -> Vec<Row> {
    let mut rows = vec![Row::heading(&escaped(group.slug), group.calls, "").in_time(group.seconds)];
    for line in &group.lines {
        let name = label(line.syscall, own);
        let row = Row::new(format!("  {name}"), line.calls, format_errors(&line.errors));
        rows.push(row.in_time(line.seconds));
        rows.extend(use_rows(&line.uses));
    }
    rows
}

/// Returns a row for each use. If some have a name, the others are summed, so that the rows add up
/// to those of the syscall: calls that failed before they reached anything, and the rest.
fn use_rows(uses: &[&UseRecord]) -> Vec<Row> {
    let row = |words: &str, calls, errors: &Errors, seconds| {
        Row::new(format!("    {words}"), calls, format_errors(errors)).in_time(seconds)
    };
    let named = uses.iter().filter_map(|used| Some((used, format_use(used)?)));
    let mut rows: Vec<Row> = named.map(|(used, words)| row(&words, used.calls, &used.errors, used.seconds)).collect();
    if rows.is_empty() {
        return rows;
    }
    let rest = uses.iter().copied().filter(|used| format_use(used).is_none());
    let (failed, others): (Vec<&UseRecord>, Vec<&UseRecord>) =
        rest.partition(|used| used.errors.values().sum::<u64>() == used.calls);
    for (words, uses) in [("(no object)", others), ("(failed)", failed)] {
        if uses.is_empty() {
            continue;
        }
        let mut errors = Errors::new();
        for (name, count) in uses.iter().flat_map(|used| &used.errors) {
            *errors.entry(name.clone()).or_default() += count;
        }
        let seconds = uses.iter().map(|used| used.seconds).fold(None, sum);
        rows.push(row(words, uses.iter().map(|used| used.calls).sum(), &errors, seconds));
    }
    rows
}

/// Returns a use: `AF_INET socket:AF_INET:SOCK_STREAM`; `None` if it adds nothing to the syscall.
fn format_use(used: &UseRecord) -> Option<String> {
    let parts = [used.argument.as_deref(), used.object.as_deref()];
    let words = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then(|| escaped(&words))
}

fn totals(record: &ObservationRecord<'_>, groups: u64) -> Row {
    let syscalls = counted(len(&record.syscalls), "system call", "system calls");
    let subsystems = counted(groups, "subsystem", "subsystems");
    let calls: u64 = record.syscalls.iter().map(|syscall| syscall.calls).sum();
    let failed: u64 = record.syscalls.iter().flat_map(|syscall| syscall.errors.values()).sum();
    let seconds = record.syscalls.iter().map(|syscall| syscall.seconds).fold(None, sum);
    Row::heading(&format!("{syscalls} in {subsystems}"), calls, format_args!("{failed} failed")).in_time(seconds)
}

fn write_rows(out: &mut dyn io::Write, rows: &[Row], palette: &Palette) -> io::Result<()> {
    let label_width = rows.iter().map(|row| row.label.chars().count()).max().unwrap_or_default();
    let calls_width = rows.iter().map(|row| row.calls.len()).max().unwrap_or_default();
    let seconds_width = rows.iter().map(|row| row.seconds.len()).max().unwrap_or_default();
    for Row { label, calls, seconds, errors, heading } in rows {
        let seconds = if seconds_width == 0 { String::new() } else { format!("{seconds:>seconds_width$}  ") };
        let label = padded(label, label_width);
        let line = format!("{label}  {calls:>calls_width$}  {seconds}{errors}");
        let line = line.trim_end();
        if *heading { writeln!(out, "{}", Painted(palette.heading, line))? } else { writeln!(out, "{line}")? }
    }
    Ok(())
}

/// The caveat on measured times.
const INFLATED: &str = "times are wall time in calls, summed over tasks and inflated by tracing";

/// Writes one line on how complete the report is.
fn write_coverage(
    out: &mut dyn io::Write,
    recording: &ObservedRun,
    taxonomy: &Taxonomy,
    palette: &Palette,
) -> io::Result<()> {
    let ObservedRun { observation, killed_stragglers, engine, exit, times, .. } = recording;
    let spots: Vec<&str> = observation.blind_spots.iter().copied().map(BlindSpot::name).collect();
    let runs = if observation.runs == 1 { String::new() } else { format!("{} runs, ", observation.runs) };
    let tasks = counted(observation.threads, "task", "tasks");
    let processes = counted(observation.processes, "process", "processes");
    let lost = counted(observation.lost_events, "event", "events");
    let spots = if spots.is_empty() { "none".to_owned() } else { spots.join(", ") };
    let stragglers = counted(*killed_stragglers, "straggler", "stragglers");
    let unknown = engine.unknown().map_or_else(String::new, |unknown| format!(" (not known: {unknown})"));
    let engine = format!("engine {}{unknown}", engine.name());
    // Each part with whether it makes the report incomplete.
    let parts = [
        (false, format!("{runs}followed {tasks} in {processes}")),
        (observation.lost_events != 0, format!("{lost} lost")),
        (!spots.is_empty(), format!("blind spots: {spots}")),
        (*killed_stragglers != 0, format!("{stragglers} killed")),
        (false, engine),
        (false, exit.to_string()),
        (false, if times.is_some() { INFLATED.to_owned() } else { String::new() }),
    ];
    let paint = |(alarming, part)| Painted(if alarming { palette.error } else { palette.hint }, part).to_string();
    // The default taxonomy is not named; any other one is.
    let words = (!taxonomy.is_default()).then(|| (false, format!("taxonomy {}", escaped(taxonomy.name()))));
    let parts = parts.into_iter().filter(|(_, part)| !part.is_empty());
    writeln!(out, "{}", parts.chain(words).map(paint).collect::<Vec<_>>().join("; "))
}
