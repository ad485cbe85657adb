//! The lifeline: a locked file that ends the tracing processes behind cargo together with the
//! `cargo sysguard` before it. Main type: [`Lifeline`].
//!
//! cargo runs between the two and passes on only its own end. The kernel releases a file lock when
//! its holder ends, for any reason.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::thread;

use super::FAILED;
use crate::settings::{LIFELINE, Settings};

/// The lock, held by the process that starts cargo. Processes that [`follow_lifeline`] run until it
/// is released.
#[derive(Debug)]
pub struct Lifeline {
    path: PathBuf,
    /// `None` where the file system has no locks.
    held: Option<File>,
}

impl Lifeline {
    /// Creates and locks a lifeline in this folder.
    pub fn hold(folder: &Path) -> io::Result<Self> {
        let path = folder.join("lifeline");
        let file = File::create(&path)?;
        Ok(Self { path, held: file.lock().is_ok().then_some(file) })
    }

    /// Makes a command, and the processes that it starts, follow this lifeline.
    pub fn pass_to(&self, command: &mut Command) {
        if self.held.is_some() {
            command.env(LIFELINE, &self.path);
        }
    }
}

/// Ends this process and all its tracees when the process that holds the lifeline has ended.
pub fn follow_lifeline(settings: &Settings) {
    let Some(file) = settings.lifeline.clone() else { return };
    thread::spawn(move || {
        if is_released(&File::open(file)) {
            process::exit(i32::from(FAILED));
        }
    });
}

/// Waits until the lock is released. Returns false if locks are not supported.
fn is_released(file: &io::Result<File>) -> bool {
    match file {
        Ok(file) => loop {
            match file.lock_shared() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                locked => return locked.is_ok(),
            }
        },
        // The holder removes the folder when it ends.
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn lifeline_ends_when_the_lock_is_released() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let held = Lifeline::hold(folder.path()).expect("a file");
        let mut command = Command::new("true");
        held.pass_to(&mut command);
        assert_eq!(command.get_envs().next(), Some((LIFELINE.as_ref(), Some(held.path.as_os_str()))));
        let other_end = File::open(&held.path);
        let follower = thread::spawn(move || is_released(&other_end));
        thread::sleep(Duration::from_millis(50));
        assert!(!follower.is_finished(), "it is held");
        drop(held);
        assert!(follower.join().expect("no panic"));
        assert!(is_released(&File::open(folder.path().join("gone"))));
    }
}
