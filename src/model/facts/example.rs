//! The first call that shows a fact, as text for a reviewer. Main type: [`Example`].
//!
//! It differs from run to run, so no verdict, key or baseline depends on it.

use crate::model::text::escape;
use crate::model::text::program::without_hash;

/// The most characters of a call, without its result.
const CALL: usize = 240;
/// The most words of a command.
const WORDS: usize = 5;
/// The most characters of a word.
const WORD: usize = 32;

/// One call, and the process that made it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Example {
    /// The call with its result, if that is known: `connect(3, 127.0.0.1:4433) = 0`.
    pub call: String,
    /// The commands from the workload down to the process: `["sh -c …", "python3 w.py"]`.
    pub process: Vec<String>,
}

impl Example {
    /// Takes a decoded call, its result if one is known, and the commands of its process.
    pub fn new(call: &str, result: Option<&str>, process: Vec<String>) -> Self {
        let mut text = cut(call, CALL);
        text.extend(result.map(|result| format!(" = {result}")));
        Self { call: text, process }
    }

    /// Returns the commands as one line: `sh -c … → python3 w.py`.
    pub fn origin(&self) -> String {
        self.process.join(" → ")
    }
}

/// Returns the first characters of a text, and `…` if there are more.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns a command as an example names it. The program has no folder and no hash of cargo's, and
/// a word with blanks in it (a script, a text) becomes `…`.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words = words.into_iter();
    let program = words.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or(program);
    let shown = std::iter::once(without_hash(program)).chain(words.by_ref().take(WORDS - 1).map(word));
    let shown: Vec<String> = shown.map(|word| cut(&escape::line(word), WORD)).collect();
    let rest = if words.next().is_some() { " …" } else { "" };
    format!("{}{rest}", shown.join(" "))
}

fn word(word: &str) -> &str {
    let is_shown = !word.is_empty() && !word.contains(char::is_whitespace);
    if is_shown { word } else { "…" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_short_and_stable() {
        for (words, shown) in [
            (&["/bin/sh", "-c", "curl -s x; rm y"][..], "sh -c …"),
            (&["curl", "-s", "https://example.org/a/long/path/to/a/file"], "curl -s https://example.org/a/long/path/…"),
            (&["target/debug/deps/demo-0123456789abcdef", "it"], "demo it"),
            (&["tool-0123456789abcde"], "tool-0123456789abcde"),
            (&["a", "1", "2", "3", "4"], "a 1 2 3 4"),
            (&["a", "1", "2", "3", "4", "5"], "a 1 2 3 4 …"),
            (&["a", "", "\u{1b}[2J"], "a … \\u{1b}[2J"),
            (&[], ""),
        ] {
            assert_eq!(command(words.iter().copied()), shown);
        }
    }

    #[test]
    fn long_call_keeps_its_result() {
        let long = "x".repeat(CALL + 1);
        let example = Example::new(&long, Some("-1 ENOENT"), vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(example.call, format!("{}… = -1 ENOENT", &long[..CALL]));
        assert_eq!(example.origin(), "a → b");
        assert_eq!(Example::new("getpid()", None, Vec::new()).call, "getpid()");
    }
}
