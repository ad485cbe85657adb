//! A syntax error in a file, with its place. Main type: [`Malformed`].

use std::fmt;

use crate::model::text::escape;

/// The longest excerpt of the faulty line, in characters.
const EXCERPT: usize = 200;

/// The longest message, including quoted text, in characters.
const MESSAGE: usize = 500;

/// Why and where a text is no valid expectation. Only the store knows the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub message: String,
    /// The faulty line: its first 200 characters, with control characters escaped.
    pub excerpt: String,
}

impl Malformed {
    /// Returns `FILE:LINE:COLUMN: MESSAGE`, followed by the faulty line.
    pub fn within(&self, file: &str) -> String {
        format!("{file}:{self}")
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        if !self.excerpt.is_empty() {
            write!(f, "\n  | {}", self.excerpt)?;
        }
        Ok(())
    }
}

impl std::error::Error for Malformed {}

/// A position: line and column counted from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextPosition {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl TextPosition {
    /// The first character of a text.
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// Returns the position after this text.
    pub(super) fn after(before: &str) -> Self {
        let line = before.matches('\n').count() + 1;
        let last_line = before.rsplit('\n').next().unwrap_or_default();
        Self { line, column: last_line.chars().count() + 1 }
    }
}

/// A fault at a position; [`Fault::shown`] adds the faulty line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) place: TextPosition,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(place: TextPosition, message: impl Into<String>) -> Self {
        Self { place, message: message.into() }
    }

    /// Returns the error with the faulty line of `text`. A position after the end of the text
    /// becomes its end.
    pub(super) fn shown(self, text: &str) -> Malformed {
        let written = text.trim_end_matches(['\r', '\n']);
        let end = TextPosition::after(written);
        let TextPosition { line, column } = if self.place.line > end.line { end } else { self.place };
        let faulty = written.split('\n').nth(line - 1).unwrap_or_default();
        Malformed { line, column, message: one_line(&self.message), excerpt: excerpt(faulty) }
    }
}

/// Returns the first characters of a line, with control characters escaped.
fn excerpt(line: &str) -> String {
    let line = line.strip_suffix('\r').unwrap_or(line);
    escaped(line.chars().take(EXCERPT))
}

/// Returns a message on one line and of limited length, because it may quote the file.
fn one_line(message: &str) -> String {
    let mut line = escaped(message.chars().take(MESSAGE));
    if message.chars().nth(MESSAGE).is_some() {
        line.push('…');
    }
    line
}

/// Escapes tabs too, because columns are counted in characters.
fn escaped(text: impl Iterator<Item = char>) -> String {
    escape::line(&text.collect::<String>()).replace('\t', "\\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_shows_place_and_line() {
        let fault = Fault::new(TextPosition { line: 2, column: 3 }, "this is `wr\nong`");
        let malformed = fault.shown("fine\na\tb\u{1b}[31m\u{202e}c\r\nfine\n");
        assert_eq!(
            malformed.within("a.yaml").to_string(),
            "a.yaml:2:3: this is `wr\\nong`\n  | a\\tb\\u{1b}[31m\\u{202e}c"
        );
    }

    #[test]
    fn fault_after_the_text_is_at_its_end() {
        let malformed = Fault::new(TextPosition { line: 4, column: 1 }, "over").shown("a: [\nbc\n\n");
        assert_eq!(malformed.to_string(), "2:3: over\n  | bc");
    }

    #[test]
    fn long_line_is_cut() {
        let malformed = Fault::new(TextPosition::START, "é".repeat(600)).shown(&"é".repeat(300));
        assert_eq!(malformed.excerpt, "é".repeat(200));
        assert_eq!(malformed.message, "é".repeat(500) + "…");
    }

    #[test]
    fn place_counts_lines_and_characters() {
        for (before, line, column) in [("", 1, 1), ("ab", 1, 3), ("a\n", 2, 1), ("a\r\nüb", 2, 3)] {
            assert_eq!(TextPosition::after(before), TextPosition { line, column }, "{before:?}");
        }
    }
}
