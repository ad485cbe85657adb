//! Files as they were at a revision, through `git` on the PATH. Main types: [`Revision`] and
//! [`Worktree`].

#[cfg(unix)]
use std::os::{fd::AsFd, unix::process::CommandExt};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use sysguard::runner::TemporaryFolder;
use sysguard::runner::git::Repository;

use crate::exit_code::Failure;

/// A commit of the repository that a folder lies in.
#[derive(Debug)]
pub(crate) struct Revision {
    commit: String,
    repository: Repository,
}

impl Revision {
    /// The commit that the user's words mean, seen from this folder.
    pub(crate) fn find(folder: &Path, words: &str) -> Result<Self, Failure> {
        let repository = Repository::of(folder);
        let verify = ["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{words}^{{commit}}")];
        let output = output(&mut repository.command(folder, &verify))?;
        let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() && !commit.is_empty() {
            return Ok(Self { commit, repository });
        }
        let why = String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("fatal: ").to_owned();
        let why = if why.is_empty() { "git knows no such commit".to_owned() } else { why };
        Err(Failure::usage(format!("no revision is named `{words}`: {why}")))
    }

    /// The files below a folder of the working tree, as they are named from there.
    pub(crate) fn files(&self, folder: &Path, below: &str) -> Result<Vec<String>, Failure> {
        let output = self.git(folder, &["ls-tree", "-r", "-z", "--name-only", &self.commit, "--", below])?;
        let names = said(output, "list the files of", &self.commit)?;
        Ok(names
            .split(|byte| *byte == 0)
            .filter_map(|name| String::from_utf8(name.to_vec()).ok())
            .filter(|name| !name.is_empty())
            .collect())
    }

    /// What a file held, named from that folder.
    pub(crate) fn read(&self, folder: &Path, file: &str) -> Result<Vec<u8>, Failure> {
        let object = format!("{}:./{file}", self.commit);
        said(self.git(folder, &["show", "--no-textconv", &object])?, "read", &object)
    }

    fn git(&self, folder: &Path, arguments: &[&str]) -> Result<Output, Failure> {
        output(&mut self.repository.command(folder, arguments))
    }
}

/// A revision checked out in a temporary folder, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Worktree {
    /// The revision's folder for the folder it was asked from.
    pub(crate) folder: PathBuf,
    /// Where it can be built. Cargo takes two checkouts of one workspace for the same, and would
    /// believe what the other built.
    pub(crate) target: PathBuf,
    cleaner: Cleaner,
    /// Dropped last: what the cleaner could not remove is reported.
    _place: TemporaryFolder,
}

/// A look at the past is no checkout of the user's.
const NO_HOOKS: &str = "core.hooksPath=/dev/null";

impl Worktree {
    /// Checks a revision out, seen from this folder.
    pub(crate) fn of(revision: &Revision, folder: &Path) -> Result<Self, Failure> {
        let told = |arguments: &[&str]| {
            let bytes = said(revision.git(folder, arguments)?, "tell the place of", &folder.display().to_string())?;
            Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned())
        };
        let (top, inside) = (told(&["rev-parse", "--show-toplevel"])?, told(&["rev-parse", "--show-prefix"])?);
        let cannot =
            |error: std::io::Error| Failure::failed(format!("cannot make a place for {}: {error}", revision.commit));
        let place = TemporaryFolder::create("sysguard-diff-").map_err(cannot)?;
        let cleaner = Cleaner::start(&revision.repository, &top, place.path()).map_err(cannot)?;
        // The cleaner also waits for a build that outlives this process.
        place.hand_over();
        let tree = place.path().join("tree");
        let target = place.path().join("target");
        let worktree = Self { folder: tree.join(inside), target, cleaner, _place: place };
        let tree = tree.to_string_lossy();
        let add = ["-c", NO_HOOKS, "worktree", "add", "--quiet", "--detach", &tree, &revision.commit];
        let held = worktree.held().map_err(cannot)?;
        said(output(revision.repository.command(folder, &add).stdin(held))?, "check out", &revision.commit)?;
        Ok(worktree)
    }

    /// What whoever may outlive us, and write on here, must hold: the worktree stays until they let
    /// it go. Nobody reads or writes it.
    pub(crate) fn held(&self) -> std::io::Result<Stdio> {
        #[cfg(unix)]
        if let Some(held) = &self.cleaner.held {
            return Ok(held.as_fd().try_clone_to_owned()?.into());
        }
        Ok(Stdio::null())
    }
}

/// A process that outlives us however we end, and then takes a worktree away: `clean-worktree`.
#[derive(Debug)]
struct Cleaner {
    /// Its standard input: it waits for the end of that.
    held: Option<ChildStdin>,
    /// Who started it. A tracer waits for every child of its own thread, and this is none of its
    /// business.
    parent: Option<JoinHandle<()>>,
}

impl Cleaner {
    fn start(repository: &Repository, top: &str, place: &Path) -> std::io::Result<Self> {
        // The file of this program may be replaced while it runs.
        let this_program = Path::new("/proc/self/exe");
        let this_program = if this_program.exists() { this_program.to_owned() } else { std::env::current_exe()? };
        let mut command = Command::new(this_program);
        command.args(["clean-worktree", top]).arg(place);
        repository.prepare(&mut command);
        // Ctrl-C at the terminal is not for it.
        #[cfg(unix)]
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let (started, told) = mpsc::channel();
        let parent = thread::spawn(move || match command.spawn() {
            Err(error) => drop(started.send(Err(error))),
            Ok(mut child) => {
                let held = child.stdin.take();
                if started.send(Ok(held)).is_ok() {
                    // What it could not remove, nobody else can.
                    let _ = child.wait();
                }
            }
        });
        let held = told.recv().unwrap_or_else(|_| Err(std::io::Error::other("its thread ended")))?;
        Ok(Self { held, parent: Some(parent) })
    }
}

impl Drop for Cleaner {
    /// Waits until all is gone.
    fn drop(&mut self) {
        drop(self.held.take());
        if let Some(parent) = self.parent.take() {
            let _ = parent.join();
        }
    }
}

fn output(git: &mut Command) -> Result<Output, Failure> {
    git.output().map_err(|error| Failure::failed(format!("cannot run git, which knows what files were: {error}")))
}

fn said(output: Output, operation: &str, subject: &str) -> Result<Vec<u8>, Failure> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(Failure::failed(format!("git cannot {operation} {subject}: {}", why.trim())))
}
