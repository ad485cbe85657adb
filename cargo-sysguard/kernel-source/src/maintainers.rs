//! MAINTAINERS: the section of a source file, by the rules of scripts/get_maintainer.pl. Main type:
//! [`Maintainers`].
//!
//! It must not know syscalls. `N:` patterns are ignored: they are regular expressions that score
//! below every `F:` pattern, and they name drivers and boards.

use std::collections::HashMap;

use crate::Result;
use crate::tree::Tree;

/// The section that matches every file.
pub const CATCH_ALL: &str = "THE REST";

/// The sections of one tree, in the order of the file.
pub(crate) struct Maintainers {
    sections: Vec<Section>,
    /// The sections with a pattern for files below a folder (`drivers/net`, `drivers`, or nothing
    /// for all), so that not every pattern is compared with every file.
    below: HashMap<String, Vec<usize>>,
}

#[derive(Default)]
struct Section {
    title: String,
    files: Vec<Pattern>,
    excluded: Vec<Pattern>,
}

/// The rank of a match. get_maintainer.pl ranks by depth and leaves ties open; here, a pattern
/// without wildcards wins a tie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    depth: usize,
    literal: bool,
}

/// An `F:` or `X:` pattern: a prefix of a path, with `*` for any text and `?` for one character.
struct Pattern(String);

impl Maintainers {
    /// Reads the sections of a tree.
    pub(crate) fn read(tree: &Tree) -> Result<Self> {
        Ok(Self::parse(&tree.read("MAINTAINERS")?, |path| tree.is_directory(path)))
    }

    /// Returns the section with the highest ranking pattern, the first one of equals, or `None` if
    /// only the catch-all matches.
    pub(crate) fn section(&self, file: &str) -> Option<&str> {
        let mut best: Option<(Rank, &str)> = None;
        let folders = (0..=FOLDERS).map(|depth| folder(file, depth).unwrap_or(file));
        let mut candidates: Vec<usize> =
            folders.filter_map(|folder| self.below.get(folder)).flatten().copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        for section in candidates.into_iter().map(|at| &self.sections[at]) {
            let Some(rank) = section.rank(file) else { continue };
            if best.is_none_or(|(highest, _)| rank > highest) {
                best = Some((rank, &section.title));
            }
        }
        best.map(|(_, title)| title)
    }

    /// Returns whether a section has this title.
    pub(crate) fn has_section(&self, title: &str) -> bool {
        self.sections.iter().any(|section| section.title == title)
    }

    pub(crate) fn parse(text: &str, is_directory: impl Fn(&str) -> bool) -> Self {
        let mut sections = Vec::<Section>::new();
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let Some((letter, value)) = field(line) else {
                // A title may contain a tab: `HPET:<tab>High Precision Event Timers driver`.
                let title = line.split_whitespace().collect::<Vec<_>>().join(" ");
                sections.push(Section { title, ..Section::default() });
                continue;
            };
            let Some(section) = sections.last_mut() else { continue };
            let pattern = || Pattern::new(value, &is_directory);
            match letter {
                'F' => section.files.push(pattern()),
                'X' => section.excluded.push(pattern()),
                _ => {}
            }
        }
        let mut below = HashMap::<String, Vec<usize>>::new();
        for (at, section) in sections.iter().enumerate().filter(|(_, section)| section.title != CATCH_ALL) {
            for pattern in &section.files {
                below.entry(pattern.folder().to_owned()).or_default().push(at);
            }
        }
        Self { sections, below }
    }
}

/// How many folders of a pattern select the files that are compared with it.
const FOLDERS: usize = 2;

/// Returns the first folders of a path: `drivers/net` of `drivers/net/tun.c`. `None` if it has
/// fewer.
fn folder(path: &str, depth: usize) -> Option<&str> {
    match depth.checked_sub(1) {
        None => Some(""),
        Some(last) => path.match_indices('/').nth(last).map(|(end, _)| &path[..end]),
    }
}

impl Section {
    /// Returns the rank of the best match, or `None` if an `X:` pattern excludes the file.
    fn rank(&self, file: &str) -> Option<Rank> {
        if self.excluded.iter().any(|pattern| pattern.matches(file)) {
            return None;
        }
        self.files.iter().filter(|pattern| pattern.matches(file)).map(Pattern::rank).max()
    }
}

impl Pattern {
    /// Returns the pattern. A directory covers everything below it, with or without a final slash.
    fn new(value: &str, is_directory: impl Fn(&str) -> bool) -> Self {
        let slash = if !value.ends_with('/') && is_directory(value) { "/" } else { "" };
        Self(format!("{value}{slash}"))
    }

    /// Returns the folders before the first wildcard, at most [`FOLDERS`]: every file that matches
    /// is below them.
    fn folder(&self) -> &str {
        let literal = self.0.split(['*', '?']).next().unwrap_or_default();
        (0..=FOLDERS).rev().find_map(|depth| folder(literal, depth)).unwrap_or_default()
    }

    /// Returns whether the pattern matches. Without a final slash, it matches only paths with as
    /// many slashes.
    fn matches(&self, file: &str) -> bool {
        begins(self.0.as_bytes(), file.as_bytes()) && (self.0.ends_with('/') || slashes(&self.0) == slashes(file))
    }

    fn rank(&self) -> Rank {
        let depth = slashes(&self.0) + usize::from(!self.0.ends_with('/'));
        Rank { depth: if self.0.starts_with('*') { 0 } else { depth }, literal: !self.0.contains(['*', '?']) }
    }
}

/// Returns whether the pattern matches the beginning of the text.
fn begins(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], _) => true,
        ([b'*', pattern @ ..], _) => (0..=text.len()).any(|skipped| begins(pattern, &text[skipped..])),
        ([b'?', pattern @ ..], [_, text @ ..]) => begins(pattern, text),
        ([wanted, pattern @ ..], [found, text @ ..]) => wanted == found && begins(pattern, text),
        (_, []) => false,
    }
}

fn slashes(path: &str) -> usize {
    path.bytes().filter(|&byte| byte == b'/').count()
}

/// `F: kernel/fork.c` → `('F', "kernel/fork.c")`
fn field(line: &str) -> Option<(char, &str)> {
    let letter = line.chars().next().filter(char::is_ascii_uppercase)?;
    Some((letter, line[1..].strip_prefix(':')?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
List of maintainers

VFS
M:	One <one@example.org>
F:	fs/*
X:	fs/ioctl.c

AIO
F:	fs/aio.c

HPET:	Timers
F:	drivers/char/hpet.c
F:	kernel/time

CORE
F:	kernel/sys*

THE REST
F:	*
F:	*/
";

    #[test]
    fn deepest_literal_pattern_wins_unless_excluded() {
        let maintainers = Maintainers::parse(TEXT, |path| path == "kernel/time");
        for (file, section) in [
            ("fs/open.c", Some("VFS")),
            ("fs/aio.c", Some("AIO")),
            ("fs/ioctl.c", None),
            ("fs/ext4/inode.c", None),
            ("drivers/char/hpet.c", Some("HPET: Timers")),
            ("kernel/time/hrtimer.c", Some("HPET: Timers")),
            ("kernel/sys_ni.c", Some("CORE")),
            ("kernel/sys/deep.c", None),
            ("kernel/fork.c", None),
        ] {
            assert_eq!(maintainers.section(file), section, "{file}");
        }
        assert!(maintainers.has_section("AIO") && !maintainers.has_section("NONE"));
    }
}
