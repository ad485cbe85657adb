//! One test that cargo or nextest is about to run: run where it was put, watched, and judged. Main types: [`Test`] and [`Tested`].
//!
//! The test must not notice: it keeps its arguments, environment and working directory, and what it writes goes on as it comes. Only further
//! runs, which confirm or record, are silent.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::environment::Lookup;
use super::output::{Capture, Echo};
use super::progress::Progress;
use super::repeat::Start;
use super::run::{DEFAULT_GRACE, Obstacle, Run, Wanted, observe_part};
use super::suite::{Case, Suite, Unfit, Unreadable};
use super::verdicts::Recording;
use crate::linux::{Command, Environment, Limits, Stream};
use crate::model::expectation::News;
use crate::model::expectation::format::Parsed;
use crate::model::observation::{First, Part};
use crate::model::recording::Length;
use crate::model::test_name::TestName;
use crate::model::verdict::Verdict;
use crate::model::workload::Exit;
use crate::store::StoreError;

/// A test, or all tests of a binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Its name.
    pub name: TestName,
    /// What is executed, with a runner that the user's configuration names before it.
    pub command: Vec<OsString>,
    /// The test binary in it.
    pub executable: PathBuf,
    /// A filter leaves tests of the binary out: what was not seen is not gone, and no first baseline is made of it.
    pub is_partial: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Tested {
    /// How its first run ended; nothing where there was none.
    pub exit: Option<Exit>,
    /// The end of what that wrote.
    pub output: String,
    /// What it used; nothing of a test that failed by itself.
    pub verdict: Option<Verdict>,
}

/// Variables that change what any program does, and that no test asks for.
const STRIPPED: [&str; 5] = ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE", "LD_PRELOAD", "GLIBC_TUNABLES", "LD_AUDIT"];
const STRIPPED_PREFIXES: [&str; 2] = ["LC_", "SYSGUARD_"];

impl Suite {
    /// Runs a test, and compares what it used with its baseline.
    ///
    /// What is new is confirmed, and a first baseline recorded, by further runs of the test.
    pub fn test_of_cargo(&self, test: &Test, length: Length, echo: Option<Echo>, progress: &dyn Progress) -> Tested {
        let process = Process { test, echo: Mutex::new(echo), live: Cell::new(None) };
        let case = self.case_of(&test.name);
        let news = case.content.as_ref().ok().and_then(|parsed| {
            let baseline = parsed.expectation.baseline(&self.platform)?;
            Some(News::new(&parsed.expectation.document, baseline, &self.platform))
        });
        let wanted = |first: &First| news.as_ref().is_some_and(|news| news.is(first));
        let live = match process.first(&wanted) {
            Ok(live) => live,
            Err(obstacle) => {
                let verdict = self.verdict(&case, |_| Err(Unfit::Obstacle(obstacle)));
                return Tested { exit: None, output: String::new(), verdict: Some(verdict) };
            }
        };
        let (exit, output) = (live.exit, live.output.clone());
        if exit != Exit::Exited(0) {
            return Tested { exit: Some(exit), output, verdict: None };
        }
        if let Some(reason) = case.ignored() {
            return Tested { exit: Some(exit), output, verdict: Some(Self::ignored(&case, reason)) };
        }
        process.live.set(Some(live));
        let recording = Recording { length, is_partial: test.is_partial };
        let verdict = self.tested(&case, progress, recording, |_| Ok(Box::new(process)));
        Tested { exit: Some(exit), output, verdict: Some(verdict) }
    }

    /// The expectation of a test, be it only one to come.
    fn case_of(&self, name: &TestName) -> Case {
        let workload = name.workload();
        let content = match self.store.load(&workload) {
            Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Parsed::of_test(&name.to_string())
                    .map_err(|malformed| Unreadable { message: malformed.to_string(), line: None })
            }
            content => content.map_err(Unreadable::from),
        };
        Case { file: self.store.file(&workload).display().to_string(), name: workload, content }
    }
}

/// A test that can be run again.
struct Process<'a> {
    test: &'a Test,
    /// Where the first run's output goes on to; taken by it.
    echo: Mutex<Option<Echo>>,
    /// The first run, until somebody wants it.
    live: Cell<Option<Run>>,
}

impl fmt::Debug for Process<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("test", self.test).finish_non_exhaustive()
    }
}

impl Process<'_> {
    fn first(&self, wanted: &Wanted<'_>) -> Result<Run, Obstacle> {
        let echo = self.echo.lock().ok().and_then(|mut echo| echo.take());
        self.run(echo, wanted)
    }

    fn run(&self, echo: Option<Echo>, wanted: &Wanted<'_>) -> Result<Run, Obstacle> {
        let failed = |what: &str, error: &dyn fmt::Display| Obstacle::NotStarted(format!("cannot {what}: {error}"));
        let (capture, stdout, stderr) =
            Capture::passing_on(echo).map_err(|error| failed("create pipes for the output", &error))?;
        let stdin = std::fs::File::open("/dev/null").map_err(|error| failed("open /dev/null", &error))?;
        let command = Command {
            program: self.program()?,
            argv: self.test.command.clone(),
            environment: Environment::Exactly(environment(std::env::vars_os())),
            cwd: None,
            stdio: [stdin.into(), stdout, stderr].map(Stream::Given),
            isolated: false,
        };
        let limits = Limits { timeout: None, stop: None, grace: DEFAULT_GRACE };
        let (observation, outcome) = observe_part(command, &limits, Part::All, wanted).map_err(Obstacle::from)?;
        Run::whole(observation, outcome.exit, capture.finish())
    }

    fn program(&self) -> Result<PathBuf, Obstacle> {
        let name = self.test.command.first().map(OsString::as_os_str).unwrap_or_default();
        match super::find_command(name) {
            Lookup::Found(program) => Ok(program),
            Lookup::NotExecutable(file) => {
                Err(Obstacle::NotStarted(format!("cannot execute {}: it is not an executable file", file.display())))
            }
            Lookup::Missing => Err(Obstacle::NotStarted(format!("cannot execute {}: it is not found", name.display()))),
        }
    }
}

impl Start for Process<'_> {
    fn good_run(&self, wanted: &Wanted<'_>) -> Result<Run, Unfit> {
        let run = match self.live.take() {
            Some(live) => live,
            None => self.run(None, wanted)?,
        };
        if run.exit == Exit::Exited(0) { Ok(run) } else { Err(Unfit::WrongExit(Box::new(run))) }
    }

    fn built_by_cargo(&self) -> Option<&Path> {
        Some(&self.test.executable)
    }
}

/// The caller's, without what no test asks for.
fn environment(inherited: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
    let is_stripped = |name: &OsStr| {
        let name = name.to_string_lossy();
        STRIPPED.contains(&&*name) || STRIPPED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    inherited.filter(|(name, _)| !is_stripped(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_keeps_its_environment_but_for_what_changes_any_program() {
        let given = ["CARGO_MANIFEST_DIR", "LC_ALL", "HOME", "RUST_BACKTRACE", "SYSGUARD_PLAN", "LD_LIBRARY_PATH"];
        let kept = environment(given.into_iter().map(|name| (name.into(), "x".into())));
        let kept: Vec<OsString> = kept.into_iter().map(|(name, _)| name).collect();
        assert_eq!(kept, ["CARGO_MANIFEST_DIR", "HOME", "LD_LIBRARY_PATH"]);
    }
}
