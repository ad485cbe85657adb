//! Runs a workload to explore its error paths: without an injection, and with one. Main type:
//! [`Explorer`].
//!
//! Each run has a fresh scratch directory, which is its home, and a built environment. It must not
//! plan injections or judge what they show.

mod alone;
mod attempt;
mod capture;
mod files;
mod folder_copy;
mod many;
mod points;
mod protection;
mod sites;
mod survey;

use std::time::{Duration, Instant};

use self::alone::Turns;
use self::attempt::{AttemptWatcher, Attempted};
use self::capture::Captured;
use self::folder_copy::FolderCopy;
use self::protection::{ProtectedFolders, Protection};
use self::sites::Sites;
use self::survey::SurveyWatcher;
use crate::linux::{Callers, Command, Limits, NotInjected, SymbolFiles, TraceError, Watching, watch};
use crate::model::explore::injection::Injection;
use crate::model::explore::run::{Attempt, RunResult};
use crate::model::explore::survey::Survey;
use crate::model::facts::example::Example;
use crate::model::kernel::call::Tid;
use crate::model::observe::call_site::CallSite;
use crate::model::observe::observation::Observation;
use crate::model::run::workload::{Exit, Program, Workload};
use crate::runner::run::PreparedWorkload;
use crate::runner::runnable::{FinishedRun, Obstacle};
use crate::runner::scratch::Scratch;
use crate::runner::suite::{Case, Suite, Unreadable};
use crate::runner::traced_run::TracedRun;
use crate::runner::watch::WatchOptions;

/// A workload and what its runs need to explore its error paths.
#[derive(Debug)]
pub struct Explorer<'a> {
    prepared: PreparedWorkload<'a>,
    workload: &'a Workload,
    sites: Sites<'a>,
    turns: Turns,
    /// The working directory, if the document names one.
    folder: Option<FolderCopy>,
    protected: ProtectedFolders,
}

/// A run without an injection, and how long it took.
#[derive(Debug, Clone)]
pub struct Surveyed {
    /// What it showed.
    pub survey: Survey,
    /// The time from its start to the end of its last process. A run without a survey is faster.
    pub elapsed: Duration,
}

/// A run with an injection, and the call that it was injected into.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The run.
    pub attempt: Attempt,
    /// The call at its entry, as text, and its process; `None` if the call was not made.
    pub call: Option<Example>,
    /// The stack of the call with names, if names were asked for.
    pub site: CallSite,
}

/// Why a workload is not explored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotExplored {
    /// Injected errors could change files of the user, or the workload cannot be run alone.
    #[error("{reason}")]
    Refused {
        /// What is wrong with it.
        reason: String,
        /// What to do, as a whole sentence.
        help: String,
    },
    /// A program that it needs is not installed.
    #[error("{0}")]
    Absent(String),
    /// It cannot be built or started.
    #[error("{0}")]
    NotStarted(String),
    /// It cannot be traced here.
    #[error("{0}")]
    Untraceable(String),
    /// Its file cannot be used, or a run was not traced completely.
    #[error("{0}")]
    Failed(String),
    /// A run without an injection did not end as its document says.
    #[error("it ended otherwise than its document says")]
    WrongExit {
        /// The end that its document says.
        expected: Exit,
        /// How it ended.
        actual: Exit,
        /// The end of its output.
        output: String,
    },
    /// The run reached the call, but nothing was injected.
    #[error("the error cannot be injected into the call: {0}")]
    NotInjected(NotInjected),
}

/// Returns how long a run with an injection may take, given the time of a run without one: the time
/// of ten such runs, and at least two seconds.
pub fn limit(elapsed: Duration) -> Duration {
    const SHORTEST: Duration = Duration::from_secs(2);
    const RUNS: u32 = 10;
    elapsed.saturating_mul(RUNS).max(SHORTEST)
}

impl Suite {
    /// Prepares a workload to be explored. Its targets must have been built.
    ///
    /// # Errors
    ///
    /// [`NotExplored`].
    pub fn explorer<'a>(&'a self, case: &'a Case) -> Result<Explorer<'a>, NotExplored> {
        let unusable = |unreadable: &Unreadable| NotExplored::Failed(unreadable.message.clone());
        let document = &case.content.as_ref().map_err(unusable)?.expectation.document;
        refused(&document.workload).map_or(Ok(()), Err)?;
        if !Callers::READS_STACKS {
            let reason = "calls are found again by their stacks, which are read on x86_64 and aarch64 only";
            return Err(NotExplored::Untraceable(reason.to_owned()));
        }
        let (prepared, sites, workload) = (self.prepare(document)?, Sites::of(self), &document.workload);
        let (folder, protected) = match &workload.cwd {
            Some(cwd) => {
                let folder = self.package().join(cwd);
                (Some(FolderCopy::of(&folder, cwd)?), ProtectedFolders::of(&[self.package(), &folder]))
            }
            None => Default::default(),
        };
        Ok(Explorer { prepared, workload, sites, turns: Turns::default(), folder, protected })
    }
}

/// Returns why a workload must not be explored.
fn refused(workload: &Workload) -> Option<NotExplored> {
    let refused = |reason: String, help: &str| Some(NotExplored::Refused { reason, help: help.to_owned() });
    match &workload.program {
        Program::Run(name) => refused(
            format!("only `cargo sysguard run` runs {name}"),
            "Make the test a closure of a harness, or a workload with `bin:` or `command:`.",
        ),
        _ => None,
    }
}

impl Explorer<'_> {
    /// Returns what the runs lack, as clauses.
    pub fn left_out(&self) -> &[String] {
        self.folder.as_ref().map_or(&[], FolderCopy::left_out)
    }

    /// Runs the workload without an injection. With `names`, each distinct stack is named, which is
    /// slow.
    ///
    /// # Errors
    ///
    /// [`NotExplored`], also if the run does not end as the document of the workload says.
    pub fn survey(&self, names: bool) -> Result<Surveyed, NotExplored> {
        let files = SymbolFiles::default();
        let mut callers = Callers::new(&files);
        let run = self.run(self.workload.timeout, |command, limits, options, protection| {
            let mut watcher = SurveyWatcher::new(&mut callers, options, protection, names);
            let outcome = watch(command, limits, Watching::EveryCall, &mut watcher)?;
            let (calls, refused, observer) = watcher.finish();
            Ok(((calls, refused), TracedRun { observer, outcome }))
        })?;
        let Run { seen: (mut calls, refused), traced, result, elapsed, output } = run;
        if let Some(call) = refused.first() {
            let reason =
                format!("it changes files of the package outside of the copy of its working directory: {call}");
            let help = "Make it use relative paths, so that each run changes its own copy.".to_owned();
            return Err(NotExplored::Refused { reason, help });
        }
        let exit = traced.outcome.exit;
        let is_well = self.prepared.ended_well(exit);
        if let Some(reason) = traced.unmarked(is_well) {
            return Err(NotExplored::Failed(reason));
        }
        let observation = complete(traced)?;
        if !is_well {
            return Err(NotExplored::WrongExit { expected: self.workload.exit, actual: exit, output });
        }
        self.turns.learn(&calls);
        self.sites.resolve_all(&mut calls);
        Ok(Surveyed { survey: Survey { calls, observation, result }, elapsed })
    }

    /// Runs the workload with an injection for at most this time: see [`limit`].
    ///
    /// # Errors
    ///
    /// [`NotExplored`].
    pub fn attempt(&self, injection: &Injection, limit: Duration) -> Result<Attempt, NotExplored> {
        let files = SymbolFiles::default();
        self.inject(&mut Callers::new(&files), injection, limit, Wanted::Result).map(|replay| replay.attempt)
    }

    /// As [`Self::attempt`], and returns the call that the fault was injected into, with its stack.
    ///
    /// # Errors
    ///
    /// [`NotExplored`].
    pub fn replay(&self, injection: &Injection, limit: Duration) -> Result<Replay, NotExplored> {
        let files = SymbolFiles::default();
        self.inject(&mut Callers::new(&files), injection, limit, Wanted::Names)
    }

    /// As [`Self::replay`], for a debugger: once the injected call has failed, its process is
    /// stopped (SIGSTOP) and no longer traced. `stopped` gets the number of the process, or `None`
    /// if it is not the first one of the run: then the run goes on. Returns once the process has
    /// ended.
    ///
    /// The process dies with this one.
    ///
    /// # Errors
    ///
    /// [`NotExplored`].
    pub fn debug(&self, injection: &Injection, stopped: &mut dyn FnMut(Option<Tid>)) -> Result<Replay, NotExplored> {
        let files = SymbolFiles::default();
        self.inject(&mut Callers::new(&files), injection, Duration::MAX, Wanted::Debugger(stopped))
    }

    fn inject<'c>(
        &self,
        callers: &'c mut Callers<'_>,
        injection: &Injection,
        limit: Duration,
        wanted: Wanted<'c>,
    ) -> Result<Replay, NotExplored> {
        let run = self.run(limit, |command, limits, options, protection| {
            let names = !matches!(wanted, Wanted::Result);
            let watcher = AttemptWatcher::new(callers, options, protection, injection, names);
            let mut watcher = match wanted {
                Wanted::Result | Wanted::Names => watcher,
                Wanted::Debugger(stopped) => watcher.for_debugger(stopped),
            };
            let outcome = watch(command, limits, Watching::EveryCall, &mut watcher)?;
            let Attempted { observer, reached, refused, call, site } = watcher.finish();
            Ok(((reached, refused, call, site), TracedRun { observer, outcome }))
        })?;
        let Run { seen: (reached, refused, call, mut site), traced, result, .. } = run;
        if let Some(reason) = traced.unmarked(false) {
            return Err(NotExplored::Failed(reason));
        }
        let hung = traced.outcome.exit == Exit::TimedOut;
        let observation = complete(traced)?;
        let reached = reached.map_err(NotExplored::NotInjected)?;
        self.sites.resolve(&mut site);
        let is_refused = !refused.is_empty();
        let attempt = Attempt { injection: *injection, reached, result, observation, hung, is_refused };
        Ok(Replay { attempt, call, site })
    }

    /// Runs the workload once in a fresh scratch directory, by `trace`.
    fn run<T>(
        &self,
        timeout: Duration,
        trace: impl FnOnce(Command, &Limits, WatchOptions, Protection) -> Result<(T, TracedRun), TraceError>,
    ) -> Result<Run<T>, NotExplored> {
        let _turn = self.turns.begin();
        let scratch = Scratch::create().map_err(|error| NotExplored::NotStarted(error.to_string()))?;
        self.folder.iter().try_for_each(|folder| folder.copy_to(&scratch.work))?;
        let protection = self.protected.protect(scratch.root());
        let captured = Captured::default();
        let ((seen, traced, elapsed), output) =
            self.prepared.start_in(&scratch, &scratch.work, Some(captured.echo()), |command, limits, options| {
                // Nothing ends a run for a debugger.
                let stop = limits.stop.filter(|_| timeout < Duration::MAX);
                let limits = Limits { timeout: Some(timeout), stop, ..*limits };
                let begun = Instant::now();
                let (seen, traced) = trace(command, &limits, options, protection)?;
                Ok((seen, traced, begun.elapsed()))
            })?;
        let [stdout, stderr] = captured.take();
        let result = RunResult { exit: Some(traced.outcome.exit), stdout, stderr, files: files::left(&scratch) };
        Ok(Run { seen, traced, result, elapsed, output })
    }
}

/// What is wanted of an attempt.
enum Wanted<'c> {
    Result,
    /// The call and its stack, too.
    Names,
    /// Both, and the stopped process.
    Debugger(&'c mut dyn FnMut(Option<Tid>)),
}

/// A run.
struct Run<T> {
    seen: T,
    traced: TracedRun,
    result: RunResult,
    elapsed: Duration,
    /// The end of its output.
    output: String,
}

/// Returns the observation of a run that lost no events.
fn complete(traced: TracedRun) -> Result<Observation, NotExplored> {
    let (observation, outcome) = traced.into_parts();
    let run = FinishedRun::if_complete(observation, outcome.exit, String::new())?;
    Ok(run.observation)
}

impl From<Obstacle> for NotExplored {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Absent(reason) => Self::Absent(reason),
            Obstacle::NotStarted(reason) => Self::NotStarted(reason),
            Obstacle::Untraceable(reason) => Self::Untraceable(reason),
            Obstacle::Broken(reason) | Obstacle::Unguarded(reason) => Self::Failed(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::expectation::format::read;

    #[test]
    fn test_that_only_cargo_runs_is_refused() {
        let refusal = |text: &str| {
            let parsed = read(text.as_bytes()).expect(text);
            refused(&parsed.expectation.document.workload)
        };
        assert_eq!(refusal("version: 2\ncommand: [ls]\n"), None);
        let Some(NotExplored::Refused { help, .. }) = refusal("version: 2\nrun: a::b\n") else { panic!("not refused") };
        assert!(help.contains("closure"), "{help}");
    }

    #[test]
    fn hang_is_ten_times_a_run_but_not_short() {
        for (elapsed, limited) in [(0, 2000), (1, 2000), (200, 2000), (300, 3000), (60_000, 600_000)] {
            assert_eq!(limit(Duration::from_millis(elapsed)), Duration::from_millis(limited));
        }
        assert_eq!(limit(Duration::MAX), Duration::MAX);
    }
}
