//! `cargo sysguard run -- test …` and `run -- nextest run …`: the tests of any package, traced
//! without an edit to it.
//!
//! cargo runs the tests, with [`target_runner`](super::target_runner) in between.

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

use sysguard::harness::{Console, Lifeline};
use sysguard::model::judge::verdict::{Status, Verdict};
use sysguard::model::observe::observation::Engine;
use sysguard::report::{self, Closing, Palette};
use sysguard::runner::TemporaryFolder;
use sysguard::settings::{PLAN, Settings, VERDICTS};

use super::test::collect;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::judging::{JudgingFlags, hand_on};
use crate::message;
use crate::nested::{self, Added, Follower, Later, Line, Plan, Runners, Targets, Tool};
use crate::unreferenced::Unreferenced;
use crate::verdicts::{ReportFlags, Told};

/// `run`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Under plain `cargo test`: run each test of a binary by itself, as nextest does
    #[arg(long)]
    per_test: bool,
    #[command(flatten)]
    judging: JudgingFlags,
    /// Record a first baseline from exactly so many runs, instead of until nothing new comes any
    /// more
    #[arg(long, value_name = "N")]
    runs: Option<NonZeroU32>,
    /// What becomes of files of tests that are no more: ignore, warn, reject, delete or auto
    /// (reject in CI, else delete)
    #[arg(long, value_name = "MODE", value_enum, default_value_t, hide_possible_values = true)]
    unreferenced: Unreferenced,
    #[command(flatten)]
    report: ReportFlags,
    /// What cargo is to do: `test …` or `nextest run …`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<std::ffi::OsString>,
}

const AFTER_HELP: &str = "\
Each test is a workload of its own under nextest and with --per-test, else each test binary is one. It is called CRATE::BINARY[::TEST], \
its expectation lies below expectations/run/ of its package, all tests of a binary in one file unless they have files of their own (`cargo sysguard layout`). A first run proposes and exits with 101; so does one with findings; else the exit \
status is cargo's. Doctests are out of reach. What a test uses is what it uses where cargo runs it: environment and working directory are \
cargo's, standard input is empty, standard output and error are pipes. Under nextest, recording and confirming wait until all tests have \
ended, so that its time limits do not end them.";

const NOT_TRACED: &str = "tests ran that were not traced, and tracing is required: cargo did not call the runner of `cargo sysguard run`\n\
    help: leave out what names another runner or another target, such as a `--config` file that includes others; doctests are never traced";

/// How many tests are named at the end.
const NAMED: usize = 20;

impl Options {
    /// Lets cargo run the tests, then tells what they used.
    pub(crate) fn exec(self, context: &Context) -> Result<ExitCode, Failure> {
        // What is called in a target runner's place is watched call by call.
        let settings = context.settings(self.judging.with(Some(Engine::Ptrace))?)?;
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
        let place = Place::prepare()?;
        let cargo = self.cargo(&line, &settings, &place, &runners);
        plan.added = Added::of(&cargo);
        plan.runners = runners.inner;
        plan.write(&place.plan())?;
        let follower = Follower::beside(&place.plan());
        let status = place.run(cargo, &settings.cargo)?;
        let repeated = place.run_later()?;
        drop(follower);
        let mut told = Told::named(targets.packages());
        let verdicts = collect(&place.verdicts())?;
        if let Some(later) = repeated.iter().find(|later| !verdicts.iter().any(|(_, of)| of.workload == later.workload))
        {
            return Err(Failure::failed(format!("{} was repeated, and its runner gave no verdict", later.workload)));
        }
        let mut outcome =
            verdicts.iter().map(|(_, verdict)| Outcome::of(&verdict.status)).max().unwrap_or(Outcome::Expected);
        let seen = nested::seen(&place.plan());
        let called = nested::called(&place.plan());
        self.tell(&verdicts, called.is_empty()).map_err(Failure::output)?;
        if !called.is_empty() {
            close(&verdicts, &nested::unjudged(&place.plan()), plan.noun(line.tool)).map_err(Failure::output)?;
        }
        for (folder, verdict) in verdicts {
            told.add(&folder, verdict);
        }
        report.write(told)?;
        if self.unreferenced.looks() && status.success() && line.is_whole() {
            let folders: Vec<PathBuf> = targets.packages().map(|(folder, _)| folder).collect();
            outcome = outcome.max(self.unreferenced.tests(&folders, &seen, &settings, &plan)?);
        }
        if settings.require && status.success() && line.runs_tests() && !plan.is_kept(line.tool, &called) {
            return Err(Failure { outcome: Outcome::Untraceable, message: NOT_TRACED.to_owned() });
        }
        Ok(if outcome == Outcome::Expected { as_cargo(status) } else { outcome.into() })
    }

    fn cargo(&self, line: &Line, settings: &Settings, place: &Place, runners: &Runners) -> Command {
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
        hand_on(&mut command, settings);
        if self.report.console() == Console::Stderr {
            command.stdout(io::stderr());
        }
        command
    }

    /// What cargo's own output does not tell: a test without a baseline has passed.
    fn tell(&self, verdicts: &[(PathBuf, Verdict)], nothing_seen: bool) -> io::Result<()> {
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
        let is_new = |verdict: &&&Verdict| matches!(verdict.status, Status::NoBaseline { .. });
        if failed.iter().any(|verdict| is_new(&verdict)) {
            writeln!(out, "\nnext:")?;
            writeln!(out, "  cargo sysguard review                     decide on what is proposed, one by one")?;
            writeln!(out, "  cargo sysguard run --update unseen -- …   record every first baseline at once")?;
        }
        Ok(())
    }
}

/// Says how much was traced and how it came out. Of a test that was tried again, the last verdict
/// counts.
fn close(
    verdicts: &[(PathBuf, Verdict)],
    unjudged: &BTreeSet<String>,
    noun: (&'static str, &'static str),
) -> io::Result<()> {
    let last: BTreeMap<(&Path, &str), &Verdict> =
        verdicts.iter().map(|(folder, verdict)| ((folder.as_path(), verdict.workload.as_str()), verdict)).collect();
    let alone = unjudged.iter().filter(|name| !last.values().any(|verdict| verdict.workload == **name)).count();
    let closing = Closing::of(noun, last.into_values(), alone);
    report::closing(&mut anstream::stderr(), &closing, &Palette::coloured())
}

/// As cargo ended; it was not ended by a signal, or then by one that ends us too.
fn as_cargo(status: ExitStatus) -> ExitCode {
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(101))
}

/// A folder for what we and our runners tell each other.
#[derive(Debug)]
struct Place {
    folder: TemporaryFolder,
    /// The runners end with us.
    lifeline: Lifeline,
    /// What cargo calls as its runner.
    program: PathBuf,
}

impl Place {
    fn prepare() -> Result<Self, Failure> {
        let cannot = |error: &dyn std::fmt::Display| Failure::failed(format!("cannot prepare the runner: {error}"));
        let folder = TemporaryFolder::create("sysguard-run-").map_err(|error| cannot(&error))?;
        let lifeline = Lifeline::hold(folder.path()).map_err(|error| cannot(&error))?;
        let program = runner(&env::current_exe().map_err(|error| cannot(&error))?, folder.path())?;
        Ok(Self { folder, lifeline, program })
    }

    /// Runs the tests again that need more than one run, now that no time limit ends them.
    fn run_later(&self) -> Result<Vec<Later>, Failure> {
        let all = Later::told(&self.plan())?;
        let count = all.len();
        if count == 0 {
            return Ok(all);
        }
        let tests = if count == 1 { "test" } else { "tests" };
        // Where standard error is gone, the exit code has to do.
        let _ = writeln!(anstream::stderr(), "\nrepeating {count} {tests} to record or confirm what they use");
        Later::run_all(&all, &self.program)?;
        Ok(all)
    }

    fn run(&self, mut command: Command, cargo: &Path) -> Result<ExitStatus, Failure> {
        // Made here, so that a test that was never reached is told from a runner that was never
        // called.
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

/// A path to this program that cargo, which splits the command of a runner at blanks, takes as one
/// word.
fn runner(program: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    let is_one_word = |path: &Path| !path.to_string_lossy().contains(char::is_whitespace);
    if is_one_word(program) {
        return Ok(program.to_owned());
    }
    let link = folder.join("cargo-sysguard");
    if !is_one_word(&link) {
        let message = format!(
            "cannot prepare the runner: {} and {} hold blanks, at which cargo splits its command: set TMPDIR to a folder without",
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
    fn runner_is_one_word_or_nothing_starts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let plain = Path::new("/bin/cargo-sysguard");
        assert_eq!(runner(plain, Path::new("/tmp/a b")).expect("itself"), plain);
        let link = runner(Path::new("/a b/cargo-sysguard"), folder.path()).expect("a link");
        assert!(link.starts_with(folder.path()) && link.is_symlink());
        let failure = runner(Path::new("/a b/cargo-sysguard"), Path::new("/c d")).expect_err("two blanks");
        assert_eq!(failure.outcome, Outcome::NotStarted);
    }
}
