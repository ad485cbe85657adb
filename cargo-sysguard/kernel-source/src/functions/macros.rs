//! Macros that make functions: `DEFINE_SHOW_ATTRIBUTE(name)` defines `name_open`. Main type:
//! [`Macros`].
//!
//! A call is replaced by the text of its macro, which is scanned as C again. A few macros that
//! reach functions through many others are known by name.

use std::collections::{HashMap, HashSet};

use super::scan::{Item, Linkage, scan};

/// Maximum depth of nested macros.
const DEPTH: usize = 6;

/// A macro with parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Macro {
    pub(crate) file: String,
    pub(crate) parameters: Vec<String>,
    pub(crate) body: String,
}

/// The call of a macro at the top level of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: String,
    pub(crate) is_static: bool,
    pub(crate) has_body: bool,
}

/// The macros of a tree that make functions, by name.
#[derive(Debug, Default)]
pub(crate) struct Macros {
    by_name: HashMap<String, Vec<Macro>>,
}

impl Macros {
    /// Keeps the macros that make functions, directly or through other macros.
    pub(crate) fn of(all: Vec<(String, Macro)>) -> Self {
        let mut makers: HashSet<String> = HashSet::new();
        let mut through = HashMap::<String, HashSet<String>>::new();
        for (name, made) in &all {
            let (makes, calls) = made.effects();
            if makes {
                makers.insert(name.clone());
            } else if !calls.is_empty() {
                through.entry(name.clone()).or_default().extend(calls);
            }
        }
        loop {
            let is_new = |(name, calls): (&String, &HashSet<String>)| {
                (!makers.contains(name) && calls.iter().any(|call| makers.contains(call))).then(|| name.clone())
            };
            let new: Vec<String> = through.iter().filter_map(is_new).collect();
            if new.is_empty() {
                break;
            }
            makers.extend(new);
        }
        let mut by_name = HashMap::<String, Vec<Macro>>::new();
        for (name, made) in all {
            if makers.contains(&name) {
                by_name.entry(name).or_default().push(made);
            }
        }
        Self { by_name }
    }

    /// Calls `found` for each function that a call in this file makes.
    pub(crate) fn expand(&self, file: &str, call: &Call, found: &mut impl FnMut(&str, Linkage)) {
        self.expand_to(file, call, DEPTH, found);
    }

    fn expand_to(&self, file: &str, call: &Call, depth: usize, found: &mut dyn FnMut(&str, Linkage)) {
        if let Some((name, linkage)) = known(call) {
            return found(&name, linkage);
        }
        if depth == 0 {
            return;
        }
        for text in self.visible(file, &call.name).into_iter().map(|made| made.text(call)) {
            scan(&text, &mut |item| match item {
                Item::Function { name, linkage } => {
                    found(name, if call.is_static { Linkage::Static } else { linkage });
                }
                Item::Call { name, arguments, is_static, has_body } => {
                    let is_static = is_static || call.is_static;
                    let inner = Call { name: name.to_owned(), arguments: arguments.to_owned(), is_static, has_body };
                    self.expand_to(file, &inner, depth - 1, found);
                }
                Item::Label(name) => found(name, Linkage::Static),
                Item::Macro { .. } | Item::Include(_) => {}
            });
        }
    }

    /// Returns the definitions of a macro that a file most likely sees: in the file itself, in its
    /// folder, in include folders, or else all.
    fn visible(&self, file: &str, name: &str) -> Vec<&Macro> {
        let Some(all) = self.by_name.get(name) else { return Vec::new() };
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let nearness = |made: &Macro| {
            let its = made.file.rsplit_once('/').map_or("", |(folder, _)| folder);
            if made.file == file {
                0
            } else if its == folder {
                1
            } else if made.file.starts_with("include/") || made.file.contains("/include/") {
                2
            } else {
                3
            }
        };
        let Some(nearest) = all.iter().map(nearness).min() else { return Vec::new() };
        // A macro of another file is visible only in headers.
        let is_visible = |made: &&Macro| nearness(made) == nearest && (nearest == 0 || !made.file.ends_with(".c"));
        all.iter().filter(is_visible).collect()
    }
}

impl Macro {
    /// Returns whether a call makes a function, and the macros that it calls in turn.
    fn effects(&self) -> (bool, Vec<String>) {
        let (mut makes, mut calls) = (false, Vec::new());
        let text = format!("{}\n{{}}", self.body.replace("##", "").replace('\\', " "));
        scan(&text, &mut |item| match item {
            Item::Function { .. } | Item::Label(_) => makes = true,
            Item::Call { name, .. } => {
                makes |= is_known(name);
                calls.push(name.to_owned());
            }
            Item::Macro { .. } | Item::Include(_) => {}
        });
        (makes, calls)
    }

    /// Returns the body with the arguments of the call.
    fn text(&self, call: &Call) -> String {
        let arguments = split(&call.arguments);
        let last = self.parameters.len().saturating_sub(1);
        let value = |word: &str| {
            let at = self.parameters.iter().position(|parameter| {
                let name = parameter.strip_suffix("...").unwrap_or(parameter).trim_end();
                name == word || name.is_empty() && word == "__VA_ARGS__"
            })?;
            let takes_rest = at == last && self.parameters[at].ends_with("...");
            Some(match takes_rest {
                true => arguments.get(at..).unwrap_or_default().join(", "),
                false => (*arguments.get(at).unwrap_or(&"")).to_owned(),
            })
        };
        let mut text = substitute(&self.body, value);
        if call.has_body {
            text.push_str("\n{}\n");
        }
        text
    }
}

/// Replaces words, joins at `##`, and removes the backslashes at the ends of lines.
fn substitute(body: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(body.len() + 64);
    let mut rest = body;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("##") {
            text.truncate(text.trim_end().len());
            rest = rest[2..].trim_start_matches([' ', '\t', '\\', '\n']);
        } else if rest.starts_with("\\\n") {
            text.push('\n');
            rest = &rest[2..];
        } else if first.is_ascii_alphanumeric() || first == '_' {
            let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
            let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
            match value(word) {
                Some(value) => text.push_str(&value),
                None => text.push_str(word),
            }
            rest = after;
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    text
}

/// Splits arguments at commas outside of brackets.
pub(crate) fn split(arguments: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, letter) in arguments.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(arguments[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(arguments[start..].trim());
    parts
}

/// Prefixes of macros that are known by name.
const KNOWN: [&str; 13] = [
    "SYSCALL_DEFINE",
    "COMPAT_SYSCALL_DEFINE",
    "SYSCALL32_DEFINE",
    "TRACE_EVENT",
    "DECLARE_EVENT_CLASS",
    "DEFINE_EVENT",
    "DECLARE_TRACE",
    "DEFINE_STATIC_CALL",
    "BPF_CALL_",
    "NOTRACE_BPF_CALL_",
    "PV_CALLEE_SAVE_REGS_THUNK",
    "DECLARE_IDTENTRY",
    "LSM_HOOK",
];

fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|known| name.starts_with(known))
}

/// Returns the function that a call of a macro known by name makes. Names with a blank stand for a
/// family of functions, see [`super::family`].
fn known(call: &Call) -> Option<(String, Linkage)> {
    let arguments = split(&call.arguments);
    let first = *arguments.first()?;
    let name = call.name.as_str();
    if !is_known(name) || first.is_empty() {
        return None;
    }
    let is_compat = name.starts_with("COMPAT_SYSCALL") || name.starts_with("SYSCALL32");
    Some(if name.contains("SYSCALL") && name.contains("DEFINE") && !name.contains("TRACE") {
        (format!("{}sys_{first}", if is_compat { "compat_" } else { "" }), Linkage::Global)
    } else if name.starts_with("DEFINE_EVENT") {
        // DEFINE_EVENT(class, name, …)
        (format!("event {}", arguments.get(1)?), Linkage::Global)
    } else if name.starts_with("TRACE_EVENT") || name.starts_with("DECLARE_EVENT_CLASS") || name == "DECLARE_TRACE" {
        (format!("event {first}"), Linkage::Global)
    } else if name.starts_with("DEFINE_STATIC_CALL") {
        (format!("call {first}"), Linkage::Global)
    } else if name.contains("BPF_CALL_") {
        (first.to_owned(), Linkage::Global)
    } else if name.starts_with("PV_CALLEE_SAVE") {
        (format!("__raw_callee_save_{first}"), Linkage::Global)
    } else if name.starts_with("DECLARE_IDTENTRY") {
        (format!("asm_{}", arguments.last()?), Linkage::Global)
    } else if name == "LSM_HOOK" {
        // LSM_HOOK(type, default, name, …) in lsm_hook_defs.h, by kernel/bpf/bpf_lsm.c.
        (format!("bpf_lsm_{}", arguments.get(2)?), Linkage::Global)
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests;
