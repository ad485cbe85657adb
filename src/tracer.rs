//! Tracing a command from Rust code. Main type: [`Tracer`].

use std::ffi::OsString;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::error::Error;
use crate::linux::{Command, Environment, Handle, Limits, Outcome, Stream, TraceError};
use crate::model::expectation::Rule;
use crate::model::observe::observation::{Engine, Observation};
use crate::model::observe::selected::Selected;
use crate::model::run::workload::Exit;
use crate::runner::{DEFAULT_GRACE, Lookup, find_command, observe_compared};

/// Runs a command and records what its whole process tree uses of the kernel.
///
/// ```no_run
/// # fn main() -> Result<(), sysguard::Error> {
/// use sysguard::{Subsystem, Tracer};
///
/// let traced = Tracer::new("ls").arg("-l").run()?;
/// assert!(!traced.observation.uses(Subsystem::Network));
/// # Ok(()) }
/// ```
///
/// It may be used from any thread and beside any other children of the process: tracing happens in
/// a thread of its own, which waits for its own tracees only.
#[derive(Debug)]
pub struct Tracer {
    program: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    keeps_environment: bool,
    directory: Option<PathBuf>,
    streams: [Stream; 3],
    engine: Engine,
    has_call_sites: bool,
    rules: Vec<Rule>,
    limits: Limits,
}

/// What a traced run showed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traced {
    /// What the process tree used.
    pub observation: Observation,
    /// How the first process ended.
    pub exit: Exit,
    /// Tasks that outlived the first process and were killed when the grace was over.
    pub killed_stragglers: u64,
}

impl Tracer {
    /// Creates a tracer for a program: a path, or a name that is looked up in `PATH` as a shell
    /// does.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            keeps_environment: true,
            directory: None,
            streams: [Stream::Inherited, Stream::Inherited, Stream::Inherited],
            engine: Engine::Ptrace,
            has_call_sites: false,
            rules: Vec::new(),
            limits: Limits { timeout: None, stop: None, grace: DEFAULT_GRACE },
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable of the program.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Gives the program no variables but those that [`env`](Self::env) sets.
    #[must_use]
    pub fn env_clear(mut self) -> Self {
        self.keeps_environment = false;
        self.variables.clear();
        self
    }

    /// Sets the program's working directory.
    #[must_use]
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Gives the program this file or pipe as standard input instead of the caller's: a `File`, an
    /// `OwnedFd`, or a stream of a child process.
    #[must_use]
    pub fn stdin(mut self, stream: impl Into<Handle>) -> Self {
        self.streams[0] = Stream::Given(stream.into());
        self
    }

    /// Gives the program this file or pipe as standard output instead of the caller's.
    #[must_use]
    pub fn stdout(mut self, stream: impl Into<Handle>) -> Self {
        self.streams[1] = Stream::Given(stream.into());
        self
    }

    /// Gives the program this file or pipe as standard error instead of the caller's.
    #[must_use]
    pub fn stderr(mut self, stream: impl Into<Handle>) -> Self {
        self.streams[2] = Stream::Given(stream.into());
        self
    }

    /// Chooses the engine: [`Engine::Ptrace`], or [`Engine::Notify`], which takes less time and
    /// does not know the errors of most calls. [`Engine::Guard`] needs a baseline, and records as
    /// `Ptrace` here.
    #[must_use]
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Records the call site of the first call of each kind. Only [`Engine::Ptrace`] can.
    #[doc(hidden)]
    #[must_use]
    pub fn call_sites(mut self) -> Self {
        self.has_call_sites = true;
        self
    }

    /// Compares each call with the ranges of addresses and the paths of these rules, so that
    /// assertions on the observation can use them. In a path, `~`, `$TMPDIR` and `$PWD` are the
    /// program's variables `HOME` and `TMPDIR` and its working directory. A call that cannot be
    /// compared is the blind spot [`Unanswerable`](crate::BlindSpot::Unanswerable).
    ///
    /// ```no_run
    /// # fn main() -> Result<(), sysguard::Error> {
    /// use sysguard::{Rule, Tracer};
    ///
    /// let private = Rule::from("connect").address("10.0.0.0/8");
    /// let traced = Tracer::new("curl").arg("http://localhost/").rules([private.clone()]).run()?;
    /// traced.observation.forbid(private);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn rules(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.rules.extend(rules);
        self
    }

    /// Kills the process tree after this time; its [`Exit`] is then [`Exit::TimedOut`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = Some(timeout);
        self
    }

    /// How long other processes may outlive the first one before they are killed: 2 s by default.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.limits.grace = grace;
        self
    }

    /// Runs the command until its whole process tree has ended.
    ///
    /// # Errors
    ///
    /// The program is not found or cannot be executed; tracing is impossible here; events were
    /// lost; or [`Engine::Notify`] cannot show all that this program does.
    pub fn run(self) -> Result<Traced, Error> {
        let (engine, has_call_sites, limits) = (self.engine, self.has_call_sites, self.limits);
        let rules = self.rules.clone();
        let command = self.command()?;
        // Waiting is for the children of one thread, and the caller's thread may have others.
        let sites = has_call_sites.then(Selected::default);
        let traced = thread::scope(|scope| {
            let run = || observe_compared(command, &limits, engine, sites.as_ref(), &rules);
            scope.spawn(run).join()
        });
        let (observation, outcome) = match traced {
            Ok(traced) => traced?,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        complete(observation, outcome)
    }

    /// Everything resolved.
    fn command(self) -> Result<Command, Error> {
        let name = self.program.to_string_lossy().into_owned();
        let program = match find_command(&self.program) {
            Lookup::Found(program) => program,
            Lookup::NotExecutable(file) => {
                return Err(not_executable(name, &file.display().to_string()));
            }
            Lookup::Missing => return Err(not_found(name)),
        };
        let inherited = std::env::vars_os().filter(|_| self.keeps_environment);
        let mut environment: Vec<(OsString, OsString)> = inherited.collect();
        for (name, value) in self.variables {
            environment.retain(|(other, _)| *other != name);
            environment.push((name, value));
        }
        Ok(Command {
            program,
            argv: std::iter::once(self.program).chain(self.arguments).collect(),
            environment: Environment::Exactly(environment),
            cwd: self.directory,
            scratch: None,
            stdio: self.streams,
            isolated: false,
            filters: Vec::new(),
        })
    }
}

/// The result, unless something was not seen.
fn complete(observation: Observation, outcome: Outcome) -> Result<Traced, Error> {
    if let Some(reason) = outcome.incomplete {
        let reason = format!("{reason}; use Engine::Ptrace");
        return Err(TraceError::Impossible { reason }.into());
    }
    if outcome.lost_events > 0 {
        let reason = format!("{} events were lost", outcome.lost_events);
        return Err(TraceError::Impossible { reason }.into());
    }
    let Outcome { exit, killed_stragglers, .. } = outcome;
    Ok(Traced { observation, exit, killed_stragglers })
}

fn not_found(program: String) -> Error {
    let source = std::io::Error::from(std::io::ErrorKind::NotFound);
    TraceError::Exec { program, source }.into()
}

fn not_executable(program: String, file: &str) -> Error {
    let source = std::io::Error::other(format!("{file} is not an executable file"));
    TraceError::Exec { program, source }.into()
}
