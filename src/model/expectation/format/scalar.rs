//! Writes a string as a YAML scalar: [`scalar`] quotes it only where YAML 1.1 or 1.2 would read
//! something else.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns the string unchanged, or in double quotes on one line.
pub(super) fn scalar(text: &str) -> Cow<'_, str> {
    if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(quoted(text)) }
}

/// Words that YAML 1.1 or 1.2 reads as null, as a boolean, or as a merge key, in lower case. YAML
/// accepts any case.
const WORDS: [&str; 12] = ["", "~", "<<", "=", "null", "true", "false", "yes", "no", "on", "off", "y"];

fn is_plain(text: &str) -> bool {
    let lowered = text.to_ascii_lowercase();
    !WORDS.contains(&lowered.as_str())
        && lowered != "n"
        && !is_number(&lowered)
        && starts_plainly(text)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(needs_escape)
}

/// Returns false if the text starts with a YAML indicator; `-`, `?` and `:` are indicators only
/// before a space.
fn starts_plainly(text: &str) -> bool {
    let mut characters = text.chars();
    match characters.next() {
        Some('-' | '?' | ':') => !text.starts_with("---") && characters.next().is_some_and(|next| next != ' '),
        Some('.') => !text.starts_with("..."),
        Some(first) => !" ,[]{}#&*!|>'\"%@`".contains(first),
        None => false,
    }
}

/// Returns whether YAML 1.1 or 1.2 reads the text, given in lower case, as a number: integers,
/// floats, sexagesimals and dates.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all =
        |text: &str, digit: fn(u8) -> bool| !text.is_empty() && text.bytes().all(|byte| byte == b'_' || digit(byte));
    let decimal = |text: &str| {
        text.bytes().any(|byte| byte.is_ascii_digit())
            && all(text, |byte| byte.is_ascii_digit() || b".:".contains(&byte))
    };
    if let Some(digits) = unsigned.strip_prefix("0x") {
        return all(digits, |byte| byte.is_ascii_hexdigit());
    }
    if let Some(digits) = unsigned.strip_prefix("0o").or_else(|| unsigned.strip_prefix("0b")) {
        return all(digits, |byte| byte.is_ascii_digit());
    }
    if let Some((mantissa, exponent)) = unsigned.split_once('e') {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        return decimal(mantissa) && all(exponent, |byte| byte.is_ascii_digit());
    }
    decimal(unsigned) || matches!(unsigned, ".inf" | ".nan" | "inf" | "nan" | "infinity") || is_date(text)
}

/// Returns whether the text is a date such as `2001-12-14`, with or without a time.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let year = parts.next().is_some_and(|year| year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()));
    year && parts.all(|part| part.starts_with(|first: char| first.is_ascii_digit())) && text.contains('-')
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ if needs_escape(character) => {
                write!(quoted, "\\u{:04X}", u32::from(character)).expect("writing to a String cannot fail");
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns whether a file must not hold the character unescaped: see `text`.
fn needs_escape(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_plain() {
        for text in [
            "AF_INET",
            "socket:AF_INET:SOCK_STREAM",
            "char:net/tun",
            "PROT_WRITE|PROT_EXEC",
            "SOL_SOCKET/SO_REUSEADDR",
            "syscall_0x3e7",
            "serves clients; REQ-12",
            "file:9p",
            "9p",
            "-x",
            "0xyz",
            "it's a \"word\"",
            "a#b",
            "a:b",
            "grün",
            "<none>",
            "nothing",
            "e5",
            "1 of 2",
        ] {
            assert_eq!(scalar(text), text);
        }
    }

    #[test]
    fn text_with_another_yaml_meaning_is_quoted() {
        for text in [
            "",
            "~",
            "null",
            "Null",
            "no",
            "NO",
            "n",
            "Y",
            "on",
            "off",
            "true",
            "False",
            "0",
            "-1",
            "+1",
            "007",
            "1_000",
            "0x5401",
            "0o17",
            "0b1",
            "1.5",
            ".5",
            "1e3",
            "1.5e-3",
            "1:30",
            ".inf",
            "-.INF",
            ".NaN",
            "2001-12-14",
            "<<",
            "=",
            "- a",
            "-",
            "?",
            "---",
            "...",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "&a",
            "*a",
            "!a",
            "|a",
            ">a",
            "'a'",
            "%a",
            "@a",
            "`a",
            "[a",
            "{a",
            " a",
            "a ",
            ",a",
            "]",
        ] {
            assert_eq!(scalar(text), format!("\"{text}\""), "{text}");
        }
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(scalar("a\nb\tc\\\"\u{7}\u{85}\u{2028}"), r#""a\nb\tc\\\"\u0007\u0085\u2028""#);
        assert_eq!(scalar("\""), r#""\"""#);
    }
}
