//! What comments and pages must not contain: banned words, and lines that are too long.

use super::{files, is_generated};

/// Words for people that were used for things, and private metaphors.
#[rustfmt::skip]
const BANNED: &[&str] = &[
    "borne", "bury", "desk", "kin", "nobody", "somebody", "told", "whence", "whom", "whose",
];

/// The widest comment, in columns.
const COLUMNS: usize = 100;

/// Returns what is wrong with the comments of a Rust file.
fn wrong_comments(text: &str) -> Vec<String> {
    let comments = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("//"));
    let faults = comments.filter_map(|(number, line)| {
        let is_breakable = line.trim_start().trim_start_matches(['/', '!']).trim().contains(' ');
        let is_table = line.trim_start().trim_start_matches(['/', '!']).trim().starts_with('|');
        if line.chars().count() > COLUMNS && is_breakable && !is_table {
            return Some(format!("{}: a comment of more than {COLUMNS} columns", number + 1));
        }
        banned(line).map(|word| format!("{}: `{word}`", number + 1))
    });
    faults.collect()
}

/// Returns a banned word of a line.
fn banned(line: &str) -> Option<&'static str> {
    let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.find_map(|word| BANNED.iter().find(|banned| word.eq_ignore_ascii_case(banned)).copied())
}

#[test]
fn comments_are_narrow_and_plain() {
    let folders = ["src", "cargo-sysguard", "examples", "tests", "benches"];
    let sources = folders.iter().flat_map(|folder| files(folder, "rs"));
    let mut wrong = Vec::new();
    for (path, text) in sources.filter(|(_, text)| !is_generated(text)) {
        wrong.extend(wrong_comments(&text).into_iter().map(|fault| format!("{}:{fault}", path.display())));
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn pages_use_plain_words() {
    let pages = files(".", "md").into_iter().filter(|(path, _)| !path.starts_with("target"));
    let mut wrong = Vec::new();
    for (path, text) in pages {
        let lines = text.lines().enumerate();
        let found = lines.filter_map(|(number, line)| Some((number + 1, banned(line)?)));
        wrong.extend(found.map(|(number, word)| format!("{}:{number}: `{word}`", path.display())));
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn planted_words_and_widths_are_found() {
    let wide = format!("// {}", "word ".repeat(20));
    assert_eq!(
        wrong_comments(&format!("{wide}\nlet whose = 1;\n    /// Nobody asks.\n")),
        ["1: a comment of more than 100 columns", "3: `nobody`"]
    );
    assert_eq!(wrong_comments("// akin, deskbound\nlet s = \"told\";\n"), [""; 0]);
    assert_eq!(wrong_comments(&format!("/// https://{}\n", "x".repeat(100))), [""; 0]);
}
