//! The subsystem of every source file of a kernel. Main type: [`Areas`].
//!
//! `subsystems` decides files that define syscalls. This module decides the others: helpers without
//! syscalls (locking, slab, RCU, interrupts), drivers, and headers.

mod headers;
mod paths;

use std::collections::{BTreeMap, HashMap};

use crate::maintainers::Maintainers;
use crate::subsystems;
use headers::HEADERS;
use paths::PATHS;

/// The name of a file that no rule matches: infrastructure of the kernel.
const REST: &str = "core";

/// Paths of [`PATHS`] that are tried after the rules of `crate::subsystems`.
const FALLBACKS: [&str; 2] = ["arch/arm64/", "arch/riscv/"];

/// Rules for files of one tree.
pub(crate) struct Areas {
    /// The section of each file of the tree.
    sections: HashMap<String, Option<String>>,
    /// The subsystem of most sources of a section.
    by_section: HashMap<String, String>,
    /// The subsystem of the sources with this file name without its ending.
    by_stem: HashMap<String, String>,
}

impl Areas {
    /// Returns the rules of a tree with these files.
    pub(crate) fn new(maintainers: &Maintainers, paths: &[String]) -> Self {
        let section_of = |path: &String| (path.clone(), section(maintainers, path).map(str::to_owned));
        let known = paths.iter().map(section_of).collect();
        let mut areas = Self { sections: known, by_section: HashMap::new(), by_stem: HashMap::new() };
        let mut sections = HashMap::<String, BTreeMap<&str, usize>>::new();
        let mut stems = HashMap::<String, Vec<&str>>::new();
        for path in paths.iter().filter(|path| !path.ends_with(".h")) {
            let Some(subsystem) = by_path(path) else { continue };
            if !path.starts_with("drivers/") && !path.starts_with("sound/") {
                stems.entry(stem(path).to_owned()).or_default().push(subsystem);
            }
            if let Some(section) = areas.section(path) {
                *sections.entry(section.to_owned()).or_default().entry(subsystem).or_default() += 1;
            }
        }
        let most = |counts: BTreeMap<&str, usize>| {
            counts.into_iter().max_by_key(|(_, count)| *count).map_or(REST, |(subsystem, _)| subsystem).to_owned()
        };
        areas.by_section = sections.into_iter().map(|(section, counts)| (section, most(counts))).collect();
        let only = |(stem, mut subsystems): (String, Vec<&str>)| {
            subsystems.dedup();
            (subsystems.len() == 1).then(|| (stem, subsystems[0].to_owned()))
        };
        areas.by_stem = stems.into_iter().filter_map(only).collect();
        areas
    }

    /// Returns the section of MAINTAINERS of a file, or `None` if only the catch-all covers it.
    pub(crate) fn section(&self, path: &str) -> Option<&str> {
        self.sections.get(path)?.as_deref()
    }

    /// Returns the subsystem of a file.
    pub(crate) fn subsystem(&self, path: &str) -> String {
        self.decided(path).unwrap_or(REST).to_owned()
    }

    /// Returns the subsystem of a file, or `None` if no rule applies. A header without a rule gets
    /// the subsystem of its section's sources, or of the sources with its name.
    pub(crate) fn decided(&self, path: &str) -> Option<&str> {
        let by_section = || self.section(path).and_then(|section| self.by_section.get(section));
        let inferred = || by_section().or_else(|| self.by_stem.get(stem(path))).map(String::as_str);
        by_path(path).or_else(inferred)
    }
}

fn section<'m>(maintainers: &'m Maintainers, path: &str) -> Option<&'m str> {
    subsystems::section("", path).or_else(|| maintainers.section(path))
}

/// Returns the subsystem by the rules for paths.
fn by_path(path: &str) -> Option<&'static str> {
    let rule = PATHS.iter().chain(HEADERS).find(|(prefix, _)| path.starts_with(prefix));
    match rule {
        Some((prefix, subsystem)) if !FALLBACKS.contains(prefix) => Some(*subsystem),
        fallback => match subsystems::of_file(path) {
            Some(subsystem) => Some(subsystem.slug()),
            None => fallback.map(|(_, subsystem)| *subsystem).or_else(|| path.starts_with("kernel/").then_some(REST)),
        },
    }
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn areas() -> Areas {
        let text = "NETWORKING\nF:\tnet/\nF:\tinclude/linux/other.h\n\nTHE REST\nF:\t*/\n";
        let paths = ["net/core/dev.c", "lib/sort.c", "kernel/fork.c", "include/linux/sort.h", "include/linux/other.h"]
            .map(str::to_owned);
        Areas::new(&Maintainers::parse(text, |_| false), &paths)
    }

    #[test]
    fn files_have_the_subsystem_of_the_first_rule() {
        for (path, subsystem) in [
            ("kernel/locking/mutex.c", "locking"),
            ("kernel/sched/core.c", "scheduler"),
            ("kernel/sched/idle.c", "power"),
            ("kernel/fork.c", "process"),
            ("kernel/notifier.c", "core"),
            ("mm/slub.c", "slab"),
            ("mm/memory.c", "memory"),
            ("arch/arm64/mm/fault.c", "memory"),
            ("arch/arm64/kernel/cpufeature.c", "arch"),
            ("arch/x86/lib/copy_user_64.S", "usercopy"),
            ("net/unix/af_unix.c", "unix"),
            ("security/selinux/hooks.c", "security"),
            ("include/linux/other.h", "network"),
            ("include/linux/sort.h", "library"),
            ("include/linux/unknown.h", "core"),
        ] {
            assert_eq!(areas().subsystem(path), subsystem, "{path}");
        }
    }

    #[test]
    fn no_rule_is_hidden_by_an_earlier_one() {
        let all: Vec<&str> = PATHS.iter().chain(HEADERS).map(|(path, _)| *path).collect();
        for (at, path) in all.iter().enumerate() {
            assert!(!all[..at].iter().any(|earlier| path.starts_with(earlier)), "{path}");
        }
    }
}
