//! A harness ends with the `cargo sysguard test` that started it: [`follow`].
//!
//! Between the two stands cargo, which passes on no end but its own, so the harness has to look for itself. The kernel frees a lock
//! with the process that holds it, however that ends.

use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::{process, thread};

use super::FAILED;

/// Ends this process, and with it all that it traces, when nobody holds this file locked any more.
pub(super) fn follow(file: PathBuf) {
    thread::spawn(move || {
        if is_let_go(&File::open(file)) {
            process::exit(i32::from(FAILED));
        }
    });
}

/// Waits for the holder's end. `false`: there are no locks here, so nothing can be said.
fn is_let_go(file: &Result<File, std::io::Error>) -> bool {
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
        let path = folder.path().join("lifeline");
        let held = File::create(&path).expect("a file");
        held.lock().expect("nobody else has it");
        let other_end = File::open(&path);
        let follower = thread::spawn(move || is_let_go(&other_end));
        thread::sleep(Duration::from_millis(50));
        assert!(!follower.is_finished(), "it is held");
        drop(held);
        assert!(follower.join().expect("no panic"));
        assert!(is_let_go(&File::open(folder.path().join("gone"))));
    }
}
