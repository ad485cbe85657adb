//! Changes the version of a file: [`document`] for the author's document, [`kept`] for a baseline
//! that stays in an older version.
//!
//! It must not change anything else: comments, order and quotes stay as they are.

use super::outline;
use super::text;
use crate::model::facts::version::Version;

/// Returns the author's document with another number as its version.
pub(super) fn document(whole: &str, version: Version) -> String {
    let content = text::without_mark(whole);
    let outlines = outline::outline(content).unwrap_or_default();
    let place = outlines.first().and_then(|outline| Some(outline.root.get("version")?.1.place));
    let Some(place) = place else { return whole.to_owned() };
    let before_line: usize = content.split_inclusive('\n').take(place.line - 1).map(str::len).sum();
    let before_value: usize = content[before_line..].chars().take(place.column - 1).map(char::len_utf8).sum();
    let value = before_line + before_value;
    let quote = content[value..].starts_with(['"', '\'']);
    let start = whole.len() - content.len() + value + usize::from(quote);
    let digits = whole[start..].bytes().take_while(u8::is_ascii_digit).count();
    format!("{}{version}{}", &whole[..start], &whole[start + digits..])
}

/// Returns the document of a baseline or of a platform, beginning with `---`, with the version that
/// it keeps in a file of a later version.
pub(super) fn kept(text: &str, version: Version) -> String {
    match text.split_once('\n') {
        Some((separator, rest)) => format!("{separator}\nversion: {version}\n{rest}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_number_of_the_version_changes() {
        for (before, after) in [
            ("version: 1\nbin: a\n", "version: 2\nbin: a\n"),
            ("# version: 1\nbin: é\n\"version\":   \"1\" # 1\n", "# version: 1\nbin: é\n\"version\":   \"2\" # 1\n"),
            ("{é: é, version: '1', bin: version}\n", "{é: é, version: '2', bin: version}\n"),
            ("\u{feff}version: 01\r\nbin: a\r\n", "\u{feff}version: 2\r\nbin: a\r\n"),
            ("bin: a\n", "bin: a\n"),
        ] {
            assert_eq!(document(before, Version::Two), after);
        }
    }

    #[test]
    fn kept_baseline_names_its_version() {
        let text = "--- # mine\nplatform: x86_64-linux-gnu # this\n";
        assert_eq!(kept(text, Version::One), "--- # mine\nversion: 1\nplatform: x86_64-linux-gnu # this\n");
    }
}
