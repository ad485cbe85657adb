//! Findings and other differences as text: in numbers, and line by line.

use std::io;

use super::columns::{columns, wrapped};
use super::grouped::{self, ShownGroups};
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::Suspect;
use crate::model::facts::finding::{Comparison, Finding, FindingKind, RelatedSyscall};
use crate::model::facts::fingerprint::FingerprintChange;
use crate::model::judge::verdict::{Status, Verdict};
use crate::model::judge::weight::Weight;
use crate::report::Palette;
use crate::report::style::Painted;
use crate::report::words::{counted, escaped, len, padded};

/// The number of findings that are shown.
const FINDINGS: usize = 40;

/// The number of keys that are shown on one line.
const KEYS: usize = 5;

/// `1 new subsystem, 2 new system calls`
pub(super) fn counts_by_kind(findings: &[Finding]) -> String {
    let forbidden = findings.iter().filter(|finding| finding.forbidden.is_some()).count() as u64;
    let forbidden = (forbidden > 0).then(|| counted(forbidden, "forbidden use", "forbidden uses").to_string());
    let kinds = FindingKind::ALL.into_iter().filter_map(|kind| {
        let of_kind = findings.iter().filter(|finding| finding.kind == kind && finding.forbidden.is_none());
        let count = of_kind.count() as u64;
        let (one, more) = words(kind);
        (count > 0).then(|| counted(count, one, more).to_string())
    });
    let numbers: Vec<String> = forbidden.into_iter().chain(kinds).collect();
    if numbers.is_empty() { "nothing new".to_owned() } else { numbers.join(", ") }
}

pub(super) fn words(kind: FindingKind) -> (&'static str, &'static str) {
    match kind {
        FindingKind::NewSubsystem => ("new subsystem", "new subsystems"),
        FindingKind::NewSignal => ("new signal", "new signals"),
        FindingKind::NewBlindSpot => ("new blind spot", "new blind spots"),
        FindingKind::NewAbi => ("new ABI", "new ABIs"),
        FindingKind::NewSyscall => ("new system call", "new system calls"),
        FindingKind::NewArgument => ("new argument", "new arguments"),
        FindingKind::NewObject => ("new object", "new objects"),
        FindingKind::NewUse => ("new use", "new uses"),
        FindingKind::NewError => ("new error", "new errors"),
    }
}

/// Returns what changed around a workload since its baseline was recorded, if something is new.
pub(super) fn drift(verdict: &Verdict) -> Option<String> {
    let parts: Vec<String> = verdict.comparison.drift.iter().map(FingerprintChange::to_string).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Writes the findings by cause. For a first baseline only an outline is written: the diff shows
/// the rest.
pub(super) fn write_findings(
    out: &mut dyn io::Write,
    verdict: &Verdict,
    shown: &mut ShownGroups,
    palette: &Palette,
) -> io::Result<()> {
    let is_first = matches!(verdict.status, Status::NoBaseline { .. });
    let all = &verdict.comparison.findings;
    let mut listed: Vec<&Finding> = if is_first {
        all.iter().filter(|finding| is_outline(finding)).collect()
    } else {
        grouped::write(out, verdict, shown, palette)?
    };
    listed.sort_by_key(|finding| Weight::of(finding));
    if listed.is_empty() {
        return Ok(());
    }
    let (shown, cut) = listed.split_at(listed.len().min(FINDINGS));
    writeln!(out)?;
    write_lines(out, shown, palette)?;
    if !cut.is_empty() {
        let rest = counted(len(cut), "more finding", "more findings");
        writeln!(out, "  {}", Painted(palette.hint, format_args!("… {rest}")))?;
    }
    if is_first {
        writeln!(out, "  {}", Painted(palette.hint, format_args!("total: {}", counts_by_kind(all))))?;
    }
    Ok(())
}

fn is_outline(finding: &Finding) -> bool {
    let outermost = [FindingKind::NewSubsystem, FindingKind::NewSignal, FindingKind::NewBlindSpot, FindingKind::NewAbi];
    outermost.contains(&finding.kind) || finding.forbidden.is_some()
}

/// `new-syscall network::socket  1 call  AF_INET socket:AF_INET:SOCK_STREAM`, in columns.
fn write_lines(out: &mut dyn io::Write, findings: &[&Finding], palette: &Palette) -> io::Result<()> {
    let lines: Vec<[String; 4]> = findings.iter().map(|finding| columns(finding)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let (kind_width, fact_width, calls_width) = (width(0), width(1), width(2));
    for (at, ([kind, fact, calls, remark], finding)) in lines.iter().zip(findings).enumerate() {
        let rest = format!("{}  {calls:<calls_width$}  {remark}", padded(fact, fact_width));
        writeln!(out, "  {} {}", Painted(palette.error, format_args!("{kind:<kind_width$}")), rest.trim_end())?;
        for line in origin(finding, findings.get(at + 1).copied()) {
            for line in wrapped(&escaped(&line), COLUMNS) {
                writeln!(out, "    {}", Painted(palette.hint, line))?;
            }
        }
    }
    Ok(())
}

/// Returns the first call of a finding, its process and its call site. Consecutive findings show
/// what they share once.
fn origin(finding: &Finding, next: Option<&Finding>) -> impl Iterator<Item = String> {
    let (example, of_next) = (finding.example.as_ref(), next.and_then(|next| next.example.as_ref()));
    let call = example.filter(|example| of_next != Some(*example)).map(|example| example.call.clone());
    let process = example.filter(|example| !example.process.is_empty());
    let process = process.filter(|example| of_next.is_none_or(|next| next.process != example.process));
    let site = finding.site.as_ref().filter(|site| next.and_then(|next| next.site.as_ref()) != Some(*site));
    let process = process.map(|example| format!("in: {}", example.origin()));
    call.into_iter().chain(process).chain(site.map(|site| format!("by {}", site.words)))
}

/// The most columns of a line below a finding.
const COLUMNS: usize = 76;

/// Writes one line per fact that not every run showed, with its count.
pub(super) fn write_suspects(out: &mut dyn io::Write, verdict: &Verdict, palette: &Palette) -> io::Result<()> {
    let suspects = &verdict.comparison.suspects;
    if suspects.is_empty() {
        return Ok(());
    }
    let words = "new, but not in every run, so it does not fail:";
    writeln!(out, "\n{} {words}", Painted(palette.hint, "suspect:"))?;
    for Suspect { finding, seen, runs } in suspects {
        let [kind, fact, calls, remark] = columns(finding);
        let line = format!("{kind} {fact}  in {seen} of {runs} runs  {calls}  {remark}");
        writeln!(out, "  {}", line.trim_end())?;
    }
    Ok(())
}

/// Writes what changed around the workload, if something is new.
pub(super) fn write_drift(out: &mut dyn io::Write, verdict: &Verdict, palette: &Palette) -> io::Result<()> {
    let Some(drift) = drift(verdict) else { return Ok(()) };
    writeln!(out, "\n{} since the baseline was recorded: {}", Painted(palette.hint, "drift:"), escaped(&drift))
}

/// Writes one line each for the notes and for the removed facts. They do not fail a test.
pub(super) fn write_keys(out: &mut dyn io::Write, verdict: &Verdict, palette: &Palette) -> io::Result<()> {
    let Comparison { notes, gone, .. } = &verdict.comparison;
    if !notes.is_empty() || !gone.is_empty() {
        writeln!(out)?;
    }
    let (related, deep): (Vec<&Finding>, Vec<&Finding>) = notes.iter().partition(|note| note.related.is_some());
    if !related.is_empty() {
        let keys = some_of(related.iter().map(|note| with_family(note)));
        writeln!(out, "{} new, but of a known family: {keys}", Painted(palette.hint, "note:"))?;
    }
    if !deep.is_empty() {
        let keys = some_of(deep.iter().map(|note| note.fact.to_string()));
        writeln!(out, "{} new, but below the level that fails: {keys}", Painted(palette.hint, "note:"))?;
    }
    if !gone.is_empty() {
        let keys = some_of(gone.iter().map(Fact::to_string));
        writeln!(out, "{} in the baseline, but not seen: {keys}", Painted(palette.gone, "gone:"))?;
    }
    Ok(())
}

/// `filesystem::openat2 beside openat (family open)`
fn with_family(note: &Finding) -> String {
    let related =
        note.related.iter().map(|RelatedSyscall { family, beside }| format!(" beside {beside} (family {family})"));
    let cause = note.cause.iter().map(|cause| format!(", {cause}"));
    std::iter::once(note.fact.to_string()).chain(related).chain(cause).collect()
}

/// Returns the first few facts and the number of the others.
fn some_of(facts: impl ExactSizeIterator<Item = String>) -> String {
    let more = facts.len().saturating_sub(KEYS);
    let shown: Vec<String> = facts.take(KEYS).collect();
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{rest}", escaped(&shown.join(", ")))
}
