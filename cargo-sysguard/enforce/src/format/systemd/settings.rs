//! Settings beside the filter that follow from baselines. Main function: [`settings`].
//!
//! A setting is derived only where every baseline is complete for it: one of version 1 lacks
//! arguments, and calls that a `tolerate:` rule matches were not recorded.

use std::collections::BTreeSet;

use sysguard::unstable::model::attribution::{ObjectClass, ObjectKind};
use sysguard::unstable::model::expectation::Entry;
use sysguard::unstable::model::facts::version::Version;

use crate::source::Source;

/// A setting of systemd.exec(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) why: String,
}

/// Returns the settings that forbid nothing that the baselines hold, in a fixed order.
pub(super) fn settings(sources: &[Source<'_>]) -> Vec<Setting> {
    if sources.is_empty() {
        return Vec::new();
    }
    let facts = Facts { sources };
    let settings = [facts.address_families(), facts.namespaces(), facts.memory(), facts.devices(), facts.privileges()];
    settings.into_iter().flatten().collect()
}

/// Returns every object of an entry.
pub(super) fn objects_of(entry: &Entry) -> impl Iterator<Item = &ObjectKind> {
    entry.objects.iter().chain(entry.pairs.iter().map(|pair| &pair.object))
}

/// Returns every argument of an entry, and `None` if some calls had none.
fn arguments_of(entry: &Entry) -> impl Iterator<Item = Option<&str>> {
    let arguments = entry.arguments.iter().chain(entry.pairs.iter().map(|pair| &pair.argument));
    let has_none = !entry.objects.is_empty() || entry.arguments.is_empty() && entry.pairs.is_empty();
    arguments.map(|argument| Some(argument.as_str())).chain(has_none.then_some(None))
}

struct Facts<'a> {
    sources: &'a [Source<'a>],
}

impl<'a> Facts<'a> {
    /// Returns whether all calls of these names were recorded, with their arguments and objects.
    /// Without names: whether all calls were.
    fn are_complete(&self, names: &[&str]) -> bool {
        let may_miss = |syscall: Option<&String>| match syscall {
            Some(syscall) => names.is_empty() || names.contains(&syscall.as_str()),
            None => true,
        };
        self.sources.iter().all(|source| {
            let mut tolerated = source.document.tolerate.iter().filter(|rule| rule.signal.is_none());
            source.baseline.version >= Version::Two && !tolerated.any(|rule| may_miss(rule.syscall.as_ref()))
        })
    }

    /// Returns all arguments of calls of these names, `None` for calls without one.
    fn arguments(&self, names: &'a [&str]) -> impl Iterator<Item = Option<&'a str>> {
        let entries = self.sources.iter().flat_map(|source| source.entries());
        entries.filter(|(name, _)| names.contains(name)).flat_map(|(_, entry)| arguments_of(entry))
    }

    fn is_called(&self, names: &[&str]) -> bool {
        self.sources.iter().flat_map(|source| source.entries()).any(|(name, _)| names.contains(&name))
    }

    fn address_families(&self) -> Option<Setting> {
        // On i386, socketcall(2) hides the family.
        const CALLS: &[&str] = &["socket", "socketcall"];
        if !self.are_complete(CALLS) || self.is_called(&["socketcall"]) {
            return None;
        }
        let families: Option<BTreeSet<&str>> = self.arguments(CALLS).collect();
        let families = families.filter(|families| families.iter().all(|family| family.starts_with("AF_")))?;
        let (value, why) = match families.len() {
            0 => ("none".to_owned(), "no socket is made (systemd 249)".to_owned()),
            _ => (families.into_iter().collect::<Vec<_>>().join(" "), "the families of all sockets".to_owned()),
        };
        Some(Setting { name: "RestrictAddressFamilies", value, why })
    }

    fn namespaces(&self) -> Option<Setting> {
        const CALLS: &[&str] = &["clone", "clone3", "setns", "unshare"];
        /// Flags with their names in RestrictNamespaces=. It does not limit time namespaces.
        const FLAGS: &[(&str, Option<&str>)] = &[
            ("CLONE_INTO_CGROUP", None),
            ("CLONE_NEWCGROUP", Some("cgroup")),
            ("CLONE_NEWIPC", Some("ipc")),
            ("CLONE_NEWNET", Some("net")),
            ("CLONE_NEWNS", Some("mnt")),
            ("CLONE_NEWPID", Some("pid")),
            ("CLONE_NEWTIME", None),
            ("CLONE_NEWUSER", Some("user")),
            ("CLONE_NEWUTS", Some("uts")),
        ];
        // It refuses setns(2) without a flag: systemd.exec(5).
        if !self.are_complete(CALLS) || self.arguments(&["setns"]).any(|argument| argument.is_none()) {
            return None;
        }
        let flags = self.arguments(CALLS).flatten().flat_map(|argument| argument.split('|'));
        let known = |flag: &str| FLAGS.iter().find(|(known, _)| *known == flag).map(|(_, name)| *name);
        let names: Option<Vec<Option<&str>>> = flags.map(known).collect();
        let names: BTreeSet<&str> = names?.into_iter().flatten().collect();
        let (value, why) = match names.len() {
            0 => ("yes".to_owned(), "no namespace is made or entered"),
            _ => (names.into_iter().collect::<Vec<_>>().join(" "), "the namespaces that are made or entered"),
        };
        let why = format!("{why}; systemd may refuse clone3 for it, and C libraries then use clone");
        Some(Setting { name: "RestrictNamespaces", value, why })
    }

    fn memory(&self) -> Option<Setting> {
        const CALLS: &[&str] = &["mmap", "mmap2", "mprotect", "personality", "pkey_mprotect", "shmat"];
        if !self.are_complete(CALLS) {
            return None;
        }
        let has = |argument: &str, flag: &str| argument.split('|').any(|part| part == flag);
        let is_prohibited = self.arguments(&["mmap", "mmap2"]).flatten().any(|argument| {
            has(argument, "PROT_EXEC") && has(argument, "PROT_WRITE") || argument.contains("0x")
        }) || self.arguments(&["mprotect", "pkey_mprotect"]).flatten().any(|argument| {
            has(argument, "PROT_EXEC") || argument.contains("0x")
        }) || self.arguments(&["shmat"]).flatten().any(|argument| has(argument, "SHM_EXEC"))
            // It makes readable memory executable.
            || self.arguments(&["personality"]).flatten().any(|argument| has(argument, "READ_IMPLIES_EXEC"));
        let why = "no memory is writable and executable, and none becomes executable".to_owned();
        (!is_prohibited).then(|| Setting { name: "MemoryDenyWriteExecute", value: "yes".to_owned(), why })
    }

    fn devices(&self) -> Option<Setting> {
        /// The devices that remain: systemd.exec(5). `char:tty` may also be a console, which does
        /// not remain.
        const LEFT: &[&str] = &["full", "null", "ptmx", "pts", "random", "urandom", "zero"];
        /// Set-up calls of devices and mounts, which the setting refuses or changes.
        const CALLS: &[&str] = &[
            "fsmount",
            "ioperm",
            "iopl",
            "mknod",
            "mknodat",
            "mount",
            "move_mount",
            "open_tree",
            "pciconfig_iobase",
            "pciconfig_read",
            "pciconfig_write",
            "pivot_root",
            "umount",
            "umount2",
        ];
        if !self.are_complete(&[]) || self.is_called(CALLS) {
            return None;
        }
        let is_left = |object: &ObjectKind| match object.class() {
            ObjectClass::Character(device) => LEFT.contains(&device),
            ObjectClass::Block(_) => false,
            // The new /dev has other entries.
            class if class.filesystem() == Some("devtmpfs") => false,
            _ => true,
        };
        // The new /dev is mounted noexec.
        let is_code = |(name, entry): (&str, &Entry)| {
            let code = |argument: &str| argument.contains("PROT_EXEC");
            let mut devices =
                entry.pairs.iter().filter(|pair| matches!(pair.object.class(), ObjectClass::Character(_)));
            matches!(name, "mmap" | "mmap2") && devices.any(|pair| code(&pair.argument))
        };
        let mut entries = self.sources.iter().flat_map(|source| source.entries());
        let is_kept = entries.all(|(name, entry)| objects_of(entry).all(is_left) && !is_code((name, entry)));
        let why = format!("no device but {} is used", LEFT.join(", "));
        is_kept.then(|| Setting { name: "PrivateDevices", value: "yes".to_owned(), why })
    }

    fn privileges(&self) -> Option<Setting> {
        const CALLS: &[&str] = &["execve", "execveat"];
        if !self.are_complete(CALLS) {
            return None;
        }
        let executes_itself = |source: &Source<'_>| {
            let entries = source.entries().filter(|(name, _)| CALLS.contains(name));
            let programs: BTreeSet<Option<&str>> = entries.flat_map(|(_, entry)| arguments_of(entry)).collect();
            programs.len() == 1 && !programs.contains(&None)
        };
        let why = "no other program is executed, so no set-user-ID bit counts but the program's own".to_owned();
        let is_proved = self.sources.iter().all(executes_itself);
        is_proved.then(|| Setting { name: "NoNewPrivileges", value: "yes".to_owned(), why })
    }
}

#[cfg(test)]
mod tests;
