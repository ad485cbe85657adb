//! Caches what the fds of every task stand for, so that each is asked about once. Main type:
//! [`FdCache`].
//!
//! It must not ask the kernel: that is the job of [`objects`](super::objects). The cache never
//! returns a stale object, since every fd that may be closed is dropped from it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::attribution::Object;
use crate::model::kernel::call::Tid;

/// The cached fd tables of all tasks. Tasks that share an fd table share one entry.
#[derive(Debug, Default)]
pub(super) struct FdCache {
    tables: BTreeMap<Tid, Table>,
    is_disabled: bool,
}

/// One cached fd table. The `Arc` models sharing between tasks; [`FdCache`] itself belongs to one
/// owner.
#[derive(Debug, Clone, Default)]
struct Table(Arc<Mutex<Entries>>);

impl Table {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cached objects of one fd table.
#[derive(Debug, Default)]
struct Entries {
    objects: BTreeMap<i32, Object>,
    /// Number of its tasks in a closing call. What they close disappears at some moment before the
    /// call's end is seen, so an answer during that time may be stale at once.
    closing: usize,
}

impl FdCache {
    /// Returns the cached object of an fd.
    pub(super) fn object(&self, task: Tid, fd: i32) -> Option<Object> {
        self.tables.get(&task)?.entries().objects.get(&fd).cloned()
    }

    /// Caches the object of an fd. Does nothing for a task with an unknown fd table.
    pub(super) fn keep(&self, task: Tid, fd: i32, object: &Object) {
        if let Some(table) = self.tables.get(&task).filter(|table| !self.is_disabled && table.entries().closing == 0) {
            table.entries().objects.insert(fd, object.clone());
        }
    }

    /// Caches the object of an fd that a call has just returned. In a shared table another task may
    /// already have replaced it, so nothing is cached there.
    pub(super) fn keep_returned(&self, task: Tid, fd: i32, object: &Object) {
        if self.tables.get(&task).is_some_and(|table| Arc::strong_count(&table.0) == 1) {
            self.keep(task, fd, object);
        }
    }

    /// Drops the fds from `first` to `last` inclusive, which the task begins to close.
    pub(super) fn begin_closing(&self, task: Tid, first: i32, last: i32) {
        let Some(table) = self.tables.get(&task) else { return };
        let mut table = table.entries();
        table.closing += 1;
        match first == last {
            true => drop(table.objects.remove(&first)),
            false => table.objects.retain(|fd, _| !(first..=last).contains(fd)),
        }
    }

    /// Ends a close that the task began; also called when the task has ended.
    pub(super) fn end_closing(&self, task: Tid) {
        if let Some(table) = self.tables.get(&task) {
            let mut table = table.entries();
            table.closing = table.closing.saturating_sub(1);
        }
    }

    /// Gives the task an empty table of its own: a copy of another table may have changed since.
    pub(super) fn own(&mut self, task: Tid) {
        self.tables.insert(task, Table::default());
    }

    /// Makes the task use the table of another one.
    pub(super) fn share(&mut self, task: Tid, with: Tid) {
        match self.tables.get(&with).cloned() {
            Some(table) => drop(self.tables.insert(task, table)),
            None => self.forget(task),
        }
    }

    /// Drops the task's table: the task has ended, or its fd table is unknown.
    pub(super) fn forget(&mut self, task: Tid) {
        self.tables.remove(&task);
    }

    /// Returns whether objects are cached.
    pub(super) fn is_enabled(&self) -> bool {
        !self.is_disabled
    }

    /// Disables the cache: from here on fd tables may change unseen.
    pub(super) fn disable(&mut self) {
        self.is_disabled = true;
        self.tables.values().for_each(|table| table.entries().objects.clear());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(cache: &FdCache, task: Tid, fd: i32) -> Option<String> {
        cache.object(task, fd).map(|object| object.kind.to_string())
    }

    fn two_tasks() -> FdCache {
        let mut cache = FdCache::default();
        cache.own(1);
        cache.share(2, 1);
        cache.keep(1, 5, &Object::named("pipe"));
        cache
    }

    #[test]
    fn tasks_with_one_table_share_cached_objects() {
        let cache = two_tasks();
        assert_eq!(known(&cache, 2, 5).as_deref(), Some("pipe"));
        cache.begin_closing(2, 5, 5);
        assert_eq!(known(&cache, 1, 5), None);
    }

    #[test]
    fn own_table_begins_empty() {
        let mut cache = two_tasks();
        cache.own(2);
        cache.keep(2, 6, &Object::named("memfd"));
        assert_eq!((known(&cache, 2, 5), known(&cache, 1, 6)), (None, None));
        assert_eq!(known(&cache, 1, 5).as_deref(), Some("pipe"));
    }

    #[test]
    fn closed_range_includes_its_last_fd() {
        let cache = two_tasks();
        for fd in 6..9 {
            cache.keep(1, fd, &Object::named("pipe"));
        }
        cache.begin_closing(1, 6, 7);
        assert_eq!([5, 6, 7, 8].map(|fd| known(&cache, 1, fd).is_some()), [true, false, false, true]);
        cache.begin_closing(1, 0, i32::MAX);
        assert_eq!(known(&cache, 1, 5), None);
    }

    #[test]
    fn nothing_is_cached_during_a_close() {
        let cache = two_tasks();
        cache.begin_closing(2, 5, 5);
        cache.keep(1, 5, &Object::named("pipe"));
        assert_eq!(known(&cache, 1, 5), None);
        cache.end_closing(2);
        cache.keep(1, 5, &Object::named("memfd"));
        assert_eq!(known(&cache, 1, 5).as_deref(), Some("memfd"));
    }

    #[test]
    fn returned_fd_is_cached_only_in_unshared_table() {
        let mut cache = two_tasks();
        cache.keep_returned(1, 7, &Object::named("pipe"));
        assert_eq!(known(&cache, 1, 7), None);
        cache.forget(2);
        cache.keep_returned(1, 7, &Object::named("pipe"));
        assert_eq!(known(&cache, 1, 7).as_deref(), Some("pipe"));
    }

    #[test]
    fn unknown_table_and_disabled_cache_keep_nothing() {
        let mut cache = two_tasks();
        cache.keep(9, 5, &Object::named("pipe"));
        cache.share(3, 9);
        assert_eq!((known(&cache, 9, 5), known(&cache, 3, 5)), (None, None));
        cache.disable();
        cache.keep(1, 6, &Object::named("pipe"));
        assert_eq!((known(&cache, 1, 5), known(&cache, 1, 6)), (None, None));
    }
}
