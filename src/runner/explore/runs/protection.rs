//! Keeps runs from the user's processes, and from the files of a package if they have a copy of
//! their working directory. Main types: [`ProtectedFolders`] and [`Protection`].
//!
//! A copy does not hold absolute paths, links and git directories that lead back to the original. A
//! call that would change a file there is not made, and fails with EROFS. A program that does not
//! check fork(2) may signal process -1, which is every process: that fails with EPERM.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::linux::WrittenFiles;
use crate::model::explore::injection::Fault;
use crate::model::kernel::call::{Call, Errno, Tid};
use crate::runner::git::Repository;

/// The errors of calls that are not made: errno(3).
const READ_ONLY: &str = "EROFS";
const NOT_PERMITTED: &str = "EPERM";

/// The folders in which no run changes a file.
#[derive(Debug, Default)]
pub(super) struct ProtectedFolders(Vec<PathBuf>);

/// The protection of one run.
#[derive(Debug)]
pub(super) struct Protection {
    folders: Vec<PathBuf>,
    /// Files here are the run's own.
    scratch: PathBuf,
    files: WrittenFiles,
    refused: BTreeSet<String>,
}

impl ProtectedFolders {
    /// Protects these folders, and for each the working tree and the directories of its git
    /// repository, if it has one.
    pub(super) fn of(folders: &[&Path]) -> Self {
        let git = folders.iter().flat_map(|folder| {
            let repository = Repository::of(folder);
            let ask = |what: &&str| repository.ask(folder, &["rev-parse", "--path-format=absolute", what]);
            let found: Vec<String> =
                ["--show-toplevel", "--git-dir", "--git-common-dir"].iter().filter_map(ask).collect();
            found.into_iter().map(|path| PathBuf::from(path.trim_end_matches('\n')))
        });
        let all = folders.iter().map(|folder| folder.to_path_buf()).chain(git);
        let all: BTreeSet<PathBuf> = all.filter_map(|folder| folder.canonicalize().ok()).collect();
        Self(all.into_iter().collect())
    }

    /// Starts a run in this scratch directory.
    pub(super) fn protect(&self, scratch: &Path) -> Protection {
        let files = WrittenFiles::default();
        Protection { folders: self.0.clone(), scratch: scratch.to_owned(), files, refused: BTreeSet::new() }
    }
}

impl Protection {
    /// Returns the fault of a call that would change a protected file, or signal this process or
    /// every process.
    pub(super) fn fault(&mut self, task: Tid, call: &Call) -> Option<Fault> {
        let (refused, error) = match signalled(call).filter(|_| shares_processes(task)) {
            Some(process) => (format!("{} {process}", call.syscall), NOT_PERMITTED),
            None if self.folders.is_empty() => return None,
            None => {
                let file = self.files.of(task, call).into_iter().find(|file| self.protects(Path::new(file)))?;
                (format!("{} {file}", call.syscall), READ_ONLY)
            }
        };
        self.refused.insert(refused);
        Errno::from_name(error).map(Fault::Errno)
    }

    fn protects(&self, file: &Path) -> bool {
        !file.starts_with(&self.scratch) && self.folders.iter().any(|folder| file.starts_with(folder))
    }

    /// Returns the calls that were refused, each with its file.
    pub(super) fn into_refused(self) -> BTreeSet<String> {
        self.refused
    }
}

/// Returns the process that a call signals if that is this one, or -1 for every process.
fn signalled(call: &Call) -> Option<i32> {
    let signal = match &*call.syscall.name() {
        "kill" | "tkill" | "rt_sigqueueinfo" => call.args[1],
        "tgkill" | "rt_tgsigqueueinfo" => call.args[2],
        _ => return None,
    };
    let process = call.args[0] as i32;
    let own = std::process::id().cast_signed();
    // Signal 0 only asks whether the process exists: kill(2).
    (signal as i32 != 0 && (process == -1 || process.abs() == own)).then_some(process)
}

/// Returns whether a number means the same process for a task as for this one.
fn shares_processes(task: Tid) -> bool {
    let namespace = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/pid")).ok();
    namespace("self").is_none_or(|own| namespace(&task.to_string()).is_none_or(|its| its == own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::{Abi, Syscall};

    #[test]
    fn only_signals_to_this_or_every_process_are_refused() {
        let own = u64::from(std::process::id());
        const ALL: u64 = -1_i64 as u64;
        for (name, args, refused) in [
            ("kill", [own, 9, 0], Some(own as i32)),
            ("kill", [own, 0, 0], None),
            ("kill", [ALL, 15, 0], Some(-1)),
            ("kill", [0, 15, 0], None),
            ("kill", [1 << 30, 15, 0], None),
            ("tgkill", [own, own, 6], Some(own as i32)),
            ("tgkill", [own, own, 0], None),
            ("read", [own, 9, 9], None),
        ] {
            let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
            let [first, second, third] = args;
            let call = Call { syscall, args: [first, second, third, 0, 0, 0], instruction_pointer: 0 };
            assert_eq!(signalled(&call), refused, "{name} {args:?}");
        }
        assert!(shares_processes(own as i32));
    }

    #[test]
    fn scratch_below_a_protected_folder_is_writable() {
        let folders = ProtectedFolders(vec![PathBuf::from("/package")]);
        let protection = folders.protect(Path::new("/package/tmp/sysguard-1"));
        for (file, is_protected) in [
            ("/package/src/main.rs", true),
            ("/package", true),
            ("/package/tmp/sysguard-1/work/file", false),
            ("/package/tmp/sysguard-12/file", true),
            ("/package2/file", false),
            ("/tmp/file", false),
        ] {
            assert_eq!(protection.protects(Path::new(file)), is_protected, "{file}");
        }
    }

    #[test]
    fn folder_without_a_repository_is_protected_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().canonicalize().expect("a folder");
        assert_eq!(ProtectedFolders::of(&[folder.path()]).0, [own]);
    }
}
