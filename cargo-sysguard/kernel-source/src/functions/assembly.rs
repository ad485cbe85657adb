//! Finds the functions of an assembly file: labels, and the macros of include/linux/linkage.h.
//! Main function: [`functions`].

use super::macros::split;
use super::scan::Linkage;

/// Macros with the name of a function as their first argument.
const GLOBAL: [&str; 20] = [
    "SYM_FUNC_START",
    "SYM_FUNC_START_NOALIGN",
    "SYM_FUNC_START_PI",
    "SYM_FUNC_START_ALIAS",
    "SYM_TYPED_FUNC_START",
    "SYM_CODE_START",
    "SYM_CODE_START_NOALIGN",
    "SYM_INNER_LABEL",
    "SYM_INNER_LABEL_ALIGN",
    "SYM_ENTRY",
    "SYM_FUNC_ALIAS",
    "SYM_FUNC_ALIAS_MEMFUNC",
    "SYM_START",
    "ENTRY",
    "ENTRY_NP",
    "GLOBAL",
    "THUNK",
    "CFI_FUNC_START",
    "SYM_PIC_ALIAS",
    "STATIC_CALL_TRAMP",
];

const STATIC: [&str; 7] = [
    "SYM_FUNC_START_LOCAL",
    "SYM_FUNC_START_LOCAL_NOALIGN",
    "SYM_CODE_START_LOCAL",
    "SYM_CODE_START_LOCAL_NOALIGN",
    "SYM_FUNC_ALIAS_LOCAL",
    "SYM_DATA_START_LOCAL",
    "SYM_TYPED_FUNC_START_LOCAL",
];

const WEAK: [&str; 3] = ["SYM_FUNC_START_WEAK", "SYM_FUNC_ALIAS_WEAK", "WEAK"];

/// Calls `found` for each function of an assembly file.
pub(crate) fn functions(text: &str, found: &mut impl FnMut(&str, Linkage)) {
    let globals: Vec<&str> = text.lines().filter_map(global).collect();
    let mut in_macro = false;
    let mut in_comment = false;
    for line in text.lines() {
        let line = line.trim_end();
        if in_comment {
            in_comment = !line.contains("*/");
            continue;
        }
        in_comment = line.contains("/*") && !line.contains("*/");
        let word = line.trim_start();
        in_macro =
            (in_macro || word.starts_with(".macro ") || word.starts_with(".macro\t")) && !word.starts_with(".endm");
        if in_macro || word.starts_with('#') && !word.starts_with("##") {
            continue;
        }
        if let Some(name) = word.strip_prefix("xen_pv_trap ") {
            // arch/x86/xen/xen-asm.S: the macro makes `xen_` and the name.
            found(&format!("xen_{}", name.trim()), Linkage::Global);
        } else if let Some((name, linkage)) = called(word) {
            found(name, linkage);
        } else if let Some(name) = label(line) {
            found(name, if globals.contains(&name) { Linkage::Global } else { Linkage::Static });
        }
    }
}

/// `SYM_FUNC_START(name)` and `THUNK name, function`
fn called(line: &str) -> Option<(&str, Linkage)> {
    let end = line.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))?;
    let (name, rest) = line.split_at(end);
    let linkage = match name {
        _ if GLOBAL.contains(&name) => Linkage::Global,
        _ if STATIC.contains(&name) => Linkage::Static,
        _ if WEAK.contains(&name) => Linkage::Weak,
        _ => return None,
    };
    let rest = rest.trim_start().trim_start_matches('(');
    let first = split(rest.split(')').next()?).into_iter().next()?;
    let first = first.split_whitespace().next()?;
    is_name(first).then_some((first, linkage))
}

/// `name:` in the first column
fn label(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(':')?;
    is_name(name).then_some(name)
}

/// `.globl name`
fn global(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = line.strip_prefix(".globl").or_else(|| line.strip_prefix(".global"))?;
    rest.split_whitespace().next()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_macros_are_functions() {
        let text = "/* comment\nno: */\n#include <x.h>\nSYM_FUNC_START(first)\n\tret\nSYM_FUNC_END(first)\n\
                    SYM_FUNC_START_LOCAL(second)\nSYM_FUNC_ALIAS_WEAK(memcpy, __memcpy)\n.macro M name\n\\name:\ninner:\n.endm\n\
                    .globl third\nthird:\nfourth:\n.Lfifth:\nTHUNK sixth, function\nSYM_INNER_LABEL(seventh, SYM_L_GLOBAL)\n1:\n";
        let mut found = Vec::new();
        functions(text, &mut |name, linkage| found.push((name.to_owned(), linkage)));
        let expected = [
            ("first", Linkage::Global),
            ("second", Linkage::Static),
            ("memcpy", Linkage::Weak),
            ("third", Linkage::Global),
            ("fourth", Linkage::Static),
            ("sixth", Linkage::Global),
            ("seventh", Linkage::Global),
        ];
        assert_eq!(found, expected.map(|(name, linkage)| (name.to_owned(), linkage)));
    }
}
