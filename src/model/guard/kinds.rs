//! Kinds of objects for which a filter is safe. Main function: [`is_plain`].
//!
//! On a kind that is not plain, a call may add fds by itself: a read from a fanotify group, or an
//! ioctl of KVM. A task that holds such an fd stops at every call.

use std::collections::BTreeSet;

use crate::model::attribution::calls::{Selector, Shape, Subject, shape};
use crate::model::attribution::{Object, Subsystem};
use crate::model::expectation::Baseline;

/// Devices on which reads and writes only move bytes.
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

/// Returns whether no call that passes can add an fd through this object.
pub(super) fn is_plain(object: &Object) -> bool {
    let name = &*object.name;
    match name.split_once(':') {
        // These can be mapped, unlike all other files of proc: drivers/pci/proc.c,
        // sound/core/info.c, fs/proc/vmcore.c.
        Some(("file", "proc")) => !matches!(object.subsystem, Some(Subsystem::Device | Subsystem::Boot)),
        Some(("file" | "dir" | "socket", _)) => true,
        Some(("char", _)) => PLAIN_DEVICES.contains(&name),
        Some(("anon_inode", _)) => PLAIN_ANONYMOUS.contains(&name),
        _ => ["file", "dir", "pipe", "fifo", "memfd"].contains(&name),
    }
}

/// Calls that only create or set up an object. A kind that no other call uses is closed soon after
/// it was made: for example a socket after a failed connect.
const SETUP_CALLS: &[&str] = &["bind", "connect", "listen", "memfd_create", "shutdown", "socket", "socketpair"];

/// Kinds of fds that stay open for long: pipes, sockets, and others that a program waits on.
///
/// Long-lived fds must be safe for every call that passes. A file is opened, read and closed; while
/// it is open, its task stops at every call. Without a call that makes pipes, every pipe is an
/// inherited stream, which has a class of its own.
pub(super) struct LongLived<'a> {
    makes_pipes: bool,
    /// The objects of calls that do more than create or set up one.
    used: BTreeSet<&'a str>,
}

impl<'a> LongLived<'a> {
    pub(super) fn of(baseline: &'a Baseline) -> Self {
        let entries = || baseline.subsystems.values().flatten();
        let used = entries().filter(|(call, _)| !SETUP_CALLS.contains(&call.as_str()));
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

/// Returns whether the baseline shows that the program makes threads. It looks for clone3, which C
/// libraries use for threads only, unless they also fork with it.
pub(super) fn makes_threads(baseline: &Baseline) -> bool {
    baseline.subsystems.values().any(|entries| entries.contains_key("clone3"))
}

/// Returns the plain kinds that a baseline holds, each with every subsystem reached through it.
pub(super) fn known(baseline: &Baseline) -> Vec<Object> {
    let mut kinds: Vec<Object> = Vec::new();
    for (&subsystem, entries) in &baseline.subsystems {
        let reaching = entries.iter().filter(|(call, _)| shape(call).is_some_and(|shape| reaches_its_object(&shape)));
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

/// Returns whether a call of this shape reaches the subsystem of its object. An argument may select
/// another one: a terminal command on a pipe reaches `device`.
fn reaches_its_object(shape: &Shape) -> bool {
    let is_made = matches!(shape.subject, Subject::Socket | Subject::Made(_));
    shape.subject.is_reached() && (is_made || matches!(shape.selector, Selector::None))
}
