//! The `CONFIG_` symbols that a line requires, from the `#if` stack of C or the `ifdef` stack of
//! make. Main type: [`Stack`].
//!
//! An alternative (`||`) or a negation requires no symbol.

use std::collections::BTreeSet;

/// The symbols that must be on, with the prefix `CONFIG_`.
pub(crate) type Symbols = BTreeSet<String>;

/// The conditions that enclose the current line.
#[derive(Default)]
pub(crate) struct Stack(Vec<Symbols>);

impl Stack {
    /// Reads one line of C. Returns whether it is a conditional directive.
    pub(crate) fn read_c(&mut self, line: &str) -> bool {
        let Some(directive) = line.trim_start().strip_prefix('#') else { return false };
        let (word, expression) = split_word(directive.trim_start());
        match word {
            "if" | "ifdef" => self.0.push(required(expression)),
            "ifndef" => self.0.push(Symbols::new()),
            "elif" => self.replace(required(expression)),
            "else" => self.replace(Symbols::new()),
            "endif" => drop(self.0.pop()),
            _ => return false,
        }
        true
    }

    /// Reads one line of a Makefile. Returns whether it is a conditional directive.
    pub(crate) fn read_make(&mut self, line: &str) -> bool {
        let (word, expression) = split_word(line.trim_start());
        match word {
            "ifdef" => self.0.push(required(expression)),
            "ifeq" if expression.trim_end().ends_with(",y)") => self.0.push(required(expression)),
            "ifneq" if expression.trim_end().ends_with(",)") => self.0.push(required(expression)),
            "ifeq" | "ifneq" | "ifndef" => self.0.push(Symbols::new()),
            "else" => self.replace(Symbols::new()),
            "endif" => drop(self.0.pop()),
            _ => return false,
        }
        true
    }

    /// Returns every symbol that the current line requires.
    pub(crate) fn symbols(&self) -> Symbols {
        self.0.iter().flatten().cloned().collect()
    }

    fn replace(&mut self, symbols: Symbols) {
        self.0.pop();
        self.0.push(symbols);
    }
}

/// Returns the symbols that the expression requires.
pub(crate) fn required(expression: &str) -> Symbols {
    if expression.contains("||") {
        return Symbols::new();
    }
    let terms = expression.split("&&").filter(|term| !term.contains('!'));
    terms.flat_map(symbols_in).collect()
}

/// Returns every `CONFIG_` word of a text.
fn symbols_in(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("CONFIG_"))
        .map(str::to_owned)
}

fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&str], read: fn(&mut Stack, &str) -> bool) -> Vec<String> {
        let mut stack = Stack::default();
        for line in lines {
            read(&mut stack, line);
        }
        stack.symbols().into_iter().collect()
    }

    #[test]
    fn c_conditions_require_their_symbols() {
        for (lines, symbols) in [
            (&["#ifdef CONFIG_A", "# if defined(CONFIG_B) && !defined(CONFIG_C)"][..], &["CONFIG_A", "CONFIG_B"][..]),
            (&["#if defined(CONFIG_A) || defined(CONFIG_B)"], &[]),
            (&["#ifdef CONFIG_A", "#else"], &[]),
            (&["#ifdef CONFIG_A", "#elif defined(CONFIG_B)"], &["CONFIG_B"]),
            (&["#ifdef CONFIG_A", "#endif"], &[]),
            (&["#ifndef CONFIG_A"], &[]),
        ] {
            assert_eq!(after(lines, Stack::read_c), symbols, "{lines:?}");
        }
    }

    #[test]
    fn make_conditions_require_their_symbols() {
        for (line, symbols) in [
            ("ifdef CONFIG_A", &["CONFIG_A"][..]),
            ("ifeq ($(CONFIG_A),y)", &["CONFIG_A"]),
            ("ifneq ($(CONFIG_A),)", &["CONFIG_A"]),
            ("ifneq ($(CONFIG_A),y)", &[]),
            ("ifndef CONFIG_A", &[]),
        ] {
            assert_eq!(after(&[line], Stack::read_make), symbols, "{line}");
        }
    }
}
