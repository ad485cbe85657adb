//! The fd tables of all tasks, and the unsafe fds in each. Main type: [`FdTables`].
//!
//! Nothing here asks the system: the caller says what each fd is. Tasks that share a table in the
//! kernel share one here. [`FdTables::has_raced`] says whether a task may already have used an
//! unsafe fd natively.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::model::kernel::call::Tid;

/// The fd tables of all tasks, as far as they are known.
#[derive(Debug, Default)]
pub struct FdTables {
    members: HashMap<Tid, Member>,
    has_raced: bool,
}

/// A task and the table that it uses.
#[derive(Debug, Clone, Default)]
struct Member {
    table: Rc<RefCell<Table>>,
    /// Other tasks used the table when the task entered its current call.
    was_shared: bool,
}

/// One fd table.
#[derive(Debug, Clone, Default)]
struct Table {
    /// Fds for which the filter is not safe. One that was closed natively may still be here; an
    /// unsafe fd is never missing.
    unsafe_fds: BTreeSet<i32>,
    /// The kernel did not say whether its tasks really share it.
    is_ambiguous: bool,
    /// It holds, or has held, an fd through which a call may add other fds.
    may_add_fds: bool,
}

/// Whether a new task uses the fd table of its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// It does (`CLONE_FILES`).
    Shared,
    /// It has a copy.
    Copied,
    /// The kernel does not say.
    Unknown,
}

impl FdTables {
    /// Returns whether the task's table is known.
    pub fn contains(&self, task: Tid) -> bool {
        self.members.contains_key(&task)
    }

    /// Returns the tasks with a known table.
    pub fn tasks(&self) -> impl Iterator<Item = Tid> {
        self.members.keys().copied()
    }

    /// Returns whether every fd of the task is safe. `false` if the table is not known.
    pub fn is_safe(&self, task: Tid) -> bool {
        self.members.get(&task).is_some_and(|member| member.table.borrow().unsafe_fds.is_empty())
    }

    /// Returns whether another task uses the table, or used it when the task entered its current
    /// call.
    pub fn is_shared(&self, task: Tid) -> bool {
        self.members.get(&task).is_some_and(|member| member.was_shared || member.is_shared())
    }

    /// Returns whether a call through an fd of the task may add other fds.
    pub fn may_add_fds(&self, task: Tid) -> bool {
        self.members.get(&task).is_none_or(|member| member.table.borrow().may_add_fds)
    }

    /// Records that the task has an fd through which a call may add other fds.
    pub fn mark_may_add_fds(&mut self, task: Tid) {
        if let Some(member) = self.members.get(&task) {
            member.table.borrow_mut().may_add_fds = true;
        }
    }

    /// Returns whether a task may have used an unsafe fd before its call could be stopped.
    ///
    /// The fd exists from the moment the kernel installs it, which is before the tracer learns of
    /// it. Until then, other tasks that use the table run natively.
    pub fn has_raced(&self) -> bool {
        self.has_raced
    }

    /// Records that the task enters a call, and that the call's result is awaited.
    pub fn enter(&mut self, task: Tid) {
        if let Some(member) = self.members.get_mut(&task) {
            member.was_shared = member.is_shared();
        }
    }

    /// Gives the task a table of its own, in which no fd is known to be unsafe.
    pub fn own(&mut self, task: Tid) {
        self.members.insert(task, Member::default());
    }

    /// Adds a new task. Returns whether its table is known; if not, the caller must look at its
    /// fds.
    pub fn spawned(&mut self, parent: Tid, child: Tid, sharing: Sharing) -> bool {
        let Some(parent) = self.members.get(&parent).cloned() else { return true };
        let table = match sharing {
            // The parent's table at the fork is known only if no other task could have changed it.
            Sharing::Copied => {
                let is_known = !parent.was_shared && !parent.is_clone_shared();
                let copy = Table { is_ambiguous: false, ..parent.table.borrow().clone() };
                self.members.insert(child, Member { table: Rc::new(RefCell::new(copy)), was_shared: false });
                return is_known;
            }
            Sharing::Shared | Sharing::Unknown => Rc::clone(&parent.table),
        };
        // The child may have run before its parent's announcement arrived.
        let own = self.members.insert(child, Member { table: Rc::clone(&table), was_shared: false });
        table.borrow_mut().is_ambiguous |= sharing == Sharing::Unknown;
        let own = own.filter(|own| !Rc::ptr_eq(&own.table, &table));
        let mut unsafe_fds = table.borrow().unsafe_fds.clone();
        unsafe_fds.extend(own.iter().flat_map(|own| own.table.borrow().unsafe_fds.clone()));
        let may_add_fds = own.is_some_and(|own| own.table.borrow().may_add_fds);
        self.change(child, |table| {
            table.unsafe_fds = unsafe_fds;
            table.may_add_fds |= may_add_fds;
        });
        true
    }

    /// Gives a task that executed a program a table of its own, which no other thread uses. Returns
    /// whether every fd in it is known to be safe.
    pub fn executed(&mut self, task: Tid, former: Tid) -> bool {
        // A table in which every fd is safe has no fd that adds others.
        let is_known = self.is_safe(former) && !self.is_shared(former);
        self.members.remove(&former);
        self.own(task);
        is_known
    }

    /// Removes a task that has ended. Returns another task that uses its table.
    pub fn ended(&mut self, task: Tid) -> Option<Tid> {
        let gone = self.members.remove(&task)?;
        let uses_it = |(_, member): &(&Tid, &Member)| Rc::ptr_eq(&member.table, &gone.table);
        self.members.iter().find(uses_it).map(|(tid, _)| *tid)
    }

    /// Sets the unsafe fds of the task's table.
    pub fn replace(&mut self, task: Tid, unsafe_fds: BTreeSet<i32>) {
        self.change(task, |table| table.unsafe_fds = unsafe_fds);
    }

    /// Records that this fd is open, and whether it is safe.
    pub fn set(&mut self, task: Tid, fd: i32, is_safe: bool) {
        self.change(task, |table| {
            match is_safe {
                true => table.unsafe_fds.remove(&fd),
                false => table.unsafe_fds.insert(fd),
            };
        });
    }

    fn change(&mut self, task: Tid, change: impl FnOnce(&mut Table)) {
        let Some(member) = self.members.get(&task) else { return };
        let mut table = member.table.borrow_mut();
        let was_safe = table.unsafe_fds.is_empty();
        change(&mut table);
        let is_safe = table.unsafe_fds.is_empty();
        let others_ran = was_safe && (member.was_shared || member.is_shared());
        self.has_raced |= !is_safe && (others_ran || table.is_ambiguous);
    }
}

impl Member {
    fn is_shared(&self) -> bool {
        Rc::strong_count(&self.table) > 1
    }

    /// As [`Member::is_shared`], for a clone of a member, which counts itself.
    fn is_clone_shared(&self) -> bool {
        Rc::strong_count(&self.table) > 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns tables in which task 1 has these unsafe fds.
    fn alone(unsafe_fds: &[i32]) -> FdTables {
        let mut tables = FdTables::default();
        tables.own(1);
        tables.replace(1, unsafe_fds.iter().copied().collect());
        tables
    }

    fn two_threads() -> FdTables {
        let mut tables = alone(&[]);
        assert!(tables.spawned(1, 2, Sharing::Shared));
        tables
    }

    #[test]
    fn unsafe_fd_of_a_single_task_is_no_race() {
        let mut tables = alone(&[]);
        tables.set(1, 5, false);
        assert!(!tables.is_safe(1) && !tables.has_raced());
        tables.set(1, 5, true);
        assert!(tables.is_safe(1));
    }

    #[test]
    fn unsafe_fd_in_a_shared_table_is_a_race() {
        let mut tables = two_threads();
        tables.set(2, 5, false);
        assert!(!tables.is_safe(1) && tables.has_raced());
    }

    #[test]
    fn second_unsafe_fd_in_a_shared_table_is_no_race() {
        let mut tables = alone(&[4]);
        assert!(tables.spawned(1, 2, Sharing::Shared));
        tables.set(2, 5, false);
        assert!(!tables.is_safe(1) && !tables.has_raced());
    }

    #[test]
    fn thread_that_ended_during_the_call_has_raced() {
        let mut tables = two_threads();
        tables.enter(2);
        assert_eq!(tables.ended(1), Some(2));
        tables.set(2, 5, false);
        assert!(tables.has_raced());
    }

    #[test]
    fn thread_that_ended_before_the_call_has_not_raced() {
        let mut tables = two_threads();
        tables.ended(1);
        tables.enter(2);
        tables.set(2, 5, false);
        assert!(!tables.has_raced());
    }

    #[test]
    fn early_child_joins_the_table_of_its_parent() {
        let mut tables = alone(&[]);
        tables.own(2);
        assert!(tables.spawned(1, 2, Sharing::Shared));
        tables.set(1, 5, false);
        assert!(!tables.is_safe(2));
    }

    #[test]
    fn unsafe_fds_of_early_child_count_for_parent() {
        let mut tables = alone(&[]);
        tables.own(2);
        tables.set(2, 5, false);
        assert!(tables.spawned(1, 2, Sharing::Shared));
        assert!(!tables.is_safe(1) && tables.has_raced());
    }

    #[test]
    fn copied_table_is_known_unless_others_could_change_it() {
        let mut tables = alone(&[4]);
        assert!(tables.spawned(1, 2, Sharing::Copied));
        tables.set(1, 4, true);
        assert!(tables.is_safe(1) && !tables.is_safe(2) && !tables.has_raced());

        let mut tables = two_threads();
        assert!(!tables.spawned(1, 3, Sharing::Copied));
        let mut tables = two_threads();
        tables.enter(1);
        tables.ended(2);
        assert!(!tables.spawned(1, 3, Sharing::Copied));
    }

    #[test]
    fn unsafe_fd_in_an_ambiguous_table_is_a_race() {
        let mut tables = alone(&[]);
        assert!(tables.spawned(1, 2, Sharing::Unknown));
        assert!(!tables.has_raced());
        tables.ended(2);
        tables.enter(1);
        tables.set(1, 5, false);
        assert!(tables.has_raced());
        let mut tables = alone(&[4]);
        tables.spawned(1, 2, Sharing::Unknown);
        assert!(tables.has_raced());
    }

    #[test]
    fn exec_gives_the_task_its_own_table() {
        for (mut tables, task, is_known) in [(alone(&[]), 1, true), (alone(&[4]), 1, false), (two_threads(), 2, false)]
        {
            assert_eq!(tables.executed(7, task), is_known);
            assert!(tables.is_safe(7) && !tables.is_shared(7) && !tables.contains(task));
        }
    }
}
