//! The fd tables of all tasks, and which fds in each the filter cannot be trusted with. Main type:
//! [`FdTables`].
//!
//! Nothing here asks the system. A table that several tasks use is one table here; the caller says
//! what each fd is, and is told when a task may already have used an unsafe fd natively.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::model::kernel::call::Tid;

/// The fd table of every task whose table is known.
#[derive(Debug, Default)]
pub struct FdTables {
    members: HashMap<Tid, Member>,
    has_raced: bool,
}

/// A task's place in a table.
#[derive(Debug, Clone, Default)]
struct Member {
    table: Rc<RefCell<Table>>,
    /// Other tasks used the table when the task entered its current call.
    was_shared: bool,
}

/// One fd table.
#[derive(Debug, Clone, Default)]
struct Table {
    /// Fds that the filter cannot be trusted with. One that was closed natively may still be here;
    /// an unsafe fd is never missing.
    unsafe_fds: BTreeSet<i32>,
    /// Its members may have tables of their own instead: the system did not say.
    is_ambiguous: bool,
    /// It holds, or held, an fd whose use may bring other fds.
    may_bring: bool,
}

/// Whether a new task uses the fd table of its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// It does (`CLONE_FILES`).
    Shared,
    /// It has a copy.
    Copied,
    /// The system does not say.
    Unknown,
}

impl FdTables {
    /// Whether the task's table is known.
    pub fn contains(&self, task: Tid) -> bool {
        self.members.contains_key(&task)
    }

    /// The tasks whose tables are known.
    pub fn tasks(&self) -> impl Iterator<Item = Tid> {
        self.members.keys().copied()
    }

    /// Whether every fd of the task is safe. `false` where the table is not known.
    pub fn is_safe(&self, task: Tid) -> bool {
        self.members.get(&task).is_some_and(|member| member.table.borrow().unsafe_fds.is_empty())
    }

    /// Whether another task uses the table, or used it when the task entered its current call.
    pub fn is_shared(&self, task: Tid) -> bool {
        self.members.get(&task).is_some_and(|member| member.was_shared || member.has_company())
    }

    /// Whether a call through an fd of the task may bring other fds.
    pub fn may_bring(&self, task: Tid) -> bool {
        self.members.get(&task).is_none_or(|member| member.table.borrow().may_bring)
    }

    /// The task has an fd whose use may bring other fds.
    pub fn has_bringing(&mut self, task: Tid) {
        if let Some(member) = self.members.get(&task) {
            member.table.borrow_mut().may_bring = true;
        }
    }

    /// Whether a task may have used an unsafe fd before its call could be stopped.
    ///
    /// The fd exists from the moment the kernel installs it, which is before the tracer knows of
    /// it. Until then, other tasks that use the table run natively.
    pub fn has_raced(&self) -> bool {
        self.has_raced
    }

    /// The task enters a call whose end is awaited.
    pub fn enter(&mut self, task: Tid) {
        if let Some(member) = self.members.get_mut(&task) {
            member.was_shared = member.has_company();
        }
    }

    /// The task has a table of its own, in which no fd is known to be unsafe.
    pub fn own(&mut self, task: Tid) {
        self.members.insert(task, Member::default());
    }

    /// A task was born. Returns whether its table is known; if not, its fds must be looked at.
    pub fn spawned(&mut self, parent: Tid, child: Tid, sharing: Sharing) -> bool {
        let Some(parent) = self.members.get(&parent).cloned() else { return true };
        let table = match sharing {
            // The parent's table at the fork is only known if no other task could change it since.
            Sharing::Copied => {
                let is_known = !parent.was_shared && !parent.has_other_company();
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
        let may_bring = own.is_some_and(|own| own.table.borrow().may_bring);
        self.change(child, |table| {
            table.unsafe_fds = unsafe_fds;
            table.may_bring |= may_bring;
        });
        true
    }

    /// A task executed a program: it has a table of its own, without other threads. Returns whether
    /// that table is known to be safe.
    pub fn executed(&mut self, task: Tid, former: Tid) -> bool {
        // A table in which every fd is safe holds none that brings others.
        let is_known = self.is_safe(former) && !self.is_shared(former);
        self.members.remove(&former);
        self.own(task);
        is_known
    }

    /// The task is gone. Returns another one that uses its table.
    pub fn ended(&mut self, task: Tid) -> Option<Tid> {
        let gone = self.members.remove(&task)?;
        let uses_it = |(_, member): &(&Tid, &Member)| Rc::ptr_eq(&member.table, &gone.table);
        self.members.iter().find(uses_it).map(|(tid, _)| *tid)
    }

    /// These are all unsafe fds of the task's table.
    pub fn replace(&mut self, task: Tid, unsafe_fds: BTreeSet<i32>) {
        self.change(task, |table| table.unsafe_fds = unsafe_fds);
    }

    /// The fd is open, and safe or not.
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
        let ran_beside = was_safe && (member.was_shared || member.has_company());
        self.has_raced |= !is_safe && (ran_beside || table.is_ambiguous);
    }
}

impl Member {
    fn has_company(&self) -> bool {
        Rc::strong_count(&self.table) > 1
    }

    /// As [`Member::has_company`] for a clone of a member, which counts itself.
    fn has_other_company(&self) -> bool {
        Rc::strong_count(&self.table) > 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Task 1 with these unsafe fds.
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
    fn an_unsafe_fd_of_a_single_task_is_no_race() {
        let mut tables = alone(&[]);
        tables.set(1, 5, false);
        assert!(!tables.is_safe(1) && !tables.has_raced());
        tables.set(1, 5, true);
        assert!(tables.is_safe(1));
    }

    #[test]
    fn threads_know_each_others_fds_and_have_raced() {
        let mut tables = two_threads();
        tables.set(2, 5, false);
        assert!(!tables.is_safe(1) && tables.has_raced());
    }

    #[test]
    fn more_unsafe_fds_among_watched_threads_are_no_race() {
        let mut tables = alone(&[4]);
        assert!(tables.spawned(1, 2, Sharing::Shared));
        tables.set(2, 5, false);
        assert!(!tables.is_safe(1) && !tables.has_raced());
    }

    #[test]
    fn a_thread_that_left_during_the_call_has_raced() {
        let mut tables = two_threads();
        tables.enter(2);
        assert_eq!(tables.ended(1), Some(2));
        tables.set(2, 5, false);
        assert!(tables.has_raced());
    }

    #[test]
    fn a_thread_that_left_before_the_call_has_not() {
        let mut tables = two_threads();
        tables.ended(1);
        tables.enter(2);
        tables.set(2, 5, false);
        assert!(!tables.has_raced());
    }

    #[test]
    fn a_child_that_showed_itself_first_joins_its_parents_table() {
        let mut tables = alone(&[]);
        tables.own(2);
        assert!(tables.spawned(1, 2, Sharing::Shared));
        tables.set(1, 5, false);
        assert!(!tables.is_safe(2));
    }

    #[test]
    fn what_the_child_held_before_counts_for_its_parent() {
        let mut tables = alone(&[]);
        tables.own(2);
        tables.set(2, 5, false);
        assert!(tables.spawned(1, 2, Sharing::Shared));
        assert!(!tables.is_safe(1) && tables.has_raced());
    }

    #[test]
    fn a_copy_is_known_unless_other_tasks_could_change_it() {
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
    fn an_ambiguous_table_must_stay_safe() {
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
    fn a_program_begins_with_a_table_of_its_own() {
        for (mut tables, task, is_known) in [(alone(&[]), 1, true), (alone(&[4]), 1, false), (two_threads(), 2, false)]
        {
            assert_eq!(tables.executed(7, task), is_known);
            assert!(tables.is_safe(7) && !tables.is_shared(7) && !tables.contains(task));
        }
    }
}
