//! `clean-worktree REPOSITORY FOLDER`: removes a worktree of `diff --trace` once every process that
//! writes there has ended. Main type: [`Options`]. It is an internal command.
//!
//! Each such process holds the other end of standard input. `git worktree remove` is not used,
//! because it follows mounts and recurses.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sysguard::unstable::linux::block_ending_signals;
use sysguard::unstable::runner::remove_abandoned;

use crate::exit_code::{Failure, Outcome};

/// The worktree to remove.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The top folder of the repository
    repository: PathBuf,
    /// The folder that holds the worktree
    folder: PathBuf,
}

impl Options {
    /// Waits for the end of standard input, then removes the worktree.
    pub(crate) fn exec(&self) -> Result<Outcome, Failure> {
        // A signal that ends `diff` must not end this process.
        let _ = block_ending_signals();
        let _ = std::env::set_current_dir("/");
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        remove_abandoned(&self.folder);
        let mut prune = Command::new("git");
        prune.arg("-C").arg(&self.repository).args(["worktree", "prune"]).stdin(Stdio::null());
        let pruned = prune.status().map_err(|error| Failure::failed(format!("cannot run git: {error}")))?;
        Ok(if pruned.success() { Outcome::Expected } else { Outcome::Failed })
    }
}
