//! What a tree says of a file of its own: who maintains it, and what must be on for it to be built.
//! Main type: [`Places`].

use crate::Result;
use crate::conditions::Symbols;
use crate::kbuild::Kbuild;
use crate::kconfig::Kconfig;
use crate::maintainers::Maintainers;
use crate::subsystems;
use crate::tree::Tree;

/// Symbols that say nothing of what they build: on whenever it can be asked for at all.
const GIVEN: [&str; 11] = [
    // The ABI itself.
    "CONFIG_64BIT",
    "CONFIG_COMPAT",
    "CONFIG_IA32_EMULATION",
    "CONFIG_MMU",
    "CONFIG_X86_64",
    "CONFIG_X86_X32_ABI",
    // Chosen by the architecture, never by a user: which form of an old call it has.
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

/// What must be on, joined by ` && `, and whether all of that is offered to experts only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Options {
    /// `CONFIG_NET`; `None`: every kernel has it.
    pub config: Option<String>,
    /// All of them are for experts.
    pub expert: bool,
}

/// A file or folder of the source: who maintains it, and what must be on for it to be built.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its path.
    pub source: String,
    /// Its section of MAINTAINERS; `None` where only the catch-all covers it.
    pub section: Option<String>,
    /// What must be on; `None` where no Makefile tells.
    pub options: Option<Options>,
}

impl<'t> Places<'t> {
    /// Reads what is always needed; Makefiles are read as they are asked for.
    pub fn read(tree: &'t Tree) -> Result<Self> {
        Ok(Self { kbuild: Kbuild::new(tree), kconfig: Kconfig::read(tree)?, maintainers: Maintainers::read(tree)? })
    }

    /// The file's section of MAINTAINERS, or `core:<file>` where only the catch-all covers it.
    pub fn section(&self, file: &str) -> String {
        self.maintainers.section(file).map_or_else(|| format!("core:{file}"), str::to_owned)
    }

    /// A file or folder. A header is never built: it has a section only.
    pub fn place(&self, source: &str) -> Place {
        let section = match subsystems::section("", source) {
            Some(curated) => Some(curated),
            None => self.maintainers.section(&self.kbuild.pattern(source)),
        };
        let options = self.kbuild.symbols_of(source).map(|symbols| self.joined(&symbols));
        Place { source: source.to_owned(), section: section.map(str::to_owned), options }
    }

    /// What must be on for this file to be built; `None` where no Makefile names it.
    pub fn options(&self, file: &str) -> Option<Options> {
        self.symbols(file).map(|symbols| self.joined(&symbols))
    }

    pub(crate) fn symbols(&self, file: &str) -> Option<Symbols> {
        self.kbuild.symbols(file)
    }

    pub(crate) fn joined(&self, symbols: &Symbols) -> Options {
        let told: Vec<&str> = symbols.iter().map(String::as_str).filter(|symbol| !GIVEN.contains(symbol)).collect();
        Options {
            config: (!told.is_empty()).then(|| told.join(" && ")),
            expert: !told.is_empty() && told.iter().all(|symbol| self.kconfig.is_for_experts(symbol)),
        }
    }
}
