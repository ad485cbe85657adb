//! What the same output or file of several runs has in common. Main type: [`TextPattern`].

use std::collections::BTreeMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::line::{LinePattern, MASK, sorted_alike};

/// The most lines between equal starts and ends that are aligned.
const ALIGNED: usize = 2_000;
/// How far behind a line of a pattern the next one is looked for.
const NEAR: usize = 200;

/// A text with masks where the runs differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TextPattern {
    /// The same in each run.
    Same(Vec<u8>),
    /// The same lines in another order. They are sorted here.
    AnyOrder(Vec<Vec<u8>>),
    /// Lines that differ in parts.
    Lines(Vec<Item>),
    /// Nothing in common, except whether there is any text.
    Different {
        /// Whether each run has some text.
        is_never_empty: bool,
    },
}

/// One line of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// One line.
    Line(LinePattern),
    /// Any number of lines.
    AnyLines,
}

impl TextPattern {
    /// Returns what the texts of several runs have in common.
    pub(super) fn of(texts: &[&[u8]]) -> Self {
        let Some(first) = texts.first() else { return Self::Same(Vec::new()) };
        if texts.iter().all(|text| text == first) {
            return Self::Same(first.to_vec());
        }
        let different = Self::Different { is_never_empty: texts.iter().all(|text| !text.is_empty()) };
        if texts.iter().any(|text| text.contains(&0)) {
            return different;
        }
        let lists: Vec<Vec<&[u8]>> = texts.iter().map(|text| lines(text)).collect();
        if let Some(sorted) = sorted_alike(&lists) {
            return Self::AnyOrder(sorted.into_iter().map(<[u8]>::to_vec).collect());
        }
        let items = items(&lists);
        let keeps = |item: &Item| matches!(item, Item::Line(line) if line.keeps_words());
        if items.iter().any(keeps) { Self::Lines(items) } else { different }
    }

    /// Returns the text of a run with the masks of this pattern. It is [`TextPattern::shown`] if
    /// and only if the text has what the runs have in common.
    pub(super) fn masked(&self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Same(_) => text.to_vec(),
            Self::Different { is_never_empty } => {
                if *is_never_empty && text.is_empty() {
                    Vec::new()
                } else {
                    self.shown()
                }
            }
            Self::AnyOrder(_) => {
                let mut lines = lines(text);
                lines.sort_unstable();
                joined(&lines)
            }
            Self::Lines(items) => {
                let lines = lines(text);
                if matches(items, &lines) {
                    return self.shown();
                }
                let mut masked = joined(&masked_lines(items, &lines));
                if masked == self.shown() {
                    // Lines that are masked stand where none may be.
                    masked.extend_from_slice(text);
                }
                masked
            }
        }
    }

    /// Returns the text with masks.
    pub(super) fn shown(&self) -> Vec<u8> {
        match self {
            Self::Same(text) => text.clone(),
            Self::AnyOrder(lines) => joined(lines),
            Self::Lines(items) => {
                let shown = |item: &Item| match item {
                    Item::Line(line) => line.shown(),
                    Item::AnyLines => format!("{MASK}\n").into_bytes(),
                };
                joined(&items.iter().map(shown).collect::<Vec<_>>())
            }
            Self::Different { .. } => MASK.as_bytes().to_vec(),
        }
    }

    /// Returns whether runs are not compared by it at all.
    pub(super) fn is_uncompared(&self) -> bool {
        matches!(self, Self::Different { .. })
    }

    /// Returns whether lines are not compared: some runs have more of them than others.
    pub(super) fn lacks_lines(&self) -> bool {
        matches!(self, Self::Lines(items) if items.contains(&Item::AnyLines)) || self.is_uncompared()
    }
}

/// Splits a text after each newline.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

fn joined<L: AsRef<[u8]>>(lines: &[L]) -> Vec<u8> {
    lines.iter().flat_map(|line| line.as_ref().iter().copied()).collect()
}

/// Where a line is in each list.
type Anchor = Vec<usize>;

/// Returns the lines that all lists have in common, and what is between them.
fn items(lists: &[Vec<&[u8]>]) -> Vec<Item> {
    let by_text = between(lists, &anchors(lists));
    let length = lists.first().map_or(0, Vec::len);
    if lists.iter().any(|list| list.len() != length) {
        return by_text;
    }
    let by_place: Vec<Item> = (0..length).map(|at| line(lists, &vec![at; lists.len()])).collect();
    let exact =
        |items: &[Item]| items.iter().filter(|item| matches!(item, Item::Line(line) if line.is_exact())).count();
    if exact(&by_place) >= exact(&by_text) { by_place } else { by_text }
}

fn line(lists: &[Vec<&[u8]>], anchor: &[usize]) -> Item {
    Item::Line(LinePattern::of(&lists.iter().zip(anchor).map(|(list, at)| list[*at]).collect::<Vec<_>>()))
}

/// Returns where lines are the same in all lists: those at the start, those at the end, and between
/// them the longest common subsequence if there are not too many.
fn anchors(lists: &[Vec<&[u8]>]) -> Vec<Anchor> {
    let Some((first, others)) = lists.split_first() else { return Vec::new() };
    let shortest = lists.iter().map(Vec::len).min().unwrap_or_default();
    let is_same = |at: &usize| others.iter().all(|other| other[*at] == first[*at]);
    let start = (0..shortest).take_while(is_same).count();
    let is_same_from_end =
        |at: &usize| others.iter().all(|other| other[other.len() - 1 - at] == first[first.len() - 1 - at]);
    let end = (0..shortest - start).take_while(is_same_from_end).count();
    let middle = |list: &Vec<&[u8]>| start..list.len() - end;
    let mut found: Vec<Anchor> = (0..start).map(|at| vec![at; lists.len()]).collect();
    if lists.iter().all(|list| middle(list).len() <= ALIGNED) {
        let mut common: Vec<Anchor> = middle(first).map(|at| vec![at]).collect();
        for other in others {
            let pairs = pairs(&first[middle(first)], &other[middle(other)]);
            common.retain_mut(|anchor| match pairs.get(&(anchor[0] - start)) {
                Some(at) => {
                    anchor.push(at + start);
                    true
                }
                None => false,
            });
        }
        found.extend(common);
    }
    let from_end = |at: usize| lists.iter().map(|list| list.len() - 1 - at).collect();
    found.extend((0..end).rev().map(from_end));
    found
}

/// Returns the places of the lines that two lists have in common.
fn pairs(first: &[&[u8]], other: &[&[u8]]) -> BTreeMap<usize, usize> {
    let mut found = BTreeMap::new();
    for operation in capture_diff_slices(Algorithm::Myers, first, other) {
        if let DiffOp::Equal { old_index, new_index, len } = operation {
            found.extend((0..len).map(|at| (old_index + at, new_index + at)));
        }
    }
    found
}

/// Returns the lines at the anchors, and what the lines between two of them have in common.
fn between(lists: &[Vec<&[u8]>], anchors: &[Anchor]) -> Vec<Item> {
    let mut items = Vec::new();
    let mut next: Anchor = vec![0; lists.len()];
    let ends: Anchor = lists.iter().map(Vec::len).collect();
    for (anchor, is_line) in anchors.iter().map(|anchor| (anchor, true)).chain([(&ends, false)]) {
        let lengths: Vec<usize> = anchor.iter().zip(&next).map(|(anchor, next)| anchor - next).collect();
        if lengths.iter().all(|length| *length == lengths[0]) {
            let shifted = |by: usize| next.iter().map(|at| at + by).collect::<Anchor>();
            items.extend((0..lengths[0]).map(|by| line(lists, &shifted(by))));
        } else {
            items.push(Item::AnyLines);
        }
        if is_line {
            items.push(line(lists, anchor));
            next = anchor.iter().map(|at| at + 1).collect();
        }
    }
    items
}

/// Returns whether lines match a pattern as a whole.
fn matches(items: &[Item], lines: &[&[u8]]) -> bool {
    let (mut item, mut line) = (0, 0);
    // The last `AnyLines`, and the line after those that it stands for.
    let mut retry: Option<(usize, usize)> = None;
    while line < lines.len() {
        match items.get(item) {
            Some(Item::AnyLines) => {
                retry = Some((item, line));
                item += 1;
            }
            Some(Item::Line(pattern)) if pattern.matches(lines[line]) => {
                item += 1;
                line += 1;
            }
            _ => match &mut retry {
                Some((any, after)) => {
                    *after += 1;
                    (item, line) = (*any + 1, *after);
                }
                None => return false,
            },
        }
    }
    items[item..].iter().all(|item| *item == Item::AnyLines)
}

/// Masks each line that some line of the pattern matches, the next one first.
fn masked_lines(items: &[Item], lines: &[&[u8]]) -> Vec<Vec<u8>> {
    let patterns: Vec<&LinePattern> =
        items.iter().filter_map(|item| if let Item::Line(line) = item { Some(line) } else { None }).collect();
    let mut next = 0;
    let masked = lines.iter().map(|line| {
        let near = patterns.iter().enumerate().skip(next).take(NEAR);
        match near.clone().find(|(_, pattern)| pattern.matches(line)) {
            Some((at, pattern)) => {
                next = at + 1;
                pattern.shown()
            }
            None => line.to_vec(),
        }
    });
    masked.collect()
}

#[cfg(test)]
mod tests;
