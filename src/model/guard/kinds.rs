//! Kinds of objects for which a filter is safe. Main function: [`is_plain`].
//!
//! On a kind that is not plain, a call may add fds by itself: a read from a fanotify group, or an
//! ioctl of KVM. A task that holds such an fd stops at every call.

use std::collections::BTreeSet;

use crate::model::attribution::calls::{Selector, Shape, Subject, shape};
use crate::model::attribution::{Object, ObjectClass, ObjectKind, Subsystem};
use crate::model::expectation::Baseline;

/// Devices on which reads and writes only move bytes.
const PLAIN_DEVICES: &[&str] = &["full", "null", "ptmx", "pts", "random", "tty", "urandom", "zero"];

const PLAIN_ANONYMOUS: &[&str] = &["eventfd", "eventpoll", "inotify", "pidfd", "signalfd", "timerfd"];

/// Returns whether no call that passes can add an fd through this object.
pub(super) fn is_plain(object: &Object) -> bool {
    match object.kind.class() {
        // These can be mapped, unlike all other files of proc: drivers/pci/proc.c,
        // sound/core/info.c, fs/proc/vmcore.c.
        ObjectClass::File(Some("proc")) => !matches!(object.subsystem, Some(Subsystem::Device | Subsystem::Boot)),
        ObjectClass::File(_) | ObjectClass::Directory(_) | ObjectClass::Socket { .. } => true,
        ObjectClass::Pipe | ObjectClass::Fifo | ObjectClass::Memfd => true,
        ObjectClass::Character(device) => PLAIN_DEVICES.contains(&device),
        ObjectClass::Anonymous(name) => PLAIN_ANONYMOUS.contains(&name),
        ObjectClass::Block(_) | ObjectClass::Namespace(_) | ObjectClass::Other(_) => false,
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
    used: BTreeSet<&'a ObjectKind>,
}

impl<'a> LongLived<'a> {
    pub(super) fn of(baseline: &'a Baseline) -> Self {
        let entries = || baseline.subsystems.values().flatten();
        let used = entries().filter(|(call, _)| !SETUP_CALLS.contains(&call.as_str()));
        Self {
            makes_pipes: entries().any(|(call, _)| ["pipe", "pipe2"].contains(&call.as_str())),
            used: used.flat_map(|(_, entry)| entry.all_objects()).collect(),
        }
    }

    pub(super) fn contains(&self, object: &Object) -> bool {
        match object.kind.class() {
            ObjectClass::Pipe => self.makes_pipes,
            ObjectClass::Socket { .. } | ObjectClass::Anonymous(_) | ObjectClass::Memfd | ObjectClass::Fifo => {
                self.used.contains(&object.kind)
            }
            ObjectClass::File(_)
            | ObjectClass::Directory(_)
            | ObjectClass::Character(_)
            | ObjectClass::Block(_)
            | ObjectClass::Namespace(_)
            | ObjectClass::Other(_) => false,
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
        for kind in reaching.flat_map(|(_, entry)| entry.all_objects()) {
            let object = Object { kind: kind.clone(), subsystem: Some(subsystem) };
            if known.insert(kind) && is_plain(&object) {
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
