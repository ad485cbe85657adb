//! Runs git in the repository that contains a folder. Main type: [`Repository`].
//!
//! git exports the location of its repository and index to hooks, aliases and the commands of a
//! rebase, and `git -C` does not undo that. Each command here runs without these variables, so it
//! never touches the index of a commit in progress.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The variables of `git rev-parse --local-env-vars` in git 2.47 ("List the GIT_* environment
/// variables that are local to the repository"), and `GIT_INTERNAL_SUPER_PREFIX` of git before
/// 2.40. Variables that a newer git lists are added at run time.
const LOCAL: [&str; 16] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Returns the variables that tie a command to one repository. git is asked once, and only if one
/// of its variables is set.
pub fn local_variables() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = LOCAL.map(str::to_owned).to_vec();
        if env::vars_os().any(|(name, _)| name.as_encoded_bytes().starts_with(b"GIT_")) {
            let listed = output(Command::new("git").args(["rev-parse", "--local-env-vars"])).unwrap_or_default();
            let is_name = |line: &&str| line.starts_with("GIT_") && !LOCAL.contains(line);
            names.extend(listed.lines().filter(is_name).map(str::to_owned));
        }
        names
    })
}

/// How git finds the repository that contains a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repository {
    /// `GIT_DIR` and `GIT_WORK_TREE`, where git would not find them by itself.
    set: Vec<(&'static str, PathBuf)>,
}

impl Repository {
    /// Returns the repository of this folder: the one that git finds from there, or the one named
    /// by `GIT_DIR` if the folder is in its working tree and in no nested repository.
    pub fn of(folder: &Path) -> Self {
        let found = Self::default();
        let Some(named) = Self::named() else { return found };
        let of = |repository: &Self, folder: &Path, what: &str| {
            let asked = repository.ask(folder, &["rev-parse", "--path-format=absolute", what])?;
            Path::new(asked.trim_end_matches('\n')).canonicalize().ok()
        };
        let here = env::current_dir().unwrap_or_default();
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let Some(top) = of(&named, &here, "--show-toplevel").filter(|top| folder.starts_with(top)) else {
            return found;
        };
        match of(&found, &folder, "--show-toplevel") {
            // The folder is in the named repository, possibly in another working tree: a linked
            // one, or the main one.
            Some(_) if of(&found, &folder, "--git-common-dir") == of(&named, &here, "--git-common-dir") => found,
            Some(own) if own != top && own.starts_with(&top) => found,
            _ => named.with_working_tree(top),
        }
    }

    /// Returns the repository that the environment names. Its relative paths start at the working
    /// directory of this process.
    fn named() -> Option<Self> {
        let absolute = |name: &'static str| {
            let value = env::var_os(name).filter(|value| !value.is_empty())?;
            Some((name, std::path::absolute(value).ok()?))
        };
        let git_dir = absolute("GIT_DIR")?;
        Some(Self { set: std::iter::once(git_dir).chain(absolute("GIT_WORK_TREE")).collect() })
    }

    /// Sets `GIT_WORK_TREE`: without it, git takes the folder that it starts in as the top.
    fn with_working_tree(mut self, top: PathBuf) -> Self {
        self.set.retain(|(name, _)| *name != "GIT_WORK_TREE");
        self.set.push(("GIT_WORK_TREE", top));
        self
    }

    /// Returns a git command in this folder. It takes no optional locks, see git-status(1).
    pub fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut git = Command::new("git");
        git.arg("--no-optional-locks").arg("-C").arg(folder).args(arguments);
        self.prepare(&mut git);
        git
    }

    /// Sets the environment of a command that runs git.
    pub fn prepare(&self, command: &mut Command) {
        remove_local_variables(command);
        command.envs(self.set.iter().map(|(name, value)| (name, value.as_os_str())));
    }

    /// Returns the output of a git command, or `None` if it fails.
    pub(super) fn ask(&self, folder: &Path, arguments: &[&str]) -> Option<String> {
        output(&mut self.command(folder, arguments))
    }
}

/// Removes the variables that tie a command to the repository of the caller.
fn remove_local_variables(command: &mut Command) {
    for name in local_variables() {
        command.env_remove(name);
    }
}

fn output(git: &mut Command) -> Option<String> {
    let output = git.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};

    use super::*;

    #[test]
    fn commands_run_without_local_variables() {
        let git = Repository::default().command(Path::new("/"), &["status"]);
        let removed: Vec<&OsStr> = git.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        for name in LOCAL {
            assert!(removed.contains(&OsStr::new(name)), "{name} is kept");
        }
    }

    #[test]
    fn static_list_holds_what_git_lists() {
        let Some(listed) = output(Command::new("git").args(["rev-parse", "--local-env-vars"])) else { return };
        let new: Vec<&str> = listed.lines().filter(|name| !LOCAL.contains(name)).collect();
        assert_eq!(new, [""; 0]);
    }

    #[test]
    fn named_repository_is_set_again() {
        let named = Repository { set: vec![("GIT_DIR", PathBuf::from("/dir"))] };
        let git = named.with_working_tree(PathBuf::from("/top")).command(Path::new("/"), &[]);
        let set: Vec<(OsString, OsString)> =
            git.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        assert_eq!(set, [("GIT_DIR".into(), "/dir".into()), ("GIT_WORK_TREE".into(), "/top".into())]);
    }
}
