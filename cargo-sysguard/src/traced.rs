//! `diff --trace`: traces two revisions on this machine and compares them. Main type: [`Traced`].
//!
//! Each is built in its own folder and target directory. It must not change the expectations of
//! either.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::rc::Rc;

use sysguard::unstable::artifacts::{self, Build};
use sysguard::unstable::harness::ProgressDisplay;
use sysguard::unstable::model::expectation::Expectation;
use sysguard::unstable::model::judge::revisions::ExpectationDiff;
use sysguard::unstable::model::judge::verdict::Verdict;
use sysguard::unstable::model::observe::observation::Engine;
use sysguard::unstable::model::run::recording::Length;
use sysguard::unstable::model::run::workload::Program;
use sysguard::unstable::report::revisions::ReachDiff;
use sysguard::unstable::report::{self, Palette};
use sysguard::unstable::runner::{Case, Suite, git};
use sysguard::unstable::settings::Settings;

use crate::cargo::{BuildFlags, TargetFlags};
use crate::exit_code::{Failure, Outcome};
use crate::git::{Revision, Worktree};
use crate::message;
use crate::proposals::Proposals;
use crate::reachability::{Reachability, reachability_of};
use crate::suites;

/// Which workloads are traced, and how.
#[derive(Debug)]
pub(crate) struct Traced<'a> {
    pub(crate) filters: &'a [String],
    pub(crate) length: Length,
    pub(crate) cargo: &'a BuildFlags,
    pub(crate) targets: &'a TargetFlags,
    pub(crate) settings: &'a Settings,
}

/// The differences between the two revisions.
pub(crate) struct Compared {
    pub(crate) diffs: Vec<ExpectationDiff>,
    /// What their programs could call only at one of them.
    pub(crate) reach: Vec<ReachDiff>,
    pub(crate) outcome: Outcome,
    /// The number of workloads that could not be run.
    pub(crate) untraced: usize,
}

/// A package at one revision, and how it is built.
struct Checkout<'a> {
    folder: &'a Path,
    flags: &'a [OsString],
    /// The variables that point git to the caller's repository. Build scripts of the other revision
    /// must not see them.
    without: &'a [String],
}

/// What one package's workloads showed at one revision.
#[derive(Default)]
struct Observed {
    expectations: BTreeMap<String, Expectation>,
    /// What the programs of the workloads could call, as far as cargo built them.
    reach: BTreeMap<String, Rc<Reachability>>,
}

impl Traced<'_> {
    /// Returns what the workloads use only now, and what they used only at the revision. A workload
    /// that fails at either is reported and not compared.
    pub(crate) fn diffs(&self, proposals: &Proposals, base: &str) -> Result<Compared, Failure> {
        let (mut diffs, mut reach, mut outcome, mut untraced) = (Vec::new(), Vec::new(), Outcome::Expected, 0);
        for (folder, store) in proposals.packages() {
            let revision = Revision::find(folder, base)?;
            let worktree = Worktree::of(&revision, folder)?;
            let mut failed = BTreeSet::new();
            // A package may be newer than the revision.
            let is_there = worktree.folder.join("Cargo.toml").is_file();
            let flags = self.cargo.build_flags_into(Some(&worktree.target));
            let before = if is_there {
                // A build can outlive this process and still write, so the cleaner waits for it.
                let held = worktree
                    .hold()
                    .map_err(|error| Failure::failed(format!("cannot duplicate the handle of a worktree: {error}")))?;
                let checkout = Checkout { folder: &worktree.folder, flags: &flags, without: git::local_variables() };
                self.observe(&checkout, held, &mut failed, &mut outcome)?
            } else {
                Observed::default()
            };
            drop(worktree);
            let flags = self.cargo.build_flags();
            let checkout = Checkout { folder, flags: &flags, without: &[] };
            let after = self.observe(&checkout, Stdio::null(), &mut failed, &mut outcome)?;
            let names: BTreeSet<&String> = before.expectations.keys().chain(after.expectations.keys()).collect();
            for name in names.into_iter().filter(|name| !failed.contains(*name)) {
                let file = proposals.file_below(folder, store, name);
                let [old, new] = [&before, &after].map(|observed| observed.expectations.get(name));
                diffs.extend(ExpectationDiff::between(name, &file, old, new));
                let [old, new] = [&before, &after].map(|observed| observed.reach.get(name));
                reach.extend(old.zip(new).and_then(|(old, new)| reach_diff(name, old, new)));
            }
            untraced += failed.len();
        }
        Ok(Compared { diffs, reach, outcome, untraced })
    }

    /// Builds and runs the workloads of the package in this folder.
    fn observe(
        &self,
        checkout: &Checkout<'_>,
        stdin: Stdio,
        failed: &mut BTreeSet<String>,
        outcome: &mut Outcome,
    ) -> Result<Observed, Failure> {
        let Checkout { folder, flags, without } = *checkout;
        // Only sets are compared, so the faster notify engine suffices unless ptrace was requested.
        // No proposals are written.
        let engine = if self.settings.engine == Engine::Ptrace { Engine::Ptrace } else { Engine::Notify };
        let settings = Settings { pending_dir: None, engine, ..self.settings.clone() };
        let mut suite = Suite::open(folder, None, suites::platform(self.cargo)?, settings).map_err(Failure::failed)?;
        let targets = suite.targets(|case| self.selects(case));
        if !targets.is_empty() {
            let package = artifacts::package(&self.settings.cargo, folder, without).map_err(Failure::failed)?;
            let flags: Vec<OsString> =
                flags.iter().cloned().chain(suites::colour_flags(self.settings.colour)).collect();
            let build = Build { cargo: &self.settings.cargo, flags: &flags, shown: true, stdin, without };
            suite.add_artifacts(build.run(&[(&package, targets)]));
        }
        let total = suite.cases().iter().filter(|case| self.selects(case)).count();
        let display = ProgressDisplay::new(self.settings.progress, total);
        let mut observed = Observed::default();
        let mut programs = BTreeMap::new();
        for case in suite.cases().iter().filter(|case| self.selects(case)) {
            match (suite.observe(case, self.length, &display), case.document()) {
                (Ok(baseline), Some(document)) => {
                    let expectation = Expectation { document: document.clone(), baselines: vec![baseline] };
                    observed.expectations.insert(case.name.clone(), expectation);
                    let program = suite.built_program(case);
                    let reach = program.and_then(|program| {
                        programs.entry(program).or_insert_with_key(|program| analyse(program)).clone()
                    });
                    observed.reach.extend(reach.map(|reach| (case.name.clone(), reach)));
                }
                (Err(verdict), _) => {
                    failed.insert(case.name.clone());
                    *outcome = (*outcome).max(Outcome::of(&verdict.status));
                    display.suspended(|| print_failure(&verdict));
                }
                (Ok(_), None) => {}
            }
        }
        Ok(observed)
    }

    fn selects(&self, case: &Case) -> bool {
        let named = self.filters.iter().any(|filter| case.name.contains(filter.as_str()));
        (self.filters.is_empty() || named)
            && case.ignored().is_none()
            // Only cargo can start a test of `run`.
            && case.document().is_none_or(|document| !matches!(document.workload.program, Program::Run(_)))
            && suites::runs_a_target(case, self.targets)
    }
}

/// Returns what a program could call. One that cannot be analysed is not compared, and neither is
/// any on another processor.
fn analyse(program: &Path) -> Option<Rc<Reachability>> {
    match reachability_of(program) {
        Ok(reachability) => Some(Rc::new(reachability)),
        Err(Failure { outcome: Outcome::Untraceable, .. }) => None,
        Err(failure) => {
            let text = format!("reachable calls are not compared: {}", failure.message);
            // Ignore a closed standard error: this is only a warning.
            let _ = writeln!(anstream::stderr(), "{}", message::warning(&text));
            None
        }
    }
}

/// Returns the calls that are reachable at one revision only; `None` if there are none.
fn reach_diff(workload: &str, before: &Reachability, after: &Reachability) -> Option<ReachDiff> {
    let is_upper_bound = before.is_upper_bound() && after.is_upper_bound();
    let (before, after) = (before.calls(), after.calls());
    let new = after.iter().filter(|(call, _)| !before.contains_key(*call));
    let gone = before.keys().filter(|call| !after.contains_key(*call));
    let diff = ReachDiff {
        workload: workload.to_owned(),
        new: new.map(|(call, way)| (call.clone(), way.clone())).collect(),
        gone: gone.cloned().collect(),
        is_upper_bound,
    };
    (!diff.new.is_empty() || !diff.gone.is_empty()).then_some(diff)
}

/// Prints why a workload was not traced. Ignores a closed standard error: the exit code remains.
fn print_failure(verdict: &Verdict) {
    let mut out = anstream::stderr().lock();
    let _ = report::verdict(&mut out, verdict, &Palette::coloured()).and_then(|()| out.flush());
}
