//! The declaration of a constant in a tree's headers, and its value. Main function:
//! [`declaration`].

use crate::Result;
use crate::compiler::{Compiler, PRELUDE, TARGETS};
use crate::names::plain_lines;
use crate::tree::Tree;

/// The folders of the headers that programs include.
const HEADERS: [&str; 4] =
    ["include/uapi", "arch/x86/include/uapi", "arch/arm64/include/uapi", "arch/riscv/include/uapi"];
/// Internal headers with constants that C libraries repeat.
const REPEATED: [&str; 2] = ["include/linux/socket.h", "include/linux/net.h"];

/// A macro or an enumerator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The path of the header in the tree.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
}

impl Declaration {
    /// Returns the value of the name, for the architecture of the header or else for x86_64.
    pub fn value(&self, tree: &Tree, name: &str) -> Result<Option<i64>> {
        let is_own = |target: &usize| self.file.starts_with(&format!("arch/{}/", TARGETS[*target].arch));
        let target = TARGETS[(0..TARGETS.len()).find(is_own).unwrap_or_default()];
        let own = format!("arch/{}/include/uapi/", target.arch);
        let included = self.file.strip_prefix("include/uapi/").or_else(|| self.file.strip_prefix(&own));
        let declares = match included {
            Some(header) => format!("#include <{header}>\n"),
            // Programs cannot include an internal header, so copy the plain line.
            None => plain_lines(&tree.read(&self.file)?, &[name]),
        };
        let values = Compiler::new(tree, target)?.values(&(PRELUDE.to_owned() + &declares), &[name.to_owned()])?;
        Ok(values.get(name).copied())
    }
}

/// Returns the first declaration of the name.
pub fn declaration(tree: &Tree, name: &str) -> Result<Option<Declaration>> {
    let mut files: Vec<String> = REPEATED.map(str::to_owned).into();
    for root in HEADERS {
        files.extend(tree.files(root, |file| file.ends_with(".h"))?);
    }
    for file in files {
        let text = tree.read_if_present(&file).unwrap_or_default();
        if let Some(line) = line_of(&text, name) {
            return Ok(Some(Declaration { file, line }));
        }
    }
    Ok(None)
}

/// Returns the line that declares the name, counted from 1.
fn line_of(text: &str, name: &str) -> Option<usize> {
    if !text.contains(name) {
        return None;
    }
    let declares = |line: &str| {
        let line = line.trim_start();
        let word = match line.strip_prefix('#') {
            Some(directive) => directive.trim_start().strip_prefix("define")?.trim_start(),
            None => line,
        };
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        let (word, rest) = word.split_at(end);
        let is_macro = line.starts_with('#');
        let is_enumerator = rest.trim_start().starts_with(['=', ',']) || rest.trim().is_empty();
        (word == name && (is_macro || is_enumerator)).then_some(())
    };
    blanked(text).lines().position(|line| declares(line).is_some()).map(|index| index + 1)
}

/// Returns the text without comments, but with all line ends.
fn blanked(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("/*") {
        kept += &rest[..at];
        let end = rest[at..].find("*/").map_or(rest.len(), |end| at + end + 2);
        kept.extend(rest[at..end].chars().filter(|&c| c == '\n'));
        rest = &rest[end..];
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_told_from_uses() {
        let text = "/* NAME,\n NAME */\n#define OTHER NAME\nint x = NAME;\nenum {\n\tA = 1, /* a */\n\tNAME,\n};\n# define MACRO 1\n";
        assert_eq!(line_of(text, "NAME"), Some(7));
        assert_eq!(line_of(text, "A"), Some(6));
        assert_eq!(line_of(text, "MACRO"), Some(9));
        assert_eq!(line_of(text, "x"), None);
    }
}
