//! Access to files at a revision, through `git` in the PATH. Main types: [`Revision`] and
//! [`Worktree`].

#[cfg(unix)]
use std::os::{fd::AsFd, unix::process::CommandExt};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use sysguard::unstable::runner::TemporaryFolder;
use sysguard::unstable::runner::git::Repository;

use crate::exit_code::Failure;

/// A commit of the repository that contains a folder.
#[derive(Debug)]
pub(crate) struct Revision {
    commit: String,
    repository: Repository,
}

impl Revision {
    /// Resolves a revision as git does in this folder.
    pub(crate) fn find(folder: &Path, name: &str) -> Result<Self, Failure> {
        let repository = Repository::of(folder);
        let verify = ["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")];
        let output = output(&mut repository.command(folder, &verify))?;
        let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() && !commit.is_empty() {
            return Ok(Self { commit, repository });
        }
        let why = String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("fatal: ").to_owned();
        let why = if why.is_empty() { "git found no such commit".to_owned() } else { why };
        Err(Failure::usage(format!("unknown revision `{name}`: {why}")))
    }

    /// Returns the files below a folder of the working tree, relative to it.
    pub(crate) fn files(&self, folder: &Path, below: &str) -> Result<Vec<String>, Failure> {
        let output = self.git(folder, &["ls-tree", "-r", "-z", "--name-only", &self.commit, "--", below])?;
        let names = stdout_of(output, "list the files of", &self.commit)?;
        Ok(names
            .split(|byte| *byte == 0)
            .filter_map(|name| String::from_utf8(name.to_vec()).ok())
            .filter(|name| !name.is_empty())
            .collect())
    }

    /// Returns the content of a file, given relative to the folder.
    pub(crate) fn read(&self, folder: &Path, file: &str) -> Result<Vec<u8>, Failure> {
        let object = format!("{}:./{file}", self.commit);
        stdout_of(self.git(folder, &["show", "--no-textconv", &object])?, "read", &object)
    }

    fn git(&self, folder: &Path, arguments: &[&str]) -> Result<Output, Failure> {
        output(&mut self.repository.command(folder, arguments))
    }
}

/// A revision checked out in a temporary folder, which is removed on drop.
#[derive(Debug)]
pub(crate) struct Worktree {
    /// The folder in the worktree that corresponds to the requested one.
    pub(crate) folder: PathBuf,
    /// The target directory for its build. Cargo does not distinguish two checkouts of one
    /// workspace, so a shared one would mix their artifacts.
    pub(crate) target: PathBuf,
    cleaner: Cleaner,
    /// Dropped last, so that files which the cleaner could not remove are reported.
    _place: TemporaryFolder,
}

/// Disables the user's hooks: this checkout is internal.
const NO_HOOKS: &str = "core.hooksPath=/dev/null";

impl Worktree {
    /// Checks out a revision for the package in this folder.
    pub(crate) fn of(revision: &Revision, folder: &Path) -> Result<Self, Failure> {
        let rev_parse = |arguments: &[&str]| {
            let bytes =
                stdout_of(revision.git(folder, arguments)?, "find the repository of", &folder.display().to_string())?;
            Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned())
        };
        let (top, inside) =
            (rev_parse(&["rev-parse", "--show-toplevel"])?, rev_parse(&["rev-parse", "--show-prefix"])?);
        let cannot = |error: std::io::Error| {
            Failure::failed(format!("cannot create a worktree for {}: {error}", revision.commit))
        };
        let place = TemporaryFolder::create("sysguard-diff-").map_err(cannot)?;
        let cleaner = Cleaner::start(&revision.repository, &top, place.path()).map_err(cannot)?;
        // The cleaner also waits for a build that outlives this process.
        place.leave_to_other_process();
        let tree = place.path().join("tree");
        let target = place.path().join("target");
        let worktree = Self { folder: tree.join(inside), target, cleaner, _place: place };
        let tree = tree.to_string_lossy();
        let add = ["-c", NO_HOOKS, "worktree", "add", "--quiet", "--detach", &tree, &revision.commit];
        let held = worktree.hold().map_err(cannot)?;
        stdout_of(output(revision.repository.command(folder, &add).stdin(held))?, "check out", &revision.commit)?;
        Ok(worktree)
    }

    /// Returns the standard input for a process that writes to the worktree and may outlive this
    /// one. The worktree stays until every copy is closed. It carries no data.
    pub(crate) fn hold(&self) -> std::io::Result<Stdio> {
        #[cfg(unix)]
        if let Some(held) = &self.cleaner.held {
            return Ok(held.as_fd().try_clone_to_owned()?.into());
        }
        Ok(Stdio::null())
    }
}

/// The `clean-worktree` process, which removes the worktree even if this process is killed.
#[derive(Debug)]
struct Cleaner {
    /// Its standard input. It removes the worktree at the end of that.
    held: Option<ChildStdin>,
    /// The thread that started it. A tracer waits for every child of its own thread, so the cleaner
    /// must be the child of another one.
    parent: Option<JoinHandle<()>>,
}

impl Cleaner {
    fn start(repository: &Repository, top: &str, place: &Path) -> std::io::Result<Self> {
        // The executable's path may point to a newer file by now.
        let this_program = Path::new("/proc/self/exe");
        let this_program = if this_program.exists() { this_program.to_owned() } else { std::env::current_exe()? };
        let mut command = Command::new(this_program);
        command.args(["clean-worktree", top]).arg(place);
        repository.prepare(&mut command);
        // A process group of its own does not get the SIGINT of Ctrl-C.
        #[cfg(unix)]
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let (started, result) = mpsc::channel();
        let parent = thread::spawn(move || match command.spawn() {
            Err(error) => drop(started.send(Err(error))),
            Ok(mut child) => {
                let held = child.stdin.take();
                if started.send(Ok(held)).is_ok() {
                    // Ignore its status: remaining files are reported by `_place`.
                    let _ = child.wait();
                }
            }
        });
        let held = result.recv().unwrap_or_else(|_| Err(std::io::Error::other("its thread ended")))?;
        Ok(Self { held, parent: Some(parent) })
    }
}

impl Drop for Cleaner {
    /// Waits until the worktree is removed.
    fn drop(&mut self) {
        drop(self.held.take());
        if let Some(parent) = self.parent.take() {
            let _ = parent.join();
        }
    }
}

fn output(git: &mut Command) -> Result<Output, Failure> {
    git.output().map_err(|error| Failure::failed(format!("cannot run git: {error}")))
}

fn stdout_of(output: Output, operation: &str, subject: &str) -> Result<Vec<u8>, Failure> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(Failure::failed(format!("git cannot {operation} {subject}: {}", why.trim())))
}
