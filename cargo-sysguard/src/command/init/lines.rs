//! Edits of text files that keep every existing line, its line end and a byte order mark. Main
//! functions: [`appended`] and [`edited`].

/// The byte order mark in UTF-8.
const BOM: &str = "\u{feff}";

/// Returns the text with one more line at its end, or nothing if it already has that line.
pub(super) fn appended(text: &[u8], line: &str) -> Option<Vec<u8>> {
    let bare = text.strip_prefix(BOM.as_bytes()).unwrap_or(text);
    if bare.split(|&byte| byte == b'\n').any(|other| other.trim_ascii_end() == line.as_bytes()) {
        return None;
    }
    let end = line_end(text);
    let mut after = text.to_vec();
    if !bare.is_empty() && !text.ends_with(b"\n") {
        after.extend_from_slice(end.as_bytes());
    }
    after.extend_from_slice(line.as_bytes());
    after.extend_from_slice(end.as_bytes());
    Some(after)
}

/// An edit does not keep every line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the edit would change the line `{line}`: add the test target and the dependency by hand")]
pub(super) struct ChangedLine {
    line: String,
}

/// Returns the text after an edit that only adds lines. Each old line keeps its line end. The
/// editor gets text with line feeds only.
///
/// # Errors
///
/// The errors of the editor, and an edit that changes or removes a line.
pub(super) fn edited<E: From<ChangedLine>>(
    text: &str,
    edit: impl FnOnce(&str) -> Result<String, E>,
) -> Result<String, E> {
    let (mark, bare) = text.strip_prefix(BOM).map_or(("", text), |bare| (BOM, bare));
    let after = edit(&bare.replace("\r\n", "\n"))?;
    let new_end = line_end(bare.as_bytes());
    let mut kept = bare.split_inclusive('\n').map(split_end).peekable();
    let mut result = mark.to_owned();
    let mut lines = after.split_inclusive('\n').map(|line| split_end(line).0).peekable();
    while let Some(line) = lines.next() {
        let end = kept.next_if(|(old, _)| *old == line).map_or(new_end, |(_, end)| end);
        result += line;
        // A last line without an end gets one if more lines follow.
        result += if end.is_empty() && lines.peek().is_some() { new_end } else { end };
    }
    match kept.next() {
        None => Ok(result),
        Some((line, _)) => Err(ChangedLine { line: line.to_owned() }.into()),
    }
}

/// Returns the line end for new lines, which is that of the first line.
fn line_end(text: &[u8]) -> &'static str {
    let first = text.split_inclusive(|&byte| byte == b'\n').next().unwrap_or_default();
    if first.ends_with(b"\r\n") { "\r\n" } else { "\n" }
}

fn split_end(line: &str) -> (&str, &str) {
    let bare = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
    line.split_at(bare.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_appended_once_with_the_files_line_end() {
        for (text, after) in [
            ("", Some("new\n")),
            ("/target\n", Some("/target\nnew\n")),
            ("/target", Some("/target\nnew\n")),
            ("/target\r\n", Some("/target\r\nnew\r\n")),
            ("/target\r\nx", Some("/target\r\nx\r\nnew\r\n")),
            ("\u{feff}/target\r\n", Some("\u{feff}/target\r\nnew\r\n")),
            ("\u{feff}", Some("\u{feff}new\n")),
            ("\u{feff}new\r\n", None),
            ("a\nnew  \nb", None),
            ("# new\n", Some("# new\nnew\n")),
        ] {
            assert_eq!(appended(text.as_bytes(), "new"), after.map(|text| text.as_bytes().to_vec()), "{text:?}");
        }
        assert_eq!(appended(b"\xff\n", "new"), Some(b"\xff\nnew\n".to_vec()));
    }

    #[test]
    fn edit_keeps_every_line_and_its_end() {
        let added = Ok::<String, ChangedLine>;
        let edit =
            |text: &str, line: &str| edited(text, |text| added(format!("{}\n{line}\n", text.trim_end_matches('\n'))));
        for (text, after) in [
            ("a\nb\n", "a\nb\nnew\n"),
            ("a\r\nb\r\n", "a\r\nb\r\nnew\r\n"),
            ("a\r\nb\n", "a\r\nb\nnew\r\n"),
            ("\u{feff}a\r\nb", "\u{feff}a\r\nb\r\nnew\r\n"),
        ] {
            assert_eq!(edit(text, "new").as_deref(), Ok(after), "{text:?}");
        }
        assert_eq!(edited("a\nb\n", |_| added("a\nc\n".to_owned())), Err(ChangedLine { line: "b".to_owned() }));
        assert_eq!(edited("a\r\nc\r\n", |_| added("a\nb\nc\n".to_owned())).as_deref(), Ok("a\r\nb\r\nc\r\n"));
    }
}
