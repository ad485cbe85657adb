//! What to run: a [`Workload`] as its author described it.
//!
//! It must not know how a program is found, built or started: that is the runner's and the shells'
//! work.

use std::collections::BTreeMap;
use std::time::Duration;

/// One thing to run and to observe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// What is executed.
    pub program: Program,
    /// Further arguments; for [`Program::Command`] they follow the command's own.
    pub args: Vec<String>,
    /// What is added to the built environment.
    pub env: BTreeMap<String, String>,
    /// Variables that hold the path of a target of the package, built by cargo first: so a shell
    /// can run several.
    pub with: BTreeMap<String, Program>,
    /// What the workload reads on standard input.
    pub stdin: Stdin,
    /// Working directory relative to the package; `None`: a fresh temporary one, removed
    /// afterwards.
    pub cwd: Option<String>,
    /// How long one run may take.
    pub timeout: Duration,
    /// Programs that must be found on the workload's own PATH, else it is ignored.
    pub requires: Vec<String>,
    /// How a server ends; `None`: by itself.
    pub stop: Option<StopAfter>,
    /// The end of a good run.
    pub exit: Exit,
}

impl Workload {
    /// Everything that must be there before it is run: the program, and what it is run with.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        std::iter::once(&self.program).chain(self.with.values())
    }
}

/// What is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A program and its arguments. A path with a slash is relative to the package.
    Command(Vec<String>),
    /// A binary target of the package, built by cargo first.
    Bin(String),
    /// An example of the package, built by cargo first.
    Example(String),
    /// A test target of the package, built by cargo first.
    Test(String),
    /// A benchmark of the package, built by cargo first.
    Bench(String),
    /// A closure in the package's test target `sysguard`, built by cargo first.
    Closure(String),
    /// A test of the package, by its name: only `cargo sysguard run` runs it, where and as cargo or
    /// nextest does.
    Run(String),
}

impl Program {
    /// Whether it is known without an expectation file: then a proposal may come before its file.
    pub fn needs_no_file(&self) -> bool {
        matches!(self, Self::Closure(_) | Self::Run(_))
    }
}

/// Standard input of a workload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stdin {
    /// `/dev/null`
    #[default]
    Null,
    /// This text.
    Text(String),
    /// The content of this file, relative to the package.
    File(String),
}

/// How a server is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopAfter {
    /// How long after its start.
    pub after: Duration,
    /// The signal's number.
    pub signal: i32,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Exited(i32),
    /// By this signal's number.
    Signaled(i32),
    /// It was ended because it took longer than it may.
    TimedOut,
}

impl Exit {
    /// The exit status a shell would show: the code, 128 + the signal's number, or 124 as
    /// timeout(1).
    pub fn shell_status(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Signaled(signal) => 128 + signal,
            Self::TimedOut => 124,
        }
    }
}

/// The time a workload may take where its document names none.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
