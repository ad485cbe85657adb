//! The tokens of C text at its top level. Main type: [`Tokens`].
//!
//! A pair of parentheses is one token, and bodies in braces are skipped. The kernel's style makes
//! this robust: a `}` in the first column ends a body, even if conditional code unbalances the
//! braces before it.

/// A token at the top level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    /// A name, a keyword or a number.
    Word(&'t str),
    /// What is inside a pair of parentheses.
    Group(&'t str),
    /// A `{`; its body is skipped.
    Open,
    /// A `;`
    End,
    /// A `=`
    Assign,
    /// A `*`
    Star,
    /// A `,`
    Comma,
    /// A line of the preprocessor after its `#`, with continued lines.
    Directive(&'t str),
}

/// The tokens of a text.
pub(crate) struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Tokens<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips a body from the position after its `{`. Macros that it defines are skipped, since they
    /// are not used at the top level.
    fn skip_body(&mut self) {
        let bytes = self.text.as_bytes();
        let mut depth = 1_usize;
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'{' => depth += 1,
                b'}' => {
                    depth -= 1;
                    if depth == 0 || self.at == 0 || bytes[self.at - 1] == b'\n' {
                        self.at += 1;
                        return;
                    }
                }
                b'#' if is_first(bytes, self.at) => {
                    self.at = line_end(bytes, self.at);
                    continue;
                }
                b'"' | b'\'' | b'/' => {
                    self.at = after_opaque(bytes, self.at);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Returns the text of a group, with the position after its opening bracket.
    fn group(&mut self, open: u8, close: u8) -> &'t str {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut depth = 1_usize;
        while let Some(&byte) = bytes.get(self.at) {
            if byte == open {
                depth += 1;
            } else if byte == close {
                depth -= 1;
                if depth == 0 {
                    self.at += 1;
                    return &self.text[start..self.at - 1];
                }
            } else if byte == b'#' && is_first(bytes, self.at) {
                self.at = line_end(bytes, self.at);
                continue;
            } else if matches!(byte, b'"' | b'\'' | b'/') {
                self.at = after_opaque(bytes, self.at);
                continue;
            }
            self.at += 1;
        }
        &self.text[start..]
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        let bytes = self.text.as_bytes();
        loop {
            let byte = self.byte()?;
            let start = self.at;
            self.at += 1;
            return Some(match byte {
                b'#' if is_first(bytes, start) => {
                    self.at = line_end(bytes, start);
                    Token::Directive(&self.text[start + 1..self.at])
                }
                b'"' | b'\'' | b'/' => {
                    self.at = after_opaque(bytes, start);
                    continue;
                }
                b'{' => {
                    self.skip_body();
                    Token::Open
                }
                b'(' => Token::Group(self.group(b'(', b')')),
                b'[' => {
                    self.group(b'[', b']');
                    continue;
                }
                b';' => Token::End,
                b'=' => Token::Assign,
                b'*' => Token::Star,
                b',' => Token::Comma,
                _ if is_word(byte) => {
                    while self.byte().is_some_and(is_word) {
                        self.at += 1;
                    }
                    Token::Word(&self.text[start..self.at])
                }
                _ => continue,
            });
        }
    }
}

/// Returns the name in `*name(int a)`.
pub(crate) fn pointed(group: &str) -> Option<&str> {
    let inner = group.trim_start().strip_prefix('*')?;
    let (name, _) = inner.split_once('(')?;
    let name = name.trim().trim_start_matches('*').trim();
    let name = name.rsplit(|letter: char| letter.is_ascii_whitespace() || letter == '*').next()?;
    (!name.is_empty() && name.bytes().all(is_word)).then_some(name)
}

/// Finds the labels in the strings of an `asm`: `"name:\n"`.
pub(crate) fn labels<'t>(group: &'t str, found: &mut impl FnMut(&'t str)) {
    for (colon, _) in group.match_indices(':') {
        let before = &group[..colon];
        let start =
            before.rfind(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).map_or(0, |at| at + 1);
        let name = &before[start..];
        // A label follows the start of a string, or blanks or a newline in a string.
        let before = &before[..start];
        // After `\n` or `\t`, skip the letter of the escape.
        let (name, escaped) = if before.ends_with('\\') { (name.get(1..).unwrap_or(""), true) } else { (name, false) };
        let is_at_start = escaped || before.trim_end_matches([' ', '\t']).ends_with(['"', '\n', ';']);
        if is_at_start && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
            found(name);
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Returns whether only blanks are before this byte in its line.
fn is_first(bytes: &[u8], at: usize) -> bool {
    bytes[..at].iter().rev().take_while(|&&byte| byte != b'\n').all(|byte| matches!(byte, b' ' | b'\t'))
}

/// Returns the position of the newline that ends a line of the preprocessor: continued lines and
/// comments over several lines belong to it.
fn line_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' if bytes.get(at + 1) == Some(&b'\n') => at += 2,
            b'/' if bytes.get(at + 1) == Some(&b'*') => at = after_opaque(bytes, at),
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Returns the position after a string, a character or a comment, or after a single `/`.
fn after_opaque(bytes: &[u8], at: usize) -> usize {
    match (bytes[at], bytes.get(at + 1)) {
        (b'/', Some(b'*')) => {
            let end = bytes[at + 2..].windows(2).position(|pair| pair == b"*/");
            end.map_or(bytes.len(), |end| at + 2 + end + 2)
        }
        (b'/', Some(b'/')) => bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |end| at + end),
        (b'/', _) => at + 1,
        (quote, _) => {
            let mut end = at + 1;
            // A string ends with its line, unless the line is continued: conditional text may
            // contain a single apostrophe.
            while let Some(&byte) = bytes.get(end) {
                match byte {
                    b'\\' => end += 2,
                    b'\n' => return end,
                    _ if byte == quote => return end + 1,
                    _ => end += 1,
                }
            }
            bytes.len()
        }
    }
}

#[cfg(test)]
mod tests;
