//! The source files that may define a symbol, by its name and its letter. Main type:
//! [`Candidates`].

use kernel_source::{Linkage, family};

use super::super::index::Found;
use super::super::symbols::{Binding, Symbol};

/// Files that may define a symbol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Candidates {
    /// Positions in [`Found::files`].
    pub(super) files: Vec<usize>,
}

/// Entry points of read(2) by architecture: arch/*/include/asm/syscall_wrapper.h.
const ENTRIES: [(&str, &str); 3] =
    [("__x64_sys_read", "arch/x86/"), ("__arm64_sys_read", "arch/arm64/"), ("__riscv_sys_read", "arch/riscv/")];

/// Returns the folder of a kernel's architecture, or `arch/` if unknown.
pub(super) fn arch(symbols: &[Symbol]) -> &'static str {
    let is_there = |(entry, _): &&(&str, &str)| symbols.iter().any(|symbol| symbol.name == *entry);
    ENTRIES.iter().find(is_there).map_or("arch/", |(_, arch)| arch)
}

/// Aliases that `module_init` and `module_exit` define in every module: include/linux/module.h.
const OF_EVERY_MODULE: [&str; 2] = ["init_module", "cleanup_module"];

impl Candidates {
    /// Returns the files that define the symbol or its family on this architecture.
    pub(super) fn of(symbol: &Symbol, found: &Found, arch: &str) -> Self {
        let runs_here = |file: usize| {
            let path = &*found.files[file].place.file;
            !path.starts_with("arch/") || path.starts_with(arch)
        };
        if OF_EVERY_MODULE.contains(&symbol.name.as_str()) {
            return Self::default();
        }
        for name in family(&symbol.name) {
            let all: Vec<(usize, Linkage)> =
                found.candidates(&name).iter().copied().filter(|&(file, _)| runs_here(file)).collect();
            if !all.is_empty() {
                // The letter holds for the function itself, not for parts and families.
                let fitting = if name == symbol.name { fitting(symbol.binding, &all) } else { Vec::new() };
                let chosen = if fitting.is_empty() { all } else { fitting };
                let mut files: Vec<usize> = chosen.into_iter().map(|(file, _)| file).collect();
                files.dedup();
                return Self { files };
            }
        }
        Self::default()
    }
}

/// Returns the definitions that kallsyms would list with this letter.
fn fitting(binding: Binding, all: &[(usize, Linkage)]) -> Vec<(usize, Linkage)> {
    let fits = |linkage: Linkage| match binding {
        Binding::Global => linkage != Linkage::Static,
        Binding::Local => linkage == Linkage::Static,
        Binding::Weak => linkage == Linkage::Weak,
    };
    let fitting: Vec<_> = all.iter().copied().filter(|(_, linkage)| fits(*linkage)).collect();
    // A definition replaces the weak ones.
    let strong: Vec<_> = fitting.iter().copied().filter(|(_, linkage)| *linkage != Linkage::Weak).collect();
    if binding == Binding::Global && !strong.is_empty() { strong } else { fitting }
}
