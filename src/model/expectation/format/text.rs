//! Converts bytes to a text that both YAML parsers read alike: [`text`].
//!
//! It refuses characters and lines that YAML 1.1 and 1.2 treat differently and that no expectation
//! needs, before any syntax is parsed.

use super::malformed::{Fault, Malformed, TextPosition};

/// The size of the largest file that is read.
pub const MAX_BYTES: usize = 1024 * 1024;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The size of the largest file shared by all tests of a binary.
pub const MAX_SHARED_BYTES: usize = 16 * MAX_BYTES;

/// Returns a file's text, including a byte order mark, with a final newline.
pub(super) fn text(bytes: &[u8], most: usize) -> Result<String, Malformed> {
    if bytes.len() > most {
        let message = format!("the file is larger than {} MiB: check that it is the right file", most / MAX_BYTES);
        let start = &bytes[..bytes.iter().position(|&byte| byte == b'\n').unwrap_or(0)];
        return Err(Fault::new(TextPosition::START, message).shown(&String::from_utf8_lossy(start)));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    check(text).map_err(|fault| fault.shown(text))?;
    Ok(with_final_newline(text))
}

fn not_utf8(bytes: &[u8], valid: usize) -> Malformed {
    let place = TextPosition::after(&String::from_utf8_lossy(&bytes[..valid]));
    let message = format!("byte {:#04x} is not UTF-8: save the file as UTF-8", bytes[valid]);
    Fault::new(place, message).shown(&String::from_utf8_lossy(bytes))
}

/// Returns the text without its byte order mark.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

fn with_final_newline(text: &str) -> String {
    if text.ends_with('\n') || without_mark(text).is_empty() {
        return text.to_owned();
    }
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    format!("{text}{newline}")
}

fn check(text: &str) -> Result<(), Fault> {
    let text = without_mark(text);
    for (index, line) in text.split('\n').enumerate() {
        let start = TextPosition { line: index + 1, column: 1 };
        if let Some(message) = refused_line(line) {
            return Err(Fault::new(start, message));
        }
    }
    for (index, character) in text.char_indices() {
        let (before, rest) = text.split_at(index);
        if let Some(message) = refused_character(character, rest) {
            return Err(Fault::new(TextPosition::after(before), message));
        }
    }
    Ok(())
}

/// Returns the fault of a line. A line `=======` alone is allowed: it may be text, and otherwise
/// the parser refuses it.
fn refused_line(line: &str) -> Option<&'static str> {
    let line = line.trim_end_matches('\r');
    let is_mark = |mark: &str| line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    if is_mark("<<<<<<<") || is_mark(">>>>>>>") {
        Some("git conflict marker: resolve the conflict, then bless again")
    } else if line.starts_with('%') {
        Some("YAML directives are not supported: remove the line")
    } else {
        None
    }
}

fn refused_character(character: char, rest: &str) -> Option<String> {
    match character {
        '\n' | '\t' => None,
        '\r' if rest.starts_with("\r\n") => None,
        '\r' => Some("carriage return without a line feed: end lines with a line feed".to_owned()),
        '\u{85}' | '\u{2028}' | '\u{2029}' | BYTE_ORDER_MARK | '\u{fffe}' | '\u{ffff}' => Some(not_allowed(character)),
        _ if character.is_control() => Some(not_allowed(character)),
        _ => None,
    }
}

fn not_allowed(character: char) -> String {
    format!(
        "character U+{code:04X} is not allowed here: write it as \"\\u{code:04X}\" in double quotes",
        code = u32::from(character)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_final_newline_is_added() {
        for (given, text_) in
            [("a", "a\n"), ("a\n", "a\n"), ("a\r\nb", "a\r\nb\r\n"), ("", ""), ("\u{feff}a", "\u{feff}a\n")]
        {
            assert_eq!(text(given.as_bytes(), MAX_BYTES).as_deref(), Ok(text_));
        }
    }

    #[test]
    fn file_of_maximum_size_is_read() {
        assert!(text(&vec![b'#'; MAX_BYTES], MAX_BYTES).is_ok());
        assert!(text(&vec![b'#'; MAX_BYTES + 1], MAX_BYTES).is_err());
    }
}
