//! What a program could call: its survey, with the failures of a command. Main types: [`Surveyed`]
//! and [`Reachability`].

mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use reach::modules::{Modules, Unusable};
use reach::observe::Observed;
use reach::report::{ReachRecord, SourceLines, Subject};
use reach::survey::Survey;
use sysguard::unstable::linux::{SymbolFiles, TraceError};
use sysguard::unstable::model::attribution::entry_points;
use sysguard::unstable::model::observe::selected::Selected;
use sysguard::unstable::report::explain::Ways;

use crate::cargo::PackageFlags;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::only::{Only, selected};

pub(crate) use program::find;

/// The survey of a program.
#[derive(Debug)]
pub(crate) struct Surveyed(Survey);

/// Fails if a file is not a program that can be analysed.
pub(crate) fn check(program: &Path) -> Result<(), Failure> {
    Modules::of(program).map(drop).map_err(|error| unusable(&error))
}

/// Analyses a program.
pub(crate) fn survey(program: &Path, given: &[PathBuf], observed: Option<Observed>) -> Result<Surveyed, Failure> {
    Survey::of(program, given, observed).map(Surveyed).map_err(|error| unusable(&error))
}

impl Surveyed {
    /// Returns the record, with source lines for the ways that are asked for.
    pub(crate) fn record(&self, subject: &Subject, asked: &[Only]) -> ReachRecord {
        let asked = selected(asked);
        let is_asked = |name: &str, subsystem: &str| selects(&asked, subsystem, name);
        let calls: BTreeSet<String> = self
            .0
            .reach
            .calls
            .keys()
            .filter(|syscall| is_asked(&syscall.name(), entry_points::subsystem(**syscall).slug()))
            .map(|syscall| syscall.name().into_owned())
            .collect();
        let files = SymbolFiles::with_debug_packages();
        ReachRecord::new(subject, &self.0, &SourceLines::new(&files, &self.0.modules, calls))
    }
}

fn unusable(error: &Unusable) -> Failure {
    let help = match error {
        Unusable::Script { interpreter, .. } => {
            let program = interpreter.split_whitespace().next().unwrap_or_default();
            format!("\nhelp: run `cargo sysguard reach {program}`; the interpreter can run any script")
        }
        _ => String::new(),
    };
    Failure { outcome: Outcome::NotStarted, message: format!("{error}{help}") }
}

/// Returns a failed run as a failure of the command.
pub(crate) fn traced(error: &TraceError) -> Failure {
    let outcome = match error {
        TraceError::Exec { .. } | TraceError::Directory { .. } => Outcome::NotStarted,
        TraceError::Impossible { .. } => Outcome::Untraceable,
        _ => Outcome::Failed,
    };
    Failure { outcome, message: error.to_string() }
}

/// Refuses a run that lost events.
pub(crate) fn checked(observed: Observed) -> Result<Observed, Failure> {
    match observed.lost_events {
        0 => Ok(observed),
        lost => Err(Failure::failed(format!("{lost} events were lost, so the run is incomplete"))),
    }
}

/// What a program could call, for other commands.
#[derive(Debug)]
pub(crate) struct Reachability(ReachRecord);

/// Analyses a program without running it. `name` is as for `reach`.
pub(crate) fn reachability(name: &OsStr, packages: &PackageFlags, context: &Context) -> Result<Reachability, Failure> {
    let program = find(name, packages, &packages.lock_flags(), context)?;
    reachability_of(&program)
}

/// Analyses a program file without running it.
pub(crate) fn reachability_of(program: &Path) -> Result<Reachability, Failure> {
    let subject = Subject { workload: None, command: vec![program.to_string_lossy().into_owned()] };
    Ok(Reachability(survey(program, &[], None)?.record(&subject, &[])))
}

impl Reachability {
    /// Returns the ways to some calls. `program` is its name for the user.
    pub(crate) fn ways(&self, program: &OsStr, calls: &BTreeSet<String>) -> Ways {
        let way = |call: &String| Some((call.clone(), self.0.way(call)?));
        let others = calls.iter().filter(|call| self.0.way(call).is_none());
        Ways {
            program: program.to_string_lossy().into_owned(),
            found: calls.iter().filter_map(way).collect(),
            others: others.cloned().collect(),
            // The sites are listed by `reach`.
            doubts: self.0.doubts().into_iter().filter(|line| !line.starts_with(' ')).collect(),
        }
    }

    /// Returns the reachable calls, each with a way to it.
    pub(crate) fn calls(&self) -> BTreeMap<String, String> {
        let way = |call: &str| Some((call.to_owned(), self.0.way(call)?));
        self.0.reachable().into_iter().filter_map(way).collect()
    }

    /// Returns whether they are an upper bound.
    pub(crate) fn is_upper_bound(&self) -> bool {
        self.0.is_upper_bound()
    }
}

/// Returns whether a call is selected by its name or the subsystem of its entry point.
pub(crate) fn selects(selected: &Selected, subsystem: &str, name: &str) -> bool {
    selected.syscalls.contains(name) || selected.subsystems.iter().any(|selected| selected.slug() == subsystem)
}
