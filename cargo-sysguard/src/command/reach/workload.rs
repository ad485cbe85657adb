//! `reach --workload NAME`: builds and runs a workload in its own environment, and analyses its
//! program.

use std::io::Write;

use reach::observe::observe;
use reach::report::Subject;
use sysguard::unstable::model::run::workload::Program;
use sysguard::unstable::runner::Case;
use sysguard::unstable::settings::Flags;

use super::{Found, Options};
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::message;
use crate::reachability::{checked, survey, traced};
use crate::reaches::SavedReaches;
use crate::suites::{self, Package};

impl Options {
    /// Analyses the program of a workload, with what a run of the workload shows.
    pub(super) fn workload(&self, name: &str, context: &Context) -> Result<Found, Failure> {
        let settings = context.settings(Flags::default())?;
        let packages = suites::open_all(&self.cargo.packages, suites::platform(&self.cargo)?, &settings)?;
        check(&packages, name)?;
        let is_it = |case: &Case| case.name == name;
        let built = suites::build(&packages, is_it, |_| None, &settings.cargo, &self.cargo.build_flags());
        let target = self.cargo.packages.select(&settings.cargo)?.target;
        for Package { metadata, mut suite } in packages {
            suite.add_artifacts(built.clone());
            let Some(case) = suite.cases().iter().find(|case| is_it(case)) else { continue };
            let mut program = None;
            let run = suite.run_by(
                case,
                |command, limits| {
                    let path = command.program.clone();
                    program = Some(path.clone());
                    observe(command, &path, limits)
                },
                |observed| Some(observed.as_ref().ok()?.exit),
            );
            let not_run = |reason: String| Failure {
                outcome: Outcome::NotStarted,
                message: format!("cannot run {name}: {reason}"),
            };
            let run = run.map_err(|reason| not_run(reason.0))?;
            if !run.ended_well {
                let ended = "did not end as its file expects; the end of its output";
                let text = format!("{name} {ended}:\n{}", run.output.trim_end());
                // Ignore a closed standard error: this is only a warning.
                let _ = writeln!(anstream::stderr(), "{}", message::warning(&text));
            }
            let observed = checked(run.result.map_err(|error| traced(&error))?)?;
            let program = program.ok_or_else(|| not_run("it has no program".to_owned()))?;
            let command = case.document().map(|document| document.workload.words()).unwrap_or_default();
            let subject = Subject { workload: Some(name.to_owned()), command };
            let cache = self.cache(context);
            let found = survey(&program, &self.with, Some(observed), cache.as_ref())?;
            let record = found.record(&subject, &self.lined());
            if self.save {
                SavedReaches::below(&target).save(metadata.name.as_str(), name, &record)?;
            }
            let asked = self.asked(&record);
            return Ok(Found { record, asked, was_run: false });
        }
        Err(unknown(name))
    }
}

/// Fails unless exactly one workload has the name, and a program of its own.
fn check(packages: &[Package], name: &str) -> Result<(), Failure> {
    let named = packages.iter().flat_map(|package| package.suite.cases()).filter(|case| case.name == name);
    let case = match named.collect::<Vec<_>>()[..] {
        [] => return Err(unknown(name)),
        [case] => case,
        _ => return Err(ambiguous(name)),
    };
    match case.document().map(|document| &document.workload.program) {
        Some(Program::Closure(_)) => Err(Failure::usage(format!(
            "{name} is a closure in a test, not a program\nhelp: analyse the test binary: its path is shown by `cargo test --no-run`"
        ))),
        _ => Ok(()),
    }
}

fn unknown(name: &str) -> Failure {
    Failure::usage(format!("no workload is named `{name}`\nhelp: `cargo sysguard list` lists the workloads"))
}

fn ambiguous(name: &str) -> Failure {
    Failure::usage(format!("several packages have a workload `{name}`\nhelp: select one by -p PACKAGE"))
}
