//! Findings as text by cause: a heading for each group, then its findings, heaviest first. Main
//! function: [`write`].
//!
//! The text fits on one screen: what does not is counted. A group that another workload of the run
//! has shown takes one line.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::columns::{self, columns};
use crate::model::facts::example::Example;
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::Finding;
use crate::model::judge::groups::{Cause, Group, Member, brief, groups};
#[cfg(feature = "unstable")]
use crate::model::judge::verdict::Status;
use crate::model::judge::verdict::Verdict;
use crate::model::judge::weight::Weight;
use crate::report::Palette;
use crate::report::style::Painted;
use crate::report::words::{counted, escaped, len, padded};

/// The number of lines for all groups.
const LINES: usize = 20;

/// The number of groups that are shown.
const GROUPS: usize = 6;

/// The number of rows of the first group for each of another one.
const FIRST: usize = 4;

/// The most columns of a line.
const COLUMNS: usize = 96;

/// The groups that were shown in this run, and the workload that each was shown for.
#[derive(Debug, Default)]
pub struct ShownGroups(BTreeMap<String, String>);

impl ShownGroups {
    /// Reads lines of [`ShownGroups::lines`]; the first line of a cause counts.
    #[cfg(feature = "unstable")]
    pub fn from_lines(text: &str) -> Self {
        let mut shown = BTreeMap::new();
        for (id, workload) in text.lines().filter_map(|line| line.split_once(' ')) {
            shown.entry(id.to_owned()).or_insert_with(|| workload.to_owned());
        }
        Self(shown)
    }

    /// Returns a line for each cause that was first shown for this workload.
    #[cfg(feature = "unstable")]
    pub fn lines(&self, workload: &str) -> String {
        let own = self.0.iter().filter(|(_, first)| *first == workload);
        own.map(|(id, first)| format!("{id} {first}\n")).collect()
    }

    /// Returns the workload that has shown the group, or keeps this one.
    fn earlier(&mut self, group: &Group<'_>, workload: &str) -> Option<String> {
        match self.0.get(&group.id()) {
            Some(first) => Some(first.clone()).filter(|first| first != workload),
            None => {
                self.0.insert(group.id(), workload.to_owned());
                None
            }
        }
    }
}

/// Writes the causes that several workloads show, with the command that accepts each; nothing if
/// there are none.
#[cfg(feature = "unstable")]
pub fn shared_causes<'a>(
    out: &mut dyn io::Write,
    verdicts: impl IntoIterator<Item = &'a Verdict>,
    palette: &Palette,
) -> io::Result<()> {
    let failed = verdicts.into_iter().filter(|verdict| verdict.status == Status::Failed);
    let members = failed.flat_map(|verdict| verdict.comparison.findings.iter().map(|it| member(verdict, it)));
    let mut shared = groups(members);
    shared.retain(|group| group.workloads().len() > 1);
    if shared.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", Painted(palette.heading, "causes in several workloads:"))?;
    let (shown, cut) = shared.split_at(shared.len().min(GROUPS));
    for group in shown {
        writeln!(out, "  {} {}", Painted(palette.hint, group.id()), escaped(&group.to_string()))?;
    }
    if !cut.is_empty() {
        writeln!(out, "  {}", Painted(palette.hint, format_args!("… and {} more", cut.len())))?;
    }
    writeln!(out, "  {}", Painted(palette.hint, "cargo sysguard accept ID decides on one; review shows each"))
}

/// Returns the groups of a verdict's failing findings, heaviest first.
pub(super) fn of(verdict: &Verdict) -> Vec<Group<'_>> {
    groups(verdict.comparison.findings.iter().map(|finding| member(verdict, finding)))
}

fn member<'a>(verdict: &'a Verdict, finding: &'a Finding) -> Member<'a> {
    Member { workload: &verdict.workload, finding, weight: Weight::of(finding) }
}

/// One heading, and the lines of each finding below it.
struct Section {
    heading: Vec<String>,
    id: String,
    rows: Vec<Row>,
    /// The number of rows to show.
    shown: usize,
}

/// The lines of one finding.
struct Row {
    kind: String,
    lines: Vec<String>,
    name: String,
}

/// Writes the groups with a known cause, and returns the findings without one.
pub(super) fn write<'a>(
    out: &mut dyn io::Write,
    verdict: &'a Verdict,
    shown: &mut ShownGroups,
    palette: &Palette,
) -> io::Result<Vec<&'a Finding>> {
    let (known, alone): (Vec<Group<'_>>, Vec<Group<'_>>) =
        of(verdict).into_iter().partition(|group| !matches!(group.cause, Cause::Unknown { .. }));
    let rest = alone.into_iter().flat_map(|group| group.members).map(|member| member.finding).collect();
    if known.is_empty() {
        return Ok(rest);
    }
    writeln!(out)?;
    let (listed, cut) = known.split_at(known.len().min(GROUPS));
    let mut sections = Vec::new();
    for group in listed {
        match shown.earlier(group, &verdict.workload) {
            Some(first) => {
                let line = format!("{}: {}, as in {first}", group.place(), group.outline());
                sections.push(Section {
                    heading: wrapped(&escaped(&line)),
                    id: group.id(),
                    rows: Vec::new(),
                    shown: 0,
                });
            }
            None => sections.push(section(group)),
        }
    }
    share(&mut sections);
    sections.iter().try_for_each(|section| section.write(out, palette))?;
    if !cut.is_empty() {
        let findings: usize = cut.iter().map(|group| group.members.len()).sum();
        let causes = counted(len(cut), "more cause", "more causes");
        let findings = counted(findings as u64, "finding", "findings");
        let places: Vec<String> = cut.iter().map(|group| escaped(&group.place())).collect();
        let line = cut_to(&format!("… {causes}, {findings}: {}", places.join(", ")), COLUMNS);
        writeln!(out, "{}", Painted(palette.hint, line))?;
    }
    Ok(rest)
}

/// Returns whether other workloads have shown every group of a verdict.
pub(super) fn are_shown(verdict: &Verdict, shown: &ShownGroups) -> bool {
    let groups = of(verdict);
    let is_shown = |group: &Group<'_>| shown.0.get(&group.id()).is_some_and(|first| *first != verdict.workload);
    !groups.is_empty() && groups.iter().all(is_shown)
}

/// Gives each section a row in turn, the first one several, until the lines are used up.
fn share(sections: &mut [Section]) {
    loop {
        let before: usize = sections.iter().map(|section| section.shown).sum();
        for at in 0..sections.len() {
            for _ in 0..if at == 0 { FIRST } else { 1 } {
                let used: usize = sections.iter().map(Section::lines).sum();
                let section = &mut sections[at];
                let next = section.rows.get(section.shown).map_or(0, |row| row.lines.len());
                // Each section shows its heaviest finding.
                if next > 0 && (section.shown == 0 || used + next <= LINES) {
                    section.shown += 1;
                }
            }
        }
        if sections.iter().map(|section| section.shown).sum::<usize>() == before {
            return;
        }
    }
}

impl Section {
    /// Returns the number of lines that it takes.
    fn lines(&self) -> usize {
        let rows: usize = self.rows[..self.shown].iter().map(|row| row.lines.len()).sum();
        self.heading.len() + rows + usize::from(self.shown < self.rows.len())
    }

    fn write(&self, out: &mut dyn io::Write, palette: &Palette) -> io::Result<()> {
        for (at, line) in self.heading.iter().enumerate() {
            match at {
                0 => writeln!(out, "{} {}", Painted(palette.hint, &self.id), Painted(palette.heading, line))?,
                _ => writeln!(out, "  {}", Painted(palette.heading, line))?,
            }
        }
        let (shown, cut) = self.rows.split_at(self.shown);
        let width = shown.iter().map(|row| row.kind.len()).max().unwrap_or_default();
        for Row { kind, lines, .. } in shown {
            for (at, line) in lines.iter().enumerate() {
                match at {
                    0 => writeln!(out, "  {} {line}", Painted(palette.error, padded(kind, width)))?,
                    _ => writeln!(out, "    {}", Painted(palette.hint, line))?,
                }
            }
        }
        if cut.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = cut.iter().map(|row| row.name.as_str()).collect();
        let line = format!("and {} more: {}", cut.len(), names.join(", "));
        writeln!(out, "  {}", Painted(palette.hint, cut_to(&line, COLUMNS - 2)))
    }
}

/// Returns the section of a group that was not shown before.
fn section(group: &Group<'_>) -> Section {
    let example = group.heaviest().and_then(|member| member.finding.example.as_ref());
    let mut heading = wrapped(&escaped(&format!("{}: {} new", group.place(), group.facts().len())));
    if let Some(example) = example.filter(|example| example.process.len() > 1) {
        heading.push(cut_to(&escaped(&format!("in: {}", example.origin())), COLUMNS));
    }
    let by = group.site().filter(|_| matches!(group.cause, Cause::Program { .. }));
    heading.extend(by.map(|site| cut_to(&escaped(&format!("by {site}")), COLUMNS)));
    Section { heading, id: group.id(), rows: rows(&group.members), shown: 0 }
}

/// Returns a row for each finding. The subsystems of further rows share the first one.
fn rows(members: &[Member<'_>]) -> Vec<Row> {
    let filled: BTreeSet<Fact> = members.iter().filter_map(|member| member.finding.fact.parent()).collect();
    let is_outline = |member: &&Member<'_>| {
        matches!(member.finding.fact, Fact::Use { syscall: None, .. })
            && filled.contains(&member.finding.fact)
            && member.finding.forbidden.is_none()
    };
    let (outlines, rest): (Vec<&Member<'_>>, Vec<&Member<'_>>) = members.iter().partition(is_outline);
    let names: Vec<String> = outlines.iter().map(|member| escaped(&member.finding.fact.to_string())).collect();
    let outline = outlines.first().map(|first| Row {
        kind: first.finding.rule().to_owned(),
        lines: vec![cut_to(&names.join(", "), COLUMNS)],
        name: names.join(", "),
    });
    let widths = Widths::of(&rest);
    let examples: Vec<Option<&Example>> = rest.iter().map(|member| member.finding.example.as_ref()).collect();
    let rest = rest.iter().zip(&examples).enumerate().map(|(at, (member, example))| {
        // Consecutive findings with the same first call show it once.
        let is_shown = at > 0 && examples[at - 1] == *example;
        let call = example.filter(|_| !is_shown).map(|example| escaped(&example.call));
        row(member.finding, call, &widths)
    });
    outline.into_iter().chain(rest).collect()
}

/// The columns of a group's findings.
struct Widths {
    kind: usize,
    fact: usize,
}

impl Widths {
    /// The most columns of a fact before its first call.
    const WIDEST: usize = 22;

    /// Returns columns that hold every kind, and every fact that is not too long.
    fn of(members: &[&Member<'_>]) -> Self {
        let facts = members.iter().map(|member| escaped(&member.finding.fact.to_string()).chars().count());
        Self {
            kind: members.iter().map(|member| member.finding.rule().len()).max().unwrap_or_default(),
            fact: facts.filter(|&fact| fact <= Self::WIDEST).max().unwrap_or_default(),
        }
    }
}

/// `network::connect  connect(3, 127.0.0.1:4433) = 0`, on one line if it fits. A fact that is too
/// long for its column has a line of its own.
fn row(finding: &Finding, call: Option<String>, widths: &Widths) -> Row {
    let [kind, fact, calls, remark] = columns(finding);
    let name = escaped(&brief(&finding.fact));
    // The call shows its arguments and objects, but no reasons.
    let remark = if call.is_none() || columns::has_reason(finding) { remark } else { String::new() };
    let fits = |rest: &str| {
        fact.chars().count() <= widths.fact && widths.kind + 3 + widths.fact + 2 + rest.chars().count() <= COLUMNS
    };
    let after = match &call {
        Some(call) if remark.is_empty() && fits(call) => call.clone(),
        Some(_) => remark,
        None => [calls, remark].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("  "),
    };
    let below = call.filter(|call| *call != after).map(|call| cut_to(&call, COLUMNS - 4));
    let lines = match after.as_str() {
        "" => vec![fact],
        after if fits(after) || fact.chars().count() <= widths.fact => {
            vec![format!("{}  {after}", padded(&fact, widths.fact))]
        }
        after => vec![fact, cut_to(after, COLUMNS - 4)],
    };
    Row { kind, lines: lines.into_iter().chain(below).collect(), name }
}

/// Breaks a line at blanks. Further lines are indented.
fn wrapped(line: &str) -> Vec<String> {
    columns::wrapped(line, COLUMNS - 12)
}

/// Returns the start of a line, and `…` if there is more.
fn cut_to(line: &str, columns: usize) -> String {
    if line.chars().count() <= columns {
        return line.to_owned();
    }
    let start: String = line.chars().take(columns.saturating_sub(1)).collect();
    format!("{start}…")
}
