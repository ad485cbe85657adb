//! What is known of the fds of every task, so that each is asked about once. Main type: [`Files`].
//!
//! It must not ask: that is [`objects`](super::objects)'. Nothing stale is ever found, since
//! whatever may be closed is forgotten.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::attribution::Object;
use crate::model::kernel::call::Tid;

/// The tables of fds of all tasks; tasks that share one share it here.
#[derive(Debug, Default)]
pub(super) struct Files {
    tables: BTreeMap<Tid, Table>,
    hidden: bool,
}

/// Shared by tasks, not by threads of ours: whoever holds [`Files`] holds all of it.
#[derive(Debug, Clone, Default)]
struct Table(Arc<Mutex<Known>>);

impl Table {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One table of fds.
#[derive(Debug, Default)]
struct Known {
    objects: BTreeMap<i32, Object>,
    /// How many of its tasks are closing something: what they close is gone at some moment before
    /// they say so, and what is asked meanwhile may be old at once.
    closing: usize,
}

impl Files {
    /// What an fd is known to stand for.
    pub(super) fn known(&self, task: Tid, fd: i32) -> Option<Object> {
        self.tables.get(&task)?.known().objects.get(&fd).cloned()
    }

    /// Keeps what an fd stands for. Of a task whose table is not known, nothing is kept.
    pub(super) fn keep(&self, task: Tid, fd: i32, object: &Object) {
        if let Some(table) = self.tables.get(&task).filter(|table| !self.hidden && table.known().closing == 0) {
            table.known().objects.insert(fd, object.clone());
        }
    }

    /// Keeps what an fd stands for that a call has just returned. Where others share the table, one
    /// of them may have replaced it meanwhile.
    pub(super) fn keep_returned(&self, task: Tid, fd: i32, object: &Object) {
        if self.tables.get(&task).is_some_and(|table| Arc::strong_count(&table.0) == 1) {
            self.keep(task, fd, object);
        }
    }

    /// The task begins to close these, the last included.
    pub(super) fn begin_closing(&self, task: Tid, first: i32, last: i32) {
        let Some(table) = self.tables.get(&task) else { return };
        let mut table = table.known();
        table.closing += 1;
        match first == last {
            true => drop(table.objects.remove(&first)),
            false => table.objects.retain(|fd, _| !(first..=last).contains(fd)),
        }
    }

    /// The task has closed what it began to, or is gone.
    pub(super) fn end_closing(&self, task: Tid) {
        if let Some(table) = self.tables.get(&task) {
            let mut table = table.known();
            table.closing = table.closing.saturating_sub(1);
        }
    }

    /// The task has a table of its own, of which nothing is known yet: a copy of another one may
    /// have changed since.
    pub(super) fn own(&mut self, task: Tid) {
        self.tables.insert(task, Table::default());
    }

    /// The task uses the table of another one.
    pub(super) fn share(&mut self, task: Tid, with: Tid) {
        match self.tables.get(&with).cloned() {
            Some(table) => drop(self.tables.insert(task, table)),
            None => self.leave(task),
        }
    }

    /// The task is gone, or nobody knows what table it uses.
    pub(super) fn leave(&mut self, task: Tid) {
        self.tables.remove(&task);
    }

    /// Whether anything can be remembered.
    pub(super) fn remembers(&self) -> bool {
        !self.hidden
    }

    /// Tables may change unseen from here on.
    pub(super) fn hide(&mut self) {
        self.hidden = true;
        self.tables.values().for_each(|table| table.known().objects.clear());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(files: &Files, task: Tid, fd: i32) -> Option<String> {
        files.known(task, fd).map(|object| object.name.to_string())
    }

    fn two_tasks() -> Files {
        let mut files = Files::default();
        files.own(1);
        files.share(2, 1);
        files.keep(1, 5, &Object::named("pipe"));
        files
    }

    #[test]
    fn who_shares_a_table_knows_and_forgets_together() {
        let files = two_tasks();
        assert_eq!(known(&files, 2, 5).as_deref(), Some("pipe"));
        files.begin_closing(2, 5, 5);
        assert_eq!(known(&files, 1, 5), None);
    }

    #[test]
    fn a_table_of_ones_own_begins_empty() {
        let mut files = two_tasks();
        files.own(2);
        files.keep(2, 6, &Object::named("memfd"));
        assert_eq!((known(&files, 2, 5), known(&files, 1, 6)), (None, None));
        assert_eq!(known(&files, 1, 5).as_deref(), Some("pipe"));
    }

    #[test]
    fn a_range_is_forgotten_up_to_its_last() {
        let files = two_tasks();
        for fd in 6..9 {
            files.keep(1, fd, &Object::named("pipe"));
        }
        files.begin_closing(1, 6, 7);
        assert_eq!([5, 6, 7, 8].map(|fd| known(&files, 1, fd).is_some()), [true, false, false, true]);
        files.begin_closing(1, 0, i32::MAX);
        assert_eq!(known(&files, 1, 5), None);
    }

    #[test]
    fn nothing_is_kept_while_somebody_closes() {
        let files = two_tasks();
        files.begin_closing(2, 5, 5);
        files.keep(1, 5, &Object::named("pipe"));
        assert_eq!(known(&files, 1, 5), None);
        files.end_closing(2);
        files.keep(1, 5, &Object::named("memfd"));
        assert_eq!(known(&files, 1, 5).as_deref(), Some("memfd"));
    }

    #[test]
    fn what_was_returned_is_kept_where_nobody_else_can_have_replaced_it() {
        let mut files = two_tasks();
        files.keep_returned(1, 7, &Object::named("pipe"));
        assert_eq!(known(&files, 1, 7), None);
        files.leave(2);
        files.keep_returned(1, 7, &Object::named("pipe"));
        assert_eq!(known(&files, 1, 7).as_deref(), Some("pipe"));
    }

    #[test]
    fn nothing_is_kept_of_the_unknown_or_after_hiding() {
        let mut files = two_tasks();
        files.keep(9, 5, &Object::named("pipe"));
        files.share(3, 9);
        assert_eq!((known(&files, 9, 5), known(&files, 3, 5)), (None, None));
        files.hide();
        files.keep(1, 6, &Object::named("pipe"));
        assert_eq!((known(&files, 1, 5), known(&files, 1, 6)), (None, None));
    }
}
