//! The packages of a lock file, and which of them changed between two. Main types: [`Locked`] and
//! [`Moves`].
//!
//! It reads lock files as cargo writes them, one field per line. It must not claim that a change
//! caused anything: it is only shown beside a call site.

use std::collections::{BTreeMap, BTreeSet};

/// The crates of two lock files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    before: Versions,
    now: Versions,
}

type Versions = BTreeMap<String, BTreeSet<String>>;

/// What was locked before instead of this version of a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Past {
    /// Other versions.
    Versions(Vec<String>),
    /// No version.
    Absent,
}

impl Moves {
    /// Compares the text of an old lock file with that of the current one.
    pub fn between(before: &str, now: &str) -> Self {
        Self { before: versions(before), now: versions(now) }
    }

    /// Returns what was locked before, if this version is locked now and was not before.
    pub fn past(&self, name: &str, version: &str) -> Option<Past> {
        self.now.get(name).filter(|versions| versions.contains(version))?;
        match self.before.get(name) {
            None => Some(Past::Absent),
            Some(versions) if versions.contains(version) => None,
            Some(versions) => Some(Past::Versions(versions.iter().cloned().collect())),
        }
    }
}

/// A package in a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it comes from a registry or from git. Other packages are paths on this machine.
    pub is_fetched: bool,
}

/// Reads the packages: `name = "minreq"`, `version = "3.0.0"`, `source = "registry+…"`.
pub fn packages(lock: &str) -> impl Iterator<Item = Locked> {
    lock.split("[[package]]\n").skip(1).filter_map(|entry| {
        let field =
            |key: &str| entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'));
        let (name, version) = (field("name")?.to_owned(), field("version")?.to_owned());
        Some(Locked { name, version, is_fetched: field("source").is_some() })
    })
}

fn versions(lock: &str) -> Versions {
    let mut versions = Versions::new();
    for Locked { name, version, .. } in packages(lock) {
        versions.entry(name).or_default().insert(version);
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> String {
        let package = |(name, version): &(&str, &str)| {
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry\"\ndependencies = [\n \"x\",\n]\n\n"
            )
        };
        format!("version = 4\n\n{}", packages.iter().map(package).collect::<String>())
    }

    #[test]
    fn only_changed_versions_have_a_past() {
        let before =
            lock(&[("demo", "0.1.0"), ("http", "1.0.0"), ("syn", "1.0.1"), ("syn", "2.0.0"), ("old", "1.0.0")]);
        let now = lock(&[("demo", "0.1.0"), ("http", "2.0.0"), ("syn", "2.0.0"), ("syn", "2.1.0"), ("new", "0.1.0")]);
        let moves = Moves::between(&before, &now);
        let was =
            |versions: &[&str]| Some(Past::Versions(versions.iter().map(|&version| version.to_owned()).collect()));
        for (name, version, past) in [
            ("http", "2.0.0", was(&["1.0.0"])),
            ("syn", "2.1.0", was(&["1.0.1", "2.0.0"])),
            ("syn", "2.0.0", None),
            ("new", "0.1.0", Some(Past::Absent)),
            ("demo", "0.1.0", None),
            ("old", "1.0.0", None),
            ("http", "3.0.0", None),
            ("a-checkout", "0a1b2c", None),
        ] {
            assert_eq!(moves.past(name, version), past, "{name} {version}");
        }
        assert_eq!(Moves::between(&now, &now).past("http", "2.0.0"), None);
    }
}
