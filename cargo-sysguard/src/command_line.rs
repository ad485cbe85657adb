//! A command of the user, as `trace` and `profile` run it: its program, and the exit codes of
//! failures. Main types: [`CommandLine`] and [`Failed`].
//!
//! Exit codes are those of env(1) and timeout(1).

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sysguard::unstable::linux::{Command, Environment, Stream, TraceError};
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::model::text::escape;
use sysguard::unstable::runner::{Lookup, find_command};

use crate::message;

/// A failure that replaces the exit status of the command.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl Failed {
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const OURS: u8 = 125;
    const NOT_EXECUTABLE: u8 = 126;
    const NOT_FOUND: u8 = 127;

    pub(crate) fn ours(message: impl ToString) -> Self {
        Self { code: Self::OURS, message: message.to_string() }
    }

    /// Prints the message.
    pub(crate) fn exit(self) -> ExitCode {
        // Ignore a closed standard error: the exit code remains.
        let _ = writeln!(anstream::stderr(), "{}", message::error(&self.message));
        ExitCode::from(self.code)
    }
}

impl From<TraceError> for Failed {
    fn from(error: TraceError) -> Self {
        let code = match &error {
            // The program exists, but its interpreter does not.
            TraceError::Exec { source, .. } if source.kind() == io::ErrorKind::NotFound => Self::NOT_FOUND,
            TraceError::Exec { .. } => Self::NOT_EXECUTABLE,
            _ => Self::OURS,
        };
        Self { code, message: error.to_string() }
    }
}

/// An error of a run that may be due to execve(2).
pub(crate) trait RunError {
    /// Returns the error of the launch, if it is one.
    fn launch(&self) -> Option<&TraceError>;
}

impl RunError for TraceError {
    fn launch(&self) -> Option<&TraceError> {
        Some(self)
    }
}

/// A command with its program.
#[derive(Debug)]
pub(crate) struct CommandLine<'a> {
    program: PathBuf,
    words: &'a [OsString],
}

impl<'a> CommandLine<'a> {
    /// Looks for the program as a shell does.
    pub(crate) fn find(words: &'a [OsString]) -> Result<Self, Failed> {
        let name = words.first().map(OsString::as_os_str).unwrap_or_default();
        let failed = |code, reason: &str| Failed {
            code,
            message: format!("cannot execute {}: {reason}", escape::line(&name.to_string_lossy())),
        };
        match find_command(name) {
            Lookup::Found(program) => Ok(Self { program, words }),
            Lookup::NotExecutable(file) => Err(failed(Failed::NOT_EXECUTABLE, &not_executable(&file))),
            Lookup::Missing => Err(failed(Failed::NOT_FOUND, "not found")),
        }
    }

    /// Runs it; a script without `#!` by a shell, as execvp(3) does for env(1) and timeout(1).
    pub(crate) fn run<T, E: RunError>(&self, mut run: impl FnMut(Command) -> Result<T, E>) -> Result<T, E> {
        const SHELL: &str = "/bin/sh";
        match run(command(self.program.clone(), self.words.to_vec())) {
            Err(error) if error.launch().is_some_and(is_without_interpreter) => {
                let arguments = self.words.iter().skip(1).cloned();
                let script = self.program.clone().into_os_string();
                let argv = [OsString::from(SHELL), script].into_iter().chain(arguments).collect();
                run(command(PathBuf::from(SHELL), argv))
            }
            result => result,
        }
    }

    /// Returns its words as text.
    pub(crate) fn text(&self) -> Vec<String> {
        self.words.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }
}

/// Returns the exit code for the end of a command.
pub(crate) fn shell_status(exit: Exit) -> u8 {
    // A status is 0 to 255, and a signal's number below 65.
    u8::try_from(exit.shell_status()).unwrap_or(u8::MAX)
}

/// Returns the reason a file cannot be executed.
fn not_executable(file: &Path) -> String {
    match fs::metadata(file) {
        Err(error) => error.to_string(),
        Ok(_) => "not an executable file".to_owned(),
    }
}

fn command(program: PathBuf, argv: Vec<OsString>) -> Command {
    Command {
        program,
        argv,
        environment: Environment::Inherited,
        cwd: None,
        scratch: None,
        stdio: [Stream::Inherited, Stream::Inherited, Stream::Inherited],
        isolated: false,
        filters: Vec::new(),
    }
}

/// Returns whether execve(2) failed with ENOEXEC, as for a script without `#!`.
fn is_without_interpreter(error: &TraceError) -> bool {
    matches!(error, TraceError::Exec { source, .. } if source.raw_os_error() == Some(ENOEXEC))
}

/// include/uapi/asm-generic/errno-base.h
const ENOEXEC: i32 = 8;
