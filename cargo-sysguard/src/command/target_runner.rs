//! `target-runner TRIPLE EXECUTABLE ARGUMENT…`: the target runner that cargo calls under `cargo
//! sysguard run`. Main type: [`Options`]. It is an internal command.
//!
//! It replaces the test: it passes the test's output on, and writes its own messages to standard
//! error. It must not trace a listing, a sysguard harness, or a program that is not in the plan.
//! Without a plan it only executes the command.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use sysguard::unstable::harness::{Arguments, CustomTest, follow_lifeline, is_harness, run_custom_tests};
use sysguard::unstable::linux::leave_signals_to_workload;
use sysguard::unstable::model::facts::finding::Comparison;
use sysguard::unstable::model::judge::verdict::{Status, Verdict};
use sysguard::unstable::model::run::platform::Platform;
use sysguard::unstable::model::run::recording::Length;
use sysguard::unstable::model::run::test_name::TestName;
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::report::{self, Palette};
use sysguard::unstable::runner::{DiffTool, DiffToolError, Schedule, Suite, Test, TestResult, output_of};
use sysguard::unstable::settings::{self, Flags, LIFELINE, Settings, VERDICTS};

use crate::context::Context;
use crate::exit_code::Failure;
use crate::message;
use crate::nested::{self, Binary, Plan, PostponedTest, Reporter};

/// The arguments that cargo passes to its runner.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Repeat a postponed test, outside of its nextest slot
    #[arg(long)]
    afterwards: bool,
    /// The target triple of the test
    triple: String,
    /// The test binary and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// The exit status of a test that failed.
const FAILED: u8 = 101;

impl Options {
    /// Runs the test.
    pub(crate) fn exec(self, context: &Context) -> Result<ExitCode, Failure> {
        let mut settings = context.settings(Flags::default())?;
        let Some((plan_file, plan)) = plan(&settings)? else {
            return untraced(&self.command, env::vars_os().collect());
        };
        let inner = plan.runners.get(&self.triple).cloned().unwrap_or_default();
        let words: Vec<OsString> = inner.into_iter().map(OsString::from).chain(self.command.iter().cloned()).collect();
        let executable = PathBuf::from(&self.command[0]);
        let environment = plan.added.taken_from(env::vars_os());
        let Some(binary) = plan.binary(&executable, settings.nextest_binary.as_deref()) else {
            return untraced(&words, environment);
        };
        let arguments = self.command.len() - 1;
        let invocation = Invocation { binary: binary.clone(), executable, arguments, words, environment, plan_file };
        invocation.record_called()?;
        let lists = self.command.iter().any(|word| word == "--list");
        if invocation.is_harness()? {
            return untraced(
                &invocation.words,
                if lists { invocation.environment } else { as_harness(invocation.environment, &plan) },
            );
        }
        if lists {
            return invocation.list();
        }
        follow_lifeline(&settings);
        leave_signals_to_workload()
            .map_err(|error| Failure::failed(format!("cannot leave signals to the test: {error}")))?;
        // A custom harness may take any arguments. Then the whole binary is one workload.
        let arguments = Arguments::parse(self.command[1..].iter().cloned()).unwrap_or_default();
        let platform = Platform::from_triple(&self.triple).unwrap_or_else(settings::platform);
        let schedule = match (self.afterwards, plan.has_slots) {
            (true, _) => Schedule::Afterwards,
            (false, true) => Schedule::InSlot,
            (false, false) => Schedule::AtOnce,
        };
        if schedule == Schedule::Afterwards {
            // The run in the slot counts as the first confirming run.
            settings.confirm = settings.confirm.saturating_sub(1);
        }
        let suite =
            Suite::for_tests(&binary.folder, Some(&plan.workspace), platform, settings).map_err(Failure::failed)?;
        let length = plan.runs.map_or(Length::UntilQuiet, Length::Exactly);
        match arguments.single() {
            None if plan.per_test => invocation.each(suite, &arguments, length),
            single => invocation.whole(&suite, &arguments, single, schedule, length),
        }
    }
}

/// Returns the plan and its file, or nothing if no `cargo sysguard run` waits for this process.
fn plan(settings: &Settings) -> Result<Option<(PathBuf, Plan)>, Failure> {
    match &settings.plan {
        // A process that outlives `run` still has the variable, but the file is gone.
        Some(file) if file.exists() => Ok(Some((file.clone(), Plan::read(file)?))),
        _ => Ok(None),
    }
}

/// Returns the environment of a sysguard harness. It adds the settings of `run` and the file for
/// the verdicts.
fn as_harness(environment: Variables, plan: &Plan) -> Variables {
    let passed_on =
        ["SYSGUARD_UPDATE", "SYSGUARD_CONFIRM", "SYSGUARD_REQUIRE", "SYSGUARD_PENDING_DIR", VERDICTS, LIFELINE];
    let mut all: BTreeMap<OsString, OsString> = environment.into_iter().collect();
    all.extend(passed_on.iter().filter_map(|name| Some((OsString::from(name), env::var_os(name)?))));
    all.insert("SYSGUARD_WORKSPACE_ROOT".into(), plan.workspace.clone().into());
    all.into_iter().collect()
}

/// Replaces this process with the command. Returns only on failure.
#[cfg(unix)]
fn untraced(words: &[OsString], environment: Variables) -> Result<ExitCode, Failure> {
    let error = std::os::unix::process::CommandExt::exec(&mut command(words, environment));
    Err(cannot_execute(words, &error))
}

/// Runs the command and returns its exit code.
#[cfg(not(unix))]
fn untraced(words: &[OsString], environment: Variables) -> Result<ExitCode, Failure> {
    let status = command(words, environment).status().map_err(|error| cannot_execute(words, &error))?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED)))
}

fn cannot_execute(words: &[OsString], error: &io::Error) -> Failure {
    Failure::failed(format!("cannot execute {}: {error}", words[0].display()))
}

/// The environment of a test.
type Variables = Vec<(OsString, OsString)>;

fn command(words: &[OsString], environment: Variables) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env_clear().envs(environment);
    command
}

/// One call of a test binary by cargo.
#[derive(Debug)]
struct Invocation {
    binary: Binary,
    executable: PathBuf,
    /// The whole command, with the user's own runner before it.
    words: Vec<OsString>,
    /// The number of arguments at the end of `words`.
    arguments: usize,
    /// The environment without the variables of `run`.
    environment: Variables,
    plan_file: PathBuf,
}

impl Invocation {
    fn record_called(&self) -> Result<(), Failure> {
        nested::record_called(&self.plan_file, &self.binary)
            .map_err(|error| Failure::failed(format!("cannot record that a test binary was called: {error}")))
    }

    /// Returns whether the binary is a sysguard harness. A harness traces its workloads itself, and
    /// a process has at most one tracer (ptrace(2)). The answer is cached beside the plan, because
    /// nextest calls a binary once per test.
    fn is_harness(&self) -> Result<bool, Failure> {
        let cannot = |error: io::Error| {
            Failure::failed(format!("cannot determine whether {} is a harness: {error}", self.executable.display()))
        };
        let kept = nested::harness_file(&self.plan_file, &self.binary);
        match fs::read_to_string(&kept).as_deref() {
            Ok("yes") => return Ok(true),
            Ok("no") => return Ok(false),
            _ => {}
        }
        let mut command = command(&self.without_arguments(), self.environment.clone());
        let is_harness = is_harness(&self.executable, &mut command).map_err(cannot)?;
        fs::write(kept, if is_harness { "yes" } else { "no" }).map_err(cannot)?;
        Ok(is_harness)
    }

    /// Lists the tests, and records their names.
    fn list(&self) -> Result<ExitCode, Failure> {
        let cannot = |error: io::Error| Failure::failed(format!("cannot list {}: {error}", self.executable.display()));
        let listed = output_of(&mut command(&self.words, self.environment.clone())).map_err(cannot)?;
        let status = listed.status;
        let mut out = io::stdout().lock();
        out.write_all(&listed.stdout).and_then(|()| out.flush()).map_err(cannot)?;
        let listed = String::from_utf8_lossy(&listed.stdout);
        let seen: Vec<_> = names(&listed).map(|name| self.binary.test(Some(name))).collect();
        self.record_seen(&seen)?;
        Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED)))
    }

    /// Runs the binary as it was called, as one workload.
    fn whole(
        &self,
        suite: &Suite,
        arguments: &Arguments,
        single: Option<&str>,
        schedule: Schedule,
        length: Length,
    ) -> Result<ExitCode, Failure> {
        let test = Test {
            name: self.binary.test(single),
            command: self.words.clone(),
            executable: self.executable.clone(),
            environment: self.environment.clone(),
            is_partial: single.is_none() && arguments.is_partial(),
        };
        self.record_seen(std::slice::from_ref(&test.name))?;
        let echo = Some([Box::new(io::stdout()) as _, Box::new(io::stderr()) as _]);
        let TestResult { exit, verdict, needs_more_runs, .. } =
            suite.run_cargo_test(&test, schedule, length, echo, &Reporter::beside(&self.plan_file));
        let settings = suite.settings();
        if needs_more_runs {
            self.postpone(&test.name, verdict.as_ref())?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut failed = false;
        if let Some(verdict) = verdict {
            failed = fails(&verdict);
            self.report_verdict(settings, &verdict)?;
            if exit.is_none() && !failed {
                // It cannot be traced here, and tracing is not required.
                return untraced(&self.words, self.environment.clone());
            }
        } else if exit != Some(Exit::Exited(0)) {
            self.record_unjudged(&test.name)?;
        }
        let status = exit.map_or(FAILED, |exit| u8::try_from(exit.shell_status()).unwrap_or(u8::MAX));
        Ok(ExitCode::from(if failed { FAILED } else { status }))
    }

    /// Postpones further runs of the test. A failure is printed now, because the further runs may
    /// never happen.
    fn postpone(&self, name: &TestName, verdict: Option<&Verdict>) -> Result<(), Failure> {
        PostponedTest::as_called(name.workload(), "--afterwards")
            .and_then(|test| test.record(&self.plan_file))
            .map_err(|error| Failure::failed(format!("cannot postpone further runs of {name}: {error}")))?;
        if let Some(verdict) = verdict.filter(|verdict| verdict.status.is_failure()) {
            let mut out = anstream::stderr();
            // Ignore a closed standard error: the next run prints the verdict again.
            let _ = report::verdict(&mut out, verdict, &Palette::coloured());
            let _ = writeln!(out, "not confirmed yet: the test is repeated once all tests have ended");
        }
        Ok(())
    }

    /// Runs each test of the binary separately, and reports them as libtest does.
    fn each(self, suite: Suite, arguments: &Arguments, length: Length) -> Result<ExitCode, Failure> {
        let all = self.listed(&[])?;
        let ignored = self.listed(&["--ignored"])?;
        self.record_seen(&all.iter().map(|name| self.binary.test(Some(name))).collect::<Vec<_>>())?;
        let shared = Arc::new((self, suite));
        let tests = all.into_iter().map(|name| {
            let (shared, is_ignored) = (Arc::clone(&shared), ignored.contains(&name));
            CustomTest {
                ignored: is_ignored,
                run: {
                    let name = name.clone();
                    Box::new(move || shared.0.one(&shared.1, &name, is_ignored, length))
                },
                name,
            }
        });
        Ok(if run_custom_tests(arguments, tests.collect()) { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
    }

    fn one(&self, suite: &Suite, name: &str, is_ignored: bool, length: Length) -> Result<(), String> {
        let mut command = self.without_arguments();
        command.extend([name, "--exact", "--nocapture"].map(OsString::from));
        command.extend(is_ignored.then(|| OsString::from("--include-ignored")));
        let (name, executable) = (self.binary.test(Some(name)), self.executable.clone());
        let test = Test { name, command, executable, environment: self.environment.clone(), is_partial: false };
        let TestResult { exit, output, verdict, .. } =
            suite.run_cargo_test(&test, Schedule::AtOnce, length, None, &Reporter::beside(&self.plan_file));
        let Some(verdict) = verdict else {
            self.record_unjudged(&test.name).map_err(|failure| failure.message)?;
            return Err(output + &exit.map(|exit| format!("\nended with {exit}")).unwrap_or_default());
        };
        self.report_verdict(suite.settings(), &verdict).map_err(|failure| failure.message)?;
        match (exit, fails(&verdict)) {
            (_, true) => Err(verdict.status.name().to_owned()),
            (None, _) => Err("it was not run: it cannot be traced here".to_owned()),
            _ => Ok(()),
        }
    }

    fn without_arguments(&self) -> Vec<OsString> {
        self.words[..self.words.len() - self.arguments].to_vec()
    }

    fn listed(&self, more: &[&str]) -> Result<Vec<String>, Failure> {
        let mut listing = command(&self.without_arguments(), self.environment.clone());
        listing.args(["--list", "--format", "terse"]).args(more).stdin(Stdio::null()).stderr(Stdio::inherit());
        let cannot = |why: String| {
            Failure::failed(format!(
                "cannot list the tests of {}: {why}\nhelp: run them without --per-test",
                self.executable.display()
            ))
        };
        let output = output_of(&mut listing).map_err(|error| cannot(error.to_string()))?;
        if !output.status.success() {
            return Err(cannot(output.status.to_string()));
        }
        Ok(names(&String::from_utf8_lossy(&output.stdout)).map(str::to_owned).collect())
    }

    fn record_seen(&self, names: &[TestName]) -> Result<(), Failure> {
        nested::record_seen(&self.plan_file, names)
            .map_err(|error| Failure::failed(format!("cannot record which tests exist: {error}")))
    }

    fn record_unjudged(&self, name: &TestName) -> Result<(), Failure> {
        nested::record_unjudged(&self.plan_file, name)
            .map_err(|error| Failure::failed(format!("cannot record the failure of a test: {error}")))
    }

    /// Passes the verdict to `run`, and prints failures, findings and ignored tests. A missing
    /// baseline is reported by `run` at the end.
    fn report_verdict(&self, settings: &Settings, verdict: &Verdict) -> Result<(), Failure> {
        if let Some(file) = &settings.verdicts {
            let cannot =
                |error: io::Error| Failure::failed(format!("cannot write the verdict to {}: {error}", file.display()));
            nested::record_verdict(file, Path::new(&self.binary.folder), verdict).map_err(cannot)?;
        }
        let is_remarkable = verdict.comparison != Comparison::default()
            && !matches!(verdict.status, Status::NoBaseline { .. } | Status::Blessed);
        if fails(verdict) || is_remarkable || matches!(verdict.status, Status::Ignored { .. }) {
            // Ignore a closed standard error: the exit status remains.
            let diff = diff(settings, verdict);
            let mut shown = nested::shown(&self.plan_file);
            let (mut out, palette) = (anstream::stderr(), Palette::coloured());
            let _ = report::verdict_with_diff(&mut out, verdict, diff.as_deref(), &mut shown, &palette);
            // Otherwise the causes are shown again.
            let _ = nested::record_shown(&self.plan_file, &shown, &verdict.workload);
        }
        Ok(())
    }
}

/// Returns the change of the verdict's file as the user's diff tool prints it.
fn diff(settings: &Settings, verdict: &Verdict) -> Option<String> {
    let printed = DiffTool::of(settings)?.output(&verdict.file, verdict.change.as_ref()?);
    // Ignore a closed standard error: the built-in diff is used.
    let warn = |error: &DiffToolError| {
        drop(writeln!(anstream::stderr(), "{}", message::warning(&error.to_string())));
    };
    printed.inspect_err(warn).ok()
}

/// Returns whether the verdict fails the test. A missing baseline does not: cargo would stop
/// before the other tests, and `run` fails at the end.
fn fails(verdict: &Verdict) -> bool {
    verdict.status.is_failure() && !matches!(verdict.status, Status::NoBaseline { .. })
}

/// Returns the names of tests in a list in libtest's terse format.
fn names(listed: &str) -> impl Iterator<Item = &str> {
    listed.lines().filter_map(|line| line.strip_suffix(": test"))
}
