//! `cargo sysguard bless`: runs workloads and records what they use in their baselines. Main type:
//! [`Options`].

use std::io::{self, Write};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use sysguard::unstable::harness::{Console, ProgressDisplay};
use sysguard::unstable::model::expectation::Unseen;
use sysguard::unstable::model::judge::verdict::Verdict;
use sysguard::unstable::model::observe::observation::Engine;
use sysguard::unstable::model::run::recording::Length;
use sysguard::unstable::report::{self, Palette};
use sysguard::unstable::runner::{Case, Suite};
use sysguard::unstable::settings::Flags;

use crate::cargo::{BuildFlags, TargetFlags};
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::output;
use crate::selection::{NoMatch, Selection};
use crate::suites::{self, NOTHING_FOUND};
use crate::verdicts::{ReportFlags, VerdictsByPackage};

/// `bless`'s options.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    selection: Selection,
    /// Run each workload exactly N times instead of until no run adds anything
    #[arg(long, value_name = "N")]
    runs: Option<NonZeroU32>,
    /// Record with this engine: ptrace, or notify, which is faster and records the same sets
    /// [default: ptrace]
    #[arg(long, value_name = "ENGINE", value_parser = Engine::to_record)]
    engine: Option<Engine>,
    /// Remove from the baselines what no run used
    #[arg(long)]
    prune: bool,
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

impl Options {
    /// Blesses the selected workloads. A failed one does not stop the others.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let engine = context.engine(self.engine, "bless", &[Engine::Notify, Engine::Ptrace])?;
        let settings = context.settings(Flags { require: self.require, engine: Some(engine), ..Flags::default() })?;
        let report = self.report.prepare("bless", &settings)?;
        let mut packages = suites::open_all(&self.cargo.packages, suites::platform(&self.cargo)?, &settings)?;
        self.selection.check(&packages, &self.targets).map_err(no_match)?;
        self.selection.build(&mut packages, &self.targets, &settings, &self.cargo);
        let jobs = self.selection.cases(&packages, &self.targets);
        if jobs.is_empty() {
            let _ = writeln!(anstream::stderr(), "{}", message::warning(NOTHING_FOUND));
        }
        let mut by_package = VerdictsByPackage::of(&packages);
        let outcome = self.bless_all(&jobs, &ProgressDisplay::new(settings.progress, jobs.len()), &mut by_package)?;
        report.write(by_package)?;
        match suites::faults(&packages) {
            Err(Failure { outcome: fault, message }) => Err(Failure { outcome: outcome.max(fault), message }),
            Ok(()) => Ok(outcome),
        }
    }

    /// Blesses the workloads in parallel, one thread per CPU, and prints each result as it comes.
    fn bless_all(
        &self,
        jobs: &[(&Suite, &Case)],
        display: &ProgressDisplay,
        by_package: &mut VerdictsByPackage,
    ) -> Result<Outcome, Failure> {
        let next = AtomicUsize::new(0);
        let outcome: Mutex<Result<Outcome, io::Error>> = Mutex::new(Ok(Outcome::Expected));
        let by_package = Mutex::new(by_package);
        let work = || {
            while let Some((suite, case)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let verdict = self.bless(suite, case, display);
                let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                let line = display.suspended(|| print_verdict(&verdict, self.report.console()));
                if let Ok(worst) = &mut *outcome {
                    match line {
                        Ok(()) => *worst = (*worst).max(Outcome::of(&verdict.status)),
                        Err(error) => *outcome = Err(error),
                    }
                }
                by_package.lock().unwrap_or_else(PoisonError::into_inner).add(suite.package(), verdict);
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from).min(jobs.len()) {
                scope.spawn(work);
            }
        });
        outcome.into_inner().unwrap_or_else(PoisonError::into_inner).map_err(Failure::output)
    }

    fn bless(&self, suite: &Suite, case: &Case, display: &ProgressDisplay) -> Verdict {
        match case.ignored() {
            Some(reason) if !self.selection.include_ignored => {
                Suite::ignored(case, &format!("{reason} (--include-ignored blesses it)"))
            }
            _ => {
                let length = self.runs.map_or(Length::UntilQuiet, Length::Exactly);
                suite.bless(case, length, if self.prune { Unseen::Prune } else { Unseen::Keep }, display)
            }
        }
    }
}

fn no_match(NoMatch { filters, tests }: NoMatch) -> Failure {
    Failure::usage(match tests {
        0 => format!("no workload matches `{filters}`\nhelp: `cargo sysguard list` lists all workloads"),
        _ => format!(
            "`{filters}` matches only tests that cargo runs ({tests})\nhelp: record them with `cargo sysguard run --update always -- test …`"
        ),
    })
}

/// Prints one line for a success, and the whole verdict to standard error for a failure.
fn print_verdict(verdict: &Verdict, console: Console) -> io::Result<()> {
    let palette = Palette::coloured();
    match console {
        _ if verdict.status.is_failure() => report::verdict(&mut anstream::stderr(), verdict, &palette),
        Console::Stdout => report::summary(&mut output::stdout(), verdict, &palette),
        Console::Stderr => report::summary(&mut anstream::stderr(), verdict, &palette),
    }
}
