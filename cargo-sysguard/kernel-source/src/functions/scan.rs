//! Finds functions, macros and calls of macros at the top level of C text. Main function: [`scan`].
//!
//! It reads text without a preprocessor: every branch of an `#if` counts. It must not depend on
//! specific macros; `macros` expands them.

use super::tokens::{self, Token, Tokens};

/// Something at the top level of a C file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item<'t> {
    /// A function with a body.
    Function { name: &'t str, linkage: Linkage },
    /// The call of a macro, such as `DEFINE_SHOW_ATTRIBUTE(name);`.
    Call { name: &'t str, arguments: &'t str, is_static: bool, has_body: bool },
    /// `#define NAME(PARAMETERS) BODY`
    Macro { name: &'t str, parameters: &'t str, body: &'t str },
    /// `#include "FILE.c"`
    Include(&'t str),
    /// A label in assembly: `asm("name: ret");`.
    Label(&'t str),
}

/// How the linker sees a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Linkage {
    /// Visible in its object file only.
    Static,
    /// Visible in every object file; only one defines it.
    Global,
    /// Same as global, but another definition replaces it.
    Weak,
}

/// Words before a `(` that are not the name of a function: attributes and operators.
#[rustfmt::skip]
const ATTRIBUTES: [&str; 40] = [
    "__acquire", "__acquires", "__acquires_shared", "__aligned", "__alloc_size", "__assume_aligned",
    "__attribute", "__attribute__", "__cond_acquires", "__cond_releases", "__cond_lock",
    "__counted_by", "__diagnose_as", "__error", "__free", "__guarded_by", "__malloc", "__must_hold",
    "__must_hold_shared", "__must_not_hold", "__no_context_analysis", "__nonstring", "__printf",
    "__pt_guarded_by", "__realloc_size", "__releases", "__releases_shared", "__requires_cap",
    "__scanf", "__section", "__target", "__typeof__", "__vmalloc_size", "__warning", "_Alignas",
    "alignas", "__excludes_cap", "__gnu_printf", "__init_or_module", "typeof",
];

/// Words that begin a statement, which occurs only in bodies of macros.
const STATEMENTS: [&str; 10] = ["case", "do", "else", "for", "goto", "if", "return", "sizeof", "switch", "while"];

/// Calls `found` for each item of a C file, in order.
pub(crate) fn scan<'t>(text: &'t str, found: &mut impl FnMut(Item<'t>)) {
    let mut declaration = Vec::new();
    for token in Tokens::new(text) {
        match token {
            Token::Directive(line) => directive(line, found),
            Token::Open => {
                declared(&declaration, true, found);
                declaration.clear();
            }
            Token::End => {
                declared(&declaration, false, found);
                declaration.clear();
            }
            Token::Word(_) | Token::Group(_) | Token::Assign | Token::Star | Token::Comma => declaration.push(token),
        }
    }
    declared(&declaration, false, found);
}

/// Reads the tokens of a declaration up to its body or its semicolon.
fn declared<'t>(mut tokens: &[Token<'t>], has_body: bool, found: &mut impl FnMut(Item<'t>)) {
    // Each round reads a call without a semicolon, and what follows it.
    while let Some(at) = named_group(tokens) {
        let (Token::Word(name), Token::Group(group)) = (tokens[at], tokens[at + 1]) else { return };
        let before = &tokens[..at];
        if matches!(name, "asm" | "__asm__" | "__asm") {
            tokens::labels(group, &mut |label| found(Item::Label(label)));
            return;
        }
        if before.contains(&Token::Assign) || STATEMENTS.contains(&name) {
            return;
        }
        let rest = &tokens[at + 2..];
        let is_static = before.contains(&Token::Word("static"));
        let is_last = named_group(rest).is_none();
        // `int (*name(int a))(int b)` returns a pointer to a function.
        if let (Some(name), Some(Token::Group(_))) = (tokens::pointed(group), rest.first()) {
            let linkage = if is_static { Linkage::Static } else { Linkage::Global };
            if has_body && !rest.contains(&Token::Assign) {
                found(Item::Function { name, linkage });
            }
            return;
        }
        if before.is_empty() || is_upper(name) {
            if rest.contains(&Token::Assign) && is_last {
                return;
            }
            let (has_body, arguments) = (has_body && is_last, group);
            found(Item::Call { name, arguments, is_static, has_body });
        } else if has_body && !rest.contains(&Token::Assign) {
            if before.iter().any(|token| matches!(token, Token::Word(word) if STATEMENTS.contains(word))) {
                return;
            }
            let is_weak = tokens.contains(&Token::Word("__weak")) || tokens.contains(&Token::Word("weak"));
            let linkage = match (is_static, is_weak) {
                (true, _) => Linkage::Static,
                (false, true) => Linkage::Weak,
                (false, false) => Linkage::Global,
            };
            found(Item::Function { name, linkage });
            return;
        } else {
            return;
        }
        tokens = rest;
    }
}

/// Returns the position of the first word before a `(` that may be the name of a function.
fn named_group(tokens: &[Token<'_>]) -> Option<usize> {
    tokens.windows(2).position(|pair| match pair {
        [Token::Word(word), Token::Group(_)] => !ATTRIBUTES.contains(word),
        _ => false,
    })
}

/// Returns whether the word is spelled like a macro.
fn is_upper(word: &str) -> bool {
    !word.bytes().any(|byte| byte.is_ascii_lowercase()) && word.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn directive<'t>(line: &'t str, found: &mut impl FnMut(Item<'t>)) {
    let line = line.trim_start();
    if let Some(rest) = line.strip_prefix("define") {
        let rest = rest.trim_start();
        let Some(open) = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')) else { return };
        let (name, rest) = rest.split_at(open);
        let Some(rest) = rest.strip_prefix('(') else { return };
        let Some((parameters, body)) = rest.split_once(')') else { return };
        if body.contains('(') {
            found(Item::Macro { name, parameters, body });
        }
    } else if let Some(rest) = line.strip_prefix("include")
        && let Some(file) = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next())
        && file.ends_with(".c")
    {
        found(Item::Include(file));
    }
}

#[cfg(test)]
mod tests;
