//! What others see that an injected error changes: the end, the output and the files of a run. Main
//! function: [`differences`].
//!
//! Both results must have been normalised: what varies between runs is masked.

use std::collections::BTreeSet;

use similar::{ChangeTag, TextDiff};

use super::stable::message;
use crate::model::explore::run::{Content, LeftFile, LeftKind, RunResult};
use crate::model::facts::error_path::RunOutcome;
use crate::model::run::workload::Exit;

/// The parts of a result that are no file.
const END: &str = "end";
const STDERR: &str = "standard error";

/// The number of lines that are kept of each difference.
const LINES: usize = 8;

/// The most bytes of a text that is compared line by line.
const COMPARED: usize = 256 << 10;

/// One part of a result that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs: `end`, `standard output`, `standard error`, or the path of a file.
    pub part: String,
    /// Lines that begin with `-` (without the injection) or `+` (with it).
    pub lines: Vec<String>,
    /// The number of further lines.
    pub cut: usize,
    /// Whether runs with the same injection have other lines here; then none is kept.
    pub varies: bool,
}

/// Returns the parts that differ in both of two runs with the same injection.
pub fn in_both(first: &[Difference], again: &[Difference]) -> Vec<Difference> {
    let both = first.iter().filter_map(|one| {
        let other = again.iter().find(|other| other.part == one.part)?;
        let is_same = one == other;
        Some(if is_same { one.clone() } else { Difference { lines: Vec::new(), cut: 0, varies: true, ..one.clone() } })
    });
    both.collect()
}

/// Returns how a run with an injection differs from one without, as far as it explains the outcome:
/// what a run that did not end normally has left undone says little.
pub fn differences(without: &RunResult, with: &RunResult, outcome: RunOutcome) -> Vec<Difference> {
    let mut all = all_differences(without, with, LINES);
    if outcome != RunOutcome::Silent {
        all.retain(|difference| [END, STDERR].contains(&difference.part.as_str()));
    }
    all
}

/// Returns the same with more lines of each part.
pub fn all_differences(without: &RunResult, with: &RunResult, lines: usize) -> Vec<Difference> {
    let end = |exit: Option<Exit>| exit.map_or_else(|| "killed".to_owned(), |exit| exit.to_string());
    let ends = [end(without.exit), end(with.exit)];
    let ends = (ends[0] != ends[1]).then(|| replaced(END, &ends[0], &ends[1]));
    let streams = [("standard output", &without.stdout, &with.stdout), (STDERR, &without.stderr, &with.stderr)];
    let streams = streams.into_iter().filter(|(_, old, new)| old != new);
    let streams = streams.map(|(part, old, new)| of_content(part, old, new, lines));
    let paths: BTreeSet<&String> = without.files.keys().chain(with.files.keys()).collect();
    let files =
        paths.into_iter().filter_map(|path| of_file(path, without.files.get(path), with.files.get(path), lines));
    ends.into_iter().chain(streams).chain(files).collect()
}

fn replaced(part: &str, old: &str, new: &str) -> Difference {
    Difference { part: part.to_owned(), lines: vec![format!("-{old}"), format!("+{new}")], cut: 0, varies: false }
}

fn of_file(path: &str, old: Option<&LeftFile>, new: Option<&LeftFile>, lines: usize) -> Option<Difference> {
    if old == new {
        return None;
    }
    if let (Some(LeftFile { kind: LeftKind::Regular(one), .. }), Some(LeftFile { kind: LeftKind::Regular(other), .. })) =
        (old, new)
        && one != other
    {
        return Some(of_content(path, one, other, lines));
    }
    let shown = |file: Option<&LeftFile>| file.map_or_else(|| "missing".to_owned(), described);
    Some(replaced(path, &shown(old), &shown(new)))
}

/// `file of 12 bytes, mode 644`
fn described(file: &LeftFile) -> String {
    let what = match &file.kind {
        LeftKind::Regular(content) => format!("file of {} bytes", content.length()),
        LeftKind::Folder => "directory".to_owned(),
        LeftKind::Link(target) => return format!("symbolic link to {target}"),
        LeftKind::Special => "socket, FIFO or device".to_owned(),
        LeftKind::Unreadable => "file that cannot be read".to_owned(),
    };
    format!("{what}, mode {:o}", file.mode)
}

/// Compares texts line by line, and other content by its size.
fn of_content(part: &str, old: &Content, new: &Content, lines: usize) -> Difference {
    let (Some(before), Some(after)) = (text(old), text(new)) else {
        let sized = |content: &Content| format!("{} bytes", content.length());
        let (before, after) = (sized(old), sized(new));
        let after = if before == after { format!("{after} with other content") } else { after };
        return replaced(part, &before, &after);
    };
    let diff = TextDiff::from_lines(before, after);
    let changed = diff.iter_all_changes().filter_map(|change| {
        let sign = match change.tag() {
            ChangeTag::Equal => return None,
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        let end = if change.missing_newline() { " (no newline at the end)" } else { "" };
        Some(format!("{sign}{}{end}", message(change.value().trim_end_matches('\n'))))
    });
    let changed: Vec<String> = changed.collect();
    let shown = first_of_both(&changed, lines);
    let cut = changed.len() - shown.len();
    Difference { part: part.to_owned(), lines: shown, cut, varies: false }
}

/// Returns at most this many lines: the first ones of each side, in their order.
fn first_of_both(changed: &[String], most: usize) -> Vec<String> {
    let removed = changed.iter().filter(|line| line.starts_with('-')).count();
    let added = changed.len() - removed;
    let half = most / 2;
    let of_removed = removed.min(half.max(most.saturating_sub(added)));
    let mut left = [of_removed, most - of_removed];
    let is_shown = |line: &&String| {
        let side = &mut left[usize::from(!line.starts_with('-'))];
        let is_shown = *side > 0;
        *side = side.saturating_sub(1);
        is_shown
    };
    changed.iter().filter(is_shown).cloned().collect()
}

/// Returns content that is compared line by line.
fn text(content: &Content) -> Option<&str> {
    let is_short = content.rest.is_none() && content.start.len() <= COMPARED;
    let text = std::str::from_utf8(&content.start).ok().filter(|_| is_short)?;
    (!text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(mode: u32, kind: LeftKind) -> LeftFile {
        LeftFile { mode, kind }
    }

    fn result(status: i32, stdout: &str, files: &[(&str, LeftFile)]) -> RunResult {
        RunResult {
            exit: Some(Exit::Exited(status)),
            stdout: stdout.into(),
            stderr: Content::default(),
            files: files.iter().map(|(path, file)| ((*path).to_owned(), file.clone())).collect(),
        }
    }

    fn shown(without: &RunResult, with: &RunResult) -> Vec<String> {
        let show = |it: Difference| format!("{}: {} (+{})", it.part, it.lines.join(" "), it.cut);
        all_differences(without, with, LINES).into_iter().map(show).collect()
    }

    #[test]
    fn each_part_is_compared() {
        let regular = |text: &str| file(0o644, LeftKind::Regular(text.into()));
        let before = result(0, "one\ntwo\n", &[("$PWD/a", regular("x\n")), ("$PWD/gone", regular(""))]);
        let with = result(
            101,
            "one\nthree",
            &[("$PWD/a", regular("y\n")), ("$PWD/link", file(0, LeftKind::Link("b".to_owned())))],
        );
        assert_eq!(shown(&before, &before), [""; 0]);
        assert_eq!(
            shown(&before, &with),
            [
                "end: -exit status 0 +exit status 101 (+0)",
                "standard output: -two +three (no newline at the end) (+0)",
                "$PWD/a: -x +y (+0)",
                "$PWD/gone: -file of 0 bytes, mode 644 +missing (+0)",
                "$PWD/link: -missing +symbolic link to b (+0)",
            ]
        );
        let executable = [("$PWD/a", file(0o755, LeftKind::Regular("x\n".into())))];
        assert_eq!(
            shown(&result(0, "", &[("$PWD/a", regular("x\n"))]), &result(0, "", &executable)),
            ["$PWD/a: -file of 2 bytes, mode 644 +file of 2 bytes, mode 755 (+0)"]
        );
    }

    #[test]
    fn lines_that_vary_are_not_kept() {
        let of = |stdout: &str, status| {
            differences(&result(0, "one\ntwo\n", &[]), &result(status, stdout, &[]), RunOutcome::Silent)
        };
        assert_eq!(in_both(&of("one\n", 0), &of("one\n", 0)), of("one\n", 0));
        let shown = |both: Vec<Difference>| -> Vec<(String, usize, bool)> {
            both.into_iter().map(|it| (it.part, it.lines.len(), it.varies)).collect()
        };
        assert_eq!(shown(in_both(&of("one\n", 0), &of("two\n", 0))), [("standard output".to_owned(), 0, true)]);
        assert_eq!(shown(in_both(&of("one\n", 1), &of("one\n", 0))), [("standard output".to_owned(), 1, false)]);
        assert_eq!(in_both(&of("one\ntwo\n", 0), &of("one\n", 0)), []);
    }

    #[test]
    fn bytes_and_long_text_are_compared_by_size() {
        let of = |bytes: &[u8]| RunResult { stdout: bytes.into(), ..RunResult::default() };
        assert_eq!(shown(&of(b"a\0"), &of(b"b\0")), ["standard output: -2 bytes +2 bytes with other content (+0)"]);
        assert_eq!(shown(&of(b""), &of(b"\xff")), ["standard output: -0 bytes +1 bytes (+0)"]);
        let long = "a\n".repeat(COMPARED);
        assert_eq!(
            shown(&of(b""), &of(long.as_bytes())),
            [format!("standard output: -0 bytes +{} bytes (+0)", 2 * COMPARED)]
        );
    }

    #[test]
    fn killed_run_and_cut_lines_are_said() {
        let without = result(0, "", &[]);
        let lines: String = (0..20).map(|line| format!("{line}\n")).collect();
        let with = RunResult { exit: None, ..result(0, &lines, &[]) };
        let all = differences(&without, &with, RunOutcome::Silent);
        assert_eq!(all[0].lines, ["-exit status 0", "+killed"]);
        assert_eq!((all[1].lines.len(), all[1].cut), (LINES, 12));
        let changed = |removed: usize, added: usize| {
            let before: String = (0..removed).map(|line| format!("{line}\n")).collect();
            let after: String = (0..added).map(|line| format!("x{line}\n")).collect();
            let all = all_differences(&result(0, &before, &[]), &result(0, &after, &[]), LINES);
            let count = |sign: char| all[0].lines.iter().filter(|line| line.starts_with(sign)).count();
            (count('-'), count('+'), all[0].cut)
        };
        assert_eq!(changed(20, 20), (4, 4, 32));
        assert_eq!(changed(20, 1), (7, 1, 13));
        assert_eq!(changed(1, 20), (1, 7, 13));
        assert_eq!(changed(2, 2), (2, 2, 0));
        let parts = |outcome| differences(&without, &with, outcome).len();
        assert_eq!([RunOutcome::Silent, RunOutcome::Panic].map(parts), [2, 1]);
    }
}
