//! The native values of memory maps that the tracer made dumpable. Main type: [`MemoryMaps`].
//!
//! The threads of a group always share a map, so a group stands for them. Processes share one after
//! clone(2) with CLONE_VM, such as a child of vfork(2) before its execve.

use std::collections::{BTreeMap, BTreeSet};

use super::DUMPABLE;
use crate::model::kernel::call::Tid;

/// The maps with a native value that differs from the real one, and all processes.
#[derive(Debug, Default)]
pub(super) struct MemoryMaps {
    /// The key of each group's map in `natives`.
    groups: BTreeMap<Tid, u64>,
    natives: BTreeMap<u64, i64>,
    next: u64,
    processes: BTreeSet<Tid>,
}

impl MemoryMaps {
    /// Returns whether every map has its native value.
    pub(super) fn are_native(&self) -> bool {
        self.groups.is_empty()
    }

    /// Returns the native value of a group's map if it is not the real one.
    pub(super) fn native(&self, group: Tid) -> Option<i64> {
        self.groups.get(&group).and_then(|map| self.natives.get(map)).copied()
    }

    /// Adds a process.
    pub(super) fn know(&mut self, process: Tid) {
        self.processes.insert(process);
    }

    /// Gives a process a map with its native value.
    pub(super) fn begin(&mut self, process: Tid) {
        self.leave(process);
        self.know(process);
    }

    /// Gives a new process the map of its parent, or a copy.
    pub(super) fn spawned(&mut self, parent: Tid, child: Tid, is_shared: bool) {
        let (Some(native), Some(map)) = (self.native(parent), self.groups.get(&parent).copied()) else { return };
        let map = if is_shared { map } else { self.add(native) };
        // A child that its parent announces late may have set a value of its own.
        self.groups.entry(child).or_insert(map);
    }

    /// Sets the native value of a group's map, for all processes that share it.
    pub(super) fn set(&mut self, group: Tid, native: i64, shares: impl Fn(Tid) -> bool) {
        if self.groups.is_empty() && native == DUMPABLE {
            return;
        }
        let map = self.groups.get(&group).copied();
        let is_known = |process: &Tid| map.is_some() && self.groups.get(process).copied() == map;
        let others = self.processes.iter().copied().filter(|process| *process != group);
        let sharing = others.filter(|process| is_known(process) || shares(*process));
        let sharing: Vec<Tid> = sharing.chain([group]).collect();
        sharing.iter().for_each(|process| self.leave(*process));
        if native != DUMPABLE {
            let map = self.add(native);
            self.groups.extend(sharing.into_iter().map(|process| (process, map)));
        }
    }

    /// Drops a task that has ended. Other threads may outlive their leader, but the kernel reports
    /// its end after theirs.
    pub(super) fn end(&mut self, task: Tid) {
        self.leave(task);
        self.processes.remove(&task);
    }

    fn add(&mut self, native: i64) -> u64 {
        self.next += 1;
        self.natives.insert(self.next, native);
        self.next
    }

    fn leave(&mut self, process: Tid) {
        let Some(map) = self.groups.remove(&process) else { return };
        if !self.groups.values().any(|other| *other == map) {
            self.natives.remove(&map);
        }
    }
}
