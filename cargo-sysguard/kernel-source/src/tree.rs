//! A kernel source tree on disk. Main type: [`Tree`].
//!
//! No other module reads the tree. It must not interpret files, except for the version.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Result;

/// The directories of the core and of the supported architectures. Drivers define hardly any call.
pub(crate) const ROOTS: [&str; 12] = [
    "arch/arm64",
    "arch/riscv",
    "arch/x86",
    "block",
    "fs",
    "init",
    "io_uring",
    "ipc",
    "kernel",
    "mm",
    "net",
    "security",
];

/// An unpacked kernel source tree.
pub struct Tree {
    root: PathBuf,
    version: Version,
}

/// `VERSION`, `PATCHLEVEL` and `SUBLEVEL` of the top Makefile, ordered like releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, u32, u32);

impl Version {
    /// Returns a version by its three numbers.
    pub fn new(version: u32, patchlevel: u32, sublevel: u32) -> Self {
        Self(version, patchlevel, sublevel)
    }

    /// Returns the release without its sublevel. Tables do not change within a release.
    pub fn release(self) -> String {
        format!("{}.{}", self.0, self.1)
    }

    fn parse(makefile: &str) -> Option<Self> {
        let field = |name: &str| {
            let line = makefile.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='))?;
            line.trim().parse().ok()
        };
        Some(Self(field("VERSION")?, field("PATCHLEVEL")?, field("SUBLEVEL")?))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Tree {
    /// Opens the tree at `root`.
    pub fn open(root: &Path) -> Result<Self> {
        let makefile = fs::read_to_string(root.join("Makefile")).map_err(|cause| {
            format!("cannot read the kernel tree `{}`: {cause}\nhelp: give an unpacked source tree", root.display())
        })?;
        let version = Version::parse(&makefile).ok_or_else(|| {
            format!("cannot read the version of `{}`: its Makefile is not that of a kernel", root.display())
        })?;
        Ok(Self { root: root.to_owned(), version })
    }

    /// Returns the version of the kernel.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the path on disk of a path inside the tree, for the compiler.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Returns the text of the file at this path inside the tree.
    pub fn read(&self, path: &str) -> Result<String> {
        let bytes = fs::read(self.root.join(path))
            .map_err(|cause| format!("cannot read `{path}` of {}: {cause}", self.version))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns the text of a file, or `None` if the tree lacks it.
    pub fn read_if_present(&self, path: &str) -> Option<String> {
        self.read(path).ok()
    }

    /// Returns whether the tree has anything at this path.
    pub fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// Returns whether this path inside the tree is a directory.
    pub fn is_directory(&self, path: &str) -> bool {
        self.root.join(path).is_dir()
    }

    /// Returns every file below a directory with a name that `wanted` accepts, sorted. Symbolic
    /// links are not followed.
    pub fn files(&self, below: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut directories = vec![below.to_owned()];
        while let Some(directory) = directories.pop() {
            let entries = fs::read_dir(self.root.join(&directory))
                .map_err(|cause| format!("cannot list `{directory}` of {}: {cause}", self.version))?;
            for entry in entries {
                let entry = entry.map_err(|cause| listing(&directory, &cause))?;
                let kind = entry.file_type().map_err(|cause| listing(&directory, &cause))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
                if kind.is_dir() {
                    directories.push(path);
                } else if kind.is_file() && wanted(&name) {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

fn listing(directory: &str, cause: &io::Error) -> String {
    format!("cannot list `{directory}`: {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_read_from_the_makefile() {
        let makefile = "# SPDX\nVERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION =\n";
        assert_eq!(Version::parse(makefile), Some(Version(6, 12, 117)));
        assert_eq!(Version::parse("VERSION = 6\n"), None);
        assert!(Version(7, 0, 1) > Version(6, 18, 15));
    }
}
