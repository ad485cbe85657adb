//! Verdicts as Markdown for a pull request: failures first, then the causes with one line per
//! finding, heaviest first.
//!
//! The page has a maximum size. Lines that do not fit are counted on its last line.

use std::collections::BTreeMap;
use std::io;

use super::batch::{PackageVerdicts, Ranked, SourceLine, Tally, all, causes, ranked};
use super::findings::drift;
use super::sarif::uri;
use super::{headline, next};
use crate::model::facts::example::Example;
use crate::model::facts::fact::Fact;
use crate::model::facts::finding::Suspect;
use crate::model::judge::groups::{Cause, Group};
use crate::model::judge::verdict::Status;
use crate::model::judge::weight::rank;
use crate::report::words::{counted, escaped};

/// The maximum size of a comment on GitHub.
const COMMENT: usize = 64 * 1024;

/// Space that is reserved for the line with the cut lines.
const LAST_LINE: usize = 640;

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageVerdicts]) -> io::Result<()> {
    out.write_all(page(packages, COMMENT, None).as_bytes())
}

/// Returns the page with at most `limit` bytes; empty if not even the title fits. `files` is the
/// address of the repository's files, for links to source lines.
pub(super) fn page(packages: &[PackageVerdicts], limit: usize, files: Option<&str>) -> String {
    let mut page = Page { text: String::new(), limit: limit.saturating_sub(LAST_LINE), cut: Vec::new() };
    if page.limit < LAST_LINE {
        return String::new();
    }
    page.add(None, format!("### sysguard: {}", Tally::of(packages)));
    outcomes(&mut page, packages);
    by_cause(&mut page, packages, files);
    table(&mut page, packages);
    drifts(&mut page, packages);
    suspects(&mut page, packages);
    gone(&mut page, packages);
    ignored(&mut page, packages);
    commands(&mut page, packages);
    page.end()
}

/// A text of limited size.
struct Page {
    text: String,
    limit: usize,
    /// The lines that did not fit: singular, plural, count.
    cut: Vec<(&'static str, &'static str, u64)>,
}

impl Page {
    /// Adds a line, or counts it by its kind if it does not fit. After that no further line is
    /// added, because lines are in the order of importance.
    fn add(&mut self, kind: Option<(&'static str, &'static str)>, line: String) {
        if self.cut.is_empty() && self.text.len() + line.len() < self.limit {
            self.text.push_str(&line);
            self.text.push('\n');
            return;
        }
        let Some((one, more)) = kind else { return };
        match self.cut.iter_mut().find(|(known, _, _)| *known == one) {
            Some((_, _, count)) => *count += 1,
            None => self.cut.push((one, more, 1)),
        }
    }

    fn end(mut self) -> String {
        if !self.cut.is_empty() {
            let cut: Vec<String> =
                self.cut.iter().map(|&(one, more, count)| counted(count, one, more).to_string()).collect();
            let whole = "`cargo sysguard test --format json` lists everything";
            self.text.push_str(&format!("\nTruncated, not shown: {}; {whole}.\n", cut.join(", ")));
        }
        self.text
    }
}

/// Lists failures other than findings.
fn outcomes(page: &mut Page, packages: &[PackageVerdicts]) {
    let mut gap = Some("\n");
    let failed = all(packages).filter(|(_, verdict)| verdict.status.is_failure() && verdict.status != Status::Failed);
    for (_, verdict) in failed {
        let gap = gap.take().unwrap_or_default();
        let line = format!("{gap}- {}: {}", code(&verdict.workload), code(&headline(verdict)));
        page.add(Some(("failed workload", "failed workloads")), line);
    }
}

/// Lists the findings of each known cause. A fact that several workloads show is one line.
fn by_cause(page: &mut Page, packages: &[PackageVerdicts], files: Option<&str>) {
    let ranked = ranked(packages);
    for group in causes(packages).iter().filter(|group| !matches!(group.cause, Cause::Unknown { .. })) {
        let id = group.id();
        let mut lines: Vec<&Ranked<'_>> =
            ranked.iter().filter(|line| line.group().as_deref() == Some(id.as_str())).collect();
        lines.sort_by_key(|line| rank(line.weight, line.finding));
        let Some(first) = lines.first() else { continue };
        page.add(Some(("cause", "causes")), title(packages, group, first, files));
        page.add(None, HEADER.to_owned());
        let mut known: BTreeMap<&Fact, (&Ranked<'_>, usize)> = BTreeMap::new();
        for line in &lines {
            known.entry(&line.finding.fact).or_insert((line, 0)).1 += 1;
        }
        let mut shown: Option<&Ranked<'_>> = None;
        for line in &lines {
            let Some((line, count)) = known.remove(&line.finding.fact) else { continue };
            let example = line.example().filter(|example| shown.and_then(Ranked::example) != Some(*example));
            let by = line.callee().filter(|_| line.callee() != first.callee());
            let process = first.example().map(|example| example.process.as_slice());
            page.add(Some(line.kind()), row(line, count - 1, example, by, process));
            shown = Some(line);
        }
    }
}

/// Returns the title of a cause, with a link to its source line if `files` is known.
fn title(packages: &[PackageVerdicts], group: &Group<'_>, first: &Ranked<'_>, files: Option<&str>) -> String {
    let package = all(packages).find(|(_, verdict)| std::ptr::eq(*verdict, first.verdict)).map(|(package, _)| package);
    let source = package.and_then(|package| package.source(first.finding));
    let place = match (files, source) {
        (Some(files), Some(SourceLine { path, line })) => {
            format!("[{}]({files}/{}#L{line})", code(&group.place()), uri(&path))
        }
        _ => code(&group.place()),
    };
    let new = format!("{} new{}", group.facts().len(), group.in_workloads());
    format!("\n#### {place}: {new}\n{}", origin(group, first))
}

/// Returns the process and call site of a cause, and the command that accepts it.
fn origin(group: &Group<'_>, first: &Ranked<'_>) -> String {
    let process = first.example().filter(|example| !example.process.is_empty());
    let process = process.map(|example| format!("in {}", code(&example.origin())));
    let by = group.site().map(|site| format!("by {}", code(site)));
    let accept = format!("`cargo sysguard accept {}`", group.id());
    format!("\n{}", process.into_iter().chain(by).chain([accept]).collect::<Vec<_>>().join("; "))
}

/// The head of a table of findings.
const HEADER: &str = "\n| | finding | calls | |\n|---|---|---:|---|";

/// Lists the findings without a known cause.
fn table(page: &mut Page, packages: &[PackageVerdicts]) {
    let mut lines = ranked(packages);
    lines.retain(|line| line.group().is_none());
    if lines.is_empty() {
        return;
    }
    page.add(None, HEADER.to_owned());
    let mut shown: Option<&Ranked<'_>> = None;
    for line in &lines {
        // Consecutive findings with the same first call or call site show it once.
        let by = line.site().filter(|_| shown.is_none_or(|shown| place(shown) != place(line)));
        let is_same =
            |shown: &Ranked<'_>| shown.verdict.workload == line.verdict.workload && shown.example() == line.example();
        let example = line.example().filter(|_| !shown.is_some_and(is_same));
        page.add(Some(line.kind()), row(line, 0, example, by, None));
        shown = Some(line);
    }
}

/// Returns the workload and call site of a line.
fn place<'a>(line: &Ranked<'a>) -> (&'a str, Option<&'a str>) {
    (&line.verdict.workload, line.site())
}

/// Returns the row of a finding that `others` more workloads show. The process of its first call is
/// left out if it is that of the whole table.
fn row(
    line: &Ranked<'_>,
    others: usize,
    example: Option<&Example>,
    by: Option<&str>,
    process: Option<&[String]>,
) -> String {
    // A blind spot has no calls.
    let calls = if line.finding.calls == 0 { String::new() } else { line.finding.calls.to_string() };
    let remarks = line.remarks().map(|remark| code(&remark)).chain(by.map(|site| format!("by {}", code(site))));
    let remarks: Vec<String> =
        line.reasons().map(|reason| escaped(&reason)).chain([remarks.collect::<Vec<_>>().join(" ")]).collect();
    let called = example.map(|example| {
        let is_known = example.process.is_empty() || process == Some(&example.process);
        let process = if is_known { String::new() } else { format!(" in {}", code(&example.origin())) };
        format!("{}{process}", code(&example.call))
    });
    let remarks: Vec<String> = remarks.into_iter().chain(called).filter(|remark| !remark.is_empty()).collect();
    let more = if others > 0 { format!(" and {others} more") } else { String::new() };
    let cells = [line.kind().0.to_owned(), format!("{}{more}", code(&line.key())), calls, remarks.join("; ")];
    // A bar splits a cell even inside code.
    format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// Lists what changed around workloads with new facts: possible causes.
fn drifts(page: &mut Page, packages: &[PackageVerdicts]) {
    let mut title = Some("\nChanged since the baseline was recorded:\n");
    for (_, verdict) in all(packages) {
        if let Some(drift) = drift(verdict) {
            let title = title.take().unwrap_or_default();
            let line = format!("{title}- {}: {}", code(&verdict.workload), code(&drift));
            page.add(Some(("workload with a changed machine", "workloads with a changed machine")), line);
        }
    }
}

fn suspects(page: &mut Page, packages: &[PackageVerdicts]) {
    let mut title = Some("\nSuspects, new but not in every run:\n");
    for (_, verdict) in all(packages) {
        for Suspect { finding, seen, runs } in &verdict.comparison.suspects {
            let title = title.take().unwrap_or_default();
            let line = format!("{title}- {} in {seen} of {runs} runs", code(&finding.fact.key(&verdict.workload)));
            page.add(Some(("suspect", "suspects")), line);
        }
    }
}

fn gone(page: &mut Page, packages: &[PackageVerdicts]) {
    let mut title = Some("\nIn the baseline, but not seen (`bless --prune` drops it):\n");
    for (_, verdict) in all(packages) {
        for fact in &verdict.comparison.gone {
            let title = title.take().unwrap_or_default();
            let kind = Some(("fact that was not seen", "facts that were not seen"));
            page.add(kind, format!("{title}- {}", code(&fact.key(&verdict.workload))));
        }
    }
}

fn ignored(page: &mut Page, packages: &[PackageVerdicts]) {
    let mut title = Some("\nNot run:\n");
    for (_, verdict) in all(packages) {
        if let Status::Ignored { reason } = &verdict.status {
            let title = title.take().unwrap_or_default();
            let line = format!("{title}- {}: {}", code(&verdict.workload), code(reason));
            page.add(Some(("workload that was not run", "workloads that were not run")), line);
        }
    }
}

/// Lists the next command for each workload.
fn commands(page: &mut Page, packages: &[PackageVerdicts]) {
    let mut title = Some("\nNext:\n");
    for (_, verdict) in all(packages) {
        if let Some(step) = next::first(verdict) {
            let title = title.take().unwrap_or_default();
            page.add(None, format!("{title}- {}: {}", code(&step.command), step.purpose));
        }
    }
}

/// Returns foreign text as code, so that it cannot contain links, mentions or HTML.
fn code(text: &str) -> String {
    let text = super::first_line(text);
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    if text.trim().is_empty() { String::new() } else { format!("{fence}{space}{text}{space}{fence}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::verdict::samples::{failed, many_findings, packages};

    #[test]
    fn heaviest_finding_comes_first() {
        insta::assert_snapshot!(page(&packages(), COMMENT, None), @"
        ### sysguard: 9 of 12 workloads failed, 1 ignored

        - `other::no-baseline`: `no baseline for x86_64-linux-gnu yet`
        - `other::wrong-exit`: `ended with signal SIGSEGV, expected exit status 0`
        - `other::malformed`: `` malformed expectation, expectations/net/hello.yaml:3:1: unknown key `comand` ``
        - `other::not-started`: `not started, because`
        - `other::untraceable`: `not traced, because`
        - `other::broken`: `no verdict, because`

        | | finding | calls | |
        |---|---|---:|---|
        | forbidden use | `offline::network` | 2 | `works, offline: 100%` |
        | new subsystem | `net::hello::network` | 2 |  |
        | privileged call | `debugger::process::ptrace` | 3 | reads or changes another process |
        | new blind spot | `net::hello::blind_spots::io_uring` |  |  |
        | new system call | `net::hello::network::connect` | 1 | `socket:AF_INET:SOCK_STREAM` |
        | new system call | `net::hello::network::socket` | 1 | `AF_INET` `socket:AF_INET:SOCK_STREAM` |
        | new system call | `debugger::process::getpid` | 1 |  |
        | new object | `net::hello::filesystem::close::object=dir` | 12 |  |
        | note | `net::hello::filesystem::close::error=EBADF` | 3 |  |

        In the baseline, but not seen (`bless --prune` drops it):
        - `net::hello::filesystem::readlink`
        - `gone::filesystem::readlink`

        Not run:
        - `other::ignored`: `because`

        Next:
        - `cargo sysguard review net::hello`: decide one by one
        - `cargo sysguard review debugger`: decide one by one
        - `cargo sysguard test offline`: after the workload stops doing this, or after changing `forbid:` in expectations/offline.yaml
        - `cargo sysguard bless other::no-baseline`: record the first baseline; writes expectations/other/no-baseline.yaml
        - `cargo sysguard test other::wrong-exit`: after fixing how it ends, or setting `exit:` or `cwd:` in expectations/other/wrong-exit.yaml
        - `cargo sysguard test other::malformed`: after fixing expectations/other/malformed.yaml
        - `cargo sysguard test other::not-started`: once it can be built and started
        - `cargo sysguard test other::untraceable`: where tracing is possible
        - `cargo sysguard test other::broken`: run it again
        ");
    }

    #[test]
    fn foreign_text_stays_code() {
        for (text, written) in [
            ("a|b", "`a|b`"),
            ("@team <b> [x](y)", "`@team <b> [x](y)`"),
            ("a`b", "`` a`b ``"),
            ("``", "``` `` ```"),
            ("one\ntwo", "`one`"),
            ("\u{1b}[31m", "`\\u{1b}[31m`"),
            ("", ""),
        ] {
            assert_eq!(code(text), written);
        }
    }

    #[test]
    fn bar_does_not_split_a_cell() {
        let mut packages = packages();
        packages[0].verdicts = vec![failed()];
        packages[0].verdicts[0].comparison.findings[0].forbidden = Some("a|b".to_owned());
        let text = page(&packages[..1], COMMENT, None);
        assert!(text.contains(r"`a\|b` |"), "{text}");
    }

    #[test]
    fn page_keeps_its_size_and_counts_cut_lines() {
        let packages = many_findings(5_000);
        for limit in [0, 600, 1_500, COMMENT, 1_000_000] {
            let text = page(&packages, limit, None);
            assert!(text.len() <= limit, "{} of {limit}", text.len());
            let rows = text.lines().filter(|line| line.starts_with("| new system call")).count();
            let last = text.lines().last().filter(|last| last.starts_with("Truncated")).map(str::to_owned);
            match limit {
                0 | 600 => assert_eq!(text, ""),
                1_000_000 => assert_eq!((rows, last), (5_000, None)),
                _ => {
                    let last = last.expect("it counts the cut lines");
                    let cut = 5_000 - rows;
                    let all = format!(
                        "Truncated, not shown: {cut} new system calls, 1 note; `cargo sysguard test --format json` lists everything."
                    );
                    assert_eq!(last, all);
                }
            }
        }
    }
}
