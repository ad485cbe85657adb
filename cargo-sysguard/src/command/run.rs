//! `cargo sysguard run -- test …` and `run -- nextest run …`: traces the tests of any package
//! without editing it. Main type: [`Options`].
//!
//! cargo runs the tests through [`target_runner`](super::target_runner).

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::{self, Write};
use std::num::NonZeroU32;
#[cfg(unix)]
use std::os::unix::fs::symlink;
#[cfg(windows)]
use std::os::windows::fs::symlink_file as symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use sysguard::unstable::harness::{Console, Lifeline};
use sysguard::unstable::model::judge::verdict::{Status, Verdict};
use sysguard::unstable::model::observe::observation::Engine;
use sysguard::unstable::report::{self, Closing, Palette};
use sysguard::unstable::runner::TemporaryFolder;
use sysguard::unstable::settings::{PLAN, Settings, VERDICTS};

use super::test::collect;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::judging::{JudgingFlags, pass_settings};
use crate::message;
use crate::nested::{self, Added, Follower, Line, Plan, PostponedTest, Runners, Targets, Tool};
use crate::unreferenced::Unreferenced;
use crate::verdicts::{ReportFlags, VerdictsByPackage};

/// `run`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Run each test of a binary separately under `cargo test`, as nextest does
    #[arg(long)]
    per_test: bool,
    #[command(flatten)]
    judging: JudgingFlags,
    /// Record a first baseline from exactly N runs instead of until no run adds anything
    #[arg(long, value_name = "N")]
    runs: Option<NonZeroU32>,
    /// Choose what to do with records of deleted tests: ignore, warn, reject (fail and keep them),
    /// delete, or auto (reject in CI, else delete)
    ///
    /// Only a complete run without filters shows which tests were deleted.
    #[arg(long, value_name = "MODE", value_enum, default_value_t, hide_possible_values = true)]
    unreferenced: Unreferenced,
    #[command(flatten)]
    report: ReportFlags,
    /// The cargo command to run: `test …` or `nextest run …`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<std::ffi::OsString>,
}

const AFTER_HELP: &str = "\
Each test is a workload under nextest and with --per-test; otherwise each test binary is one. A workload is named run::CRATE::BINARY[::TEST]; other commands also accept it without `run::`. \
Its expectation is below expectations/run/ of its package; the tests of a binary share one file unless they have files of their own (see `cargo sysguard layout`). \
A first run writes proposals and exits with 101, and so does a run with findings; otherwise the exit status is cargo's. Doctests are not traced. \
Environment and working directory are cargo's; standard input is empty; standard output and error are pipes. Under nextest, tests are repeated to \
record or confirm findings after all tests have ended, so that nextest's time limits do not stop them.";

const NOT_TRACED: &str = "some tests were not traced, but tracing is required: cargo did not call the runner of `cargo sysguard run`\n\
    help: remove options that set another runner or target, such as a `--config` file that includes others; doctests are never traced";

/// The largest number of failed tests that the final summary names.
const NAMED: usize = 20;

impl Options {
    /// Runs the tests with cargo, then reports what they used.
    pub(crate) fn exec(self, context: &Context) -> Result<ExitCode, Failure> {
        // The target runner supports the ptrace engine only.
        let engine = context.engine(None, "run", &[Engine::Ptrace])?;
        let settings = context.settings(self.judging.with(Some(engine))?)?;
        let line = Line::parse(&self.command)?;
        let report = self.report.prepare("run", &settings)?;
        let targets = Targets::of(&line, &settings.cargo)?;
        let runners = line.runners()?;
        let mut plan = Plan {
            workspace: settings.workspace_root.clone().unwrap_or_else(|| targets.workspace()),
            per_test: self.per_test,
            runs: self.runs,
            binaries: targets.binaries(&line, &settings.cargo)?,
            runners: BTreeMap::new(),
            has_slots: line.tool == Tool::Nextest && line.keeps_binaries(),
            added: Added::default(),
        };
        let place = RunFolder::prepare()?;
        let cargo = self.cargo(&line, &settings, &place, &runners);
        plan.added = Added::of(&cargo);
        plan.runners = runners.inner;
        plan.write(&place.plan())?;
        let follower = Follower::beside(&place.plan());
        let status = place.run(cargo, &settings.cargo)?;
        let repeated = place.run_postponed()?;
        drop(follower);
        let mut by_package = VerdictsByPackage::named(targets.packages());
        let verdicts = collect(&place.verdicts())?;
        if let Some(test) = repeated.iter().find(|test| !verdicts.iter().any(|(_, of)| of.workload == test.workload)) {
            return Err(Failure::failed(format!("{} was repeated, but its runner returned no verdict", test.workload)));
        }
        let mut outcome =
            verdicts.iter().map(|(_, verdict)| Outcome::of(&verdict.status)).max().unwrap_or(Outcome::Expected);
        let seen = nested::seen(&place.plan());
        let called = nested::called(&place.plan());
        self.print_summary(&verdicts, called.is_empty()).map_err(Failure::output)?;
        if !called.is_empty() {
            print_closing(&verdicts, &nested::unjudged(&place.plan()), plan.noun(line.tool))
                .map_err(Failure::output)?;
        }
        for (folder, verdict) in verdicts {
            by_package.add(&folder, verdict);
        }
        report.write(by_package)?;
        if self.unreferenced.is_enabled() && status.success() && line.is_whole() {
            let folders: Vec<PathBuf> = targets.packages().map(|(folder, _)| folder).collect();
            outcome = outcome.max(self.unreferenced.tests(&folders, &seen, &settings, &plan)?);
        }
        if settings.require && status.success() && line.runs_tests() && !plan.was_called(line.tool, &called) {
            return Err(Failure { outcome: Outcome::Untraceable, message: NOT_TRACED.to_owned() });
        }
        Ok(if outcome == Outcome::Expected { as_cargo(status) } else { outcome.into() })
    }

    fn cargo(&self, line: &Line, settings: &Settings, place: &RunFolder, runners: &Runners) -> Command {
        let mut command = Command::new(&settings.cargo);
        let (subcommand, words) = line.subcommand();
        let ours = runners.arguments(&place.program);
        match line.tool {
            Tool::Libtest => command.args(subcommand).args(words).args(ours),
            Tool::Nextest => command.args(subcommand).args(ours).args(words),
        };
        if !line.harness.is_empty() {
            command.arg("--").args(&line.harness);
        }
        command.envs(runners.variables(&place.program));
        command.env(PLAN, place.plan()).env(VERDICTS, place.verdicts());
        place.lifeline.pass_to(&mut command);
        pass_settings(&mut command, settings);
        if self.report.console() == Console::Stderr {
            command.stdout(io::stderr());
        }
        command
    }

    /// Prints the failures that cargo's own output does not show. For cargo, a test without a
    /// baseline has passed.
    fn print_summary(&self, verdicts: &[(PathBuf, Verdict)], nothing_seen: bool) -> io::Result<()> {
        let mut out = anstream::stderr();
        if nothing_seen {
            return writeln!(out, "{}", message::warning("no test was traced"));
        }
        let palette = Palette::coloured();
        let mut failed: Vec<&Verdict> = verdicts.iter().map(|(_, verdict)| verdict).collect();
        failed.retain(|verdict| verdict.status.is_failure());
        failed.sort_by(|one, other| one.workload.cmp(&other.workload));
        if failed.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        failed.iter().take(NAMED).try_for_each(|verdict| report::summary(&mut out, verdict, &palette))?;
        if failed.len() > NAMED {
            writeln!(out, "… and {} more", failed.len() - NAMED)?;
        }
        report::shared_causes(&mut out, failed.iter().copied(), &palette)?;
        let is_new = |verdict: &&&Verdict| matches!(verdict.status, Status::NoBaseline { .. });
        if failed.iter().any(|verdict| is_new(&verdict)) {
            writeln!(out, "\nnext:")?;
            writeln!(out, "  cargo sysguard review                     accept or reject the proposals one by one")?;
            writeln!(out, "  cargo sysguard run --update unseen -- …   record every first baseline at once")?;
        }
        Ok(())
    }
}

/// Prints how many tests were traced, with which results. The last verdict of a repeated test
/// counts.
fn print_closing(
    verdicts: &[(PathBuf, Verdict)],
    unjudged: &BTreeSet<String>,
    noun: (&'static str, &'static str),
) -> io::Result<()> {
    let last: BTreeMap<(&Path, &str), &Verdict> =
        verdicts.iter().map(|(folder, verdict)| ((folder.as_path(), verdict.workload.as_str()), verdict)).collect();
    let alone = unjudged.iter().filter(|name| !last.values().any(|verdict| verdict.workload == **name)).count();
    let older = last.values().filter(|verdict| verdict.has_older_baseline()).count();
    report::older_baselines_note(&mut anstream::stderr(), older, UPGRADE, &Palette::coloured())?;
    let closing = Closing::of(noun, last.into_values(), alone);
    report::closing(&mut anstream::stderr(), &closing, &Palette::coloured())
}

/// Records baselines in the latest version.
const UPGRADE: &str = "cargo sysguard run --update force -- …";

/// Returns cargo's exit code. A signal that ended cargo alone gives 101.
fn as_cargo(status: ExitStatus) -> ExitCode {
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(101))
}

/// The temporary folder through which this process and its runners exchange files.
#[derive(Debug)]
struct RunFolder {
    folder: TemporaryFolder,
    /// Ends the runners when this process ends.
    lifeline: Lifeline,
    /// The program that cargo calls as its runner.
    program: PathBuf,
}

impl RunFolder {
    fn prepare() -> Result<Self, Failure> {
        let cannot = |error: &dyn std::fmt::Display| Failure::failed(format!("cannot prepare the runner: {error}"));
        let folder = TemporaryFolder::create("sysguard-run-").map_err(|error| cannot(&error))?;
        let lifeline = Lifeline::hold(folder.path()).map_err(|error| cannot(&error))?;
        let program = runner(&env::current_exe().map_err(|error| cannot(&error))?, folder.path())?;
        Ok(Self { folder, lifeline, program })
    }

    /// Repeats the tests that need more than one run. nextest's time limits no longer apply.
    fn run_postponed(&self) -> Result<Vec<PostponedTest>, Failure> {
        let all = PostponedTest::read_all(&self.plan())?;
        let count = all.len();
        if count == 0 {
            return Ok(all);
        }
        let tests = if count == 1 { "test" } else { "tests" };
        // Ignore a closed standard error: the exit code remains.
        let _ = writeln!(anstream::stderr(), "\nrepeating {count} {tests} to record or confirm what they use");
        PostponedTest::run_all(&all, &self.program)?;
        Ok(all)
    }

    fn run(&self, mut command: Command, cargo: &Path) -> Result<ExitStatus, Failure> {
        // Created here, so that it exists even if no runner is called.
        fs::write(self.verdicts(), "")
            .map_err(|error| Failure::failed(format!("cannot prepare the runner: {error}")))?;
        command.status().map_err(|error| Failure::failed(format!("cannot run {}: {error}", cargo.display())))
    }

    fn plan(&self) -> PathBuf {
        self.folder.path().join("plan")
    }

    fn verdicts(&self) -> PathBuf {
        self.folder.path().join("verdicts")
    }
}

/// Returns a path to this program without whitespace: cargo splits a runner's command there.
fn runner(program: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    let is_one_word = |path: &Path| !path.to_string_lossy().contains(char::is_whitespace);
    if is_one_word(program) {
        return Ok(program.to_owned());
    }
    let link = folder.join("cargo-sysguard");
    if !is_one_word(&link) {
        let message = format!(
            "cannot prepare the runner: {} and {} contain whitespace, where cargo splits a runner's command\nhelp: set TMPDIR to a folder without whitespace",
            program.display(),
            folder.display()
        );
        return Err(Failure { outcome: Outcome::NotStarted, message });
    }
    symlink(program, &link).map_err(|error| Failure::failed(format!("cannot prepare the runner: {error}")))?;
    Ok(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runner_path_has_no_whitespace() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let plain = Path::new("/bin/cargo-sysguard");
        assert_eq!(runner(plain, Path::new("/tmp/a b")).expect("itself"), plain);
        let link = runner(Path::new("/a b/cargo-sysguard"), folder.path()).expect("a link");
        assert!(link.starts_with(folder.path()) && link.is_symlink());
        let failure = runner(Path::new("/a b/cargo-sysguard"), Path::new("/c d")).expect_err("two blanks");
        assert_eq!(failure.outcome, Outcome::NotStarted);
    }
}
