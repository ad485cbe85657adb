//! Foreign text within Markdown and HTML: whatever it holds, it stays text.

use super::words::escaped;

/// As a cell of a Markdown table, or within a line of it.
pub(super) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in escaped(text).chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\t' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => out.extend(['\\', character]),
            other => out.push(other),
        }
    }
    out
}

/// As code within a line or a cell of Markdown; no backtick can end it.
pub(super) fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", escaped(text).replace('`', "'").replace('|', "\\|")) }
}

/// Within an element or a quoted attribute of HTML.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in escaped(text).chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_is_markup() {
        let text = "<b>|`a_b*c`\n& [x](y) \"q\" 'r' \u{1b}";
        assert_eq!(markdown(text), "&lt;b&gt;\\|\\`a\\_b\\*c\\`\\\\n&amp; \\[x\\](y) \"q\" 'r' \\\\u{1b}");
        assert_eq!(code(text), "`<b>\\|'a_b*c'\\n& [x](y) \"q\" 'r' \\u{1b}`");
        assert_eq!(html(text), "&lt;b&gt;|`a_b*c`\\n&amp; [x](y) &quot;q&quot; &#39;r&#39; \\u{1b}");
    }
}
