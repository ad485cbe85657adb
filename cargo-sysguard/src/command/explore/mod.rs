//! `cargo sysguard explore`: injects errors into system calls of workloads, and compares what their
//! error paths do with what was recorded. Main type: [`Options`].

mod replay;

use std::io::Write;
use std::time::Duration;

use sysguard::unstable::harness::{Console, ProgressDisplay};
use sysguard::unstable::model::facts::error_path::FaultName;
use sysguard::unstable::model::judge::exploration::ExplorationVerdict;
use sysguard::unstable::model::judge::verdict::Status;
use sysguard::unstable::report::{self, Palette};
use sysguard::unstable::runner::{Case, ExploreOptions, Suite};
use sysguard::unstable::settings::{Flags, Settings};

use crate::cargo::{BuildFlags, TargetFlags};
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::explorations::ExplorationsByPackage;
use crate::message;
use crate::output;
use crate::suites::{self, NOTHING_FOUND, Package};
use crate::verdicts::ReportFlags;

/// `explore`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES, mut_arg("jobs", |jobs| jobs.help("Build and run N jobs at once [default: CPUs]")))]
pub(crate) struct Options {
    /// Explore only workloads with one of these in their name; no match is an error
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Match filters against the whole name
    #[arg(long)]
    exact: bool,
    /// Include workloads with an `ignore:`
    #[arg(long)]
    include_ignored: bool,
    /// Explore each workload for this long [default: `budget:` of its file, or 60s]
    #[arg(long, value_name = "DURATION", value_parser = budget)]
    budget: Option<Duration>,
    /// Inject only this error, such as EIO, or `short` for short reads and writes; repeatable
    #[arg(long, value_name = "NAME", value_parser = fault)]
    errno: Vec<FaultName>,
    /// Inject also into the calls of the dynamic loader
    #[arg(long)]
    loader: bool,
    /// Write what was found to the expectation files
    #[arg(long)]
    bless: bool,
    /// Run a workload once with this injection, and show everything about it
    #[arg(long, value_name = "ID")]
    #[arg(conflicts_with_all = ["budget", "errno", "loader", "bless", "format", "output"])]
    replay: Option<String>,
    /// With --replay: stop the process after the call has failed, so that a debugger can attach
    #[arg(long, requires = "replay")]
    stop: bool,
    /// Fail if a workload cannot be traced or its program is missing
    #[arg(long)]
    require: bool,
    #[command(flatten)]
    report: ReportFlags,
    #[command(flatten)]
    cargo: BuildFlags,
    #[command(flatten)]
    targets: TargetFlags,
}

const EXIT_CODES: &str = "Runs happen in scratch directories. A workload with a `cwd:` works in a copy of it.\n\n\
    Exit codes: 0 nothing new and nothing forbidden; 101 findings; 2 wrong usage, or a name or id that matches nothing; \
    3 a workload could not be built or started; 4 tracing is required but impossible here.";

fn budget(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("write a longer time, such as `60s`".to_owned()),
        Ok(budget) => Ok(budget),
        Err(error) => Err(format!("{error}: write it as `60s`, `500ms` or `2m`")),
    }
}

fn fault(text: &str) -> Result<FaultName, String> {
    FaultName::from_name(text)
        .ok_or_else(|| format!("unknown error `{text}`: write a name of errno(3), such as `EIO`, or `short`"))
}

impl Options {
    /// Explores the selected workloads one after the other. A failed one does not stop the others.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let settings = context.settings(Flags { require: self.require, ..Flags::default() })?;
        let report = self.report.prepare("explore", &settings)?;
        let mut packages = suites::open_all(&self.cargo.packages, suites::platform(&self.cargo)?, &settings)?;
        let is_named = |package: &Package| package.suite.cases().iter().any(|case| self.names(case));
        if !self.filters.is_empty() && !packages.iter().any(is_named) {
            return Err(self.no_match(suites::tests(&packages, |case| self.names(case)).len()));
        }
        suites::retain_runnable(&mut packages);
        let built =
            suites::build(&packages, |case| self.selects(case), |_| None, &settings.cargo, &self.cargo.build_flags());
        for package in &mut packages {
            package.suite.add_artifacts(built.clone());
        }
        let jobs: Vec<(&Suite, &Case)> = packages
            .iter()
            .flat_map(|package| package.suite.cases().iter().map(move |case| (&package.suite, case)))
            .filter(|(_, case)| self.names(case))
            .collect();
        if let Some(id) = &self.replay {
            return self.replayed(id, &jobs);
        }
        if jobs.is_empty() {
            let _ = writeln!(anstream::stderr(), "{}", message::warning(NOTHING_FOUND));
        }
        let mut explorations = ExplorationsByPackage::of(&packages, &self.command());
        let outcome = self.explore_all(&jobs, &settings, &mut explorations)?;
        let packages_explored = explorations.into_packages();
        // Ignore a closed standard error: the exit code says the same.
        let _ = writeln!(anstream::stderr(), "{}", report::closing_of_explorations(&packages_explored));
        report.write_explorations(&packages_explored)?;
        match suites::faults(&packages) {
            Err(Failure { outcome: fault, message }) => Err(Failure { outcome: outcome.max(fault), message }),
            Ok(()) => Ok(outcome),
        }
    }

    fn names(&self, case: &Case) -> bool {
        let matches =
            |filter: &String| if self.exact { case.name == *filter } else { case.name.contains(filter.as_str()) };
        (self.filters.is_empty() || self.filters.iter().any(matches)) && suites::runs_a_target(case, &self.targets)
    }

    fn selects(&self, case: &Case) -> bool {
        self.names(case) && (self.include_ignored || case.ignored().is_none())
    }

    /// Returns the failure for filters that match no workload but this many tests of cargo.
    fn no_match(&self, tests: usize) -> Failure {
        let filters = self.filters.join("`, `");
        Failure::usage(match tests {
            0 => format!("no workload matches `{filters}`\nhelp: `cargo sysguard list` lists all workloads"),
            _ => format!(
                "`{filters}` matches only tests that cargo runs ({tests}), which are not explored\n\
                 help: make it a closure of a harness, or a workload with `bin:` or `command:`"
            ),
        })
    }

    /// Returns the command that explores the same packages with the same build, for replays: other
    /// flags give other programs.
    fn command(&self) -> String {
        format!("cargo sysguard explore{}{}", self.cargo.packages.selection(), self.cargo.compilation_words())
    }

    /// Explores the workloads and prints each result as it comes.
    fn explore_all(
        &self,
        jobs: &[(&Suite, &Case)],
        settings: &Settings,
        explorations: &mut ExplorationsByPackage,
    ) -> Result<Outcome, Failure> {
        let display = ProgressDisplay::new(settings.progress, jobs.len());
        let options = ExploreOptions {
            budget: self.budget,
            faults: self.errno.clone(),
            jobs: self.cargo.jobs(),
            has_loader: self.loader,
            blesses: self.bless,
        };
        let command = self.command();
        let mut outcome = Outcome::Expected;
        for (suite, case) in jobs {
            let verdict = self.explore(suite, case, &options, &display);
            display.suspended(|| self.print(&verdict, &command)).map_err(Failure::output)?;
            outcome = outcome.max(Outcome::of(&verdict.status));
            explorations.add(suite.package(), verdict);
        }
        Ok(outcome)
    }

    fn explore(
        &self,
        suite: &Suite,
        case: &Case,
        options: &ExploreOptions,
        display: &ProgressDisplay,
    ) -> ExplorationVerdict {
        match case.ignored() {
            Some(reason) if !self.include_ignored => {
                let reason = format!("{reason} (--include-ignored explores it)");
                ExplorationVerdict::unexplored(&case.name, &case.file, None, Status::Ignored { reason })
            }
            _ => suite.explore(case, options, display),
        }
    }

    /// Prints everything on a workload, or one line if standard output belongs to a machine format.
    fn print(&self, verdict: &ExplorationVerdict, command: &str) -> std::io::Result<()> {
        let palette = Palette::coloured();
        match self.report.console() {
            Console::Stdout => {
                let mut out = output::stdout();
                report::exploration(&mut out, verdict, command, &palette)?;
                writeln!(out)
            }
            Console::Stderr => report::exploration_summary(&mut anstream::stderr(), verdict, &palette),
        }
    }
}
