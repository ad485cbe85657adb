//! Reads a document's text as a type, by `serde_yaml`: [`read`].
//!
//! Its parser is not the one of the outline. A text that the two parsers read differently is
//! refused, so that the checked value is the value that is used.

use std::ops::Range;

use serde::de::DeserializeOwned;
use serde_yaml::Value;

use super::malformed::{Fault, TextPosition};
use super::outline::{self, Node, Outline};

/// Reads a document of a text.
pub(super) fn read<T: DeserializeOwned>(text: &str, outline: &Outline) -> Result<T, Fault> {
    // Prepend as many empty lines as there are lines above, so that the parser's positions are
    // positions in the file.
    let document = "\n".repeat(outline.lines.start) + slice(text, &outline.lines);
    let value = serde_yaml::from_str(&document).map_err(|error| fault(&error, outline))?;
    if let Some(place) = disagreement(&outline.root, &value) {
        return Err(Fault::new(place, "ambiguous YAML: write it in a simpler form, with text in double quotes"));
    }
    serde_yaml::from_str(&document).map_err(|error| fault(&error, outline))
}

/// Returns the first place where the parsers disagree on structure or text. Numbers and booleans
/// are not compared: they are plain characters on one line.
fn disagreement(node: &Node, value: &Value) -> Option<TextPosition> {
    match (&node.value, value) {
        (outline::Value::Null, Value::Null) => None,
        (outline::Value::Scalar(_), Value::Bool(_) | Value::Number(_)) => None,
        (outline::Value::Scalar(text), Value::String(other)) if text == other => None,
        (outline::Value::List(items), Value::Sequence(others)) if items.len() == others.len() => {
            items.iter().zip(others).find_map(|(item, other)| disagreement(item, other))
        }
        (outline::Value::Map(pairs), Value::Mapping(others)) if pairs.len() == others.len() => {
            pairs.iter().zip(others).find_map(|((key, item), (other_key, other))| match other_key {
                Value::String(name) if *name != key.name => Some(key.place),
                _ => disagreement(item, other),
            })
        }
        _ => Some(node.place),
    }
}

/// Returns these lines of a text.
pub(super) fn slice<'a>(text: &'a str, lines: &Range<usize>) -> &'a str {
    let mut starts = std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1));
    let start = starts.nth(lines.start).unwrap_or(text.len());
    let end = match lines.len().checked_sub(1) {
        None => start,
        Some(more) => starts.nth(more).unwrap_or(text.len()),
    };
    &text[start..end]
}

fn fault(error: &serde_yaml::Error, outline: &Outline) -> Fault {
    let message = error.to_string();
    match error.location() {
        None => Fault::new(outline.root.place, message),
        Some(location) => {
            let place = TextPosition { line: location.line(), column: location.column() };
            let suffix = format!(" at line {} column {}", place.line, place.column);
            Fault::new(place, message.strip_suffix(&suffix).unwrap_or(&message))
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
