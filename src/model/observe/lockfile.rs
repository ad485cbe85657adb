//! Which dependencies moved between two lock files. Main type: [`Moves`].
//!
//! A lock file is read as cargo writes it, a field on a line. It must not say that a move did
//! anything: it is told beside a call site.

use std::collections::{BTreeMap, BTreeSet};

/// The crates of two lock files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    before: Versions,
    now: Versions,
}

type Versions = BTreeMap<String, BTreeSet<String>>;

/// Where a crate comes from that was not there in this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Past {
    /// It was there in others.
    Was(Vec<String>),
    /// It was not there at all.
    Absent,
}

impl Moves {
    /// Between what was locked and what is.
    pub fn between(before: &str, now: &str) -> Self {
        Self { before: versions(before), now: versions(now) }
    }

    /// The past of a crate that is locked in this version and was not; nothing of any other.
    pub fn past(&self, name: &str, version: &str) -> Option<Past> {
        self.now.get(name).filter(|versions| versions.contains(version))?;
        match self.before.get(name) {
            None => Some(Past::Absent),
            Some(versions) if versions.contains(version) => None,
            Some(versions) => Some(Past::Was(versions.iter().cloned().collect())),
        }
    }
}

/// `[[package]]`, `name = "minreq"`, `version = "3.0.0"`
fn versions(lock: &str) -> Versions {
    let mut versions = Versions::new();
    let mut name = None;
    for line in lock.lines() {
        let value = |key: &str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"').map(str::to_owned);
        name = value("name").or(name);
        if let Some((name, version)) = value("version").and_then(|version| Some((name.take()?, version))) {
            versions.entry(name).or_default().insert(version);
        }
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
    fn what_moved_is_known_and_nothing_is_said_of_what_did_not() {
        let before =
            lock(&[("demo", "0.1.0"), ("http", "1.0.0"), ("syn", "1.0.1"), ("syn", "2.0.0"), ("old", "1.0.0")]);
        let now = lock(&[("demo", "0.1.0"), ("http", "2.0.0"), ("syn", "2.0.0"), ("syn", "2.1.0"), ("new", "0.1.0")]);
        let moves = Moves::between(&before, &now);
        let was = |versions: &[&str]| Some(Past::Was(versions.iter().map(|&version| version.to_owned()).collect()));
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
