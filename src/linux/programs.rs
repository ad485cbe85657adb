//! Names the program of an execve before the call, as it was invoked. Main type: [`Programs`].
//!
//! `model::attribution` derives the name; this module finds the start of a path and the target of a
//! link in proc.

use std::borrow::Cow;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::memory;
use crate::model::attribution::{
    ArgumentAnswer, Failure, PathArgument, ProgramLink, Query, program_link, program_name,
};
use crate::model::kernel::call::Tid;

/// The name of every program below the scratch directory: their names may differ between runs.
const TEMPORARY: &str = "(temporary)";

/// What is known about programs of a tree.
#[derive(Debug, Default)]
pub(super) struct Programs {
    /// The scratch directory, by each of its names.
    scratch: Vec<PathBuf>,
}

impl Programs {
    /// Names programs below this directory `(temporary)`.
    pub(super) fn with_scratch(directory: &Path) -> Self {
        Self { scratch: [directory.to_owned()].into_iter().chain(directory.canonicalize().ok()).collect() }
    }

    /// Returns the name of the program that a task is about to execute.
    ///
    /// # Errors
    ///
    /// The address of the path, if neither it nor the program's fd could be read.
    pub(super) fn name(&self, task: Tid, place: &PathArgument) -> Result<ArgumentAnswer, u64> {
        self.ask(task, place).map(ArgumentAnswer::from).map_err(|_| place.address)
    }

    fn ask(&self, task: Tid, place: &PathArgument) -> Result<Option<Cow<'static, str>>, Failure> {
        let mut text = [0; memory::MAX_PATH];
        // execveat(2) with AT_EMPTY_PATH; the path may be a null pointer, too.
        let text = match place.address {
            0 if place.directory.is_some() => b"",
            address => memory::read_path(task, address, &mut text)?,
        };
        let text = String::from_utf8_lossy(text);
        match (&*text, place.directory) {
            ("", Some(fd)) => self.of_link(&format!("/proc/{task}/fd/{fd}")),
            ("", None) => Ok(None),
            (path, directory) => self.of_path(task, path, directory),
        }
    }

    fn of_path(&self, task: Tid, path: &str, directory: Option<i32>) -> Result<Option<Cow<'static, str>>, Failure> {
        let base = || match directory {
            Some(fd) => fs::read_link(format!("/proc/{task}/fd/{fd}")),
            None => fs::read_link(format!("/proc/{task}/cwd")),
        };
        let path = if path.starts_with('/') { PathBuf::from(path) } else { base().unwrap_or_default().join(path) };
        let path = normalised(&path);
        match program_link(&path.to_string_lossy()) {
            None => Ok(self.named(&path)),
            Some(ProgramLink { process: None, link }) => self.of_link(&format!("/proc/{task}/{link}")),
            // Numbered as in the proc that the task sees.
            Some(ProgramLink { process: Some(process), link }) => {
                self.of_link(&format!("/proc/{task}/root/proc/{process}/{link}"))
            }
        }
    }

    /// Names the target of a link of proc. A missing link makes the call fail.
    fn of_link(&self, link: &str) -> Result<Option<Cow<'static, str>>, Failure> {
        match fs::read_link(link).map_err(|error| memory::failure(Query::Link, &error)) {
            Ok(target) => Ok(self.named(&target)),
            Err(Failure::Absent) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn named(&self, path: &Path) -> Option<Cow<'static, str>> {
        if self.scratch.iter().any(|scratch| path.starts_with(scratch)) {
            return Some(Cow::Borrowed(TEMPORARY));
        }
        program_name(&path.to_string_lossy())
    }
}

/// Removes `.` and `..` from a path, without following links.
fn normalised(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut done, part| {
        match part {
            Component::ParentDir => drop(done.pop()),
            Component::CurDir => {}
            part => done.push(part),
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::fs::File;
    use std::os::fd::AsRawFd;

    use super::*;
    use crate::linux::sys;

    fn named(programs: &Programs, path: &str, directory: Option<i32>) -> String {
        let text = CString::new(path).expect(path);
        let place = PathArgument { directory, address: text.as_ptr() as u64, follows: true };
        programs.name(sys::gettid(), &place).expect("readable").text().unwrap_or("-".into()).into_owned()
    }

    #[test]
    fn program_is_named_as_invoked() {
        let scratch = tempfile::tempdir().expect("a directory");
        let file = File::create(scratch.path().join("made")).expect("a file");
        let (program, folder) = (File::open("/bin/sh").expect("sh"), File::open(scratch.path()).expect("a directory"));
        let programs = Programs::with_scratch(scratch.path());
        let own = std::env::current_exe().expect("own program");
        let own = program_name(&own.to_string_lossy()).expect("a name");
        let (pid, fd) = (std::process::id(), program.as_raw_fd());
        let resolved = fs::canonicalize("/bin/sh").expect("sh");
        let sh = program_name(&resolved.to_string_lossy()).expect("a name");
        for (path, directory, expected) in [
            ("/usr/bin/curl", None, "curl"),
            ("relative/tool-0123456789abcdef", None, "tool"),
            (&format!("{}/x/y", scratch.path().display()), None, TEMPORARY),
            (&format!("/usr/..{}/./x", scratch.path().display()), None, TEMPORARY),
            (&format!("{}/../tool", scratch.path().display()), None, "tool"),
            ("made", Some(folder.as_raw_fd()), TEMPORARY),
            ("", Some(file.as_raw_fd()), TEMPORARY),
            ("", Some(fd), &*sh),
            ("", Some(-7), "-"),
            ("", None, "-"),
            ("/proc/self/exe", None, &*own),
            (&format!("/proc/self/fd/{fd}"), None, &*sh),
            (&format!("/dev/fd/{fd}"), None, &*sh),
            (&format!("/proc/{pid}/fd/{fd}"), None, &*sh),
            ("/proc/self/fd/999999", None, "-"),
        ] {
            assert_eq!(named(&programs, path, directory), expected, "{path:?} {directory:?}");
        }
        let place = PathArgument { directory: None, address: 8, follows: true };
        assert_eq!(programs.name(sys::gettid(), &place), Err(8));
    }
}
