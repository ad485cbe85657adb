//! Which kinds of objects a filter can be trusted with.
//!
//! A call on any other kind may bring in fds by itself (a read of a fanotify group, an ioctl of KVM), so that whoever holds one is watched call by call.

use crate::model::attribution::Object;
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
        Some(("file" | "dir" | "socket", _)) => true,
        Some(("char", _)) => PLAIN_DEVICES.contains(&name),
        Some(("anon_inode", _)) => PLAIN_ANONYMOUS.contains(&name),
        _ => ["file", "dir", "pipe", "fifo", "memfd"].contains(&name),
    }
}

/// Whether fds of this kind stay open for long: pipes, sockets and what else a program makes to wait for. A file is opened, read and closed, and while it is
/// open its task is watched call by call; of what lasts every call that passes must be borne. A pipe that nobody made is a stream.
pub(super) fn lasts(object: &Object, baseline: &Baseline) -> bool {
    let is_made = |calls: [&str; 2]| {
        baseline.subsystems.values().any(|entries| calls.iter().any(|call| entries.contains_key(*call)))
    };
    match object.name.split(':').next() {
        Some("pipe") => is_made(["pipe", "pipe2"]),
        Some("socket" | "anon_inode" | "memfd" | "fifo") => true,
        _ => false,
    }
}

/// The plain kinds that a baseline knows, each in every subsystem in which it was used.
pub(super) fn of(baseline: &Baseline) -> Vec<Object> {
    let mut kinds: Vec<Object> = Vec::new();
    for (&subsystem, entries) in &baseline.subsystems {
        for name in entries.values().flat_map(|entry| &entry.objects) {
            let object = Object { name: name.as_str().into(), subsystem: Some(subsystem) };
            if is_plain(&object) && !kinds.contains(&object) {
                kinds.push(object);
            }
        }
    }
    kinds
}
