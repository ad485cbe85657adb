//! The user's diff program, `SYSGUARD_DIFF_TOOL`, called as `TOOL OLD NEW`. Main type:
//! [`DiffTool`].
//!
//! It gets copies, so it cannot change an expectation.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::child::output_of;
use super::folder::TemporaryFolder;
use crate::model::judge::verdict::Change;
use crate::model::text::escape;
use crate::settings::Settings;

/// The user's diff program failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffToolError {
    /// The copies of the file cannot be written.
    #[error("cannot write copies of {} for a diff: {source}", escape::message(file))]
    Copies {
        /// The expectation file.
        file: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The program cannot be started.
    #[error("cannot run SYSGUARD_DIFF_TOOL (`{}`): {source}", escape::message(tool))]
    NotRun {
        /// The program and its first arguments.
        tool: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The program ended without output.
    #[error("SYSGUARD_DIFF_TOOL (`{}`) printed nothing: {status}", escape::message(tool))]
    Silent {
        /// The program and its first arguments.
        tool: String,
        /// How it ended.
        status: ExitStatus,
    },
}

/// A program and its first arguments.
#[derive(Debug, Clone, Copy)]
pub struct DiffTool<'a>(&'a str);

impl<'a> DiffTool<'a> {
    /// Returns the program that the user configured, if any.
    pub fn of(settings: &'a Settings) -> Option<Self> {
        settings.diff_tool.as_deref().map(Self)
    }

    /// Runs the program on the change of `file` and returns what it printed to standard output and
    /// standard error. A process that it leaves in the background is not waited for.
    ///
    /// # Errors
    ///
    /// The program cannot be started or prints nothing, or the copies cannot be written.
    pub fn output(self, file: &str, change: &Change) -> Result<String, DiffToolError> {
        let (command, copies) = self.command(file, change)?;
        let output = self.run(command, |command| output_of(command.stdin(Stdio::null()).stderr(Stdio::piped())))?;
        drop(copies);
        let mut printed = output.stdout;
        printed.extend(output.stderr);
        if printed.is_empty() {
            return Err(DiffToolError::Silent { tool: self.0.to_owned(), status: output.status });
        }
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }

    /// Runs the program on the change of `file` with this process's standard streams, and waits for
    /// its end.
    ///
    /// # Errors
    ///
    /// The program cannot be started, or the copies cannot be written.
    pub fn show(self, file: &str, change: &Change) -> Result<(), DiffToolError> {
        let (command, copies) = self.command(file, change)?;
        // diff(1) exits with 1 where files differ, so the exit status is ignored.
        self.run(command, Command::status)?;
        drop(copies);
        Ok(())
    }

    fn command(self, file: &str, change: &Change) -> Result<(Command, TemporaryFolder), DiffToolError> {
        let cannot = |source| DiffToolError::Copies { file: file.to_owned(), source };
        let folder = TemporaryFolder::create("sysguard-diff-").map_err(cannot)?;
        let name = Path::new(file).file_name().unwrap_or(OsStr::new("expectation.yaml"));
        let copy = |side: &str, text: &str| -> io::Result<PathBuf> {
            let path = folder.path().join(side).join(name);
            fs::create_dir(folder.path().join(side))?;
            fs::write(&path, text)?;
            Ok(path)
        };
        let (old, new) = (copy("old", &change.before).map_err(cannot)?, copy("new", &change.after).map_err(cannot)?);
        let mut words = self.0.split_ascii_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).arg(old).arg(new);
        Ok((command, folder))
    }

    fn run<T>(self, mut command: Command, run: impl FnOnce(&mut Command) -> io::Result<T>) -> Result<T, DiffToolError> {
        run(&mut command).map_err(|source| DiffToolError::NotRun { tool: self.0.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> Change {
        Change { before: "version: 1\n".to_owned(), after: "version: 2\n".to_owned(), ..Change::default() }
    }

    #[test]
    fn silent_tool_is_an_error() {
        let error = DiffTool("true").output("a.yaml", &change()).expect_err("it prints nothing");
        assert_eq!(error.to_string(), "SYSGUARD_DIFF_TOOL (`true`) printed nothing: exit status: 0");
    }

    #[test]
    fn tool_gets_old_and_new_after_its_arguments() {
        let printed = DiffTool("cat -n").output("expectations/net/a.yaml", &change()).expect("cat runs");
        assert_eq!(printed, "     1\tversion: 1\n     2\tversion: 2\n");
        let printed = DiffTool("echo").output("expectations/net/a.yaml", &change()).expect("echo runs");
        let paths: Vec<&str> = printed.split_whitespace().collect();
        assert!(matches!(paths[..], [old, new] if old.ends_with("/old/a.yaml") && new.ends_with("/new/a.yaml")));
        assert!(paths.iter().all(|path| !Path::new(path).exists()), "the copies are gone: {printed}");
    }

    #[test]
    fn background_process_of_tool_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("tool.sh");
        fs::write(&script, "sleep 30 &\necho shown\n").expect("a script");
        let begun = std::time::Instant::now();
        let tool = format!("sh {}", script.display());
        assert_eq!(DiffTool(&tool).output("a.yaml", &change()).expect("it runs"), "shown\n");
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }

    #[test]
    fn missing_tool_is_named() {
        let error = DiffTool("no-such-tool-is-there").output("a.yaml", &change()).expect_err("it is missing");
        assert!(std::error::Error::source(&error).is_some());
        let error = error.to_string();
        assert!(error.starts_with("cannot run SYSGUARD_DIFF_TOOL (`no-such-tool-is-there`): "), "{error}");
    }
}
