//! Escapes foreign text in Markdown and HTML, so that it never becomes markup. Main functions:
//! [`markdown`] and [`html`].

use super::words::escaped;

/// Escapes text for a cell of a Markdown table, or within a line.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in escaped(text).chars() {
        match (entity(character), character) {
            (Some(entity), _) => out.push_str(entity),
            (None, '\t') => out.push(' '),
            (None, '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!') => out.extend(['\\', character]),
            (None, other) => out.push(other),
        }
    }
    out
}

/// Formats text as code within a line or a cell of Markdown. No backtick can end it.
pub(super) fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", escaped(text).replace('`', "'").replace('|', "\\|")) }
}

/// Escapes text for an element or a quoted attribute of HTML.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in escaped(text).chars() {
        match (entity(character), character) {
            (Some(entity), _) => out.push_str(entity),
            (None, '"') => out.push_str("&quot;"),
            (None, '\'') => out.push_str("&#39;"),
            (None, other) => out.push(other),
        }
    }
    out
}

/// Returns the entity of a character that is markup in both formats.
fn entity(character: char) -> Option<&'static str> {
    match character {
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '&' => Some("&amp;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_escaped() {
        let text = "<b>|`a_b*c`\n& [x](y) \"q\" 'r' \u{1b}";
        assert_eq!(markdown(text), "&lt;b&gt;\\|\\`a\\_b\\*c\\`\\\\n&amp; \\[x\\](y) \"q\" 'r' \\\\u{1b}");
        assert_eq!(code(text), "`<b>\\|'a_b*c'\\n& [x](y) \"q\" 'r' \\u{1b}`");
        assert_eq!(html(text), "&lt;b&gt;|`a_b*c`\\n&amp; [x](y) &quot;q&quot; &#39;r&#39; \\u{1b}");
    }
}
