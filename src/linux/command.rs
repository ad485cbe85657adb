//! A resolved description of what to start. Main type: [`Command`].

use std::ffi::OsString;
use std::path::PathBuf;

#[cfg(unix)]
pub use std::os::fd::OwnedFd as Handle;
#[cfg(windows)]
pub use std::os::windows::io::OwnedHandle as Handle;

use crate::model::guard::bpf::Instruction;

/// A program to start, with everything resolved.
#[derive(Debug)]
pub struct Command {
    /// The file to execute; `PATH` is not searched.
    pub program: PathBuf,
    /// The arguments of the program, `argv[0]` included.
    pub argv: Vec<OsString>,
    /// The environment.
    pub environment: Environment,
    /// The working directory; `None` means the caller's.
    pub cwd: Option<PathBuf>,
    /// A directory of this run only; programs below it are temporary.
    pub scratch: Option<PathBuf>,
    /// Standard input, output and error.
    pub stdio: [Stream; 3],
    /// Isolates the program from the caller: a session of its own, default signal dispositions,
    /// umask 022 and default limits.
    pub isolated: bool,
    /// seccomp programs of the whole tree, installed in this order before the program is executed.
    /// Each judges the calls that install the next one, and the execve. A process without
    /// privileges gets PR_SET_NO_NEW_PRIVS.
    pub filters: Vec<Vec<Instruction>>,
}

/// Environment variables of a new program.
#[derive(Debug)]
pub enum Environment {
    /// The caller's.
    Inherited,
    /// Exactly these variables.
    Exactly(Vec<(OsString, OsString)>),
}

/// One of the standard streams of a new program.
#[derive(Debug)]
pub enum Stream {
    /// The caller's.
    Inherited,
    /// This file, pipe or device; the caller's copy is closed once the program has started.
    Given(Handle),
}
