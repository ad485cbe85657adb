//! One call of the harness: workloads become trials, trials become verdicts. Main type:
//! [`Session`].

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use libtest_mimic::{ColorSetting, Completion, Failed, Trial};

use super::arguments::{Arguments, shuffled};
use super::check::CheckCase;
use super::progress::ProgressDisplay;
use super::relay::Relay;
use crate::error::Error;
use crate::model::engine::Engine;
use crate::model::judge::verdict::{Status, Verdict};
use crate::model::observe::observation::Observation;
use crate::model::run::workload::Exit;
use crate::report::{self, Palette, ShownGroups};
use crate::runner::{Case, DiffTool, DiffToolError, Suite};

/// Why a test is ignored after a failure.
const NOT_STARTED: &str = "not started after a failure (--fail-fast)";

/// The workloads of a package and the command line.
#[derive(Debug)]
pub struct Session {
    /// The workloads.
    pub suite: Suite,
    /// The command line.
    pub arguments: Arguments,
    /// The destination of results without `--logfile`.
    pub console: Console,
    checks: Vec<CheckCase>,
}

/// A standard stream for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// Standard output, as in libtest.
    Stdout,
    /// Standard error, if standard output is for a machine.
    Stderr,
}

impl Console {
    fn writer(self) -> Box<dyn Write + Send> {
        match self {
            Self::Stdout => Box::new(io::stdout()),
            Self::Stderr => Box::new(io::stderr()),
        }
    }

    fn has_colour(self) -> bool {
        let choice = match self {
            Self::Stdout => anstream::AutoStream::choice(&io::stdout()),
            Self::Stderr => anstream::AutoStream::choice(&io::stderr()),
        };
        choice != anstream::ColorChoice::Never
    }
}

/// The results of a session.
#[derive(Debug)]
pub struct Summary {
    /// Whether any workload failed.
    pub failed: bool,
    /// The verdict on each selected workload, in the order in which they ended.
    pub verdicts: Vec<Verdict>,
}

/// What all trials share.
#[derive(Debug)]
struct Shared {
    suite: Suite,
    cases: Vec<Case>,
    display: ProgressDisplay,
    palette: Palette,
    /// The causes that the text of an earlier verdict shows.
    shown: Mutex<ShownGroups>,
    /// Whether people read the messages, so that the user's diff program may be used.
    shows_diffs: bool,
    /// `--fail-fast`: no further workload is started after a failure.
    stop_at_failure: bool,
    /// Whether nothing can run here. Then all tests are listed as ignored, because a test runner
    /// takes any other result for a pass.
    is_untraceable: bool,
    /// Whether a test that cannot run fails. Test runners list ignored tests first; if one is
    /// requested anyway, "ignored" is not a result that they know.
    demands_ignored: bool,
    failed: AtomicBool,
    verdicts: Mutex<Vec<Verdict>>,
}

impl Session {
    /// Creates a session for the workloads of a suite.
    pub fn new(suite: Suite, arguments: Arguments, console: Console) -> Self {
        Self { suite, arguments, console, checks: Vec::new() }
    }

    /// Adds closures that have no file.
    pub(super) fn with_checks(self, checks: Vec<CheckCase>) -> Self {
        Self { checks, ..self }
    }

    /// Lists or runs the workloads and prints the results as libtest does.
    pub fn run(mut self) -> Result<Summary, Error> {
        let arguments = self.arguments;
        self.suite.plan_builds(|case| arguments.selects(&case.name) && arguments.runs(case.ignored().is_some()));
        let settings = self.suite.settings();
        let colour = arguments.colour().or(settings.colour).unwrap_or_else(|| self.console.has_colour());
        let mut out = output(arguments.logfile.as_deref(), self.console)?;
        let cases: Vec<Case> = self.suite.cases().iter().cloned().chain(self.suite.fault()).collect();
        let checks = self.checks.iter().map(|check| &check.case);
        let runs = |case: &&Case| arguments.selects(&case.name) && arguments.runs(case.ignored().is_some());
        let total = cases.iter().chain(checks.clone()).filter(runs).count();
        let mut translated = arguments.translate(cases.iter().chain(checks).map(|case| case.name.as_str()));
        let colour = colour && arguments.logfile.is_none();
        translated.color = Some(if colour { ColorSetting::Always } else { ColorSetting::Never });

        let shared = Arc::new(Shared {
            display: ProgressDisplay::new(settings.progress, total),
            // libtest-mimic removes colours if they are off, except in JSON.
            palette: if arguments.machine_readable() { Palette::plain() } else { Palette::coloured() },
            shows_diffs: !arguments.machine_readable() && arguments.logfile.is_none(),
            stop_at_failure: arguments.fail_fast,
            is_untraceable: arguments.runs(true) && self.suite.is_untraceable(),
            demands_ignored: arguments.demands_ignored(),
            shown: Mutex::default(),
            failed: AtomicBool::new(false),
            verdicts: Mutex::default(),
            suite: self.suite,
            cases,
        });
        let trials = trials(&shared, &arguments, self.checks);
        let cannot = |operation| move |source| Error::Io { operation, subject: "the results".to_owned(), source };
        let relay = Relay::new().map_err(cannot("relay"))?;
        translated.logfile = Some(relay.name());
        let conclusion = relay
            .during(&mut *out, &shared.display, || libtest_mimic::run(&translated, trials))
            .map_err(cannot("write"))?;
        let verdicts = std::mem::take(&mut *shared.verdicts.lock().unwrap_or_else(PoisonError::into_inner));
        let guarded = verdicts.iter().filter(|verdict| verdict.comparison.used.engine == Engine::Guard).count();
        // If standard error is closed, the verdicts still contain it.
        let _ = report::fast_mode_note(&mut anstream::stderr(), guarded, &Palette::coloured());
        let older = verdicts.iter().filter(|verdict| verdict.has_older_baseline()).count();
        let _ = report::older_baselines_note(&mut anstream::stderr(), older, UPGRADE, &Palette::coloured());
        Ok(Summary { failed: conclusion.has_failed(), verdicts })
    }
}

/// Records baselines in the latest version.
const UPGRADE: &str = "cargo sysguard bless";

fn output(logfile: Option<&str>, console: Console) -> Result<Box<dyn Write + Send>, Error> {
    Ok(match logfile {
        None => console.writer(),
        Some(path) => Box::new(File::create(path).map_err(|source| Error::Io {
            operation: "create",
            subject: path.to_owned(),
            source,
        })?),
    })
}

/// Returns the trials of all workloads and checks, in the order in which they start.
fn trials(shared: &Arc<Shared>, arguments: &Arguments, checks: Vec<CheckCase>) -> Vec<Trial> {
    let workloads = shared.cases.iter().enumerate().map(|(index, case)| workload_trial(shared, arguments, index, case));
    let checks = checks.into_iter().map(|check| check_trial(shared, arguments, check));
    let mut trials: Vec<Trial> = workloads.chain(checks).collect();
    if let Some(seed) = arguments.seed(now) {
        // Needed to repeat the order.
        let _ = writeln!(io::stderr(), "shuffle seed: {seed}");
        trials.sort_by_key(|trial| shuffled(seed, trial.name()));
    }
    trials
}

fn workload_trial(shared: &Arc<Shared>, arguments: &Arguments, index: usize, case: &Case) -> Trial {
    let lacks = shared.is_untraceable || (arguments.runs(true) && shared.suite.lacks_program(case));
    let will_not_run = lacks && case.content.is_ok();
    let reason = reason_to_skip(case, arguments);
    let shared = Arc::clone(shared);
    Trial::ignorable_test(arguments.shown(&case.name), move || match reason {
        Some(reason) => shared.ignore(index, reason),
        None => shared.run(index),
    })
    .with_ignored_flag(is_listed_as_ignored(case, arguments) || will_not_run)
}

fn check_trial(shared: &Arc<Shared>, arguments: &Arguments, check: CheckCase) -> Trial {
    let is_ignored = is_listed_as_ignored(&check.case, arguments) || shared.is_untraceable;
    let reason = reason_to_skip(&check.case, arguments);
    let shared = Arc::clone(shared);
    Trial::ignorable_test(arguments.shown(&check.case.name), move || match reason {
        Some(reason) => Ok(Completion::ignored_with(reason)),
        None => shared.run_check(&check),
    })
    .with_ignored_flag(is_ignored)
}

/// Returns why an ignored case is not run.
fn reason_to_skip(case: &Case, arguments: &Arguments) -> Option<String> {
    case.ignored().filter(|_| !arguments.runs(true)).map(str::to_owned)
}

/// Returns whether an ignored case gets libtest-mimic's flag. libtest-mimic does not call a trial
/// with the flag, so such a trial cannot give its reason.
fn is_listed_as_ignored(case: &Case, arguments: &Arguments) -> bool {
    case.ignored().is_some() && (arguments.list || arguments.runs(true))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

impl Shared {
    /// Runs a check, and again if it fails.
    fn run_check(&self, check: &CheckCase) -> Result<Completion, Failed> {
        if self.has_to_stop() {
            return Ok(Completion::ignored_with(NOT_STARTED));
        }
        let result = match self.suite.observe_check(&check.case) {
            Ok(observation) => match check.judge(&observation) {
                Ok(()) => {
                    self.warn_of_blind_spots(&check.case.name, &observation);
                    Ok(Completion::Completed)
                }
                Err(message) => self.confirm(check, message),
            },
            Err(verdict) => match &verdict.status {
                Status::Ignored { reason } if !self.demands_ignored => Ok(Completion::ignored_with(reason)),
                _ => Err(Failed::from(self.render_without_observation(&check.case, &verdict))),
            },
        };
        result.inspect_err(|_| self.failed.store(true, Ordering::Relaxed))
    }

    /// Repeats a check that failed. It fails if each run fails, with the message of the first.
    fn confirm(&self, check: &CheckCase, message: String) -> Result<Completion, Failed> {
        let runs = self.suite.settings().confirm;
        for repeated in 1..=runs {
            let passes = self.suite.observe_check(&check.case).is_ok_and(|seen| check.judge(&seen).is_ok());
            if passes {
                let name = &check.case.name;
                let warning = format!("warning: {name}: failed in {repeated} of {} runs: {message}", repeated + 1);
                self.print(&warning);
                return Ok(Completion::Completed);
            }
        }
        Err(Failed::from(message))
    }

    /// Warns that a check passed although calls may have been missed.
    fn warn_of_blind_spots(&self, name: &str, observation: &Observation) {
        for spot in &observation.blind_spots {
            self.print(&format!("warning: {name}: calls may have been missed: {}: {}", spot.name(), spot.meaning()));
        }
    }

    /// Writes a line to standard error.
    fn print(&self, line: &str) {
        // If standard error is closed, there is nowhere to report it.
        let _ = self.display.suspended(|| writeln!(anstream::stderr(), "{line}"));
    }

    /// Returns the text on a check without an observation.
    fn render_without_observation(&self, case: &Case, verdict: &Verdict) -> String {
        let text = self.render(verdict);
        match (&verdict.status, case.document()) {
            (Status::WrongExit { actual: Exit::TimedOut, .. }, Some(document)) => {
                let timeout = humantime::format_duration(document.workload.timeout);
                format!("{text}\n\nhelp: a run may take {timeout}; set another limit with `Check::timeout`")
            }
            _ => text,
        }
    }

    /// Returns whether `--fail-fast` lets no further test start.
    fn has_to_stop(&self) -> bool {
        self.stop_at_failure && self.failed.load(Ordering::Relaxed)
    }

    fn run(&self, index: usize) -> Result<Completion, Failed> {
        if self.has_to_stop() {
            return self.ignore(index, NOT_STARTED.to_owned());
        }
        let case = &self.cases[index];
        let verdict = self.suite.test(case, &self.display);
        let text = self.render(&verdict);
        let status = verdict.status.clone();
        let remarkable = verdict.comparison.is_remarkable();
        let recorded = self.record(verdict);
        match status {
            Status::Ignored { reason } => {
                let line = format!("{}: ignored, {reason}\n", case.name);
                // If standard error is closed, the result still contains it.
                let _ = self.display.suspended(|| io::stderr().write_all(line.as_bytes()));
                recorded?;
                if self.demands_ignored { Err(Failed::from(text)) } else { Ok(Completion::ignored_with(reason)) }
            }
            status if status.is_failure() => {
                self.failed.store(true, Ordering::Relaxed);
                Err(Failed::from(text))
            }
            _ => {
                if remarkable {
                    // Written like a warning: libtest shows no message for a test that passes.
                    self.print(&text);
                }
                recorded.map(|()| Completion::Completed).map_err(Failed::from)
            }
        }
    }

    /// Reports a workload as ignored.
    fn ignore(&self, index: usize, reason: String) -> Result<Completion, Failed> {
        self.record(Suite::ignored(&self.cases[index], &reason))?;
        Ok(Completion::ignored_with(reason))
    }

    fn render(&self, verdict: &Verdict) -> String {
        let mut text = Vec::new();
        let diff = self.diff(verdict);
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match report::verdict_with_diff(&mut text, verdict, diff.as_deref(), &mut shown, &self.palette) {
            Ok(()) => String::from_utf8_lossy(&text).trim_end().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    /// Returns the change of the verdict's file as the user's diff program prints it.
    fn diff(&self, verdict: &Verdict) -> Option<String> {
        let tool = DiffTool::of(self.suite.settings()).filter(|_| self.shows_diffs)?;
        let printed = tool.output(&verdict.file, verdict.change.as_ref()?);
        // The built-in diff is used instead.
        let warn = |error: &DiffToolError| self.print(&format!("warning: {error}"));
        printed.inspect_err(warn).ok()
    }

    /// Keeps the verdict, and appends it to `SYSGUARD_VERDICTS` if set.
    fn record(&self, verdict: Verdict) -> Result<(), String> {
        let recorded = match &self.suite.settings().verdicts {
            Some(file) => append(file, self.suite.package(), &verdict)
                .map_err(|error| format!("cannot append the verdict to {}: {error}", file.display())),
            None => Ok(()),
        };
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner).push(verdict);
        recorded
    }
}

/// Appends a verdict in a single write, because other processes append too.
fn append(file: &Path, package: &Path, verdict: &Verdict) -> io::Result<()> {
    let mut line = Vec::new();
    report::write_json_line(&mut line, &package.to_string_lossy(), verdict)?;
    OpenOptions::new().append(true).create(true).open(file)?.write_all(&line)
}
