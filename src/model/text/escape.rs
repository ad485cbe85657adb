//! Escapes control and invisible characters in foreign text, which could mislead a terminal, a log
//! or a reader.
//!
//! Names of kinds pass through [`name`] when they are made, so keys and baselines hold no such
//! characters. Text that is only shown passes through [`line()`].

use std::borrow::Cow;
use std::fmt::Write;

/// The general categories Cf (without the visible prepended signs), Zl and Zp of Unicode 17, and
/// letters without a glyph. The table is fixed here, because a name must not change with the
/// compiler's version of Unicode.
const FORMAT: [(char, char); 20] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    // Hangul fillers; U+3164 and its half-width form U+FFA0 are below.
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180e}', '\u{180e}'),
    // Zero width and bidirectional marks.
    ('\u{200b}', '\u{200f}'),
    // Line and paragraph separators (Zl, Zp), bidirectional embeddings and overrides.
    ('\u{2028}', '\u{202e}'),
    // Invisible operators, bidirectional isolates.
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    // Tags, and the other "default ignorable" characters near them.
    ('\u{e0000}', '\u{e0fff}'),
];

/// Returns whether a character is not visible as itself: a control or format character, or a line
/// separator.
pub fn is_hidden(character: char) -> bool {
    let is_format = || FORMAT.iter().any(|(first, last)| (*first..=*last).contains(&character));
    character.is_control() || !character.is_ascii() && is_format()
}

/// Escapes foreign text as a name: each byte of a hidden character or a backslash becomes `\xNN`.
/// Different texts give different names.
pub fn name(text: &str) -> Cow<'_, str> {
    escaped_bytes(text, |character| character == '\\' || is_hidden(character))
}

/// Escapes a name that [`name`] may have escaped already: backslashes stay.
pub fn read_name(text: &str) -> Cow<'_, str> {
    escaped_bytes(text, is_hidden)
}

fn escaped_bytes(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut name = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_escaped(character) {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a String cannot fail.
                let _ = write!(name, "\\x{byte:02x}");
            }
        } else {
            name.push(character);
        }
    }
    Cow::Owned(name)
}

/// Escapes a line of foreign text for display: hidden characters other than tabs become Rust
/// escapes.
pub fn line(text: &str) -> Cow<'_, str> {
    let is_escaped = |character: char| character != '\t' && is_hidden(character);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_escaped(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    Cow::Owned(line)
}

/// Escapes a message of one or more lines, each as by [`line()`]. A later line may come from a
/// quoted name. `::` at its start is therefore escaped too, because a GitHub runner executes such a
/// line as a command.
pub fn message(text: &str) -> String {
    let further = |text: &str| {
        let escaped = line(text);
        let rest = escaped.trim_start();
        let indent = &escaped[..escaped.len() - rest.len()];
        match rest.strip_prefix("::") {
            Some(rest) => format!("\n{indent}:\\x3a{rest}"),
            None => format!("\n{escaped}"),
        }
    };
    let mut lines = text.split('\n');
    let first = line(lines.next().unwrap_or_default()).into_owned();
    std::iter::once(first).chain(lines.map(further)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Generates any text, and often text with characters to escape or with escapes.
    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![".{0,12}", "[a\\\\x1b\u{1b}\n\t\u{85}\u{200b}\u{202e}\u{2066}\u{feff}\u{e0041}]{0,8}"]
    }

    proptest! {
        #[test]
        fn no_name_holds_hidden_characters(text in any_text()) {
            for made in [name(&text), read_name(&text)] {
                prop_assert!(!made.contains(is_hidden), "{made:?}");
            }
            prop_assert!(!line(&text).contains(|c| c != '\t' && is_hidden(c)));
        }

        #[test]
        fn different_texts_are_different_names(one in any_text(), other in any_text()) {
            prop_assert_eq!(name(&one) == name(&other), one == other);
        }

        #[test]
        fn escaped_name_stays_unchanged(text in any_text()) {
            let made = name(&text);
            prop_assert_eq!(read_name(&made), made.clone());
        }
    }

    #[test]
    fn message_holds_no_command_for_a_runner() {
        for (text, shown) in [
            ("cannot read x: no", "cannot read x: no"),
            ("first\n  second\n", "first\n  second\n"),
            ("a\u{1b}[31mb\u{202e}", "a\\u{1b}[31mb\\u{202e}"),
            ("cannot read a\n::error::b", "cannot read a\n:\\x3aerror::b"),
            ("x\n \t::stop-commands::y\r", "x\n \t:\\x3astop-commands::y\\r"),
        ] {
            assert_eq!(message(text), shown);
        }
    }

    #[test]
    fn plain_names_stay() {
        for text in ["", "char:net/tun", "file:fuse.sshfs", "anon_inode:seccomp notify", "ü", "a::b,c=d|`<&"] {
            assert!(matches!(name(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn hidden_characters_are_escaped_in_names_and_lines() {
        for (text, named, shown) in [
            ("e\u{1b}[31mvil", "e\\x1b[31mvil", "e\\u{1b}[31mvil"),
            ("a\n::error::b", "a\\x0a::error::b", "a\\n::error::b"),
            ("a\tb\u{7f}", "a\\x09b\\x7f", "a\tb\\u{7f}"),
            ("\u{9b}2J", "\\xc2\\x9b2J", "\\u{9b}2J"),
            ("a\u{202e}b\u{2069}", "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa9", "a\\u{202e}b\\u{2069}"),
            ("\u{200b}\u{feff}", "\\xe2\\x80\\x8b\\xef\\xbb\\xbf", "\\u{200b}\\u{feff}"),
            ("a\u{2028}\u{e0041}", "a\\xe2\\x80\\xa8\\xf3\\xa0\\x81\\x81", "a\\u{2028}\\u{e0041}"),
            ("\\x1b", "\\x5cx1b", "\\x1b"),
        ] {
            assert_eq!((&*name(text), &*line(text)), (named, shown));
        }
    }
}
