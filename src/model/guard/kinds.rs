//! Which kinds of objects a filter can be trusted with.
//!
//! A call on any other kind may bring in fds by itself (a read of a fanotify group, an ioctl of
//! KVM), so that whoever holds one is watched call by call.

use std::collections::BTreeSet;

use crate::model::attribution::calls::{Selector, Shape, Subject, shape};
use crate::model::attribution::{Object, Subsystem};
use crate::model::expectation::Baseline;

/// Devices whose reads and writes move bytes and nothing else.
const PLAIN_DEVICES: &[&str] =
    &["char:full", "char:null", "char:ptmx", "char:pts", "char:random", "char:tty", "char:urandom", "char:zero"];

const PLAIN_ANONYMOUS: &[&str] = &[
    "anon_inode:eventfd",
    "anon_inode:eventpoll",
    "anon_inode:inotify",
    "anon_inode:pidfd",
    "anon_inode:signalfd",
    "anon_inode:timerfd",
];

/// Whether calls on this object that pass can bring in no other one.
pub(super) fn is_plain(object: &Object) -> bool {
    let name = &*object.name;
    match name.split_once(':') {
        // They can be mapped, as no other file of proc can: drivers/pci/proc.c, sound/core/info.c,
        // fs/proc/vmcore.c.
        Some(("file", "proc")) => !matches!(object.subsystem, Some(Subsystem::Device | Subsystem::Boot)),
        Some(("file" | "dir" | "socket", _)) => true,
        Some(("char", _)) => PLAIN_DEVICES.contains(&name),
        Some(("anon_inode", _)) => PLAIN_ANONYMOUS.contains(&name),
        _ => ["file", "dir", "pipe", "fifo", "memfd"].contains(&name),
    }
}

/// Calls that make or arrange what lasts; a kind that is used by no other call is made and closed
/// again, as a socket is that finds nobody.
const ARRANGING: &[&str] = &["bind", "connect", "listen", "memfd_create", "shutdown", "socket", "socketpair"];

/// Which kinds of fds stay open for long: pipes, sockets and what else a program makes to wait for.
/// A file is opened, read and closed, and while it is open its task is watched call by call; of
/// what lasts every call that passes must be borne. A pipe that nobody made is a stream.
pub(super) struct Lasting<'a> {
    makes_pipes: bool,
    /// The objects of calls that do more than arrange them.
    used: BTreeSet<&'a str>,
}

impl<'a> Lasting<'a> {
    pub(super) fn of(baseline: &'a Baseline) -> Self {
        let entries = || baseline.subsystems.values().flatten();
        let used = entries().filter(|(call, _)| !ARRANGING.contains(&call.as_str()));
        Self {
            makes_pipes: entries().any(|(call, _)| ["pipe", "pipe2"].contains(&call.as_str())),
            used: used.flat_map(|(_, entry)| &entry.objects).map(String::as_str).collect(),
        }
    }

    pub(super) fn contains(&self, object: &Object) -> bool {
        match object.name.split(':').next() {
            Some("pipe") => self.makes_pipes,
            Some("socket" | "anon_inode" | "memfd" | "fifo") => self.used.contains(&*object.name),
            _ => false,
        }
    }
}

/// Whether the program makes threads, as far as its baseline shows that: they are what clone3 is
/// for in C libraries that do not fork by it.
pub(super) fn are_shared(baseline: &Baseline) -> bool {
    baseline.subsystems.values().any(|entries| entries.contains_key("clone3"))
}

/// The plain kinds that a baseline knows, each in every subsystem that was reached through it.
pub(super) fn of(baseline: &Baseline) -> Vec<Object> {
    let mut kinds: Vec<Object> = Vec::new();
    for (&subsystem, entries) in &baseline.subsystems {
        let reaching = entries.iter().filter(|(call, _)| shape(call).is_some_and(|shape| tells_of_its_object(&shape)));
        let mut known = BTreeSet::new();
        for name in reaching.flat_map(|(_, entry)| &entry.objects) {
            let object = Object { name: name.as_str().into(), subsystem: Some(subsystem) };
            if known.insert(name) && is_plain(&object) {
                kinds.push(object);
            }
        }
    }
    kinds
}

/// Whether the subsystem that such a call reaches is its object's: an argument may say another one,
/// as a command of terminals does of a pipe.
fn tells_of_its_object(shape: &Shape) -> bool {
    let is_made = matches!(shape.subject, Subject::Socket | Subject::Made(_));
    shape.subject.is_reached() && (is_made || matches!(shape.selector, Selector::None))
}
