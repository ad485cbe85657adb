//! The definitions of entry points: every `SYSCALL_DEFINEn` site, and the one that an architecture
//! runs. Main type: [`Definitions`].
//!
//! It must not know sections, subsystems or Makefiles.

use std::collections::{BTreeMap, BTreeSet};

use crate::Result;
use crate::conditions::{Stack, Symbols};
use crate::tree::{ROOTS, Tree};

/// Sites that are never part of the supported kernels.
const OTHER_KERNELS: [(&str, &str); 4] = [
    ("arch/x86/kernel/process_32.c", "32-bit kernels"),
    ("arch/x86/um/", "user-mode Linux"),
    ("mm/nommu.c", "machines without an MMU"),
    ("kernel/time/posix-stubs.c", "kernels without POSIX timers: every call fails"),
];

/// One place that defines an entry point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) file: String,
    /// The symbols that its `#if` stack requires.
    pub(crate) symbols: Symbols,
}

/// Every definition of one tree, by entry point.
pub(crate) struct Definitions {
    sites: BTreeMap<String, Vec<Site>>,
    optional: BTreeSet<String>,
}

impl Definitions {
    /// Reads all definitions of a tree.
    pub(crate) fn read(tree: &Tree) -> Result<Self> {
        let mut sites = BTreeMap::<String, Vec<Site>>::new();
        // drivers/char/random.c defines getrandom.
        for root in ROOTS.into_iter().chain(["drivers/char"]) {
            for file in tree.files(root, |name| name.ends_with(".c"))? {
                if OTHER_KERNELS.iter().any(|(path, _)| file.starts_with(path)) {
                    continue;
                }
                for (entry_point, symbols) in definitions(&tree.read(&file)?) {
                    sites.entry(entry_point).or_default().push(Site { file: file.clone(), symbols });
                }
            }
        }
        let optional = optional(&tree.read("kernel/sys_ni.c")?);
        Ok(Self { sites, optional })
    }

    /// Returns the site that runs on this architecture: its own, or else the common one.
    ///
    /// The first of several sites in one file is the one with the option on (`iopl`). The sites of
    /// `clone` count as one.
    pub(crate) fn site(&self, entry_point: &str, arch: &str) -> Option<&Site> {
        let sites = self.sites.get(entry_point)?;
        let own = format!("arch/{arch}/");
        let runs_here = sites.iter().find(|site| site.file.starts_with(&own));
        runs_here.or_else(|| sites.iter().find(|site| !site.file.starts_with("arch/")))
    }

    /// Returns whether a kernel may be built without it (`COND_SYSCALL`). Then the call fails with
    /// ENOSYS.
    pub(crate) fn is_optional(&self, entry_point: &str) -> bool {
        self.optional.contains(entry_point)
    }
}

/// Returns the entry points that a C file defines, with the symbols that each requires.
fn definitions(text: &str) -> Vec<(String, Symbols)> {
    let mut found = Vec::new();
    if !text.contains("SYSCALL") {
        return found;
    }
    let mut stack = Stack::default();
    for line in logical_lines(text) {
        if !stack.read_c(&line)
            && let Some(entry_point) = defined_by(&line)
        {
            found.push((entry_point, stack.symbols()));
        }
    }
    found
}

/// Returns `sys_read` for `SYSCALL_DEFINE3(read, …`, and `compat_sys_…` for the compat forms.
///
/// `SYSCALL32_DEFINE` is the compat form on a 64-bit kernel: include/linux/syscalls.h.
fn defined_by(line: &str) -> Option<String> {
    let (prefix, rest) =
        [("sys_", "SYSCALL_DEFINE"), ("compat_sys_", "COMPAT_SYSCALL_DEFINE"), ("compat_sys_", "SYSCALL32_DEFINE")]
            .into_iter()
            .find_map(|(prefix, macro_name)| Some((prefix, line.strip_prefix(macro_name)?)))?;
    let arguments = rest.strip_prefix(|c: char| c.is_ascii_digit())?.strip_prefix('(')?;
    let name = arguments.split([',', ')']).next()?.trim();
    Some(format!("{prefix}{name}"))
}

/// Returns `sys_io_setup` for `COND_SYSCALL(io_setup)`.
fn optional(sys_ni: &str) -> BTreeSet<String> {
    let stub = |line: &str| {
        let (prefix, rest) = [("sys_", "COND_SYSCALL("), ("compat_sys_", "COND_SYSCALL_COMPAT(")]
            .into_iter()
            .find_map(|(prefix, macro_name)| Some((prefix, line.strip_prefix(macro_name)?)))?;
        Some(format!("{prefix}{}", rest.split(')').next()?.trim()))
    };
    sys_ni.lines().filter_map(stub).collect()
}

/// Returns the lines, with backslash continuations joined.
pub(crate) fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut joined = String::new();
    for line in text.lines() {
        match line.strip_suffix('\\') {
            Some(continued) => {
                joined.push_str(continued);
                joined.push(' ');
            }
            None => lines.push(std::mem::take(&mut joined) + line),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_gives_entry_point_and_required_symbols() {
        let text = "SYSCALL_DEFINE3(read, unsigned int, fd)\n#ifdef CONFIG_COMPAT\n#if defined(CONFIG_A) && \\\n    defined(CONFIG_B)\n\
                    COMPAT_SYSCALL_DEFINE0(x32_rt_sigreturn)\n#endif\n#endif\nSYSCALL32_DEFINE0(sigreturn)\n/* SYSCALL_DEFINE1(no, */\n";
        let found: Vec<_> = definitions(text)
            .into_iter()
            .map(|(name, symbols)| (name, symbols.into_iter().collect::<Vec<_>>().join(" ")))
            .collect();
        let expected = [
            ("sys_read", ""),
            ("compat_sys_x32_rt_sigreturn", "CONFIG_A CONFIG_B CONFIG_COMPAT"),
            ("compat_sys_sigreturn", ""),
        ];
        assert_eq!(found, expected.map(|(name, symbols)| (name.to_owned(), symbols.to_owned())));
    }

    #[test]
    fn architecture_specific_definition_comes_first() {
        let site = |file: &str| Site { file: file.to_owned(), symbols: Symbols::new() };
        let sites = [("sys_mmap".to_owned(), vec![site("arch/x86/kernel/sys_x86_64.c"), site("mm/mmap.c")])];
        let definitions = Definitions { sites: sites.into(), optional: BTreeSet::new() };
        assert_eq!(definitions.site("sys_mmap", "x86"), Some(&site("arch/x86/kernel/sys_x86_64.c")));
        assert_eq!(definitions.site("sys_mmap", "riscv"), Some(&site("mm/mmap.c")));
        assert_eq!(definitions.site("sys_none", "x86"), None);
    }

    #[test]
    fn stub_makes_a_call_optional() {
        let stubs = optional("COND_SYSCALL(io_setup);\nCOND_SYSCALL_COMPAT(ppoll);\n#define COND_SYSCALL(name) x\n");
        assert_eq!(stubs.into_iter().collect::<Vec<_>>(), ["compat_sys_ppoll", "sys_io_setup"]);
    }
}
