//! `cargo sysguard test`: runs workloads and compares them with their baselines. Main type:
//! [`Options`].
//!
//! A package with a harness runs its workloads there; the others run in this process.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use sysguard::unstable::artifacts::{self, Artifacts, Target};
use sysguard::unstable::harness::{Arguments, Console, Lifeline, Session};
use sysguard::unstable::model::judge::verdict::Verdict;
use sysguard::unstable::model::observe::observation::Engine;
use sysguard::unstable::report::{self, Closing, Palette};
use sysguard::unstable::runner::{Case, TemporaryFolder};
use sysguard::unstable::settings::{ARTIFACTS, Settings, VERDICTS};

use crate::cargo::{BuildFlags, TargetFlags};
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::judging::{JudgingFlags, pass_settings};
use crate::message;
use crate::proposals::Proposals;
use crate::suites::{self, NOTHING_FOUND, Package};
use crate::unreferenced::Unreferenced;
use crate::verdicts::{ReportFlags, VerdictsByPackage};

/// `test`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run only workloads with one of these in their name
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    #[command(flatten)]
    judging: JudgingFlags,
    /// Trace workloads that have a baseline with this engine: guard runs expected calls natively,
    /// ptrace stops and counts every call [default: guard]
    #[arg(long, value_name = "ENGINE", value_parser = Engine::to_judge)]
    engine: Option<Engine>,
    /// Choose what to do with proposals that have no expectation file: ignore, warn, reject (fail
    /// and keep them), delete, or auto (reject in CI, else delete)
    #[arg(long, value_name = "MODE", value_enum, default_value_t, hide_possible_values = true)]
    unreferenced: Unreferenced,
    /// Build without running
    #[arg(long)]
    no_run: bool,
    /// Run the remaining packages after one has failed
    #[arg(long)]
    no_fail_fast: bool,
    #[command(flatten)]
    report: ReportFlags,
    #[command(flatten)]
    cargo: BuildFlags,
    #[command(flatten)]
    targets: TargetFlags,
    /// Flags of libtest for the harness
    #[arg(last = true, value_name = "LIBTEST FLAGS")]
    libtest: Vec<OsString>,
}

impl Options {
    /// Runs the workloads, then handles orphaned proposals unless only listing or building.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let settings = context.settings(self.judging.with(self.engine)?)?.for_tests().map_err(Failure::usage)?;
        let outcome = self.run(&settings)?;
        if !self.unreferenced.is_enabled() || self.no_run || self.libtest.iter().any(|flag| flag == "--list") {
            return Ok(outcome);
        }
        let orphans = self.unreferenced.exec(&Proposals::open(&self.cargo.packages, &settings)?, settings.ci)?;
        Ok(outcome.max(orphans))
    }

    /// Builds once, then runs harnesses through cargo and other packages in this process.
    fn run(&self, settings: &Settings) -> Result<Outcome, Failure> {
        let mut harness_arguments = self.harness_arguments();
        // Parsed here too: a harness reports wrong usage as 101, not 2.
        let mut arguments = Arguments::parse(harness_arguments.clone()).map_err(Failure::usage_of_harness)?;
        let report = self.report.prepare("test", settings)?;
        let mut packages = suites::open_all(&self.cargo.packages, suites::platform(&self.cargo)?, settings)?;
        let tests = suites::tests(&packages, |case| arguments.selects(&case.name)).len();
        if !self.filters.is_empty() && tests > 0 {
            let line = format!("{tests} matching tests were not run: only `cargo sysguard run -- test …` runs them");
            // Ignore a closed standard error: this is only a warning.
            let _ = writeln!(anstream::stderr(), "{}", message::warning(&line));
        }
        suites::retain_runnable(&mut packages);
        let mut by_package = VerdictsByPackage::of(&packages);
        if packages.is_empty() {
            let _ = writeln!(anstream::stderr(), "{}", message::warning(NOTHING_FOUND));
            report.write(by_package)?;
            return Ok(Outcome::Expected);
        }
        if self.targets.given() {
            let cases = packages.iter().flat_map(|package| package.suite.cases());
            let named = cases.filter(|case| suites::runs_a_target(case, &self.targets)).map(|case| case.name.clone());
            harness_arguments.extend(arguments.restrict(named.collect()));
        }
        let runs = |case: &Case| arguments.selects(&case.name) && arguments.runs(case.ignored().is_some());
        let flags = self.cargo.build_flags();
        let built = suites::build(&packages, runs, Package::harness, &settings.cargo, &flags);
        if let Some(reason) = packages.iter().find_map(|package| harness_failure(package, &built)) {
            return Err(Failure { outcome: Outcome::NotStarted, message: reason });
        }
        if self.no_run {
            return Ok(if built.complete() { Outcome::Expected } else { Outcome::NotStarted });
        }
        let (with_harness, without): (Vec<Package>, Vec<Package>) =
            packages.into_iter().partition(|package| package.harness().is_some());
        let mut outcome = Outcome::Expected;
        if !with_harness.is_empty() {
            let mut cargo = self.nested_cargo(&with_harness, &flags, &harness_arguments);
            if self.report.console() == Console::Stderr {
                cargo.stdout(io::stderr());
            }
            outcome = NestedCargo::prepare(&built)?.run(cargo, &mut by_package)?;
        }
        for Package { mut suite, .. } in without {
            if outcome != Outcome::Expected && !self.no_fail_fast {
                break;
            }
            suite.add_artifacts(built.clone());
            let folder = suite.package().to_owned();
            let session = Session::new(suite, arguments.clone(), self.report.console());
            for verdict in session.run().map_err(Failure::failed)?.verdicts {
                outcome = outcome.max(Outcome::of(&verdict.status));
                by_package.add(&folder, verdict);
            }
        }
        // Ignore a closed standard error: the verdicts hold the same facts.
        let _ = report::shared_causes(&mut anstream::stderr(), by_package.verdicts(), &Palette::coloured());
        let closing = Closing::of(("workload", "workloads"), by_package.verdicts(), 0);
        // Ignore a closed standard error: the verdicts hold the same facts.
        let _ = report::closing(&mut anstream::stderr(), &closing, &Palette::coloured());
        report.write(by_package)?;
        Ok(outcome)
    }

    fn harness_arguments(&self) -> Vec<OsString> {
        let quiet = self.cargo.quiet.then(|| OsString::from("--quiet"));
        let flags = self.libtest.iter().cloned().chain(quiet);
        flags.chain(self.filters.iter().map(OsString::from)).collect()
    }

    /// Returns `cargo test --test sysguard` for all packages that have a harness.
    fn nested_cargo(&self, packages: &[Package], flags: &[OsString], harness: &[OsString]) -> Command {
        let settings = packages[0].suite.settings();
        let mut command = Command::new(&settings.cargo);
        command.args(["test", "--test", "sysguard"]).args(flags);
        command.arg("--manifest-path").arg(&packages[0].metadata.manifest_path);
        for package in packages {
            command.arg("--package").arg(&package.metadata.id.repr);
        }
        if self.no_fail_fast {
            command.arg("--no-fail-fast");
        }
        command.arg("--").args(harness);
        pass_settings(&mut command, settings);
        if let (Some(_), Some(root)) = (&settings.pending_dir, &settings.workspace_root) {
            command.env("SYSGUARD_WORKSPACE_ROOT", root);
        }
        command
    }
}

/// Returns why the package's harness could not be built.
fn harness_failure(package: &Package, built: &Artifacts) -> Option<String> {
    let target: Target = package.harness()?;
    built.get(&artifacts::root(&package.metadata), &target)?.err().map(ToString::to_string)
}

/// A nested cargo, and the files through which this process and its harnesses exchange data.
struct NestedCargo {
    folder: TemporaryFolder,
    /// Ends the harnesses when this process ends.
    lifeline: Lifeline,
}

impl NestedCargo {
    fn prepare(built: &Artifacts) -> Result<Self, Failure> {
        let cannot = |error: &dyn std::fmt::Display| {
            Failure::failed(format!("cannot pass the build results to the harness: {error}"))
        };
        let folder = TemporaryFolder::create("sysguard-test-").map_err(|error| cannot(&error))?;
        let lines = built.to_lines().map_err(|error| cannot(&error))?;
        fs::write(folder.path().join("artifacts"), lines).map_err(|error| cannot(&error))?;
        let lifeline = Lifeline::hold(folder.path()).map_err(|error| cannot(&error))?;
        Ok(Self { folder, lifeline })
    }

    fn run(&self, mut cargo: Command, by_package: &mut VerdictsByPackage) -> Result<Outcome, Failure> {
        let verdicts = self.folder.path().join("verdicts");
        cargo.env(ARTIFACTS, self.folder.path().join("artifacts")).env(VERDICTS, &verdicts);
        self.lifeline.pass_to(&mut cargo);
        let status = cargo
            .status()
            .map_err(|error| Failure::failed(format!("cannot run {}: {error}", cargo.get_program().display())))?;
        let mut worst = Outcome::Expected;
        for (folder, verdict) in collect(&verdicts)? {
            worst = worst.max(Outcome::of(&verdict.status));
            by_package.add(&folder, verdict);
        }
        // A harness that failed without a verdict has printed why.
        Ok(if status.success() { worst } else { worst.max(Outcome::Failed) })
    }
}

/// Returns the verdicts in a file with the folder of their package. A missing file means that no
/// workload ran.
pub(super) fn collect(file: &Path) -> Result<Vec<(PathBuf, Verdict)>, Failure> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::failed(format!("cannot read the verdicts: {error}"))),
    };
    let read = |line: &str| {
        let (folder, verdict) = report::read_json_line(line).map_err(Failure::failed)?;
        Ok((PathBuf::from(folder), verdict))
    };
    text.lines().map(read).collect()
}
