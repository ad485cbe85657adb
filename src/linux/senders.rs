//! Finds out whether a process of a command sent a signal. Main type: [`Sender`].
//!
//! A command that signals its process group (`kill 0`) also reaches this process.

use libc::{SI_QUEUE, SI_TKILL, SI_USER, signalfd_siginfo};

use super::strays;
use crate::model::kernel::call::Tid;

/// The source of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    /// A descendant of this process.
    Descendant,
    /// The kernel, for instance for a terminal, which signals the whole process group.
    Kernel,
    /// Another process.
    Other,
    /// A process that has ended.
    Gone,
}

impl Sender {
    /// Returns the source of a signal that this process has received.
    pub(super) fn of(signal: &signalfd_siginfo) -> Self {
        if ![SI_USER, SI_QUEUE, SI_TKILL].contains(&signal.ssi_code) {
            return Self::Kernel;
        }
        let Ok(sender @ 1..) = Tid::try_from(signal.ssi_pid) else { return Self::Other };
        let own = std::process::id() as Tid;
        let found = Self::find(sender, own, strays::parent);
        // The kernel reports the number that a sender has in its own PID namespace.
        let is_nested = || strays::descendants(own).iter().any(|process| strays::is_nested(*process, sender));
        if found != Self::Descendant && is_nested() { Self::Descendant } else { found }
    }

    /// Follows the parents of a process.
    fn find(sender: Tid, own: Tid, parent: impl Fn(Tid) -> Option<Tid>) -> Self {
        /// Numbers may be reused meanwhile, so parents could form a circle.
        const DEEPEST: usize = 10_000;
        let mut at = sender;
        for _ in 0..DEEPEST {
            match parent(at) {
                Some(parent) if parent == own => return Self::Descendant,
                Some(0) => return Self::Other,
                Some(parent) => at = parent,
                None => return Self::Gone,
            }
        }
        Self::Other
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn descendants_differ_from_others() {
        let parents = BTreeMap::from([(1, 0), (7, 1), (8, 7), (9, 8), (20, 1), (21, 20), (30, 31), (50, 51), (51, 50)]);
        let find = |sender| Sender::find(sender, 7, |process| parents.get(&process).copied());
        for (sender, expected) in [
            (8, Sender::Descendant),
            (9, Sender::Descendant),
            (7, Sender::Other),
            (1, Sender::Other),
            (21, Sender::Other),
            (30, Sender::Gone),
            (40, Sender::Gone),
            (50, Sender::Other),
        ] {
            assert_eq!(find(sender), expected, "{sender}");
        }
    }
}
