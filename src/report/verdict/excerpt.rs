//! The part of a file's change that fits beside findings: whole blocks, the heaviest first. Main
//! type: [`Excerpt`].
//!
//! A block holds the lines added to one system call. It must not use the verdict: its only input is
//! the text of the change.

use std::collections::BTreeMap;

use similar::{ChangeTag, TextDiff};

use crate::model::facts::fact::{Detail, Fact};
use crate::model::facts::finding::Finding;
use crate::model::judge::weight::{Reach, Weight, privilege, rank};

/// The name of a line's subsystem or syscall, and the line.
type Heading<'a> = (usize, &'a str);

/// Chosen lines of a change, and what was left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The lines with their sign.
    pub(super) lines: Vec<String>,
    /// The number of changed lines that are not among them.
    pub(super) cut: usize,
    /// The calls of these lines.
    pub(super) calls: Vec<String>,
}

/// Added lines of one call.
#[derive(Debug)]
struct Block<'a> {
    subsystem: Heading<'a>,
    syscall: Heading<'a>,
    added: Vec<(usize, &'a str)>,
}

/// Chooses blocks of a change with at most this number of lines; the heaviest one is always chosen.
pub(super) fn excerpt(before: &str, after: &str, most: usize) -> Excerpt {
    let diff = TextDiff::from_lines(before, after);
    let changes = diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal);
    let changed: Vec<_> = changes.collect();
    let lines: Vec<&str> = after.lines().collect();
    let added: Vec<usize> = changed.iter().filter_map(similar::Change::new_index).collect();
    let is_added = |line: usize| added.binary_search(&line).is_ok();
    let mut blocks = blocks(&lines, is_added);
    blocks.sort_by_cached_key(|block| block.rank(is_added));
    let mut chosen: BTreeMap<usize, (char, &str)> = BTreeMap::new();
    let mut calls = Vec::new();
    for block in &blocks {
        let mut with = chosen.clone();
        for (line, _) in [block.subsystem, block.syscall] {
            with.entry(line).or_insert((if is_added(line) { '+' } else { ' ' }, lines[line]));
        }
        with.extend(block.added.iter().map(|&(line, text)| (line, ('+', text))));
        // After one that does not fit, lighter ones are left out, too.
        if calls.is_empty() && (with.len() <= most || chosen.is_empty()) {
            chosen = with;
        } else {
            calls.push(format!("{}::{}", block.subsystem.1, block.syscall.1));
        }
    }
    let shown = chosen.values().filter(|(sign, _)| *sign == '+').count();
    let lines = chosen.values().map(|(sign, text)| format!("{sign}{text}")).collect();
    Excerpt { lines, cut: changed.len() - shown, calls }
}

/// Returns the blocks of added lines in a file's baselines, by the indentation that `emit` writes.
fn blocks<'a>(lines: &[&'a str], is_added: impl Fn(usize) -> bool) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let (mut is_inside, mut subsystem, mut syscall) = (false, None, None);
    for (at, &line) in lines.iter().enumerate() {
        let depth = line.len() - line.trim_start().len();
        let name = || line.trim_start().split(':').next().unwrap_or_default();
        match depth {
            0 => (is_inside, subsystem, syscall) = (line == "subsystems:", None, None),
            2 => (subsystem, syscall) = (is_inside.then(|| (at, name())), None),
            4 => syscall = is_inside.then(|| (at, name())),
            _ => {}
        }
        let (Some(subsystem), Some(syscall)) = (subsystem, syscall) else { continue };
        if !is_added(at) {
            continue;
        }
        match blocks.last_mut().filter(|block| block.syscall.0 == syscall.0) {
            Some(block) => block.added.push((at, line)),
            None => {
                blocks.push(Block { subsystem, syscall, added: vec![(at, line)] });
            }
        }
    }
    blocks
}

impl Block<'_> {
    /// Returns the place in the order of importance.
    fn rank(&self, is_added: impl Fn(usize) -> bool) -> (Weight, Reach, Weight) {
        let (subsystem, syscall) = (self.subsystem, self.syscall);
        let Ok(fact) = format!("{}::{}", subsystem.1, syscall.1).parse::<Fact>() else {
            return (Weight::Note, Reach::Nothing, Weight::Note);
        };
        let weight = match (is_added(subsystem.0), is_added(syscall.0)) {
            (true, _) => Weight::NewSubsystem,
            (_, true) if privilege(&fact).is_some() => Weight::Privileged,
            (_, true) => Weight::NewCall,
            (_, false) => Weight::Detail,
        };
        let details = self.added.iter().filter_map(|(_, line)| one_use(line)).collect();
        rank(weight, &Finding { details, ..Finding::new(fact, 0) })
    }
}

/// Returns the use on a line: `- O_WRONLY|O_CREAT file`. A single part counts as an argument, which
/// is enough for the rank.
fn one_use(line: &str) -> Option<Detail> {
    let mut parts = line.trim_start().strip_prefix("- ")?.splitn(2, ' ');
    let argument = parts.next().map(str::to_owned);
    Detail::of_use(argument, parts.next().map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "bin: demo\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  filesystem:\n    close:\n    read:\n      objects:\n        - file\n";
    const AFTER: &str = "bin: demo\n---\nplatform: x86_64-linux-gnu\nquiet: never\nsubsystems:\n  filesystem:\n    close:\n    mkdir:\n    read:\n      objects:\n        - dir\n        - file\n  network:\n    connect:\n      arguments:\n        - global\n    socket:\n";

    #[test]
    fn heaviest_blocks_are_whole_and_the_rest_is_named() {
        let Excerpt { lines, cut, calls } = excerpt(BEFORE, AFTER, 6);
        assert_eq!(lines, ["+  network:", "+    connect:", "+      arguments:", "+        - global", "+    socket:"]);
        assert_eq!((cut, calls), (3, vec!["filesystem::mkdir".to_owned(), "filesystem::read".to_owned()]));
    }

    #[test]
    fn known_call_is_context_of_its_new_lines() {
        let Excerpt { lines, cut, calls } = excerpt(BEFORE, AFTER, 20);
        let known = ["   filesystem:", "+    mkdir:", "     read:", "+        - dir", "+  network:"];
        assert_eq!((&lines[..5], cut, calls.len()), (&known.map(str::to_owned)[..], 1, 0));
    }

    #[test]
    fn use_that_writes_comes_before_other_calls() {
        let before = "bin: demo\n---\nsubsystems:\n  filesystem:\n    openat:\n      - O_PATH dir\n";
        let after = before.replace("    openat:\n", "    fcntl:\n    openat:\n      - O_WRONLY|O_CREAT file\n");
        let Excerpt { lines, calls, .. } = excerpt(before, &after, 3);
        assert_eq!(lines, ["   filesystem:", "     openat:", "+      - O_WRONLY|O_CREAT file"]);
        assert_eq!(calls, ["filesystem::fcntl"]);
        let reads = after.replace("O_WRONLY|O_CREAT", "O_EXCL");
        assert_eq!(excerpt(before, &reads, 3).calls, ["filesystem::openat"]);
    }

    #[test]
    fn one_block_is_shown_however_long() {
        let Excerpt { lines, calls, .. } = excerpt(BEFORE, AFTER, 0);
        assert_eq!((lines.len(), calls.len()), (4, 3));
    }
}
