//! Runs one test in place of cargo or nextest, traces it and judges it. Main types: [`Test`] and
//! [`TestResult`].
//!
//! The test must not notice: it keeps its arguments, environment and working directory, and its
//! output is passed on as it arrives. Only the further runs, which confirm or record, are silent.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::environment::Lookup;
use super::observe::observe_part;
use super::output::{Capture, Echo};
use super::progress::Progress;
use super::run::DEFAULT_GRACE;
use super::runnable::{FinishedRun, Obstacle, RunFailure, Runnable, Wanted};
use super::suite::{Case, Suite, Unreadable};
use super::verdicts::RecordingOptions;
use super::watch::{WatchOptions, folders};
use crate::linux::{Command, Environment, Limits, Stream};
use crate::model::conditions::CallCondition;
use crate::model::expectation::{Document, FirstCallFilter};
use crate::model::judge::verdict::Verdict;
use crate::model::observe::observation::Observation;
use crate::model::run::recording::Length;
use crate::model::run::test_name::TestName;
use crate::model::run::workload::Exit;

/// A test, or all tests of a binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Its name.
    pub name: TestName,
    /// The command line, after a runner from the user's configuration if there is one.
    pub command: Vec<OsString>,
    /// The test binary in that command line.
    pub executable: PathBuf,
    /// The environment that it would have without sysguard.
    pub environment: Vec<(OsString, OsString)>,
    /// Whether a filter leaves out tests of the binary. Then a missing fact is not reported as
    /// gone, and no first baseline is made.
    pub is_partial: bool,
}

/// The result of running a test.
#[derive(Debug)]
pub struct TestResult {
    /// How its first run ended; `None` if there was none.
    pub exit: Option<Exit>,
    /// The end of that run's output.
    pub output: String,
    /// The verdict; `None` if the test failed by itself, or if the binary has no tests.
    pub verdict: Option<Verdict>,
    /// Whether further runs are needed that [`Schedule::InSlot`] does not allow. Then the verdict
    /// is not final and nothing was written.
    pub needs_more_runs: bool,
}

/// When a test is run, which decides when its further runs follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Without a time limit: further runs follow at once.
    AtOnce,
    /// In a time slot of the test runner: one run only.
    InSlot,
    /// After that slot: only the further runs are left.
    Afterwards,
}

/// Variables that change the behaviour of any program and that no test relies on.
const STRIPPED: [&str; 5] = ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE", "LD_PRELOAD", "GLIBC_TUNABLES", "LD_AUDIT"];
const STRIPPED_PREFIX: &str = "LC_";

impl Suite {
    /// Runs a test and compares what it used with its baseline.
    ///
    /// Further runs of the test confirm findings or record a first baseline.
    pub fn run_cargo_test(
        &self,
        test: &Test,
        schedule: Schedule,
        length: Length,
        echo: Option<Echo>,
        progress: &dyn Progress,
    ) -> TestResult {
        let case = self.case_of(&test.name);
        let conditions = case.document().map(Document::call_conditions).unwrap_or_default();
        let process = Process { test, echo: Mutex::new(echo), live: Cell::new(None), conditions };
        let recording = RecordingOptions { length, is_partial: test.is_partial, in_slot: schedule == Schedule::InSlot };
        let judged = |exit, output, process| {
            let needs_more_runs = Cell::new(false);
            let verdict = self.tested(&case, progress, recording, &needs_more_runs, |_| Ok(Box::new(process)));
            TestResult { exit, output, verdict: Some(verdict), needs_more_runs: needs_more_runs.get() }
        };
        if schedule == Schedule::Afterwards {
            // The test has passed in its slot, so a run that fails now is reported as not
            // repeatable.
            return judged(Some(Exit::Exited(0)), String::new(), process);
        }
        let filter = case.content.as_ref().ok().and_then(|parsed| {
            let baseline = parsed.expectation.baseline(&self.platform)?;
            Some(FirstCallFilter::new(&parsed.expectation.document, baseline, &self.platform))
        });
        let nothing = Observation::new();
        let has_errors = case.content.as_ref().is_ok_and(|parsed| parsed.expectation.document.judges_errors());
        let first = Wanted::First { known: &nothing, has_errors };
        let wanted = filter.as_ref().map_or(first, |filter| Wanted::New(filter, None));
        let live = match process.first(wanted) {
            Ok(live) => live,
            Err(obstacle) => {
                let verdict = self.verdict(&case, |_| Err(RunFailure::Obstacle(obstacle)));
                return TestResult {
                    exit: None,
                    output: String::new(),
                    verdict: Some(verdict),
                    needs_more_runs: false,
                };
            }
        };
        let (exit, output) = (Some(live.exit), live.output.clone());
        if live.exit != Exit::Exited(0) {
            return TestResult { exit, output, verdict: None, needs_more_runs: false };
        }
        if let Some(reason) = case.ignored() {
            let verdict = Some(Self::ignored(&case, reason));
            return TestResult { exit, output, verdict, needs_more_runs: false };
        }
        if case.content.is_ok() && filter.is_none() && test.name.test.is_none() && holds_no_test(&output) {
            return TestResult { exit, output, verdict: None, needs_more_runs: false };
        }
        process.live.set(Some(live));
        judged(exit, output, process)
    }

    /// Returns the expectation of a test, which may not have a file yet.
    fn case_of(&self, name: &TestName) -> Case {
        let workload = name.workload();
        let content = self.store.load_test(name).map_err(Unreadable::from);
        Case { file: self.store.file(&workload).display().to_string(), name: workload, content }
    }
}

/// A test that can be run again.
struct Process<'a> {
    test: &'a Test,
    /// The destination of the first run's output; taken by that run.
    echo: Mutex<Option<Echo>>,
    /// The first run, until it is judged.
    live: Cell<Option<FinishedRun>>,
    /// What the rules of its document require of single calls.
    conditions: Vec<CallCondition>,
}

impl fmt::Debug for Process<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("test", self.test).finish_non_exhaustive()
    }
}

impl Process<'_> {
    fn first(&self, wanted: Wanted<'_>) -> Result<FinishedRun, Obstacle> {
        let echo = self.echo.lock().ok().and_then(|mut echo| echo.take());
        self.run(echo, wanted)
    }

    fn run(&self, echo: Option<Echo>, wanted: Wanted<'_>) -> Result<FinishedRun, Obstacle> {
        let failed = |what: &str, error: &dyn fmt::Display| Obstacle::NotStarted(format!("cannot {what}: {error}"));
        let (capture, stdout, stderr) =
            Capture::start(echo).map_err(|error| failed("create pipes for the output", &error))?;
        let stdin = std::fs::File::open("/dev/null").map_err(|error| failed("open /dev/null", &error))?;
        let command = Command {
            program: self.program()?,
            argv: self.test.command.clone(),
            environment: Environment::Exactly(environment(&self.test.environment)),
            cwd: None,
            scratch: None,
            stdio: [stdin.into(), stdout, stderr].map(Stream::Given),
            isolated: false,
            filters: Vec::new(),
        };
        let limits = Limits { timeout: None, stop: None, grace: DEFAULT_GRACE };
        let (observation, outcome) =
            observe_part(command, &limits, self.watch_options(), wanted).map_err(Obstacle::from)?;
        FinishedRun::if_complete(observation, outcome.exit, capture.finish())
    }

    /// Returns how examples name the folders of a test: it runs in that of its package.
    fn watch_options(&self) -> WatchOptions {
        let environment = self.test.environment.iter();
        let variable =
            |name: &str| environment.clone().find(|(other, _)| other == name).map(|(_, value)| Path::new(value));
        let named = [("CARGO_MANIFEST_DIR", "$PWD"), ("HOME", "$HOME"), ("TMPDIR", "$TMPDIR")];
        let named = named.into_iter().filter_map(|(variable_, name)| Some((variable(variable_)?, name)));
        let conditions = self.conditions.clone();
        WatchOptions { folders: folders(named), conditions, ..WatchOptions::default() }
    }

    fn program(&self) -> Result<PathBuf, Obstacle> {
        let name = self.test.command.first().map(OsString::as_os_str).unwrap_or_default();
        match super::find_command(name) {
            Lookup::Found(program) => Ok(program),
            Lookup::NotExecutable(file) => {
                Err(Obstacle::NotStarted(format!("cannot execute {}: it is not an executable file", file.display())))
            }
            Lookup::Missing => Err(Obstacle::NotStarted(format!("cannot execute {}: not found", name.display()))),
        }
    }
}

impl Runnable for Process<'_> {
    fn good_run(&self, wanted: Wanted<'_>) -> Result<FinishedRun, RunFailure> {
        let run = match self.live.take() {
            Some(live) => live,
            None => self.run(None, wanted)?,
        };
        if run.exit == Exit::Exited(0) { Ok(run) } else { Err(RunFailure::WrongExit(Box::new(run))) }
    }

    fn built_by_cargo(&self) -> Option<&Path> {
        Some(&self.test.executable)
    }
}

/// Returns a test's environment without the stripped variables.
fn environment(given: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let is_stripped = |name: &OsStr| {
        let name = name.to_string_lossy();
        STRIPPED.contains(&&*name) || name.starts_with(STRIPPED_PREFIX)
    };
    given.iter().filter(|(name, _)| !is_stripped(name)).cloned().collect()
}

/// Returns whether libtest reports a binary without any tests. Its baseline would hold only the
/// start of a process.
fn holds_no_test(output: &str) -> bool {
    let mut lines = output.lines().filter(|line| !line.is_empty());
    lines.next() == Some("running 0 tests")
        && lines.next().is_some_and(|line| line.contains("0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out"))
        && lines.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_environment_loses_only_the_stripped_variables() {
        let given = ["CARGO_MANIFEST_DIR", "LC_ALL", "HOME", "RUST_BACKTRACE", "SYSGUARD_UPDATE", "LD_LIBRARY_PATH"];
        let kept = environment(&given.map(|name| (name.into(), "x".into())));
        let kept: Vec<OsString> = kept.into_iter().map(|(name, _)| name).collect();
        assert_eq!(kept, ["CARGO_MANIFEST_DIR", "HOME", "SYSGUARD_UPDATE", "LD_LIBRARY_PATH"]);
    }

    #[test]
    fn binaries_without_tests_are_recognised() {
        let result = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        for (output, empty) in [
            (format!("\nrunning 0 tests\n\n{result}\n\n"), true),
            (format!("\nrunning 0 tests\n\n{}\n\n", result.replace("0 filtered", "3 filtered")), false),
            (format!("hello\nrunning 0 tests\n\n{result}\n\n"), false),
            (format!("\nrunning 0 tests\n\n{result}\n\nbye\n"), false),
            (format!("\nrunning 1 test\ntest a ... ok\n\n{}\n", result.replace("0 passed", "1 passed")), false),
            (String::new(), false),
        ] {
            assert_eq!(holds_no_test(&output), empty, "{output}");
        }
    }
}
