//! One run of a program under one engine, and the facts that it adds to a baseline. Main type:
//! [`Target`].
//!
//! A guarded or notified run that ends incomplete is repeated by ptrace, as the product does.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sysguard::unstable::linux::{Command, Environment, Incomplete, Limits, Outcome, Stream, inherited};
use sysguard::unstable::model::expectation::{Baseline, Document, Recorded, Unseen, Version, format, project, record};
use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::facts::fingerprint::Fingerprint;
use sysguard::unstable::model::guard::Guard;
use sysguard::unstable::model::observe::observation::{Engine, Observation};
use sysguard::unstable::model::run::platform::Platform;
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::model::trace::marker::LOADER;
use sysguard::unstable::runner::{observe, observe_guarded, observe_notified};

/// How long a task of the tree may keep the output open after the run.
const LEAVES_WITHIN: Duration = Duration::from_secs(2);

/// A program to run.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    /// The folder in which each run gets its own folder.
    pub(crate) folder: PathBuf,
    pub(crate) timeout: Duration,
}

/// What a run showed.
#[derive(Debug)]
pub(crate) struct Run {
    /// What a baseline records, without the loader's phase.
    pub(crate) facts: BTreeSet<Fact>,
    /// Facts that more than refused calls show: an engine must find these.
    pub(crate) reached: BTreeSet<Fact>,
    pub(crate) exit: Exit,
    pub(crate) output: String,
    /// The file `state` that the program left in its folder.
    pub(crate) state: Option<Vec<u8>>,
    /// Why the run was repeated by ptrace.
    pub(crate) incomplete: Option<Incomplete>,
}

/// What every run is judged by.
#[derive(Debug)]
pub(crate) struct Bench {
    document: Document,
    platform: Platform,
}

impl Bench {
    pub(crate) fn new(platform: Platform) -> Result<Self, String> {
        let text = "version: 1\ncommand: [\"true\"]\n";
        let read = format::read(text.as_bytes()).map_err(|error| format!("{error:?}"))?;
        Ok(Self { document: read.expectation.document, platform })
    }

    /// Returns the baseline that holds these facts and no others.
    pub(crate) fn baseline(&self, facts: BTreeSet<Fact>) -> Baseline {
        let recorded = Recorded {
            platform: self.platform.clone(),
            fingerprint: Fingerprint::default(),
            never_quiet: false,
            runs: vec![facts],
        };
        record(None, &recorded, Unseen::Keep)
    }

    /// Runs the target once.
    ///
    /// # Errors
    ///
    /// What went wrong, also if an event was lost or a task outlives the run.
    pub(crate) fn run(&self, engine: Engine, target: &Target, baseline: &Baseline) -> Result<Run, String> {
        let cwd = fresh_folder(&target.folder)?;
        let (command, pipe) = target.command(cwd.path()).map_err(|error| format!("cannot prepare a run: {error}"))?;
        let output = Output::of(pipe);
        let limits = target.limits();
        let (observation, outcome) = match engine {
            Engine::Notify => observe_notified(command, &limits),
            Engine::Guard => {
                let inherited = inherited(&command);
                let guard = Guard::new(&self.document, baseline, &self.platform, &inherited);
                let guard = guard.map_err(|error| format!("no guard: {error}"))?;
                observe_guarded(command, &limits, &guard)
            }
            _ => observe(command, &limits),
        }
        .map_err(|error| format!("{engine:?}: {error}"))?;
        let output = output.take().map_err(|error| format!("{engine:?}: {error}"))?;
        match outcome {
            Outcome { lost_events: lost @ 1.., .. } => Err(format!("{engine:?}: {lost} lost events")),
            Outcome { incomplete: Some(incomplete), .. } if engine != Engine::Ptrace => {
                let again = self.run(Engine::Ptrace, target, baseline)?;
                Ok(Run { incomplete: Some(incomplete), ..again })
            }
            Outcome { exit, .. } => {
                let state = std::fs::read(cwd.path().join("state")).ok();
                Ok(Run { state, ..self.seen(&observation, exit, output) })
            }
        }
    }

    fn seen(&self, observation: &Observation, exit: Exit, output: String) -> Run {
        let projection = project(observation, &self.document, &self.platform, Version::LATEST);
        let is_loaders = |fact: &Fact| matches!(fact, Fact::Phase { phase, .. } if phase == LOADER);
        let facts: BTreeSet<Fact> = projection.facts.into_keys().filter(|fact| !is_loaders(fact)).collect();
        let reached = facts.difference(&projection.refused).cloned().collect();
        Run { facts, reached, exit, output, state: None, incomplete: None }
    }
}

impl Target {
    fn limits(&self) -> Limits {
        Limits { timeout: Some(self.timeout), stop: None, grace: Duration::from_secs(2) }
    }

    /// Returns the command; standard output and error go to one pipe.
    fn command(&self, cwd: &Path) -> io::Result<(Command, PipeReader)> {
        let (pipe, stdout) = io::pipe()?;
        let stderr = stdout.try_clone()?;
        let streams: [OwnedFd; 3] = [File::open("/dev/null")?.into(), stdout.into(), stderr.into()];
        let words = [self.program.clone().into_os_string()].into_iter().chain(self.args.iter().map(Into::into));
        let command = Command {
            program: self.program.clone(),
            argv: words.collect(),
            environment: Environment::Exactly(vec![("PATH".into(), "/usr/bin:/bin".into())]),
            cwd: Some(cwd.to_owned()),
            scratch: None,
            stdio: streams.map(Stream::Given),
            isolated: true,
            filters: Vec::new(),
        };
        Ok((command, pipe))
    }
}

/// The output of a run, read while it runs.
struct Output(mpsc::Receiver<io::Result<String>>);

impl Output {
    fn of(mut pipe: PipeReader) -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = pipe.read_to_end(&mut bytes).map(|_| String::from_utf8_lossy(&bytes).into_owned());
            // The receiver is gone if the run could not be started.
            drop(sender.send(read));
        });
        Self(receiver)
    }

    fn take(self) -> Result<String, String> {
        let output =
            self.0.recv_timeout(LEAVES_WITHIN).map_err(|_| "a process of the tree outlives the run".to_owned())?;
        output.map_err(|error| format!("cannot read the output: {error}"))
    }
}

/// Makes a fresh folder below `parent`, so that no run finds files of another.
pub(crate) fn fresh_folder(parent: &Path) -> Result<tempfile::TempDir, String> {
    tempfile::tempdir_in(parent).map_err(|error| format!("cannot make a folder in {}: {error}", parent.display()))
}
