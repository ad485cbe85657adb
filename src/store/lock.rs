//! A lock for changes to the expectations of a package, between processes and threads. Main type:
//! [`Lock`].
//!
//! A process must not take it twice: the second lock would wait for the first.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::StoreError;

/// The wait after which the user gets a message.
const LONG: Duration = Duration::from_secs(2);

/// The function that reports a long wait.
static ON_LONG_WAIT: OnceLock<fn(&Path)> = OnceLock::new();

/// Sets the function that is called with the locked folder after two seconds of waiting. Only the
/// first call in a process has an effect.
pub fn on_long_wait(report: fn(&Path)) {
    // A second caller in one process has the same function.
    let _ = ON_LONG_WAIT.set(report);
}

/// A locked folder. The lock is released when it is dropped or its process ends.
///
/// The folder itself is locked, because a lock file would be left behind and could not be created
/// on a read-only filesystem.
#[derive(Debug)]
pub(super) struct Lock(#[cfg(unix)] File);

impl Lock {
    /// Waits for the lock of a folder.
    #[cfg(unix)]
    pub(super) fn of(folder: &Path) -> Result<Self, StoreError> {
        let file = File::open(folder).map_err(StoreError::io("lock", folder))?;
        let locked = match file.try_lock() {
            Err(TryLockError::WouldBlock) => wait(&file, folder, LONG, ON_LONG_WAIT.get()),
            Err(TryLockError::Error(error)) => Err(error),
            Ok(()) => Ok(()),
        };
        locked.map(|()| Self(file)).map_err(StoreError::io("lock", folder))
    }

    /// Nothing is traced on other systems, so no two tests write at the same time.
    #[cfg(not(unix))]
    pub(super) fn of(_folder: &Path) -> Result<Self, StoreError> {
        Ok(Self())
    }
}

#[cfg(unix)]
impl Drop for Lock {
    /// Unlocks explicitly: a forked child that has not yet called execve(2) may hold a copy of the
    /// file, so closing is not enough.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Waits for a lock. After a long wait, `report` is called once.
#[cfg(unix)]
fn wait(file: &File, folder: &Path, long: Duration, report: Option<&fn(&Path)>) -> io::Result<()> {
    let (locked, waiting) = channel::<()>();
    thread::scope(|scope| {
        let reporter = move || {
            if waiting.recv_timeout(long) == Err(RecvTimeoutError::Timeout)
                && let Some(report) = report
            {
                report(folder);
            }
        };
        // Without a thread, the wait is silent.
        let _ = thread::Builder::new().name("lock".to_owned()).spawn_scoped(scope, reporter);
        let result = loop {
            match file.lock() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        drop(locked);
        result
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    static REPORTS: AtomicUsize = AtomicUsize::new(0);

    fn count(_folder: &Path) {
        REPORTS.fetch_add(1, Ordering::SeqCst);
    }

    #[test]
    fn long_wait_is_reported_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let held = Lock::of(folder.path()).expect("a lock");
        let file = File::open(folder.path()).expect("the folder");
        for (long, reports) in [(Duration::from_secs(60), 0), (Duration::ZERO, 1)] {
            thread::scope(|scope| {
                let waiter = scope.spawn(|| wait(&file, folder.path(), long, Some(&(count as fn(&Path)))));
                thread::sleep(Duration::from_millis(200));
                assert!(!waiter.is_finished(), "the lock is held");
                held.0.unlock().expect("it is released");
                waiter.join().expect("no panic").expect("it is locked");
            });
            assert_eq!(REPORTS.load(Ordering::SeqCst), reports);
            file.unlock().expect("it is released");
            held.0.lock().expect("a lock again");
        }
    }
}
