//! Verdicts as a page for a pull request: what failed, then one line a finding, heaviest first.
//!
//! The page has a size; what does not fit is counted on its last line.

use std::io;

use super::batch::{PackageVerdicts, Ranked, Tally, all, ranked};
use super::findings::drift;
use super::{headline, next};
use crate::model::facts::finding::Suspect;
use crate::model::judge::verdict::Status;
use crate::report::words::{counted, escaped};

/// What a comment on GitHub may hold.
const COMMENT: usize = 64 * 1024;

/// Kept free for the line that tells what was cut.
const LAST_LINE: usize = 640;

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageVerdicts]) -> io::Result<()> {
    out.write_all(page(packages, COMMENT).as_bytes())
}

/// All of it as far as it fits into `room` bytes; nothing where nothing does.
pub(super) fn page(packages: &[PackageVerdicts], room: usize) -> String {
    let mut page = Page { text: String::new(), room: room.saturating_sub(LAST_LINE), cut: Vec::new() };
    if page.room < LAST_LINE {
        return String::new();
    }
    page.add(None, format!("### sysguard: {}", Tally::of(packages)));
    outcomes(&mut page, packages);
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
    room: usize,
    /// What did not fit: one, many, how many.
    cut: Vec<(&'static str, &'static str, u64)>,
}

impl Page {
    /// Adds a line, counted as one of a kind where it does not fit. Once one did not fit, no
    /// further one does: the order is by weight.
    fn add(&mut self, kind: Option<(&'static str, &'static str)>, line: String) {
        if self.cut.is_empty() && self.text.len() + line.len() < self.room {
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
            let whole = "`cargo sysguard test --format json` tells all";
            self.text.push_str(&format!("\nCut here for its size: {}; {whole}.\n", cut.join(", ")));
        }
        self.text
    }
}

/// What failed other than by findings.
fn outcomes(page: &mut Page, packages: &[PackageVerdicts]) {
    let mut gap = Some("\n");
    let failed = all(packages).filter(|(_, verdict)| verdict.status.is_failure() && verdict.status != Status::Failed);
    for (_, verdict) in failed {
        let gap = gap.take().unwrap_or_default();
        let line = format!("{gap}- {}: {}", code(&verdict.workload), code(&headline(verdict)));
        page.add(Some(("failed workload", "failed workloads")), line);
    }
}

fn table(page: &mut Page, packages: &[PackageVerdicts]) {
    let lines = ranked(packages);
    if lines.is_empty() {
        return;
    }
    page.add(None, "\n| | finding | calls | |\n|---|---|---:|---|".to_owned());
    let mut told = None;
    for line in &lines {
        // Once for all that one place brought.
        let by = line.site().filter(|_| told != Some(place(line)));
        page.add(Some(line.kind()), row(line, by));
        told = Some(place(line));
    }
}

/// Of which workload it is, and who made the call.
fn place<'a>(line: &Ranked<'a>) -> (&'a str, Option<&'a str>) {
    (&line.verdict.workload, line.site())
}

fn row(line: &Ranked<'_>, by: Option<&str>) -> String {
    // A blind spot is no call.
    let calls = if line.finding.calls == 0 { String::new() } else { line.finding.calls.to_string() };
    let remarks = line.remarks().map(code).chain(by.map(|site| format!("by {}", code(site))));
    let remarks: Vec<String> =
        line.reasons().map(|reason| escaped(&reason)).chain([remarks.collect::<Vec<_>>().join(" ")]).collect();
    let remarks: Vec<String> = remarks.into_iter().filter(|remark| !remark.is_empty()).collect();
    let cells = [line.kind().0.to_owned(), code(&line.key()), calls, remarks.join("; ")];
    // In a table, even code is split at a bar.
    format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// What may be the cause of what is new.
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

/// What to type next: a line a workload.
fn commands(page: &mut Page, packages: &[PackageVerdicts]) {
    let mut title = Some("\nNext:\n");
    for (_, verdict) in all(packages) {
        if let Some(step) = next::first(verdict) {
            let title = title.take().unwrap_or_default();
            page.add(None, format!("{title}- {}: {}", code(&step.command), step.purpose));
        }
    }
}

/// Foreign text as code: nothing in it is a link, a mention or HTML.
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
    fn the_heaviest_comes_first() {
        insta::assert_snapshot!(page(&packages(), COMMENT), @r"
        ### sysguard: 9 of 12 workloads failed, 1 ignored

        - `other::no-baseline`: `no baseline for x86_64-linux-gnu yet`
        - `other::wrong-exit`: `ended with signal SIGSEGV, expected exit status 0`
        - `other::malformed`: `` malformed expectation, expectations/net/hello.yaml:3:1: unknown key `comand` ``
        - `other::not-started`: `not started, because`
        - `other::untraceable`: `not traced, because`
        - `other::broken`: `not judged, because`

        | | finding | calls | |
        |---|---|---:|---|
        | forbidden use | `offline::network` | 2 | `works, offline: 100%` |
        | new subsystem | `net::hello::network` | 2 |  |
        | new blind spot | `net::hello::blind_spots::io_uring` |  |  |
        | privileged call | `debugger::process::ptrace` | 3 | reads or changes another process |
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
        - `cargo sysguard review net::hello`: decide on it, one by one
        - `cargo sysguard review debugger`: decide on it, one by one
        - `cargo sysguard test offline`: once the workload no longer does it, or `forbid:` in expectations/offline.yaml allows it
        - `cargo sysguard bless other::no-baseline`: record the first baseline; writes expectations/other/no-baseline.yaml
        - `cargo sysguard test other::wrong-exit`: once it ends well, or `exit:` in expectations/other/wrong-exit.yaml says how it ends
        - `cargo sysguard test other::malformed`: once expectations/other/malformed.yaml is mended
        - `cargo sysguard test other::not-started`: once it can be built and started
        - `cargo sysguard test other::untraceable`: where tracing is possible
        - `cargo sysguard test other::broken`: run it again
        ");
    }

    #[test]
    fn foreign_text_is_code_and_nothing_else() {
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
    fn a_bar_splits_no_cell() {
        let mut packages = packages();
        packages[0].verdicts = vec![failed()];
        packages[0].verdicts[0].comparison.findings[0].forbidden = Some("a|b".to_owned());
        let text = page(&packages[..1], COMMENT);
        assert!(text.contains(r"`a\|b` |"), "{text}");
    }

    #[test]
    fn a_page_keeps_its_size_and_counts_what_it_leaves_out() {
        let packages = many_findings(5_000);
        for room in [0, 600, 1_500, COMMENT, 1_000_000] {
            let text = page(&packages, room);
            assert!(text.len() <= room, "{} of {room}", text.len());
            let rows = text.lines().filter(|line| line.starts_with("| new system call")).count();
            let told = text.lines().last().filter(|last| last.starts_with("Cut here")).map(str::to_owned);
            match room {
                0 | 600 => assert_eq!(text, ""),
                1_000_000 => assert_eq!((rows, told), (5_000, None)),
                _ => {
                    let last = told.expect("it tells what is cut");
                    let cut = 5_000 - rows;
                    let all = format!(
                        "Cut here for its size: {cut} new system calls, 1 note; `cargo sysguard test --format json` tells all."
                    );
                    assert_eq!(last, all);
                }
            }
        }
    }
}
