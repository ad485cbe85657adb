//! What to run: a [`Workload`] as its author described it.
//!
//! It must not know how a program is found, built or started: the runner does.

use std::collections::BTreeMap;
use std::time::Duration;

/// A command to run and observe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// What is executed.
    pub program: Program,
    /// Further arguments; for [`Program::Command`] they follow the command's own.
    pub args: Vec<String>,
    /// Variables that are added to the built environment.
    pub env: BTreeMap<String, String>,
    /// Variables with the path of a target of the package, which cargo builds first: a shell script
    /// can so run several.
    pub with: BTreeMap<String, Program>,
    /// Its standard input.
    pub stdin: Stdin,
    /// The working directory relative to the package; `None`: a new temporary one, removed
    /// afterwards.
    pub cwd: Option<String>,
    /// The time limit of one run.
    pub timeout: Duration,
    /// Programs that must exist on the workload's own PATH; otherwise it is ignored.
    pub requires: Vec<String>,
    /// How a server is ended; `None`: it ends by itself.
    pub stop: Option<StopAfter>,
    /// The expected end of a run.
    pub exit: Exit,
}

impl Workload {
    /// Returns all programs that must exist before a run: the program, and the targets in `with`.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        std::iter::once(&self.program).chain(self.with.values())
    }

    /// Returns the program and its arguments as reports show them: `bin:NAME` names a target of the
    /// package.
    pub fn words(&self) -> Vec<String> {
        let mut words = match &self.program {
            Program::Command(words) => words.clone(),
            Program::Bin(name) => vec![format!("bin:{name}")],
            Program::Example(name) => vec![format!("example:{name}")],
            Program::Test(name) => vec![format!("test:{name}")],
            Program::Bench(name) => vec![format!("bench:{name}")],
            Program::Closure(name) => vec![format!("closure:{name}")],
            Program::Run(name) => vec![format!("run:{name}")],
        };
        words.extend(self.args.iter().cloned());
        words
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
    /// A test of the package, by its name. Only `cargo sysguard run` runs it, in the place and way
    /// of cargo or nextest.
    Run(String),
}

impl Program {
    /// Returns whether it is known without an expectation file; a proposal may then exist before
    /// the file.
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
    /// The time after its start.
    pub after: Duration,
    /// The number of the signal.
    pub signal: i32,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this status.
    Exited(i32),
    /// It was killed by the signal with this number.
    Signaled(i32),
    /// It was ended after its timeout.
    TimedOut,
}

impl Exit {
    /// Returns the exit status that a shell would report: the code, 128 + the number of the signal,
    /// or 124 as timeout(1).
    pub fn shell_status(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Signaled(signal) => 128 + signal,
            Self::TimedOut => 124,
        }
    }
}

/// The timeout of a workload if its document has none.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
