//! What the same line of several runs has in common. Main type: [`LinePattern`].

use std::collections::BTreeSet;

/// Stands for what is masked.
pub(super) const MASK: &str = "…";

/// A line with masks where the runs differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LinePattern {
    start: Vec<Part>,
    /// The end, if the runs differ between start and end in more than single words.
    end: Option<Vec<Part>>,
}

/// One word, blank or sign of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// The same in each run.
    Same(Vec<u8>),
    /// Another number in some runs, between the same letters: `pid7`, `12ms`.
    Number(Vec<u8>, Vec<u8>),
    /// Another hexadecimal number: an address, a hash.
    Hexadecimal,
    /// Another word.
    Word,
    /// Other blanks, such as those before a number.
    Blanks,
}

/// Splits a line into words, runs of blanks, and signs.
fn parts(line: &[u8]) -> Vec<&[u8]> {
    line.chunk_by(|a, b| (is_word(*a) && is_word(*b)) || (is_blank(*a) && is_blank(*b))).collect()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_word_part(part: &[u8]) -> bool {
    part.first().is_some_and(|byte| is_word(*byte))
}

fn is_blank_part(part: &[u8]) -> bool {
    part.first().is_some_and(|byte| is_blank(*byte))
}

/// Splits a word into the letters before its number, the number, and the letters after it.
fn number(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = word.iter().position(u8::is_ascii_digit)?;
    let end = word.iter().rposition(u8::is_ascii_digit)? + 1;
    word[start..end].iter().all(u8::is_ascii_digit).then(|| (&word[..start], &word[end..]))
}

fn is_hexadecimal(word: &[u8]) -> bool {
    let digits = word.strip_prefix(b"0x").unwrap_or(word);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit)
}

impl Part {
    /// Returns what these parts have in common; `None` if they are not of one kind.
    fn of(parts: &[&[u8]]) -> Option<Self> {
        let first = parts.first()?;
        if parts.iter().all(|part| part == first) {
            return Some(Self::Same(first.to_vec()));
        }
        if parts.iter().all(|part| is_blank_part(part)) {
            return Some(Self::Blanks);
        }
        if !parts.iter().all(|part| is_word_part(part)) {
            return None;
        }
        if let Some((before, after)) = number(first)
            && parts.iter().all(|part| number(part) == Some((before, after)))
        {
            return Some(Self::Number(before.to_vec(), after.to_vec()));
        }
        let is_address = parts.iter().all(|part| is_hexadecimal(part));
        Some(if is_address { Self::Hexadecimal } else { Self::Word })
    }

    fn matches(&self, part: &[u8]) -> bool {
        match self {
            Self::Same(same) => part == same,
            Self::Number(before, after) => number(part) == Some((before, after)),
            Self::Hexadecimal => is_hexadecimal(part),
            Self::Word => is_word_part(part),
            Self::Blanks => is_blank_part(part),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Same(same) => out.extend_from_slice(same),
            Self::Number(before, after) => {
                out.extend_from_slice(before);
                out.extend_from_slice(MASK.as_bytes());
                out.extend_from_slice(after);
            }
            Self::Hexadecimal | Self::Word => out.extend_from_slice(MASK.as_bytes()),
            Self::Blanks => out.push(b' '),
        }
    }

    /// Returns whether it is a number, or a word that is the same in each run.
    fn is_kept(&self) -> bool {
        match self {
            Self::Same(same) => is_word_part(same),
            Self::Number(..) => true,
            Self::Hexadecimal | Self::Word | Self::Blanks => false,
        }
    }
}

impl LinePattern {
    /// Returns what these lines have in common.
    pub(super) fn of(lines: &[&[u8]]) -> Self {
        let split: Vec<Vec<&[u8]>> = lines.iter().map(|line| parts(line)).collect();
        let shortest = split.iter().map(Vec::len).min().unwrap_or_default();
        let at = |index: usize| Part::of(&split.iter().map(|parts| parts[index]).collect::<Vec<_>>());
        let has_equal_lengths = split.iter().all(|parts| parts.len() == shortest);
        if has_equal_lengths && let Some(start) = (0..shortest).map(at).collect() {
            return Self { start, end: None };
        }
        let common = |part: Option<Part>| part.filter(|part| matches!(part, Part::Same(_)));
        let start: Vec<Part> = (0..shortest).map_while(|index| common(at(index))).collect();
        let from_end =
            |index: usize| Part::of(&split.iter().map(|parts| parts[parts.len() - 1 - index]).collect::<Vec<_>>());
        let mut end: Vec<Part> = (0..shortest - start.len()).map_while(|index| common(from_end(index))).collect();
        end.reverse();
        Self { start, end: Some(end) }
    }

    /// Returns whether a line has what the lines have in common.
    pub(super) fn matches(&self, line: &[u8]) -> bool {
        let parts = parts(line);
        let starts = |expected: &[Part]| {
            parts.len() >= expected.len() && expected.iter().zip(&parts).all(|(expected, part)| expected.matches(part))
        };
        match &self.end {
            None => parts.len() == self.start.len() && starts(&self.start),
            Some(end) => {
                let ends = || end.iter().rev().zip(parts.iter().rev()).all(|(expected, part)| expected.matches(part));
                parts.len() >= self.start.len() + end.len() && starts(&self.start) && ends()
            }
        }
    }

    /// Returns the line with masks.
    pub(super) fn shown(&self) -> Vec<u8> {
        let mut shown = Vec::new();
        self.start.iter().for_each(|part| part.write(&mut shown));
        if let Some(end) = &self.end {
            shown.extend_from_slice(MASK.as_bytes());
            end.iter().for_each(|part| part.write(&mut shown));
        }
        shown
    }

    /// Returns whether nothing is masked.
    pub(super) fn is_exact(&self) -> bool {
        self.end.is_none() && self.start.iter().all(|part| matches!(part, Part::Same(_)))
    }

    /// Returns whether some word is the same, or a number, in each run.
    pub(super) fn keeps_words(&self) -> bool {
        self.start.iter().chain(self.end.iter().flatten()).any(Part::is_kept)
    }
}

/// Returns the lines that all lists have the same number of times, if the lists differ in their
/// order only.
pub(super) fn sorted_alike<'a>(lists: &[Vec<&'a [u8]>]) -> Option<Vec<&'a [u8]>> {
    let sorted = |list: &Vec<&'a [u8]>| {
        let mut list = list.clone();
        list.sort_unstable();
        list
    };
    let all: BTreeSet<Vec<&[u8]>> = lists.iter().map(sorted).collect();
    (all.len() == 1).then(|| all.into_iter().next()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(lines: &[&str]) -> LinePattern {
        LinePattern::of(&lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>())
    }

    #[test]
    fn only_what_varies_is_masked() {
        for (lines, shown, matching, others) in [
            (["pid 7", "pid 19"], "pid …", &["pid 123"][..], &["pid none", "pid", "pid 7 8", "tid 7"][..]),
            (["took 12ms", "took 7ms"], "took …ms", &["took 1ms"], &["took 1s", "took ms", "took 0.5ms"]),
            (["at 0x7ffe12", "at 0x7ffd9a"], "at …", &["at 0x1", "at beef"], &["at home"]),
            (["/tmp/.tmpAb/x", "/tmp/.tmpCd/x"], "/tmp/.…/x", &["/tmp/.tmpZ/x"], &["/tmp/.tmpZ/y", "/tmp//x"]),
            (["n  9", "n 10"], "n …", &["n   1"], &["n1"]),
            (["a 1.5 b", "a 12 b"], "a … b", &["a 9.9 b"], &["a b", "a 9", "c 1 b"]),
            (["x", ""], "…", &["y", ""], &[]),
            (["same", "same"], "same", &["same"], &["other", "same "]),
        ] {
            let pattern = pattern(&lines);
            assert_eq!(String::from_utf8_lossy(&pattern.shown()), shown, "{lines:?}");
            assert!(lines.iter().chain(matching).all(|line| pattern.matches(line.as_bytes())), "{lines:?}");
            for other in others {
                assert!(!pattern.matches(other.as_bytes()), "{lines:?} {other}");
            }
        }
    }

    #[test]
    fn lines_without_common_words_keep_none() {
        assert!(!pattern(&["af03", "be91"]).keeps_words());
        assert!(pattern(&["sum af03", "sum be91"]).keeps_words());
        assert!(pattern(&["12", "7"]).keeps_words());
        assert!(pattern(&["a", "a"]).is_exact());
        assert!(!pattern(&["a 1", "a 2"]).is_exact());
    }

    #[test]
    fn other_order_is_recognised() {
        let lists = [vec![&b"a"[..], b"b"], vec![b"b", b"a"]];
        assert_eq!(sorted_alike(&lists), Some(vec![&b"a"[..], b"b"]));
        assert_eq!(sorted_alike(&[vec![&b"a"[..], b"b"], vec![b"b", b"b"]]), None);
    }
}
