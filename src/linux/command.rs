//! What is started, everything resolved. Main type: [`Command`].

use std::ffi::OsString;
use std::path::PathBuf;

#[cfg(unix)]
pub use std::os::fd::OwnedFd as Handle;
#[cfg(windows)]
pub use std::os::windows::io::OwnedHandle as Handle;

/// A program to start, everything resolved.
#[derive(Debug)]
pub struct Command {
    /// The file to execute: no search takes place.
    pub program: PathBuf,
    /// What the program sees as its arguments, `argv[0]` included.
    pub argv: Vec<OsString>,
    /// The environment.
    pub environment: Environment,
    /// The working directory; `None`: the caller's.
    pub cwd: Option<PathBuf>,
    /// Standard input, output and error.
    pub stdio: [Stream; 3],
    /// Cut it off from the caller: a session of its own, default signal dispositions, umask 022 and
    /// default limits.
    pub isolated: bool,
}

/// Environment variables of a new program.
#[derive(Debug)]
pub enum Environment {
    /// The caller's.
    Inherited,
    /// These and no others.
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
