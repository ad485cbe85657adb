//! What the files that several runs left have in common. Main type: [`FilesPattern`].

use std::collections::{BTreeMap, BTreeSet};

use super::line::LinePattern;
use super::{ContentPattern, Part, Uncompared};
use crate::model::explore::run::{LeftFile, LeftKind};

/// The files of a run, by path.
type Files = BTreeMap<String, LeftFile>;

/// What the files of several runs have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FilesPattern {
    /// The files that have the same name in each run.
    named: BTreeMap<String, FilePattern>,
    /// The files that have another name in each run: its pattern, and that of the file.
    unnamed: Vec<(LinePattern, FilePattern)>,
    /// The folders in which the number of files differs.
    folders: BTreeSet<String>,
}

/// What the same file of several runs has in common.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FilePattern {
    /// The mode, unless it differs.
    mode: Option<u32>,
    kind: KindPattern,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum KindPattern {
    Same(LeftKind),
    Regular(ContentPattern),
    Link(LinePattern),
    Different,
}

impl FilePattern {
    fn of(files: &[&LeftFile]) -> Option<Self> {
        let first = files.first()?;
        let mode = files.iter().all(|file| file.mode == first.mode).then_some(first.mode);
        if files.iter().all(|file| file.kind == first.kind) {
            return Some(Self { mode, kind: KindPattern::Same(first.kind.clone()) });
        }
        let contents: Option<Vec<_>> = files
            .iter()
            .map(|file| if let LeftKind::Regular(content) = &file.kind { Some(content) } else { None })
            .collect();
        if let Some(contents) = contents {
            return Some(Self { mode, kind: KindPattern::Regular(ContentPattern::of(contents)) });
        }
        let targets: Option<Vec<_>> = files
            .iter()
            .map(|file| if let LeftKind::Link(target) = &file.kind { Some(target.as_bytes()) } else { None })
            .collect();
        let link = |targets: Vec<&[u8]>| KindPattern::Link(LinePattern::of(&targets));
        Some(Self { mode, kind: targets.map_or(KindPattern::Different, link) })
    }

    fn shown(&self) -> LeftFile {
        let kind = match &self.kind {
            KindPattern::Same(kind) => kind.clone(),
            KindPattern::Regular(content) => LeftKind::Regular(content.shown()),
            KindPattern::Link(target) => LeftKind::Link(text(target)),
            KindPattern::Different => LeftKind::Special,
        };
        LeftFile { mode: self.mode.unwrap_or_default(), kind }
    }

    fn masked(&self, file: &LeftFile) -> LeftFile {
        let kind = match (&self.kind, &file.kind) {
            (KindPattern::Regular(pattern), LeftKind::Regular(content)) => LeftKind::Regular(pattern.masked(content)),
            (KindPattern::Link(pattern), LeftKind::Link(target)) if pattern.matches(target.as_bytes()) => {
                LeftKind::Link(text(pattern))
            }
            (KindPattern::Different, _) => LeftKind::Special,
            (_, kind) => kind.clone(),
        };
        LeftFile { mode: if self.mode.is_some() { file.mode } else { 0 }, kind }
    }

    fn uncompared(&self, path: &str) -> Option<Uncompared> {
        let part = Part::File(path.to_owned());
        match &self.kind {
            KindPattern::Regular(content) => content.uncompared(part),
            KindPattern::Different => Some(Uncompared { part, is_partly: false }),
            KindPattern::Same(_) | KindPattern::Link(_) => None,
        }
    }
}

fn text(pattern: &LinePattern) -> String {
    String::from_utf8_lossy(&pattern.shown()).into_owned()
}

impl FilesPattern {
    /// Returns what the files of several runs have in common. Adds what is not compared.
    pub(super) fn of(runs: &[&Files], uncompared: &mut BTreeSet<Uncompared>) -> Self {
        let Some((first, others)) = runs.split_first() else { return Self::default() };
        let is_in_each = |path: &&String| others.iter().all(|other| other.contains_key(*path));
        let names: BTreeSet<&String> = first.keys().filter(is_in_each).collect();
        let mut pattern = Self::default();
        for name in &names {
            let same: Vec<&LeftFile> = runs.iter().filter_map(|run| run.get(*name)).collect();
            pattern.named.extend(FilePattern::of(&same).map(|file| ((*name).clone(), file)));
        }
        let rest = |run: &&Files| {
            run.iter()
                .filter(|(name, _)| !names.contains(name))
                .map(|(name, file)| (name.clone(), file.clone()))
                .collect()
        };
        let rest: Vec<Files> = runs.iter().map(rest).collect();
        match unnamed(&rest) {
            Some(unnamed) => pattern.unnamed = unnamed,
            None => {
                let paths = rest.iter().flat_map(|files| files.keys());
                pattern.folders = paths.map(|path| pattern.folder(path).to_owned()).collect();
            }
        }
        let names = pattern.folders.iter().map(|folder| Part::Names(folder.clone()));
        uncompared.extend(names.map(|part| Uncompared { part, is_partly: false }));
        uncompared.extend(pattern.named.iter().filter_map(|(path, file)| file.uncompared(path)));
        uncompared.extend(pattern.unnamed.iter().filter_map(|(name, file)| file.uncompared(&text(name))));
        pattern
    }

    /// Returns the files with masks.
    pub(super) fn shown(&self) -> Files {
        let named = self.named.iter().map(|(path, file)| (path.clone(), file.shown()));
        let unnamed = self.unnamed.iter().enumerate().map(|(at, (_, file))| (self.label(at), file.shown()));
        named.chain(unnamed).collect()
    }

    /// Returns the files of a run with masks.
    pub(super) fn masked(&self, files: &Files) -> Files {
        let mut masked = Files::new();
        let mut others = Vec::new();
        for (path, file) in files {
            match self.named.get(path) {
                Some(pattern) => drop(masked.insert(path.clone(), pattern.masked(file))),
                None => others.push((path, file)),
            }
        }
        let places = self.places(&others);
        for ((path, file), place) in others.into_iter().zip(places) {
            if let Some(at) = place {
                masked.insert(self.label(at), self.unnamed[at].1.masked(file));
            } else if !self.folders.contains(self.folder(path)) {
                masked.insert(path.clone(), file.clone());
            }
        }
        masked
    }

    /// Returns the pattern of each of these files, if one is left for it: that at its own place, as
    /// in the runs that made the patterns, or else the first one that matches.
    fn places(&self, files: &[(&String, &LeftFile)]) -> Vec<Option<usize>> {
        let is_named = |at: usize, path: &String| self.unnamed[at].0.matches(path.as_bytes());
        let is_whole = files.len() == self.unnamed.len();
        if is_whole && files.iter().enumerate().all(|(at, (path, _))| is_named(at, path)) {
            return (0..files.len()).map(Some).collect();
        }
        let mut free: BTreeSet<usize> = (0..self.unnamed.len()).collect();
        let place = |(path, file): &(&String, &LeftFile)| {
            let pattern = |at: usize| &self.unnamed[at].1;
            let is_same = |at: &&usize| is_named(**at, path) && pattern(**at).masked(file) == pattern(**at).shown();
            let place = free.iter().find(is_same).or_else(|| free.iter().find(|at| is_named(**at, path))).copied();
            place.and_then(|at| free.take(&at))
        };
        files.iter().map(place).collect()
    }

    /// Returns the name of a pattern with masks, and a number if earlier ones have that name.
    fn label(&self, at: usize) -> String {
        let name = text(&self.unnamed[at].0);
        match self.unnamed[..at].iter().filter(|(earlier, _)| text(earlier) == name).count() {
            0 => name,
            earlier => format!("{name} ({})", earlier + 1),
        }
    }

    /// Returns the innermost folder of a path that each run has; the outermost one if none is.
    fn folder<'p>(&self, path: &'p str) -> &'p str {
        let mut folder = path;
        while let Some((parent, _)) = folder.rsplit_once('/') {
            folder = parent;
            if self.named.contains_key(folder) {
                break;
            }
        }
        folder
    }
}

/// Returns the patterns of files that have another name in each run; `None` if their numbers
/// differ, or if their names have no word in common.
fn unnamed(runs: &[Files]) -> Option<Vec<(LinePattern, FilePattern)>> {
    let count = runs.first()?.len();
    if runs.iter().any(|files| files.len() != count) {
        return None;
    }
    let lists: Vec<Vec<(&String, &LeftFile)>> = runs.iter().map(|files| files.iter().collect()).collect();
    let mut found = Vec::new();
    for at in 0..count {
        let names: Vec<&[u8]> = lists.iter().map(|list| list[at].0.as_bytes()).collect();
        let name = LinePattern::of(&names);
        let file = FilePattern::of(&lists.iter().map(|list| list[at].1).collect::<Vec<_>>())?;
        if !name.keeps_words() {
            return None;
        }
        found.push((name, file));
    }
    Some(found)
}
