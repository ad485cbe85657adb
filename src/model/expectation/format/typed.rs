//! From a document's text to a type, by `serde_yaml`: [`read`].

use std::ops::Range;

use serde::de::DeserializeOwned;

use super::malformed::{Fault, Place};

/// Reads the document that stands on these lines.
pub(super) fn read<T: DeserializeOwned>(text: &str, lines: &Range<usize>) -> Result<T, Fault> {
    // With as many empty lines before it as there are lines above, every place that the parser tells is one of the file.
    let above = "\n".repeat(lines.start);
    serde_yaml::from_str(&(above + slice(text, lines))).map_err(|error| fault(&error, lines))
}

/// These lines of a text.
pub(super) fn slice<'a>(text: &'a str, lines: &Range<usize>) -> &'a str {
    let mut starts = std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1));
    let start = starts.nth(lines.start).unwrap_or(text.len());
    let end = match lines.len().checked_sub(1) {
        None => start,
        Some(more) => starts.nth(more).unwrap_or(text.len()),
    };
    &text[start..end]
}

fn fault(error: &serde_yaml::Error, lines: &Range<usize>) -> Fault {
    let message = error.to_string();
    match error.location() {
        None => Fault::new(Place { line: lines.start + 1, column: 1 }, message),
        Some(location) => {
            let place = Place { line: location.line(), column: location.column() };
            let told = format!(" at line {} column {}", place.line, place.column);
            Fault::new(place, message.strip_suffix(&told).unwrap_or(&message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_out_of_a_text() {
        let text = "a\nb\r\nc";
        for (lines, cut) in
            [(0..1, "a\n"), (1..2, "b\r\n"), (1..3, "b\r\nc"), (2..3, "c"), (0..3, text), (1..1, ""), (5..9, "")]
        {
            assert_eq!(slice(text, &lines), cut, "{lines:?}");
        }
    }
}
