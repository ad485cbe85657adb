//! The section of MAINTAINERS of a source file, and the options that build it. Main type:
//! [`Places`].

use crate::Result;
use crate::conditions::Symbols;
use crate::kbuild::Kbuild;
use crate::kconfig::Kconfig;
use crate::maintainers::Maintainers;
use crate::subsystems;
use crate::tree::Tree;

/// Symbols that are left out, because they are on wherever the call can be made.
const GIVEN: [&str; 11] = [
    // The ABI itself.
    "CONFIG_64BIT",
    "CONFIG_COMPAT",
    "CONFIG_IA32_EMULATION",
    "CONFIG_MMU",
    "CONFIG_X86_64",
    "CONFIG_X86_X32_ABI",
    // Set by the architecture for its form of an old call, never by a user.
    "CONFIG_ARCH_WANT_OLD_COMPAT_IPC",
    "CONFIG_CLONE_BACKWARDS",
    "CONFIG_COMPAT_OLD_SIGACTION",
    "CONFIG_OLD_SIGSUSPEND",
    // Selected by BPF_SYSCALL.
    "CONFIG_BPF",
];

/// The Makefiles, Kconfig files and MAINTAINERS of one tree.
pub struct Places<'t> {
    kbuild: Kbuild<'t>,
    kconfig: Kconfig,
    pub(crate) maintainers: Maintainers,
}

/// The options that must be on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Options {
    /// The symbols, joined by ` && `, or `None` if every kernel has it.
    pub config: Option<String>,
    /// Whether all of them have a prompt only `if EXPERT`.
    pub expert: bool,
}

/// A file or folder of the source, with its section and options.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its path.
    pub source: String,
    /// Its section of MAINTAINERS, or `None` if only the catch-all covers it.
    pub section: Option<String>,
    /// Its options, or `None` if no Makefile names it.
    pub options: Option<Options>,
}

impl<'t> Places<'t> {
    /// Reads Kconfig and MAINTAINERS. Makefiles are read on demand.
    pub fn read(tree: &'t Tree) -> Result<Self> {
        Ok(Self { kbuild: Kbuild::new(tree), kconfig: Kconfig::read(tree)?, maintainers: Maintainers::read(tree)? })
    }

    /// Returns the file's section of MAINTAINERS, or `core:<file>` if only the catch-all covers it.
    pub fn section(&self, file: &str) -> String {
        self.maintainers.section(file).map_or_else(|| format!("core:{file}"), str::to_owned)
    }

    /// Returns the place of a file or folder. A header has no options, because it is never built.
    pub fn place(&self, source: &str) -> Place {
        let section = match subsystems::section("", source) {
            Some(curated) => Some(curated),
            None => self.maintainers.section(&self.kbuild.pattern(source)),
        };
        let options = self.kbuild.symbols_of(source).map(|symbols| self.joined(&symbols));
        Place { source: source.to_owned(), section: section.map(str::to_owned), options }
    }

    /// Returns the options that build this file, or `None` if no Makefile names it.
    pub fn options(&self, file: &str) -> Option<Options> {
        self.symbols(file).map(|symbols| self.joined(&symbols))
    }

    pub(crate) fn symbols(&self, file: &str) -> Option<Symbols> {
        self.kbuild.symbols(file)
    }

    pub(crate) fn joined(&self, symbols: &Symbols) -> Options {
        let named: Vec<&str> = symbols.iter().map(String::as_str).filter(|symbol| !GIVEN.contains(symbol)).collect();
        Options {
            config: (!named.is_empty()).then(|| named.join(" && ")),
            expert: !named.is_empty() && named.iter().all(|symbol| self.kconfig.is_for_experts(symbol)),
        }
    }
}
