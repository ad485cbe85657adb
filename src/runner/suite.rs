//! The workloads of one package. Main type: [`Suite`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::executables::Executables;
use super::run::{self, PreparedWorkload};
use super::runnable::{Obstacle, RunFailure, Runnable, Wanted};
use crate::artifacts::{self, Artifacts, Target};
use crate::error::{Error, NotBuilt};
use crate::linux::{Machine, probe};
use crate::model::expectation::{Document, Parsed};
use crate::model::observe::observation::Observation;
use crate::model::run::platform::Platform;
use crate::model::run::workload::{Exit, Program};
use crate::model::trace::prerequisite::can_trace;
use crate::settings::Settings;
use crate::store::{FOLDER, Store, StoreError, proposals_below};

/// The workload name under which misnamed files fail. No workload has it, because no part of a name
/// contains a `/`.
const FAULT: &str = "expectations/";

/// The workloads of one package.
#[derive(Debug)]
pub struct Suite {
    pub(super) store: Store,
    pub(super) settings: Settings,
    pub(super) platform: Platform,
    /// How many CPUs this process may use.
    pub(super) cpus: usize,
    /// The compiler's version, once it was asked for.
    pub(super) rustc: OnceLock<Option<String>>,
    cases: Vec<Case>,
    tests: Vec<Case>,
    targets: Executables,
}

/// One workload, or a file that should be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Its expectation file, relative to the package.
    pub file: String,
    /// The parsed file, or why it cannot be used.
    pub content: Result<Parsed, Unreadable>,
}

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// What is wrong with it.
    pub message: String,
    /// The line of the error, if known.
    pub line: Option<usize>,
}

impl From<StoreError> for Unreadable {
    fn from(error: StoreError) -> Self {
        let line = match &error {
            StoreError::Malformed { malformed, .. } => Some(malformed.line),
            _ => None,
        };
        Self { message: error.to_string(), line }
    }
}

impl Case {
    /// Returns the author's document, if the file is readable.
    pub fn document(&self) -> Option<&Document> {
        self.content.as_ref().ok().map(|parsed| &parsed.expectation.document)
    }

    /// Returns whether it is a test that only cargo runs.
    fn is_test(&self) -> bool {
        self.document().is_some_and(|document| matches!(document.workload.program, Program::Run(_)))
    }

    /// Returns why it runs only on request.
    pub fn ignored(&self) -> Option<&str> {
        self.document()?.ignore.as_deref()
    }
}

impl Suite {
    /// Finds and reads the workloads of a package.
    ///
    /// A tree of proposals mirrors that of `workspace`. If the caller does not know the workspace,
    /// cargo is asked.
    pub fn open(
        package: &Path,
        workspace: Option<&Path>,
        platform: Platform,
        settings: Settings,
    ) -> Result<Self, Error> {
        let mut suite = Self::for_tests(package, workspace, platform, settings)?;
        (suite.tests, suite.cases) = cases(&suite.store).into_iter().partition(Case::is_test);
        Ok(suite)
    }

    /// Opens a package for the tests that cargo runs. No workload is read here; each test reads its
    /// own file.
    pub fn for_tests(
        package: &Path,
        workspace: Option<&Path>,
        platform: Platform,
        settings: Settings,
    ) -> Result<Self, Error> {
        let proposals = match &settings.pending_dir {
            Some(folder) => Some(proposals_of(package, workspace, folder, &settings.cargo)?),
            None => None,
        };
        let store = Store::open(package, proposals.as_deref())?;
        let prebuilt = settings.artifacts.as_deref().map(Artifacts::read).transpose()?.unwrap_or_default();
        let targets = Executables {
            package: package.to_owned(),
            cargo: settings.cargo.clone(),
            prebuilt,
            binaries: settings.binaries.clone(),
            wanted: BTreeSet::new(),
            built: OnceLock::new(),
        };
        let (cases, tests) = (Vec::new(), Vec::new());
        let cpus = Machine::cpus();
        Ok(Self { store, settings, platform, cpus, rustc: OnceLock::new(), cases, tests, targets })
    }

    /// Returns the settings from environment and command line.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns one failing case for all files that look like expectations but are misnamed, if
    /// there are any.
    pub fn fault(&self) -> Option<Case> {
        let faults: Vec<String> = self.store.faults().iter().map(ToString::to_string).collect();
        let (name, file) = (FAULT.to_owned(), FOLDER.to_owned());
        let content = Err(Unreadable { message: faults.join("\n"), line: None });
        (!faults.is_empty()).then_some(Case { name, file, content })
    }

    /// Returns the folder of the package.
    pub fn package(&self) -> &Path {
        &self.targets.package
    }

    /// Returns the folder of the package's expectations.
    pub fn folder(&self) -> PathBuf {
        self.package().join(FOLDER)
    }

    /// Returns the workloads, ordered by name.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Returns whether there is neither a workload nor a misnamed file.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty() && self.store.faults().is_empty()
    }

    /// Returns whether every workload is ignored here: tracing is impossible and not required.
    pub fn is_untraceable(&self) -> bool {
        !self.settings.require && !can_trace(&probe(""))
    }

    /// Returns whether the workload is ignored here: it lacks a program and that is not required to
    /// be there.
    pub fn lacks_program(&self, case: &Case) -> bool {
        let lacks = |document: &Document| run::lacks(&document.workload, self.package()).is_some();
        !self.settings.require && case.document().is_some_and(lacks)
    }

    /// Returns the tests that cargo runs and that have a file, ordered by name.
    pub fn tests(&self) -> &[Case] {
        &self.tests
    }

    /// Returns the targets that cargo must build for the selected workloads.
    pub fn targets(&self, selected: impl Fn(&Case) -> bool) -> BTreeSet<Target> {
        let documents = self.cases.iter().filter(|case| selected(case)).filter_map(Case::document);
        documents.flat_map(|document| document.workload.programs()).filter_map(Target::of).collect()
    }

    /// Announces the workloads that will be run, so that one call of cargo builds their targets.
    pub fn plan_builds(&mut self, selected: impl Fn(&Case) -> bool) {
        self.targets.wanted = self.targets(selected);
    }

    /// Adds executables that have already been built.
    pub fn add_artifacts(&mut self, artifacts: Artifacts) {
        self.targets.prebuilt.extend(artifacts);
    }

    /// Adds the closures of this test as workloads. A closure without a file gets a proposal.
    pub fn add_closures(&mut self, names: impl IntoIterator<Item = String>) {
        for name in names {
            let case = match self.cases.iter().position(|case| case.name == name) {
                Some(index) => checked_closure(self.cases.remove(index)),
                None => self.closure(name),
            };
            let place = self.cases.partition_point(|other| other.name < case.name);
            self.cases.insert(place, case);
        }
    }

    pub(super) fn closure(&self, name: String) -> Case {
        let checked = self.store.check(&name).map_err(Unreadable::from);
        let parse = || Parsed::of_closure(&name).map_err(|error| Unreadable { message: error.to_string(), line: None });
        let content = checked.and_then(|()| parse());
        Case { file: self.store.file(&name).display().to_string(), content, name }
    }

    /// Returns how one run of a workload ends, or `None` if it cannot be run and traced here.
    pub fn ending(&self, case: &Case) -> Option<Exit> {
        let prepared = self.prepare(case.document()?).ok()?;
        match prepared.good_run(Wanted::Nothing) {
            Ok(run) => Some(run.exit),
            Err(RunFailure::WrongExit(run)) => Some(run.exit),
            Err(RunFailure::Obstacle(_)) => None,
        }
    }

    /// Runs a workload once under ptrace. Returns its observation and its exit, which may differ
    /// from the exit that its document expects.
    ///
    /// # Errors
    ///
    /// The reason it cannot be run or traced here.
    pub fn observe_once(&self, case: &Case) -> Result<(Observation, Exit), String> {
        let document = case.document().ok_or("its file is malformed")?;
        let run = self.prepare(document).map_err(RunFailure::from).and_then(|it| it.good_run(Wanted::Nothing));
        match run {
            Ok(run) => Ok((run.observation, run.exit)),
            Err(RunFailure::WrongExit(run)) => Ok((run.observation, run.exit)),
            Err(RunFailure::Obstacle(obstacle)) => Err(obstacle.to_string()),
        }
    }

    /// Returns the program of a workload that runs a target of the package. Its targets must have
    /// been built. `None` for a command, a closure, and a target that could not be built.
    pub fn built_program(&self, case: &Case) -> Option<PathBuf> {
        let program = &case.document()?.workload.program;
        let target = Target::of(program).filter(|_| !matches!(program, Program::Closure(_)))?;
        self.targets.executable(&target).ok()
    }

    /// Finds what a workload needs to run.
    pub(super) fn prepare<'a>(&'a self, document: &'a Document) -> Result<PreparedWorkload<'a>, Obstacle> {
        let built = |program: &Program| match Target::of(program) {
            Some(target) => self.targets.executable(&target),
            None => Err(NotBuilt("a command is not built".to_owned())),
        };
        let prepared = PreparedWorkload::new(&document.workload, &self.targets.package, built)?;
        Ok(prepared.with_conditions(document.call_conditions()))
    }
}

/// Fails a case if the file with a closure's name runs something else.
fn checked_closure(case: Case) -> Case {
    let program = case.document().map(|document| &document.workload.program);
    if program.is_none_or(|program| *program == Program::Closure(case.name.clone())) {
        return case;
    }
    let message = format!(
        "{}: `{}` is also a closure of the test: write `closure: {}`, or rename one of them",
        case.file, case.name, case.name
    );
    Case { content: Err(Unreadable { message, line: None }), ..case }
}

fn cases(store: &Store) -> Vec<Case> {
    let case = |name: &str| Case {
        name: name.to_owned(),
        file: store.file(name).display().to_string(),
        content: store.load(name).map_err(Unreadable::from),
    };
    store.names().map(case).collect()
}

/// Returns the package's folder in the tree of proposals. A relative tree starts at the workspace.
fn proposals_of(package: &Path, workspace: Option<&Path>, folder: &Path, cargo: &Path) -> Result<PathBuf, Error> {
    let workspace = match workspace {
        Some(workspace) => workspace.to_owned(),
        None => artifacts::workspace(cargo, package)?,
    };
    Ok(proposals_below(folder, &workspace, package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposal_tree_mirrors_the_workspace() {
        let workspace = Some(Path::new("/w"));
        for (package, folder, place) in [
            ("/w", "/pending", "/pending"),
            ("/w/crates/one", "/pending", "/pending/crates/one"),
            ("/w/crates/one", "target/pending", "/w/target/pending/crates/one"),
            ("/elsewhere", "/pending", "/pending"),
        ] {
            let found = proposals_of(Path::new(package), workspace, Path::new(folder), Path::new("no-cargo"));
            assert_eq!(found.expect("no cargo is needed").components().collect::<PathBuf>(), Path::new(place));
        }
    }
}
