//! Text from a tracee, as a line shows it: quoted, escaped, cut, and with names for places that
//! differ from run to run. Main type: [`NamedFolders`].

use std::fmt::Write;

use crate::model::text::escape;

/// The most characters of a string, as in strace(1).
pub(super) const STRING: usize = 32;
/// The most characters of a path.
pub(super) const PATH: usize = 256;

/// Folders that are shown by a name, such as `$HOME`, because they differ from run to run.
#[derive(Debug, Clone, Default)]
pub struct NamedFolders(Vec<(Vec<u8>, &'static str)>);

impl NamedFolders {
    /// Takes folders, each with the name that replaces it. Folders below others take precedence.
    pub fn new(folders: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        let mut folders: Vec<_> = folders.into_iter().map(|(folder, name)| (folder.into_bytes(), name)).collect();
        folders.retain(|(folder, _)| !folder.is_empty());
        folders.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
        Self(folders)
    }

    /// Replaces each folder wherever its path occurs as a whole, also within other text.
    fn replaced(&self, text: &[u8]) -> Vec<u8> {
        let mut replaced = Vec::with_capacity(text.len());
        let mut at = 0;
        while at < text.len() {
            let begins = at == 0 || !is_of_name(text[at - 1]);
            let found = self.0.iter().find(|(folder, _)| {
                let rest = text[at..].strip_prefix(folder.as_slice());
                begins && rest.is_some_and(|rest| rest.first().is_none_or(|next| *next == b'/' || !is_of_name(*next)))
            });
            match found {
                Some((folder, name)) => {
                    replaced.extend(name.as_bytes());
                    at += folder.len();
                }
                None => {
                    replaced.push(text[at]);
                    at += 1;
                }
            }
        }
        replaced
    }

    /// Returns text with named places, and nothing else changed.
    pub fn named(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.replaced(text.as_bytes())).into_owned()
    }

    /// Returns text with named places, escaped and cut.
    pub(super) fn plain(&self, text: &str, most: usize) -> String {
        let (shown, is_cut) = shown(&self.replaced(text.as_bytes()), most, false);
        if is_cut { shown + "..." } else { shown }
    }

    /// As [`Self::plain`], in quotation marks. `is_whole` is false if the text goes on.
    pub(super) fn quoted(&self, text: &[u8], most: usize, is_whole: bool) -> String {
        let (shown, is_cut) = shown(&self.replaced(text), most, true);
        let dots = if is_cut || !is_whole { "..." } else { "" };
        format!("\"{shown}\"{dots}")
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/') || !byte.is_ascii()
}

/// Returns the first characters, escaped, and whether there are more. Bytes that are not UTF-8
/// become `\xNN`.
fn shown(text: &[u8], most: usize, in_quotes: bool) -> (String, bool) {
    let (mut shown, mut count) = (String::new(), 0);
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            if count == most {
                return (shown, true);
            }
            count += 1;
            match character {
                '"' | '\\' if in_quotes => shown.extend(['\\', character]),
                _ if escape::is_hidden(character) => shown.extend(character.escape_default()),
                _ => shown.push(character),
            }
        }
        for byte in chunk.invalid() {
            if count == most {
                return (shown, true);
            }
            count += 1;
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    (shown, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_escaped_and_cut() {
        let none = NamedFolders::default();
        for (text, quoted) in [
            (&b"/etc/passwd"[..], "\"/etc/passwd\""),
            (b"a\"b\\c", r#""a\"b\\c""#),
            (b"a\x1b[31m\n\t", r#""a\u{1b}[31m\n\t""#),
            ("\u{202e}x\u{e4}".as_bytes(), "\"\\u{202e}x\u{e4}\""),
            (b"\xff\xfe", r#""\xff\xfe""#),
            (&[b'x'; 40], "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"..."),
            (&[b'x'; 32], "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""),
        ] {
            assert_eq!(none.quoted(text, STRING, true), quoted);
        }
        assert_eq!(none.quoted(b"begin", STRING, false), "\"begin\"...");
        assert_eq!(none.plain("pipe\u{7}", STRING), "pipe\\u{7}");
    }

    #[test]
    fn scratch_folders_are_named_only_as_whole_paths() {
        let folders = [("/tmp/s", "$PWD"), ("/tmp/s/home", "$HOME"), ("/tmp/s/tmp", "$TMPDIR"), ("", "$NO")];
        let places = NamedFolders::new(folders.map(|(folder, name)| (folder.to_owned(), name)));
        for (text, shown) in [
            ("/tmp/s/home/.config", "$HOME/.config"),
            ("/tmp/s/home", "$HOME"),
            ("/tmp/s/homes", "$PWD/homes"),
            ("/tmp/s", "$PWD"),
            ("/tmp/sx", "/tmp/sx"),
            ("/x/tmp/s", "/x/tmp/s"),
            ("--cache=/tmp/s/tmp/c:/tmp/s", "--cache=$TMPDIR/c:$PWD"),
        ] {
            assert_eq!(places.plain(text, PATH), shown, "{text}");
        }
    }
}
