//! Masks what varies between runs without an injection. Main type: [`Reference`].
//!
//! Nothing is masked because of what it looks like: addresses, process ids, times and temporary
//! names are found because they differ between such runs.

mod files;
mod line;
mod text;

use std::collections::BTreeSet;
use std::fmt;

use files::FilesPattern;
use text::TextPattern;

use crate::model::explore::run::{Content, Rest, RunResult};
use crate::model::run::workload::Exit;

/// What runs without an injection have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    exits: Vec<Option<Exit>>,
    stdout: ContentPattern,
    stderr: ContentPattern,
    files: FilesPattern,
    expected: RunResult,
    uncompared: Vec<Uncompared>,
}

/// What is not compared, because it differs between runs without an injection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uncompared {
    /// The part of the result.
    pub part: Part,
    /// Whether some of it is compared.
    pub is_partly: bool,
}

/// A part of the result of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// How the first process ended.
    End,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The file with this path.
    File(String),
    /// The names of the files in this folder.
    Names(String),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("exit status"),
            Self::Stdout => f.write_str("standard output"),
            Self::Stderr => f.write_str("standard error"),
            Self::File(path) => f.write_str(path),
            Self::Names(folder) => write!(f, "file names in {folder}"),
        }
    }
}

/// Writes `standard output varies between runs and is not compared`.
impl fmt::Display for Uncompared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, is_partly } = self;
        if *part == Part::End {
            return write!(f, "{part} varies between runs, so each of its values is expected");
        }
        let which = if *is_partly { "some of " } else { "" };
        let (varies, is) = if matches!(part, Part::Names(_)) { ("vary", "are") } else { ("varies", "is") };
        write!(f, "{which}{part} {varies} between runs and {is} not compared")
    }
}

impl Reference {
    /// Returns what these runs of a workload have in common. At least two are needed to see what
    /// varies, and a third one shows what rarely does.
    pub fn of(runs: &[&RunResult]) -> Self {
        let mut uncompared = BTreeSet::new();
        let mut exits: Vec<Option<Exit>> = Vec::new();
        for run in runs {
            if !exits.contains(&run.exit) {
                exits.push(run.exit);
            }
        }
        if exits.len() > 1 {
            uncompared.insert(Uncompared { part: Part::End, is_partly: false });
        }
        let stdout = ContentPattern::of(runs.iter().map(|run| &run.stdout));
        let stderr = ContentPattern::of(runs.iter().map(|run| &run.stderr));
        uncompared.extend(stdout.uncompared(Part::Stdout));
        uncompared.extend(stderr.uncompared(Part::Stderr));
        let files = FilesPattern::of(&runs.iter().map(|run| &run.files).collect::<Vec<_>>(), &mut uncompared);
        let expected = RunResult {
            exit: exits.first().copied().flatten(),
            stdout: stdout.shown(),
            stderr: stderr.shown(),
            files: files.shown(),
        };
        Self { exits, stdout, stderr, files, expected, uncompared: uncompared.into_iter().collect() }
    }

    /// Returns the result of a run without an injection, with masks.
    pub fn expected(&self) -> &RunResult {
        &self.expected
    }

    /// Returns the result of a run with masks where runs without an injection differ.
    ///
    /// A part of it equals that of [`Reference::expected`] if and only if nothing differs from what
    /// these runs have in common.
    pub fn masked(&self, run: &RunResult) -> RunResult {
        RunResult {
            exit: if self.exits.contains(&run.exit) { self.expected.exit } else { run.exit },
            stdout: self.stdout.masked(&run.stdout),
            stderr: self.stderr.masked(&run.stderr),
            files: self.files.masked(&run.files),
        }
    }

    /// Returns what is not compared.
    pub fn uncompared(&self) -> &[Uncompared] {
        &self.uncompared
    }

    /// Returns whether new lines on standard error cannot be recognised.
    pub fn hides_messages(&self) -> bool {
        self.stderr.text.lacks_lines()
    }

    /// Returns every end of the runs without an injection.
    pub(super) fn exits(&self) -> &[Option<Exit>] {
        &self.exits
    }
}

/// What the same output or file of several runs has in common.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ContentPattern {
    text: TextPattern,
    /// What is not kept; unless it varies.
    rest: Result<Option<Rest>, Varies>,
}

/// It differs between runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Varies;

impl Default for ContentPattern {
    fn default() -> Self {
        Self::of([])
    }
}

impl ContentPattern {
    fn of<'a>(contents: impl IntoIterator<Item = &'a Content>) -> Self {
        let contents: Vec<&Content> = contents.into_iter().collect();
        let text = TextPattern::of(&contents.iter().map(|content| &content.start[..]).collect::<Vec<_>>());
        let first = contents.first().and_then(|content| content.rest);
        let is_same = contents.iter().all(|content| content.rest == first);
        Self { text, rest: if is_same { Ok(first) } else { Err(Varies) } }
    }

    fn masked(&self, content: &Content) -> Content {
        let rest = if self.rest.is_ok() { content.rest } else { None };
        Content { start: self.text.masked(&content.start), rest }
    }

    fn shown(&self) -> Content {
        Content { start: self.text.shown(), rest: self.rest.ok().flatten() }
    }

    fn uncompared(&self, part: Part) -> Option<Uncompared> {
        let is_partly = !self.text.is_uncompared();
        (self.text.lacks_lines() || self.rest.is_err()).then_some(Uncompared { part, is_partly })
    }
}

#[cfg(test)]
mod tests;
