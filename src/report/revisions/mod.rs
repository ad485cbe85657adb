//! The differences between two revisions of expectation files, as text, Markdown and JSON. Main
//! type: `Line`.
//!
//! Text and Markdown have one line per finding, in the order of importance.

mod reachable;
mod record;

use std::fmt;
use std::io;

use super::Palette;
use super::markup;
use super::style::Painted;
use super::words::{counted, escaped, len, padded};
use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::finding::FindingKind;
use crate::model::judge::revisions::{BaselineDiff, Change, EntryDifference, ExpectationDiff};

pub use reachable::ReachDiff;
#[cfg(test)]
pub(super) use record::DiffRecord;
pub use record::json;

/// The revision that the working tree is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// The revision, as the user named it.
    pub revision: &'a str,
    /// Whether both revisions were run on this machine. Otherwise their files are compared.
    pub traced: bool,
    /// The number of workloads that could not be traced and are not compared.
    pub untraced: usize,
}

/// The part of the title that says that both revisions were traced.
const TRACED: &str = ", both traced on this machine";

/// The maximum size of the rows of a Markdown table: a comment on a pull request holds 64 KB.
const COMMENT: usize = 60_000;

/// The kind of a line. Its order is that of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    New(FindingKind),
    NewWorkload,
    NewBaseline,
    /// The first document differs. It may tolerate more, so it comes before removed facts.
    Document,
    Gone(FindingKind),
    GoneBaseline,
    GoneWorkload,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match self {
            Self::New(kind) => kind.name().to_owned(),
            Self::NewWorkload => "new-workload".to_owned(),
            Self::NewBaseline => "new-baseline".to_owned(),
            Self::Gone(kind) => kind.name().replacen("new", "gone", 1),
            Self::GoneBaseline => "gone-baseline".to_owned(),
            Self::GoneWorkload => "gone-workload".to_owned(),
            Self::Document => "document".to_owned(),
        })
    }
}

/// One difference.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    kind: Kind,
    workload: String,
    platform: String,
    fact: String,
    remark: String,
    /// What the file says about the fact: why and owner.
    notes: Vec<String>,
}

/// Returns the differences, heaviest first. A workload or baseline that is new or gone as a whole
/// is one line.
fn lines(diffs: &[ExpectationDiff]) -> Vec<Line> {
    let mut lines: Vec<Line> = diffs.iter().flat_map(lines_of).collect();
    lines.sort_by(|a, b| (a.kind, &a.workload, &a.platform).cmp(&(b.kind, &b.workload, &b.platform)));
    lines
}

fn lines_of(diff: &ExpectationDiff) -> Vec<Line> {
    let line = |kind, platform: String, fact: String, remark: String| Line {
        kind,
        workload: diff.workload.clone(),
        platform,
        fact,
        remark,
        notes: Vec::new(),
    };
    let whole = |kind, findings: &dyn Fn(&BaselineDiff) -> Vec<EntryDifference>| match &diff.baselines[..] {
        [] => vec![line(kind, String::new(), String::new(), "no baseline".to_owned())],
        baselines => baselines
            .iter()
            .map(|baseline| line(kind, baseline.platform.to_string(), String::new(), outline(&findings(baseline))))
            .collect(),
    };
    match diff.change {
        Change::Added => return whole(Kind::NewWorkload, &|baseline| baseline.new.clone()),
        Change::Removed => return whole(Kind::GoneWorkload, &|baseline| baseline.gone.clone()),
        Change::Changed => {}
    }
    let mut lines = Vec::new();
    if diff.document {
        let remark = "the command or its rules differ".to_owned();
        lines.push(line(Kind::Document, String::new(), String::new(), remark));
    }
    for BaselineDiff { platform, change, new, gone } in &diff.baselines {
        let one = |kind: fn(FindingKind) -> Kind, EntryDifference { finding, why, owner }: &EntryDifference| {
            let details: Vec<_> = finding.details.iter().map(Detail::value).collect();
            let notes = [("why", why), ("owner", owner)].into_iter();
            Line {
                notes: notes.filter_map(|(label, words)| Some(format!("{label}: {}", words.as_ref()?))).collect(),
                ..line(
                    kind(finding.kind),
                    platform.to_string(),
                    escaped(&finding.fact.to_string()),
                    escaped(&details.join(" ")),
                )
            }
        };
        match change {
            Change::Added => lines.push(line(Kind::NewBaseline, platform.to_string(), String::new(), outline(new))),
            Change::Removed => lines.push(line(Kind::GoneBaseline, platform.to_string(), String::new(), outline(gone))),
            Change::Changed => {
                lines.extend(new.iter().map(|new| one(Kind::New, new)));
                lines.extend(gone.iter().map(|gone| one(Kind::Gone, gone)));
            }
        }
    }
    lines
}

/// Returns an outline: `filesystem, process: 12 system calls`.
fn outline(findings: &[EntryDifference]) -> String {
    let findings = || findings.iter().map(|entered| &entered.finding);
    let subsystems: Vec<String> = findings()
        .filter(|finding| finding.kind == FindingKind::NewSubsystem)
        .map(|finding| finding.fact.to_string())
        .collect();
    let is_syscall = |fact: &&Fact| matches!(fact, Fact::Use { syscall: Some(_), detail: None, .. });
    let syscalls = findings().map(|finding| &finding.fact).filter(is_syscall).count() as u64;
    format!("{}: {}", subsystems.join(", "), counted(syscalls, "system call", "system calls"))
}

/// Writes the differences since `base` for a terminal.
pub fn text(
    out: &mut dyn io::Write,
    base: Base<'_>,
    diffs: &[ExpectationDiff],
    reach: &[ReachDiff],
    palette: &Palette,
) -> io::Result<()> {
    let lines = lines(diffs);
    writeln!(out, "{}", Painted(palette.heading, title(base, base.revision, &lines)))?;
    let width = |column: fn(&Line) -> usize| lines.iter().map(column).max().unwrap_or_default();
    let kinds = width(|line| line.kind.to_string().len());
    let workloads = width(|line| line.workload.chars().count());
    let platforms = width(|line| line.platform.chars().count());
    let facts = width(|line| line.fact.chars().count());
    for Line { kind, workload, platform, fact, remark, notes } in &lines {
        let style = match kind {
            Kind::New(_) | Kind::NewWorkload | Kind::NewBaseline => palette.new,
            Kind::Gone(_) | Kind::GoneWorkload | Kind::GoneBaseline => palette.gone,
            Kind::Document => palette.hint,
        };
        let notes = notes.iter().map(|words| escaped(words));
        let remark: Vec<String> = Some(remark.clone()).filter(|it| !it.is_empty()).into_iter().chain(notes).collect();
        let remark = remark.join("  ");
        let columns = [(workload, workloads), (platform, platforms), (fact, facts)];
        let columns = columns.map(|(text, width)| padded(text, width)).join("  ");
        let rest = format!("{columns}  {remark}");
        writeln!(out, "  {}  {}", Painted(style, format_args!("{kind:<kinds$}")), rest.trim_end())?;
    }
    reachable::text(out, base.revision, reach, palette)
}

/// Writes the differences since `base` for a comment on a pull request.
pub fn markdown(
    out: &mut dyn io::Write,
    base: Base<'_>,
    diffs: &[ExpectationDiff],
    reach: &[ReachDiff],
) -> io::Result<()> {
    let lines = lines(diffs);
    writeln!(out, "### sysguard: {}", title(base, &code(base.revision), &lines))?;
    if !lines.is_empty() {
        table(out, base, &lines)?;
    }
    reachable::markdown(out, base.revision, reach)
}

/// Writes the findings as far as a comment can hold them.
fn table(out: &mut dyn io::Write, base: Base<'_>, lines: &[Line]) -> io::Result<()> {
    writeln!(out, "\n| finding | workload | fact | | platform |\n|---|---|---|---|---|")?;
    let mut left = COMMENT;
    let rows: Vec<String> = lines.iter().map(row).collect();
    let fits = |row: &&String| {
        left = left.saturating_sub(row.len());
        left > 0
    };
    let shown = rows.iter().take_while(fits).count();
    rows[..shown].iter().try_for_each(|row| out.write_all(row.as_bytes()))?;
    let cut = &rows[shown..];
    if !cut.is_empty() {
        let flag = if base.traced { " --trace" } else { "" };
        let command = format!("cargo sysguard diff --base {}{flag}", base.revision);
        writeln!(out, "\n… {}: {}", counted(len(cut), "more line", "more lines"), code(&command))?;
    }
    Ok(())
}

fn row(Line { kind, workload, platform, fact, remark, notes }: &Line) -> String {
    let kind = match kind {
        Kind::New(FindingKind::NewSubsystem) => format!("**{kind}**"),
        kind => kind.to_string(),
    };
    // Either one of our own texts, or values from the file, which are foreign.
    let remark = if fact.is_empty() { remark.clone() } else { code(remark) };
    let notes = notes.iter().map(|words| markup::markdown(words));
    let remark: Vec<String> = Some(remark).filter(|it| !it.is_empty()).into_iter().chain(notes).collect();
    let remark = remark.join(", ");
    let cells = [kind, code(workload), code(fact), remark, code(platform)];
    format!("| {} |\n", cells.join(" | "))
}

/// Returns text as code inside a cell.
fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", text.replace('|', "\\|").replace('`', "'")) }
}

/// Returns the title: `2 new, 1 gone since HEAD`.
fn title(base: Base<'_>, shown: &str, lines: &[Line]) -> String {
    let how = if base.traced { TRACED } else { "" };
    let without = match base.untraced {
        0 => String::new(),
        some => format!(", without {} that could not be traced", counted(some as u64, "workload", "workloads")),
    };
    let count = |is_counted: fn(Kind) -> bool| lines.iter().filter(|line| is_counted(line.kind)).count();
    let new = count(|kind| kind < Kind::Document);
    let gone = count(|kind| kind > Kind::Document);
    if lines.is_empty() {
        format!("nothing differs since {shown}{how}{without}")
    } else {
        format!("{new} new, {gone} gone since {shown}{how}{without}")
    }
}

#[cfg(test)]
mod tests;
