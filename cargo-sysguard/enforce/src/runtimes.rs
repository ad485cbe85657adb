//! Calls that a container runtime makes under the profile of its container, before it executes the
//! program. Main type: [`Runtime`].

/// A version of a container runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runtime {
    /// Its name and version, as `--runtime` takes it: `runc@1.3`.
    pub name: &'static str,
    /// The calls that it makes under the profile, with what for.
    pub calls: &'static [(&'static str, &'static str)],
    /// How the calls were found.
    pub source: &'static str,
}

/// Every known runtime, ordered by name.
pub const RUNTIMES: &[Runtime] = &[];

impl Runtime {
    /// Returns the runtime of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        RUNTIMES.iter().find(|runtime| runtime.name == name)
    }
}
