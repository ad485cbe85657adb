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
