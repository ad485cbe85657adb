//! What a file says beside its calls, without comments. Main function: [`difference`].

use serde_json::Value;

/// Returns the first part of a file that differs from what would be written, apart from comments,
/// blanks, and the order of entries in JSON.
pub(super) fn difference(old: &str, new: &str) -> Option<String> {
    match (serde_json::from_str::<Value>(old), serde_json::from_str::<Value>(new)) {
        (Ok(old), Ok(new)) => difference_of_fields(&ordered(old), &ordered(new)),
        _ => difference_of_lines(old, new),
    }
}

fn difference_of_fields(old: &Value, new: &Value) -> Option<String> {
    let (Some(fields), Some(written)) = (old.as_object(), new.as_object()) else {
        return (old != new).then(|| "the whole document".to_owned());
    };
    let names = fields.keys().chain(written.keys());
    let differs = |name: &&String| fields.get(*name) != written.get(*name);
    names.into_iter().find(differs).map(|name| format!("the field {name}"))
}

/// Removes comments, and orders arrays.
fn ordered(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let others = fields.into_iter().filter(|(name, _)| name != "comment");
            Value::Object(others.map(|(name, value)| (name, ordered(value))).collect())
        }
        Value::Array(entries) => {
            let mut entries: Vec<Value> = entries.into_iter().map(ordered).collect();
            entries.sort_by_cached_key(Value::to_string);
            Value::Array(entries)
        }
        other => other,
    }
}

fn difference_of_lines(old: &str, new: &str) -> Option<String> {
    let blank = |line: &str| line.split_whitespace().collect::<String>();
    let code = |text: &str| -> Vec<(usize, String)> {
        let lines = text.lines().enumerate().filter(|(_, line)| !is_comment(line.trim()));
        lines.map(|(at, line)| (at + 1, blank(line))).collect()
    };
    let (old_code, new_code) = (code(old), code(new));
    let differs = old_code.iter().zip(&new_code).find(|((_, old), (_, new))| old != new).map(|(old, _)| old.0);
    let longer = || old_code.get(new_code.len()).map(|(at, _)| *at);
    let shorter = || (old_code.len() < new_code.len()).then(|| old.lines().count() + 1);
    differs.or_else(longer).or_else(shorter).map(|at| format!("line {at}"))
}

/// Returns whether a line holds nothing but a comment.
fn is_comment(line: &str) -> bool {
    let is_of_block = line.starts_with("/*") || line.starts_with('*');
    let ends_within = line.find("*/").is_some_and(|end| end + 2 < line.len());
    line.is_empty()
        || line.starts_with(['#', ';']) && !line.starts_with("#[") && !line.starts_with("#include")
        || line.starts_with("//")
        || is_of_block && !ends_within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_comments_blanks_and_order_make_no_difference() {
        const UNIT: &str = "# a comment\n[Service]\nSystemCallFilter=read write\n";
        const CODE: &str = "/*\n * a comment\n */\nif (a)\n\tload(b);\n";
        const JSON: &str = r#"{"comment": "a", "syscalls": [{"names": ["a", "b"]}, {"names": ["c"]}], "flags": []}"#;
        for (old, new, expected) in [
            ("# another\n\n[Service]\nSystemCallFilter=read write\n", UNIT, None),
            ("[Service]\nSystemCallFilter=read write\nSystemCallFilter=\n", UNIT, Some("line 3")),
            ("[Unit]\nSystemCallFilter=read write\n", UNIT, Some("line 1")),
            ("[Service]\n", UNIT, Some("line 2")),
            ("if (a)\n  load(b);\n", CODE, None),
            ("if (0)\n\tload(b);\n", CODE, Some("line 1")),
            ("/* a */ return 0;\nif (a)\n\tload(b);\n", CODE, Some("line 1")),
            (r#"{"syscalls": [{"names": ["c"]}, {"names": ["b", "a"]}], "flags": []}"#, JSON, None),
            (
                r#"{"syscalls": [{"names": ["a", "b"]}, {"names": ["c"]}], "flags": ["X"]}"#,
                JSON,
                Some("the field flags"),
            ),
        ] {
            assert_eq!(difference(old, new).as_deref(), expected, "{old}");
        }
    }
}
