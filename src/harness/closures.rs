//! Workloads in code: closures of a test, each run in a process of its own. Main type: [`Harness`].
//!
//! A closure must not run in the harness process: the calls of the harness and its threads would be
//! recorded too. The test binary is executed once more for one closure, and traced from the start
//! to the end of that closure.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Termination};

use super::FAILED;
use super::arguments::Arguments;
use super::check::{Assertions, Check, CheckCase};
use super::closure_body::ClosureBody;
use super::handshake::answer_handshake;
use super::lifeline::follow_lifeline;
use super::package_folder::package_folder;
use super::session::{Console, Session};
use crate::artifacts::{Artifacts, CLOSURES};
use crate::linux;
use crate::model::expectation::format::{InvalidScalar, check_variable};
use crate::model::observe::observation::Observation;
use crate::model::text::escape;
use crate::model::trace::marker::Key;
use crate::report::{self, Palette};
use crate::runner::{CheckOptions, Suite, left_behind, on_long_wait, serve_if_guardian};
use crate::settings::{self, Flags, RawSettings};

/// The workloads of a package: the files below `expectations/`, and closures.
///
/// ```no_run
/// use sysguard::Subsystem;
///
/// fn main() -> std::process::ExitCode {
///     sysguard::Harness::new(env!("CARGO_MANIFEST_DIR"))
///         // Compared with expectations/parse.yaml, which the first run proposes.
///         .workload("parse", || drop("1,2,3".split(',').collect::<Vec<_>>()))
///         // Checked by these assertions, without a file.
///         .check("offline", || drop(std::fs::read("/dev/null")), |seen| {
///             seen.forbid(Subsystem::Network);
///             seen.at_most("openat", 1);
///             assert!(seen.uses(Subsystem::Filesystem));
///         })
///         .main()
/// }
/// ```
#[must_use = "a harness does nothing until its main() is called"]
pub struct Harness {
    package: PathBuf,
    closures: Vec<Closure>,
}

/// A closure that cannot be run under its name, or with its options.
#[derive(Debug, thiserror::Error)]
enum InvalidClosure {
    /// Only the first of two closures with the same name would ever run.
    #[error("two closures of the test are named `{0}`: rename one of them")]
    RepeatedName(String),
    /// A check sets a variable with an invalid name.
    #[error("check `{check}`: {source}")]
    Variable {
        /// The check.
        check: String,
        /// What is wrong.
        source: InvalidScalar,
    },
}

/// A closure and how it is judged.
struct Closure {
    name: String,
    run: ClosureBody,
    check: Option<(CheckOptions, Assertions)>,
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.closures.iter().map(|closure| closure.name.as_str()).collect();
        f.debug_struct("Harness").field("package", &self.package).field("closures", &names).finish()
    }
}

impl Harness {
    /// Creates a harness for the package in this folder: `env!("CARGO_MANIFEST_DIR")`, or a folder
    /// below it.
    ///
    /// If the package was moved after the build, its folder is taken from `CARGO_MANIFEST_DIR` at
    /// run time, or found in the workspace `SYSGUARD_WORKSPACE_ROOT`.
    pub fn new(package: impl Into<PathBuf>) -> Self {
        Self { package: package.into(), closures: Vec::new() }
    }

    /// Adds a closure as a workload. `expectations/NAME.yaml` holds what it may use, with `closure:
    /// NAME` in its first document.
    ///
    /// The name must be usable as a file name: `parse`, or `net::parse`. Only calls between the
    /// start and the end of the closure count, in all threads and processes, and later calls of
    /// threads and processes that it started. Exit handlers that it installs run after its end and
    /// do not count. Markers that the harness did not send fail the test. A closure that returns an
    /// error or panics fails.
    ///
    /// `timeout:`, `env:` and `ignore:` are keys of its file, so that `cargo sysguard bless` runs
    /// it in the same way.
    pub fn workload<T: Termination>(mut self, name: &str, run: impl FnOnce() -> T + 'static) -> Self {
        self.closures.push(Closure { name: name.to_owned(), run: ClosureBody::new(run), check: None });
        self
    }

    /// Adds a closure without a file. `assertions` get the observation of one run and fail by a
    /// panic.
    ///
    /// [`Observation::forbid`], [`Observation::at_most`] and [`Observation::only`] panic, and so
    /// does any `assert!`. A check that fails is repeated like any finding (`SYSGUARD_CONFIRM`, 4
    /// times by default). It fails if each run fails; otherwise its message is a warning.
    ///
    /// [`check_with`](Self::check_with) adds a check with a timeout, variables, or a reason to
    /// ignore it.
    pub fn check<T: Termination>(
        self,
        name: &str,
        run: impl FnOnce() -> T + 'static,
        assertions: impl Fn(&Observation) + Send + Sync + 'static,
    ) -> Self {
        self.check_with(Check::new(name, run, assertions))
    }

    /// Adds a check with its options.
    pub fn check_with(mut self, check: Check) -> Self {
        let Check { name, run, options, assertions } = check;
        self.closures.push(Closure { name, run, check: Some((options, assertions)) });
        self
    }

    /// Runs what the command line asks for, as libtest does. Must be called before anything else in
    /// `main`, which returns its result.
    pub fn main(self) -> ExitCode {
        linux::mark_harness();
        let raw = RawSettings::from_env();
        if serve_if_guardian(&raw) || answer_handshake(&raw) {
            return ExitCode::SUCCESS;
        }
        if let Some(name) = raw.closure() {
            return self.run_closure(&name);
        }
        colour_streams(raw.colour());
        on_long_wait(|folder| {
            // If standard error is closed, there is nowhere to report it.
            let _ = report::waiting(&mut anstream::stderr(), folder, &Palette::coloured());
        });
        let arguments = match Arguments::parse(std::env::args_os().skip(1)) {
            Ok(arguments) => arguments,
            Err(error) => {
                // If standard error is closed, the exit status must do.
                let _ = error.print();
                return if error.use_stderr() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS };
            }
        };
        let outcome = self.run(&raw, arguments);
        // If standard error is closed, there is nowhere to report it.
        let _ = report::left_behind(&mut anstream::stderr(), &left_behind(), &Palette::coloured());
        match outcome {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(FAILED),
            Err(error) => failed(&error.to_string()),
        }
    }

    /// Runs the closure of this name and nothing else.
    fn run_closure(self, name: &str) -> ExitCode {
        let Some(closure) = self.closures.into_iter().find(|closure| closure.name == name) else {
            return failed(&format!(
                "no closure is named `{name}`: add it to the test's main(), or remove its expectation"
            ));
        };
        closure.run.run(key())
    }

    /// Rejects two closures of the same name, and invalid names of variables.
    fn validate(&self) -> Result<(), InvalidClosure> {
        let mut names = BTreeSet::new();
        for Closure { name, check, .. } in &self.closures {
            if !names.insert(name) {
                return Err(InvalidClosure::RepeatedName(name.clone()));
            }
            let variables = check.iter().flat_map(|(options, _)| options.env.keys());
            for variable in variables {
                check_variable(variable).map_err(|source| InvalidClosure::Variable { check: name.clone(), source })?;
            }
        }
        Ok(())
    }

    /// Runs the session and returns whether all workloads passed.
    fn run(self, raw: &RawSettings, arguments: Arguments) -> Result<bool, Box<dyn std::error::Error>> {
        colour_streams(arguments.colour());
        let settings = settings::resolve(raw, Flags::default())?.for_tests()?;
        follow_lifeline(&settings);
        self.validate()?;
        let workspace = settings.workspace_root.clone();
        let is_package = |folder: &Path| folder.join("Cargo.toml").is_file();
        let package = package_folder(&self.package, raw.manifest_dir().as_deref(), workspace.as_deref(), is_package);
        let mut suite = Suite::open(&package, workspace.as_deref(), settings::platform(), settings)?;
        suite.add_artifacts(this_test(&package)?);
        let (mut checks, mut workloads) = (Vec::new(), Vec::new());
        for Closure { name, check, .. } in self.closures {
            match check {
                Some((options, assertions)) => checks.push(CheckCase { case: suite.check(&name, options), assertions }),
                None => workloads.push(name),
            }
        }
        suite.add_closures(workloads);
        let named = suite.cases().iter().find(|case| checks.iter().any(|check| check.case.name == case.name));
        if let Some(case) = named {
            return Err(
                format!("{}: `{}` is also a check of the test: rename one of them", case.file, case.name).into()
            );
        }
        if checks.is_empty() && suite.is_empty() {
            // If standard error is closed, there is nowhere to report it.
            let _ = report::no_workloads(&mut anstream::stderr(), &suite.folder(), &Palette::coloured());
        }
        let summary = Session::new(suite, arguments, Console::Stdout).with_checks(checks).run()?;
        Ok(!summary.failed)
    }
}

/// Sets whether standard output and error are coloured; `None` leaves that to the terminal.
fn colour_streams(colour: Option<bool>) {
    match colour {
        Some(true) => anstream::ColorChoice::Always.write_global(),
        Some(false) => anstream::ColorChoice::Never.write_global(),
        None => {}
    }
}

/// Returns a number that code in the closure cannot guess: std seeds its hasher with random bytes
/// of the system.
fn key() -> Key {
    Key(std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id()))
}

/// Returns the binary that contains the closures: the running one.
fn this_test(package: &Path) -> Result<Artifacts, std::io::Error> {
    let mut artifacts = Artifacts::default();
    artifacts.insert(package, CLOSURES.target(), Ok(std::env::current_exe()?));
    Ok(artifacts)
}

fn failed(message: &str) -> ExitCode {
    let _ = writeln!(anstream::stderr(), "error: {}", escape::message(message));
    ExitCode::from(FAILED)
}
