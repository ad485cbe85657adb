//! Files as they were at a revision, through `git` on the PATH. Main type: [`Revision`].

use std::path::Path;
use std::process::{Command, Output};

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
