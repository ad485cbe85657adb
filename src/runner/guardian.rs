//! A process that removes the temporary folders of this one when this one has ended, by a signal
//! for instance. [`serve_if_guardian`] is its `main`.
//!
//! It is this program, executed once more, and knows the folders from its standard input: `+PATH`
//! and `-PATH`, each with a NUL byte at its end. The end of its standard input is that of its
//! owner. It removes; it does not say anything, since nothing is left to say it to.

#[cfg(not(target_os = "linux"))]
use std::path::Path;

use crate::settings::Given;

#[cfg(target_os = "linux")]
pub(super) use process::{forget, remember};
#[cfg(target_os = "linux")]
pub use process::{remove_abandoned, serve_if_guardian};

/// There is nothing to guard where nothing can be traced.
#[cfg(not(target_os = "linux"))]
pub fn serve_if_guardian(_: &Given) -> bool {
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
    use std::sync::{Mutex, OnceLock, PoisonError};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::Given;
    use crate::linux::{block_ending_signals, remove_tree};

    /// The variable that makes this program a guardian.
    const GUARDIAN: &str = "SYSGUARD_GUARDIAN";

    /// How long the processes of an owner that was killed may take to end, and so may write.
    const PATIENCE: Duration = Duration::from_secs(5);
    const PAUSE: Duration = Duration::from_millis(2);

    /// Whether this program knows how to be a guardian: without it, executing it would be anything.
    static MAY_START: AtomicBool = AtomicBool::new(false);

    /// The guardian of this process, once there is something to guard; none where it cannot be
    /// started.
    static STARTED: OnceLock<Option<Mutex<UnixStream>>> = OnceLock::new();

    /// Serves until the owner has ended, if this process was started as a guardian, and says so.
    /// Otherwise this process may start one from now on.
    ///
    /// To be called at the begin of `main`.
    pub fn serve_if_guardian(given: &Given) -> bool {
        if !given.variables.contains_key(GUARDIAN) {
            MAY_START.store(true, Ordering::Relaxed);
            return false;
        }
        serve();
        true
    }

    /// Has a folder removed when this process has ended.
    pub(in crate::runner) fn remember(folder: &Path) {
        if MAY_START.load(Ordering::Relaxed) {
            tell(STARTED.get_or_init(|| start().ok().map(Mutex::new)).as_ref(), b'+', folder);
        }
    }

    /// Takes that back.
    pub(in crate::runner) fn forget(folder: &Path) {
        tell(STARTED.get().and_then(Option::as_ref), b'-', folder);
    }

    fn tell(guardian: Option<&Mutex<UnixStream>>, word: u8, folder: &Path) {
        let Some(guardian) = guardian else { return };
        let message = [&[word], folder.as_os_str().as_bytes(), &[0]].concat();
        // Where it was killed, this process removes its folders itself, unless it is killed, too.
        let _ = guardian.lock().unwrap_or_else(PoisonError::into_inner).write_all(&message);
    }

    fn start() -> io::Result<UnixStream> {
        let (ours, its) = UnixStream::pair()?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("sysguard: removes temporary folders when its owner has ended");
        command.env_clear().env(GUARDIAN, "1").current_dir("/");
        command.envs(env::var_os("LD_LIBRARY_PATH").map(|path| ("LD_LIBRARY_PATH", path)));
        command.stdin(OwnedFd::from(its)).stdout(Stdio::null()).stderr(Stdio::null());
        // A signal to the group of its owner is not for it.
        command.process_group(0);
        // A tracer waits for every child of its own thread, and this is none of its business.
        thread::Builder::new().name("guardian".to_owned()).spawn(move || {
            if let Ok(mut guardian) = command.spawn() {
                drop(command);
                let _ = guardian.wait();
            }
        })?;
        Ok(ours)
    }

    fn serve() {
        let owner = parent_id();
        // Whatever ends the owner must not end this one before.
        let _ = block_ending_signals();
        let mut folders = BTreeSet::new();
        let mut stdin = io::stdin().lock();
        let mut message = Vec::new();
        while let Ok(1..) = stdin.read_until(0, &mut message) {
            heed(&message, &mut folders);
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

    /// Removes a folder of processes that are being killed, and may still write for a moment. What
    /// stays then has another reason.
    pub fn remove_abandoned(folder: &Path) {
        let begun = Instant::now();
        let mut pause = PAUSE;
        while remove_tree(folder).is_err() && begun.elapsed() < PATIENCE {
            thread::sleep(pause);
            pause *= 2;
        }
    }

    fn heed(message: &[u8], folders: &mut BTreeSet<PathBuf>) {
        let folder = |path: &[u8]| PathBuf::from(OsStr::from_bytes(path));
        match message {
            // A message without its end is that of an owner that ended while it wrote: the folder
            // is not there yet.
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
                heed(message, &mut folders);
            }
            assert_eq!(folders.into_iter().collect::<Vec<_>>(), [PathBuf::from("/b\n c")]);
        }
    }
}
