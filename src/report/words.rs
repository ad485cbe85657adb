//! Formats numbers, lists and foreign text.

use crate::model::text::escape;

/// `1 call`, `2 calls`.
pub(super) fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// `1 call`, `2 calls`.
pub(super) fn calls(count: u64) -> String {
    counted(count, "call", "calls")
}

/// Returns the length of a list.
pub(super) fn len<T>(list: &[T]) -> u64 {
    list.len().try_into().unwrap_or(u64::MAX)
}

/// Returns a line of foreign text with its control and hidden characters escaped, so that no
/// terminal or log interprets them.
pub(super) fn escaped(line: &str) -> String {
    escape::line(line).into_owned()
}

/// Returns the text padded with spaces to this number of characters. A width in a format string
/// panics above 65535, and names from files may be longer.
pub(super) fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_text_is_padded() {
        assert_eq!((padded("é", 3).as_str(), padded("abcd", 3).as_str()), ("é  ", "abcd"));
        assert_eq!(padded("a", 70_000).len(), 70_000);
    }

    #[test]
    fn one_is_singular() {
        let texts = [0, 1, 2].map(|count| calls(count).to_string());
        assert_eq!(texts, ["0 calls", "1 call", "2 calls"]);
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(escaped("a\tb\u{1b}[2J\r\u{9b}ü"), "a\tb\\u{1b}[2J\\r\\u{9b}ü");
    }
}
