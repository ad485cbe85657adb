//! The guardian: a process that removes the temporary folders of this one after it has ended, for
//! instance by a signal. [`serve_if_guardian`] is its `main`.
//!
//! It is this program, executed once more. It reads the folders from its standard input as `+PATH`
//! and `-PATH`, each followed by a NUL byte. End of file on standard input means that its owner has
//! ended. It prints nothing, because no reader is left.

#[cfg(not(target_os = "linux"))]
use std::path::Path;

use crate::settings::RawSettings;

#[cfg(target_os = "linux")]
pub(super) use process::{forget, remember};
#[cfg(target_os = "linux")]
pub use process::{remove_abandoned, serve_if_guardian};

/// Without tracing there is nothing to guard.
#[cfg(not(target_os = "linux"))]
pub fn serve_if_guardian(_: &RawSettings) -> bool {
    false
}

/// Removes a folder.
#[cfg(not(target_os = "linux"))]
pub fn remove_abandoned(folder: &Path) {
    let _ = crate::linux::remove_tree(folder);
}

#[cfg(not(target_os = "linux"))]
pub(super) fn remember(_: &Path) {}

#[cfg(not(target_os = "linux"))]
pub(super) fn forget(_: &Path) {}

#[cfg(target_os = "linux")]
mod process {
    use std::collections::BTreeSet;
    use std::env;
    use std::ffi::OsStr;
    use std::io::{self, BufRead, Write};
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::UnixStream;
    use std::os::unix::process::{CommandExt, parent_id};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::RawSettings;
    use crate::linux::{block_ending_signals, remove_tree};

    /// The variable that makes this program a guardian.
    const GUARDIAN: &str = "SYSGUARD_GUARDIAN";

    /// How long the processes of a killed owner may take to end; until then they may write.
    const PATIENCE: Duration = Duration::from_secs(5);
    const PAUSE: Duration = Duration::from_millis(2);

    /// Whether `main` calls [`serve_if_guardian`]. If it does not, executing this program again
    /// would run something else.
    static MAY_START: AtomicBool = AtomicBool::new(false);

    /// The guardian of this process, started with the first folder; `None` if it could not be
    /// started.
    static STARTED: OnceLock<Option<Mutex<UnixStream>>> = OnceLock::new();

    /// If this process was started as a guardian, serves until the owner has ended and returns
    /// true. Otherwise, allows this process to start a guardian.
    ///
    /// Must be called at the start of `main`.
    pub fn serve_if_guardian(raw: &RawSettings) -> bool {
        if !raw.variables.contains_key(GUARDIAN) {
            MAY_START.store(true, Ordering::Relaxed);
            return false;
        }
        serve();
        true
    }

    /// Asks the guardian to remove a folder when this process has ended.
    pub(in crate::runner) fn remember(folder: &Path) {
        if MAY_START.load(Ordering::Relaxed) {
            send(STARTED.get_or_init(|| start().ok().map(Mutex::new)).as_ref(), b'+', folder);
        }
    }

    /// Withdraws a folder from the guardian.
    pub(in crate::runner) fn forget(folder: &Path) {
        send(STARTED.get().and_then(Option::as_ref), b'-', folder);
    }

    fn send(guardian: Option<&Mutex<UnixStream>>, word: u8, folder: &Path) {
        let Some(guardian) = guardian else { return };
        let message = [&[word], folder.as_os_str().as_bytes(), &[0]].concat();
        // If the guardian was killed, this process still removes its folders unless it is killed
        // too.
        let _ = guardian.lock().unwrap_or_else(PoisonError::into_inner).write_all(&message);
    }

    fn start() -> io::Result<UnixStream> {
        let (ours, its) = UnixStream::pair()?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("sysguard: removes temporary folders when its owner has ended");
        command.env_clear().env(GUARDIAN, "1").current_dir("/");
        command.envs(env::var_os("LD_LIBRARY_PATH").map(|path| ("LD_LIBRARY_PATH", path)));
        command.stdin(OwnedFd::from(its)).stdout(Stdio::null()).stderr(Stdio::null());
        // A signal to the owner's process group must not reach the guardian.
        command.process_group(0);
        // A tracer waits for every child of its own thread, so the guardian is spawned on another
        // one.
        let (spawned, is_spawned) = mpsc::sync_channel(1);
        thread::Builder::new().name("guardian".to_owned()).spawn(move || match command.spawn() {
            Ok(mut guardian) => {
                drop(command);
                let _ = spawned.send(Ok(()));
                let _ = guardian.wait();
            }
            Err(source) => drop(spawned.send(Err(source))),
        })?;
        // The first folder is made after this. If the owner were killed before the guardian exists,
        // the folder would stay.
        is_spawned.recv().map_err(io::Error::other)??;
        Ok(ours)
    }

    fn serve() {
        let owner = parent_id();
        // A signal that ends the owner must not end the guardian first.
        let _ = block_ending_signals();
        let mut folders = BTreeSet::new();
        let mut stdin = io::stdin().lock();
        let mut message = Vec::new();
        while let Ok(1..) = stdin.read_until(0, &mut message) {
            apply(&message, &mut folders);
            message.clear();
        }
        if folders.is_empty() {
            return;
        }
        // Files are closed before tracees are killed (do_exit() of kernel/exit.c). Once the last
        // thread of the owner is gone, all of them are killed.
        let begun = Instant::now();
        while parent_id() == owner && begun.elapsed() < PATIENCE {
            thread::sleep(PAUSE);
        }
        let removals = folders.into_iter().map(|folder| thread::spawn(move || remove_abandoned(&folder)));
        for removal in removals.collect::<Vec<_>>() {
            let _ = removal.join();
        }
    }

    /// Removes a folder of processes that are being killed and may still write for a moment. After
    /// the timeout, what is left has another cause.
    pub fn remove_abandoned(folder: &Path) {
        let begun = Instant::now();
        let mut pause = PAUSE;
        while remove_tree(folder).is_err() && begun.elapsed() < PATIENCE {
            thread::sleep(pause);
            pause *= 2;
        }
    }

    fn apply(message: &[u8], folders: &mut BTreeSet<PathBuf>) {
        let folder = |path: &[u8]| PathBuf::from(OsStr::from_bytes(path));
        match message {
            // A message without its NUL byte is from an owner that ended while writing: the folder
            // does not exist yet.
            [b'+', path @ .., 0] => drop(folders.insert(folder(path))),
            [b'-', path @ .., 0] => drop(folders.remove(&folder(path))),
            _ => {}
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn folders_are_remembered_until_forgotten() {
            let mut folders = BTreeSet::new();
            for message in [&b"+/a\0"[..], b"+/b\n c\0", b"-/a\0", b"-/x\0", b"+/cut", b"?\0", b""] {
                apply(message, &mut folders);
            }
            assert_eq!(folders.into_iter().collect::<Vec<_>>(), [PathBuf::from("/b\n c")]);
        }
    }
}
