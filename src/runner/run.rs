//! One traced run of a workload: its program, its inputs, and what it showed. Main types:
//! [`PreparedWorkload`] and [`FinishedRun`].
//!
//! The only judgement made here is whether the run is valid.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::environment::{BuiltEnvironment, Lookup};
use super::output::{Capture, Echo};
use super::runnable::{FinishedRun, MakeGuard, Obstacle, RunFailure, Runnable, Wanted};
use super::scratch::Scratch;
use super::traced_run::TracedRun;
use super::watch::{WatchOptions, folders, watch_by_notifications, watch_run};
use crate::error::{Error, NotBuilt};
use crate::linux::{Command, Environment, Incomplete, Limits, Stream, Watching, inherited};
use crate::model::conditions::CallCondition;
use crate::model::engine::{Engine, UsedEngine};
use crate::model::observe::observation::{Observation, Part};
use crate::model::run::workload::{Exit, Program, Workload};
use crate::model::trace::marker::LOADER;
use crate::settings::CLOSURE;

/// How long processes may outlive the first one by default.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(2);

/// A workload with all that it needs to be started, any number of times.
#[derive(Debug)]
pub(super) struct PreparedWorkload<'a> {
    workload: &'a Workload,
    package: &'a Path,
    environment: BuiltEnvironment,
    program: PathBuf,
    argv: Vec<OsString>,
    /// What the document's rules require of single calls.
    conditions: Vec<CallCondition>,
}

impl<'a> PreparedWorkload<'a> {
    /// Finds everything that the workload needs. `built` returns the executable that cargo built
    /// for a target.
    pub(super) fn new(
        workload: &'a Workload,
        package: &'a Path,
        built: impl Fn(&Program) -> Result<PathBuf, NotBuilt>,
    ) -> Result<Self, Obstacle> {
        let mut environment = BuiltEnvironment::new(&workload.env);
        if let Program::Closure(name) = &workload.program {
            environment.set(CLOSURE, name);
        }
        if let Some(reason) = missing(workload, &environment, package) {
            return Err(Obstacle::Absent(reason));
        }
        let (program, mut argv) = match &workload.program {
            Program::Command(words) => {
                let name = words.first().map_or("", String::as_str);
                (find(&environment, name, package)?, words.iter().map(OsString::from).collect())
            }
            Program::Run(name) => return Err(Obstacle::NotStarted(format!("only `cargo sysguard run` runs {name}"))),
            Program::Bin(_) | Program::Example(_) | Program::Test(_) | Program::Bench(_) | Program::Closure(_) => {
                let program = built(&workload.program)?;
                let mut argv = vec![program.clone().into_os_string()];
                // `cargo bench` passes this argument too.
                argv.extend(matches!(workload.program, Program::Bench(_)).then(|| OsString::from("--bench")));
                (program, argv)
            }
        };
        for (name, target) in &workload.with {
            environment.set(name, built(target)?);
        }
        argv.extend(workload.args.iter().map(OsString::from));
        Ok(Self { workload, package, environment, program, argv, conditions: Vec::new() })
    }

    /// Compares each call with what rules require of single calls.
    pub(super) fn with_conditions(self, conditions: Vec<CallCondition>) -> Self {
        Self { conditions, ..self }
    }

    /// Runs the workload once under an engine; `trace` does it.
    fn run(
        &self,
        engine: Engine,
        trace: impl FnOnce(Command, &Limits, WatchOptions) -> Result<TracedRun, Obstacle>,
    ) -> Result<FinishedRun, Obstacle> {
        let (seen, output) = self.start(trace)?;
        if let Some(incomplete) = seen.outcome.incomplete {
            return Err(Obstacle::Unguarded(incomplete.to_string()));
        }
        if let Some(reason) = seen.unmarked(self.ended_well(seen.outcome.exit)) {
            return Err(Obstacle::Broken(reason));
        }
        let (observation, outcome) = seen.into_parts();
        // A refused phase marker loses its phase, and a notification does not show the refusal.
        if engine == Engine::Notify && observation.phases.keys().any(|phase| phase != LOADER) {
            return Err(Obstacle::Unguarded(Incomplete::Phases.to_string()));
        }
        FinishedRun::if_complete(observation, outcome.exit, output)
    }

    /// Runs the workload once by `run`, in a fresh scratch directory. Returns also the end of its
    /// output.
    pub(super) fn start<T>(
        &self,
        run: impl FnOnce(Command, &Limits, WatchOptions) -> Result<T, Obstacle>,
    ) -> Result<(T, String), Obstacle> {
        let scratch = Scratch::create().map_err(not_started)?;
        let cwd = self.workload.cwd.as_ref().map_or_else(|| scratch.work.clone(), |folder| self.package.join(folder));
        self.start_in(&scratch, &cwd, None, run)
    }

    /// As [`Self::start`], in these directories. Output is also copied to `echo`.
    pub(super) fn start_in<T>(
        &self,
        scratch: &Scratch,
        cwd: &Path,
        echo: Option<Echo>,
        run: impl FnOnce(Command, &Limits, WatchOptions) -> Result<T, Obstacle>,
    ) -> Result<(T, String), Obstacle> {
        let stdin = scratch.stdin(&self.workload.stdin, self.package).map_err(not_started)?;
        let (capture, stdout, stderr) = Capture::start(echo).map_err(|source| {
            not_started(Error::Io { operation: "create", subject: "pipes for the output".to_owned(), source })
        })?;
        let named = [(&*scratch.home, "$HOME"), (&*scratch.temporary, "$TMPDIR"), (cwd, "$PWD")];
        let (part, closure, conditions) = (self.part(), self.closure(), self.conditions.clone());
        let options = WatchOptions { part, folders: folders(named), closure, conditions, ..WatchOptions::default() };
        let command = Command {
            program: self.program.clone(),
            argv: self.argv.clone(),
            environment: Environment::Exactly(self.environment.for_run(&scratch.home, &scratch.temporary, cwd)),
            cwd: Some(cwd.to_owned()),
            scratch: Some(scratch.root().to_owned()),
            stdio: [stdin, stdout, stderr].map(Stream::Given),
            isolated: true,
            filters: Vec::new(),
        };
        let result = run(command, &self.limits(), options)?;
        Ok((result, capture.finish()))
    }

    /// Returns which part of a run counts.
    fn part(&self) -> Part {
        if matches!(self.workload.program, Program::Closure(_)) { Part::Marked } else { Part::All }
    }

    fn closure(&self) -> Option<String> {
        match &self.workload.program {
            Program::Closure(name) => Some(name.to_string()),
            _ => None,
        }
    }

    /// Returns whether a run ended as its document says. A server may also end by the signal that
    /// it was sent.
    pub(super) fn ended_well(&self, exit: Exit) -> bool {
        let stopped = self.workload.stop.map(|stop| Exit::Signaled(stop.signal));
        exit == self.workload.exit || Some(exit) == stopped
    }

    /// Returns the run if it is valid, or else another one that watches every call.
    fn or_every_call(
        &self,
        run: Result<FinishedRun, Obstacle>,
        engine: Engine,
        wanted: Wanted<'_>,
    ) -> Result<(FinishedRun, UsedEngine), RunFailure> {
        let reason = match run {
            Ok(run) if self.ended_well(run.exit) => return Ok((run, engine.into())),
            Ok(_) => "it did not end as expected under this engine".to_owned(),
            Err(Obstacle::Unguarded(reason)) => reason,
            Err(obstacle) => return Err(obstacle.into()),
        };
        Ok((self.good_run(wanted)?, UsedEngine::instead(reason)))
    }

    fn limits(&self) -> Limits {
        Limits { timeout: Some(self.workload.timeout), stop: self.workload.stop, grace: DEFAULT_GRACE }
    }
}

impl Runnable for PreparedWorkload<'_> {
    fn good_run(&self, wanted: Wanted<'_>) -> Result<FinishedRun, RunFailure> {
        let run = self.run(Engine::Ptrace, |command, limits, options| {
            watch_run(command, limits, Watching::EveryCall, options, wanted).map_err(Obstacle::from)
        })?;
        if self.ended_well(run.exit) { Ok(run) } else { Err(RunFailure::WrongExit(Box::new(run))) }
    }

    fn guarded_run(&self, guard: &MakeGuard<'_>, wanted: Wanted<'_>) -> Result<(FinishedRun, UsedEngine), RunFailure> {
        let run = match self.part() {
            Part::All => self.run(Engine::Guard, |command, limits, options| {
                let guard = guard(&inherited(&command)).map_err(unguarded)?;
                watch_run(command, limits, Watching::Guarded(&guard), options, wanted).map_err(unguarded)
            }),
            Part::Marked => Err(Obstacle::Unguarded("only the calls inside its closure count".to_owned())),
        };
        self.or_every_call(run, Engine::Guard, wanted)
    }

    fn notified_run(&self, wanted: Wanted<'_>) -> Result<(FinishedRun, UsedEngine), RunFailure> {
        let run = self.run(Engine::Notify, |command, limits, options| {
            watch_by_notifications(command, limits, options, wanted).map_err(unguarded)
        });
        self.or_every_call(run, Engine::Notify, wanted)
    }

    fn built_by_cargo(&self) -> Option<&Path> {
        let foreign = matches!(self.workload.program, Program::Command(_));
        (!foreign).then_some(self.program.as_path())
    }
}

impl FinishedRun {
    /// Returns a run that lost no events.
    pub(super) fn if_complete(observation: Observation, exit: Exit, output: String) -> Result<Self, Obstacle> {
        match observation.lost_events {
            0 => Ok(Self { observation, exit, output }),
            lost => Err(Obstacle::Broken(format!("{lost} events were lost, so the run is incomplete"))),
        }
    }
}

/// Returns why a workload cannot run, if it needs a program that is not installed.
pub(super) fn lacks(workload: &Workload, package: &Path) -> Option<String> {
    let environment = BuiltEnvironment::new(&workload.env);
    missing(workload, &environment, package).or_else(|| {
        let Program::Command(words) = &workload.program else { return None };
        match find(&environment, words.first()?, package) {
            Err(Obstacle::Absent(reason)) => Some(reason),
            _ => None,
        }
    })
}

fn missing(workload: &Workload, environment: &BuiltEnvironment, package: &Path) -> Option<String> {
    let is_there = |required: &str| matches!(environment.find(required, package), Lookup::Found(_));
    let missing = workload.requires.iter().find(|required| !is_there(required))?;
    Some(format!("requires {missing}, which is not installed"))
}

/// Finds a program. A missing program of the system is absent; a missing file of the package is an
/// error.
fn find(environment: &BuiltEnvironment, name: &str, package: &Path) -> Result<PathBuf, Obstacle> {
    match environment.find(name, package) {
        Lookup::Found(program) => Ok(program),
        Lookup::NotExecutable(file) => {
            Err(Obstacle::NotStarted(format!("cannot execute {}: it is not an executable file", file.display())))
        }
        Lookup::Missing if name.contains('/') => {
            Err(Obstacle::NotStarted(format!("cannot execute {}: there is no such file", package.join(name).display())))
        }
        Lookup::Missing => Err(Obstacle::Absent(format!("{name} is not installed"))),
    }
}

/// If a filter cannot be installed, neither the guard nor notifications work; ptrace does.
fn unguarded(error: impl ToString) -> Obstacle {
    Obstacle::Unguarded(error.to_string())
}

fn not_started(error: Error) -> Obstacle {
    Obstacle::NotStarted(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::run::workload::{DEFAULT_TIMEOUT, Stdin, StopAfter};

    fn workload(program: Program) -> Workload {
        Workload {
            program,
            args: vec!["last".to_owned()],
            env: BTreeMap::new(),
            with: BTreeMap::new(),
            stdin: Stdin::Null,
            cwd: None,
            timeout: DEFAULT_TIMEOUT,
            requires: Vec::new(),
            stop: None,
            exit: Exit::Exited(0),
        }
    }

    fn command(words: &[&str]) -> Workload {
        workload(Program::Command(words.iter().map(|&word| word.to_owned()).collect()))
    }

    fn prepare(workload: &Workload) -> Result<PreparedWorkload<'_>, Obstacle> {
        PreparedWorkload::new(workload, Path::new("/package"), |_| Err(NotBuilt("cargo could not build it".to_owned())))
    }

    #[test]
    fn document_arguments_follow_the_commands_own() {
        let workload = command(&["sh", "-c", "true"]);
        let prepared = prepare(&workload).expect("sh is everywhere");
        assert!(prepared.program.ends_with("bin/sh"));
        assert_eq!(prepared.argv, ["sh", "-c", "true", "last"]);
    }

    #[test]
    fn missing_program_is_absent_or_an_error() {
        let mut requiring = command(&["sh"]);
        requiring.requires = vec!["sh".to_owned(), "no-such-program".to_owned()];
        for (workload, obstacle) in [
            (command(&["no-such-program"]), Obstacle::Absent("no-such-program is not installed".to_owned())),
            (requiring, Obstacle::Absent("requires no-such-program, which is not installed".to_owned())),
            (
                command(&["./tool"]),
                Obstacle::NotStarted("cannot execute /package/./tool: there is no such file".to_owned()),
            ),
            (
                command(&["/etc/passwd"]),
                Obstacle::NotStarted("cannot execute /etc/passwd: it is not an executable file".to_owned()),
            ),
            (workload(Program::Bin("demo".to_owned())), Obstacle::NotStarted("cargo could not build it".to_owned())),
        ] {
            assert_eq!(prepare(&workload).expect_err("an obstacle"), obstacle);
        }
    }

    #[test]
    fn server_may_end_by_its_signal() {
        let mut workload = command(&["sh"]);
        workload.exit = Exit::Exited(3);
        let ends = [Exit::Exited(3), Exit::Exited(0), Exit::Signaled(15), Exit::TimedOut];
        assert_eq!(ends.map(|exit| prepare(&workload).expect("sh").ended_well(exit)), [true, false, false, false]);
        workload.stop = Some(StopAfter { after: Duration::ZERO, signal: 15 });
        assert_eq!(ends.map(|exit| prepare(&workload).expect("sh").ended_well(exit)), [true, false, true, false]);
    }
}
