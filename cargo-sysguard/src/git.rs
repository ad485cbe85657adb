//! Files as they were at a revision, through `git` on the PATH. Main types: [`Revision`] and [`Worktree`].

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::exit_code::Failure;

/// A commit of the repository that a folder lies in.
#[derive(Debug)]
pub(crate) struct Revision {
    commit: String,
}

impl Revision {
    /// The commit that the user's words mean, seen from this folder.
    pub(crate) fn find(folder: &Path, words: &str) -> Result<Self, Failure> {
        let output =
            git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{words}^{{commit}}")])?;
        let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() && !commit.is_empty() {
            return Ok(Self { commit });
        }
        let why = String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("fatal: ").to_owned();
        let why = if why.is_empty() { "git knows no such commit".to_owned() } else { why };
        Err(Failure::usage(format!("no revision is named `{words}`: {why}")))
    }

    /// The files below a folder of the working tree, as they are named from there.
    pub(crate) fn files(&self, folder: &Path, below: &str) -> Result<Vec<String>, Failure> {
        let output = git(folder, &["ls-tree", "-r", "-z", "--name-only", &self.commit, "--", below])?;
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
        said(git(folder, &["show", "--no-textconv", &object])?, "read", &object)
    }
}

/// A revision checked out in a temporary folder, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Worktree {
    /// The revision's folder for the folder it was asked from.
    pub(crate) folder: PathBuf,
    cleaner: Child,
}

/// Waits until nobody holds the other end of its standard input any more, then takes the worktree away. A build or a run that ends with its caller
/// may still write for a moment.
const CLEAN: &str = "cat >/dev/null; cd /; git -C \"$1\" worktree remove --force --force \"$2/tree\" 2>/dev/null; \
                     for pause in 0 1 2; do sleep $pause; rm -rf \"$2\" && break; done; git -C \"$1\" worktree prune";

impl Worktree {
    /// Checks a revision out, seen from this folder.
    pub(crate) fn of(revision: &Revision, folder: &Path) -> Result<Self, Failure> {
        let told = |arguments: &[&str]| {
            let bytes = said(git(folder, arguments)?, "tell the place of", &folder.display().to_string())?;
            Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned())
        };
        let (top, inside) = (told(&["rev-parse", "--show-toplevel"])?, told(&["rev-parse", "--show-prefix"])?);
        let cannot =
            |error: std::io::Error| Failure::failed(format!("cannot make a place for {}: {error}", revision.commit));
        let place = tempfile::Builder::new()
            .prefix("sysguard-diff-")
            .tempdir()
            .and_then(|dir| dir.path().canonicalize().map(|_| dir.keep()))
            .map_err(cannot)?;
        // It outlives us however we end, and Ctrl-C at the terminal is not for it.
        let cleaner = Command::new("sh")
            .args(["-c", CLEAN, "sh", &top])
            .arg(&place)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(cannot)?;
        let tree = place.join("tree");
        let worktree = Self { folder: tree.join(inside), cleaner };
        let tree = tree.to_string_lossy();
        said(
            git(folder, &["worktree", "add", "--quiet", "--detach", &tree, &revision.commit])?,
            "check out",
            &revision.commit,
        )?;
        Ok(worktree)
    }
}

impl Drop for Worktree {
    /// Waits until it is gone.
    fn drop(&mut self) {
        drop(self.cleaner.stdin.take());
        // What it could not remove, nobody else can.
        let _ = self.cleaner.wait();
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<Output, Failure> {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(arguments);
    git.output().map_err(|error| Failure::failed(format!("cannot run git, which knows what files were: {error}")))
}

fn said(output: Output, operation: &str, subject: &str) -> Result<Vec<u8>, Failure> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(Failure::failed(format!("git cannot {operation} {subject}: {}", why.trim())))
}
