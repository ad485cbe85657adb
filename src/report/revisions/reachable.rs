//! The syscalls that became reachable between two revisions of a program, in every format. Main
//! type: [`ReachDiff`].

use std::io;

use serde::Serialize;

use super::code;
use crate::report::Palette;
use crate::report::markup::markdown as cell;
use crate::report::style::Painted;
use crate::report::way::WayRecord;
use crate::report::words::{counted, escaped, len, padded};

/// The difference in what the program of a workload could call, by a static analysis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachDiff {
    /// The workload.
    pub workload: String,
    /// The calls that are reachable only now, each with a way to it.
    pub new: Vec<(String, String)>,
    /// The calls that were reachable only at the revision.
    pub gone: Vec<String>,
    /// Whether the reachable calls are an upper bound at both.
    pub is_upper_bound: bool,
}

/// What follows the calls of a workload without an upper bound.
const UNBOUNDED: &str = "no upper bound";

/// How many rows a comment on a pull request has room for, after those of the findings.
const MOST: usize = 20;

const REACHABLE: &str = "reachable";

/// Returns the title: `2 syscalls became reachable since HEAD, 1 no longer is`.
fn title(shown: &str, diffs: &[ReachDiff]) -> String {
    let new: u64 = diffs.iter().map(|diff| len(&diff.new)).sum();
    let gone: u64 = diffs.iter().map(|diff| len(&diff.gone)).sum();
    let are = if gone == 1 { "is" } else { "are" };
    format!("{} became reachable since {shown}, {gone} no longer {are}", counted(new, "syscall", "syscalls"))
}

/// Returns the rows: workload, what changed, call, and way or limit.
fn rows(diffs: &[ReachDiff]) -> Vec<[String; 4]> {
    let rows = diffs.iter().flat_map(|diff| {
        let row = |change: &str, call: &str, way: &str| {
            let limit = (!diff.is_upper_bound).then(|| UNBOUNDED.to_owned());
            let remarks: Vec<String> =
                Some(way.to_owned()).filter(|way| !way.is_empty()).into_iter().chain(limit).collect();
            [diff.workload.clone(), change.to_owned(), call.to_owned(), remarks.join("; ")]
        };
        let new = diff.new.iter().map(|(call, way)| row(REACHABLE, call, way));
        let gone = diff.gone.iter().map(|call| row("unreachable", call, ""));
        new.chain(gone).collect::<Vec<_>>()
    });
    rows.collect()
}

/// Writes the differences for a terminal; nothing if there are none.
pub(super) fn text(out: &mut dyn io::Write, revision: &str, diffs: &[ReachDiff], palette: &Palette) -> io::Result<()> {
    let rows = rows(diffs);
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", Painted(palette.heading, title(revision, diffs)))?;
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [width(0), width(1), width(2)];
    for [workload, change, call, way] in &rows {
        let style = if change == REACHABLE { palette.new } else { palette.gone };
        let change = padded(change, widths[1]);
        let [workload, call] =
            [(workload, widths[0]), (call, widths[2])].map(|(text, width)| padded(&escaped(text), width));
        let rest = format!("{workload}  {call}  {}", escaped(way));
        writeln!(out, "  {}  {}", Painted(style, change), rest.trim_end())?;
    }
    Ok(())
}

/// Writes the differences for a comment on a pull request; nothing if there are none.
pub(super) fn markdown(out: &mut dyn io::Write, revision: &str, diffs: &[ReachDiff]) -> io::Result<()> {
    let rows = rows(diffs);
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n#### {}\n\n| | workload | syscall | way |\n|---|---|---|---|", title(&code(revision), diffs))?;
    let (shown, rest) = rows.split_at(rows.len().min(MOST));
    shown.iter().try_for_each(|[workload, change, call, way]| {
        writeln!(out, "| {change} | {} | {} | {} |", code(workload), code(call), cell(way))
    })?;
    if rest.is_empty() { Ok(()) } else { writeln!(out, "\n… {}", counted(len(rest), "more line", "more lines")) }
}

/// What the program of a workload could call only at one of the revisions.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ReachDiffRecord<'a> {
    workload: &'a str,
    /// The calls that are reachable only now.
    new: Vec<WayRecord<'a>>,
    /// The calls that were reachable only at the revision.
    gone: &'a [String],
    /// Whether the reachable calls are an upper bound at both.
    upper_bound: bool,
}

impl<'a> From<&'a ReachDiff> for ReachDiffRecord<'a> {
    fn from(ReachDiff { workload, new, gone, is_upper_bound }: &'a ReachDiff) -> Self {
        let new = new.iter().map(WayRecord::from).collect();
        Self { workload, new, gone, upper_bound: *is_upper_bound }
    }
}
