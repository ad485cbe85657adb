//! Short names of functions, modules and ways. Main function: [`way`].

use std::path::Path;

use sysguard::unstable::model::text::escape;

use super::record::ReachRecord;
use super::steps::{ChainRecord, StepRecord};

/// How many functions of a way are named on one line.
const STEPS: usize = 4;

/// Returns foreign text with its control characters escaped.
pub(super) fn escaped(text: &str) -> String {
    escape::line(text).into_owned()
}

/// Returns the name of a file without its folder.
pub(super) fn file(path: &str) -> String {
    let name = Path::new(path).file_name().map_or_else(|| path.into(), |name| name.to_string_lossy());
    escaped(&name)
}

/// Returns the whole name of a step's function, or its place: `libc.so.6+0x1d20`.
pub(super) fn function(record: &ReachRecord, step: &StepRecord) -> String {
    match &step.function {
        Some(name) => escaped(name),
        None => format!("{}+{:#x}", module(record, step), step.start),
    }
}

/// Returns the name of a step's module.
pub(super) fn module(record: &ReachRecord, step: &StepRecord) -> String {
    record.modules.get(step.module).map(|module| file(&module.path)).unwrap_or_default()
}

/// Returns a way on one line: from `main`, if it leads through one, with the last functions. Of
/// functions without names, the module is named.
pub(super) fn way(record: &ReachRecord, chain: &ChainRecord) -> String {
    let is_main =
        |step: &StepRecord| step.function.as_deref().is_some_and(|name| name == "main" || name.ends_with("::main"));
    // The main function of Rust is called by that of C.
    let start = chain.steps.iter().rposition(is_main).unwrap_or_default();
    let name = |step: &StepRecord| match &step.function {
        Some(name) => short(&escaped(name)),
        None => module(record, step),
    };
    let mut shown: Vec<String> = chain.steps[start..].iter().map(name).collect();
    shown.dedup();
    let words = match shown.len() {
        0..=STEPS => shown,
        length => {
            let mut words = vec![shown[0].clone(), "…".to_owned()];
            words.extend_from_slice(&shown[length + 1 - STEPS..]);
            words
        }
    };
    let way = words.join(" → ");
    match &chain.resumes {
        Some(call) => format!("{way} (the kernel resumes {} after a signal)", escaped(call)),
        None => way,
    }
}

/// Returns the last two parts of a path without generic arguments: `Command::spawn` for
/// `<std::process::Command>::spawn::<u8>`.
pub(super) fn short(name: &str) -> String {
    let plain = without_arguments(name);
    let parts: Vec<&str> = plain.split("::").filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [] => name.to_owned(),
        [.., "{{closure}}"] if parts.len() > 2 => parts[parts.len() - 3..].join("::"),
        _ => parts[parts.len().saturating_sub(2)..].join("::"),
    }
}

/// Removes what is in angle brackets. Of `<Type as Trait>::method`, the type remains.
fn without_arguments(name: &str) -> String {
    let mut plain = String::new();
    let mut rest = name;
    if let Some(inner) = name.strip_prefix('<')
        && let Some(end) = closing(inner)
    {
        let subject = &inner[..end];
        let of_type = subject.split_once(" as ").map_or(subject, |(of_type, _)| of_type);
        plain.push_str(&without_arguments(of_type));
        rest = &inner[end + 1..];
    }
    let mut depth = 0_u32;
    let mut before = ' ';
    for character in rest.chars() {
        match character {
            '<' => depth += 1,
            // The arrow of a function type is no bracket.
            '>' if before != '-' => depth = depth.saturating_sub(1),
            other if depth == 0 => plain.push(other),
            _ => {}
        }
        before = character;
    }
    plain
}

/// Returns where the bracket is closed that was opened before this text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_u32;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
        before = character;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_to_type_and_function() {
        for (name, expected) in [
            ("main", "main"),
            ("__libc_start_main", "__libc_start_main"),
            ("std::process::Command::spawn", "Command::spawn"),
            ("<std::fs::File as std::io::Read>::read", "File::read"),
            ("<alloc::vec::Vec<T, A> as core::ops::drop::Drop>::drop", "Vec::drop"),
            ("core::ops::function::FnOnce::call_once::<fn() -> u8>", "FnOnce::call_once"),
            ("std::rt::lang_start::<()>::{{closure}}", "rt::lang_start::{{closure}}"),
            ("demo::main", "demo::main"),
            ("a<b", "a"),
            ("operator<", "operator"),
            ("<", "<"),
            ("", ""),
        ] {
            assert_eq!(short(name), expected, "{name}");
        }
    }
}
