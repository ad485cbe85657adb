//! Whoever traces ends with the `cargo sysguard` that lets cargo start it. Main type: [`Lifeline`].
//!
//! Between the two stands cargo, which passes on no end but its own, so they have to see to it
//! themselves. The kernel frees a lock with the process that holds it, however that ends.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::thread;

use super::FAILED;
use crate::settings::{LIFELINE, Settings};

/// Held by the one that starts: as long as it lives, so may those that [`follow_lifeline`].
#[derive(Debug)]
pub struct Lifeline {
    path: PathBuf,
    /// Nothing where there are no locks.
    held: Option<File>,
}

impl Lifeline {
    /// Holds one in this folder.
    pub fn hold(folder: &Path) -> io::Result<Self> {
        let path = folder.join("lifeline");
        let file = File::create(&path)?;
        Ok(Self { path, held: file.lock().is_ok().then_some(file) })
    }

    /// Tells a command, and whatever that starts, to end with us.
    pub fn pass_to(&self, command: &mut Command) {
        if self.held.is_some() {
            command.env(LIFELINE, &self.path);
        }
    }
}

/// Ends this process, and with it all that it traces, when the one that started it is gone.
pub fn follow_lifeline(settings: &Settings) {
    let Some(file) = settings.lifeline.clone() else { return };
    thread::spawn(move || {
        if is_let_go(&File::open(file)) {
            process::exit(i32::from(FAILED));
        }
    });
}

/// Waits for the holder's end. `false`: there are no locks here, so nothing can be said.
fn is_let_go(file: &io::Result<File>) -> bool {
    match file {
        Ok(file) => loop {
            match file.lock_shared() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                locked => return locked.is_ok(),
            }
        },
        // Its folder goes with the holder.
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_lasts_as_long_as_the_lock() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let held = Lifeline::hold(folder.path()).expect("a file");
        let mut command = Command::new("true");
        held.pass_to(&mut command);
        assert_eq!(command.get_envs().next(), Some((LIFELINE.as_ref(), Some(held.path.as_os_str()))));
        let other_end = File::open(&held.path);
        let follower = thread::spawn(move || is_let_go(&other_end));
        thread::sleep(Duration::from_millis(50));
        assert!(!follower.is_finished(), "it is held");
        drop(held);
        assert!(follower.join().expect("no panic"));
        assert!(is_let_go(&File::open(folder.path().join("gone"))));
    }
}
