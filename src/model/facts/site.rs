//! The call site of a finding, for reports. Main type: [`Site`].
//!
//! Plain data: it must not unwind, and not choose among the functions of a stack.

/// A call site in words, and the function that it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// One line: `minreq 2.11.0 minreq::get, called by demo::fetch at src/main.rs:7`.
    pub words: String,
    /// The function in the user's own code, or else the one in a dependency; `None` if only the
    /// words are known.
    pub location: Option<CodeLocation>,
}

/// A function, and where it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeLocation {
    /// The function, demangled.
    pub function: Option<String>,
    /// The package that contains it, unless that is the tested one.
    pub package: Option<String>,
    /// The version of that package.
    pub version: Option<String>,
    /// The source file, relative to the package if it lies below it.
    pub file: Option<String>,
    /// The line in the file, counted from 1.
    pub line: Option<u32>,
    /// The program or library that contains it.
    pub module: String,
    /// Whether it is code of a workspace member.
    pub is_own: bool,
    /// What own code calls here: the function of a dependency, after its package and version, or
    /// else the function that it calls directly.
    pub callee: Option<String>,
}

/// Why the call site of a finding, or a function in it, is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSite {
    /// The finding is about a signal or a blind spot, not about a call.
    NotACall,
    /// The engine does not stop each call, so it reads no stacks.
    Engine,
    /// This build reads no stacks: on this architecture, or without the feature `call-sites`.
    Unsupported,
    /// execve replaced the program that called it before its stack was read.
    Replaced,
    /// The stack of the task could not be read.
    Unreadable,
    /// The stack was read, but the programs and libraries on it have no symbols.
    NoSymbols,
    /// No call site was kept: the finding is from a proposal, or compares two recordings.
    NotRecorded,
}

impl NoSite {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::NotACall,
        Self::Engine,
        Self::Unsupported,
        Self::Replaced,
        Self::Unreadable,
        Self::NoSymbols,
        Self::NotRecorded,
    ];

    /// Returns whether this reason is known from the run only, not from the finding itself.
    pub fn is_of_run(self) -> bool {
        matches!(self, Self::Engine | Self::Unsupported | Self::Replaced | Self::Unreadable)
    }

    /// Returns the word that JSON uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotACall => "not_a_call",
            Self::Engine => "engine",
            Self::Unsupported => "unsupported",
            Self::Replaced => "replaced",
            Self::Unreadable => "unreadable",
            Self::NoSymbols => "no_symbols",
            Self::NotRecorded => "not_recorded",
        }
    }

    /// Returns the reason with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Returns whether a module is the C library, its loader, or the vDSO.
pub fn is_c_library(module: &str) -> bool {
    ["libc.", "ld-linux", "ld-musl", "libpthread", "libm.", "[vdso]"].iter().any(|name| module.starts_with(name))
}

impl Site {
    /// Returns a call site of which only the words are known.
    pub fn of_words(words: String) -> Self {
        Self { words, location: None }
    }
}
