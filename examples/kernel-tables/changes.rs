//! The differences between a generated file in the repository and its new text, row by row.
//!
//! It must not read or write files. Main function: [`changes`].

use std::collections::BTreeMap;

use crate::provenance::{is_row, versions};

/// Returns one line per difference, `+` added, `-` removed, `~` changed; empty if the texts are
/// equal.
pub(crate) fn changes(old: &str, new: &str) -> Vec<String> {
    if old == new {
        return Vec::new();
    }
    let (before, after) = (rows(old), rows(new));
    let mut lines = Vec::new();
    if versions(old) != versions(new) {
        lines.push(format!("~ made from Linux {} -> {}", versions(old).unwrap_or("?"), versions(new).unwrap_or("?")));
    }
    lines.extend(before.iter().filter(|(key, _)| !after.contains_key(*key)).map(|(key, row)| format!("- {key}{row}")));
    lines.extend(after.iter().filter_map(|(key, row)| match before.get(key) {
        None => Some(format!("+ {key}{row}")),
        Some(old) if old != row => Some(format!("~ {key}{old} ->{row}")),
        Some(_) => None,
    }));
    if lines.is_empty() {
        lines.push("~ its text around the rows".to_owned());
    }
    lines
}

/// Returns rows by key: the number in a table, name and architecture of an entry point.
fn rows(text: &str) -> BTreeMap<&str, &str> {
    let split = |row: &'_ str| {
        let first = row.find(", ")? + 1;
        Some(if row.contains("arch: ") { first + row[first..].find(", ")? + 1 } else { first })
    };
    let rows = text.lines().filter(|line| is_row(line)).map(|line| line.trim().trim_end_matches(" },"));
    rows.filter_map(|row| Some(row.split_at(split(row)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_one_line_a_row() {
        let old =
            "//! From Linux 6.12.1.\n    Row { number: 0, name: \"read\" },\n    Row { number: 1, name: \"write\" },\n";
        let new = "//! From Linux 6.18.1.\n    Row { number: 1, name: \"written\" },\n    Row { number: 2, name: \"open\" },\n";
        assert_eq!(
            changes(old, new),
            [
                "~ made from Linux 6.12.1 -> 6.18.1",
                "- Row { number: 0, name: \"read\"",
                "~ Row { number: 1, name: \"write\" -> name: \"written\"",
                "+ Row { number: 2, name: \"open\"",
            ]
        );
        assert_eq!(changes(old, old), Vec::<String>::new());
    }
}
