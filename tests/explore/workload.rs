//! A program as a workload of a package, and how its calls are named. Main type: [`Workload`].

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::{Completion, Failed, Trial};
use sysguard::unstable::model::explore::injection::{Fault, Injection};
use sysguard::unstable::model::explore::run::Attempt;
use sysguard::unstable::model::explore::survey::SurveyedCall;
use sysguard::unstable::model::kernel::call::Errno;
use sysguard::unstable::runner::{Explorer, Suite, Surveyed, limit};
use sysguard::unstable::settings::{Flags, RawSettings, platform, resolve};

use crate::needs::{self, Need};

/// A package with one workload.
pub(crate) struct Workload {
    suite: Suite,
    /// Removed with its content when this is dropped.
    _folder: Option<tempfile::TempDir>,
}

/// Fails with both sides if they differ.
macro_rules! ensure_eq {
    ($left:expr, $right:expr) => {
        let (left, right) = (&$left, &$right);
        if left != right {
            return Err(format!("{}: {left:?} is not {right:?}", stringify!($left)).into());
        }
    };
}
pub(crate) use ensure_eq;

/// Returns a trial that needs these things and a C compiler.
pub(crate) fn trial(name: &str, needs: &'static [Need], run: fn() -> Result<(), Failed>) -> Trial {
    Trial::ignorable_test(name, move || {
        let compiler = [Need::Program("cc".to_owned())];
        let unmet = needs::unmet(&compiler).or_else(|| needs::unmet(needs));
        unmet.unwrap_or_else(|| run().map(|()| Completion::Completed))
    })
}

impl Workload {
    /// Builds a program of `programs/` with further arguments of the compiler.
    pub(crate) fn of(program: &str, flags: &[&str]) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        build(program, flags, &folder.path().join("program"))?;
        let suite = suite(folder.path(), &["./program"], &[])?;
        Ok(Self { suite, _folder: Some(folder) })
    }

    /// Takes a package with a built program, with variables for its environment.
    pub(crate) fn in_folder(folder: &Path, variables: &[(&str, &str)]) -> Result<Self, Failed> {
        Ok(Self { suite: suite(folder, &["./program"], variables)?, _folder: None })
    }

    /// Returns a command of this machine.
    pub(crate) fn command(words: &[&str]) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        Ok(Self { suite: suite(folder.path(), words, &[])?, _folder: Some(folder) })
    }

    pub(crate) fn explored(&self) -> Result<Explored<'_>, Failed> {
        let explorer = self.explorer()?;
        let surveyed = explorer.survey(false)?;
        Ok(Explored { limit: limit(surveyed.elapsed), explorer, surveyed })
    }

    pub(crate) fn explorer(&self) -> Result<Explorer<'_>, Failed> {
        let case = self.suite.cases().first().ok_or("no workload")?;
        Ok(self.suite.explorer(case)?)
    }
}

/// Compiles a program of `programs/`.
pub(crate) fn build(program: &str, flags: &[&str], to: &Path) -> Result<(), Failed> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explore/programs").join(program);
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]).args(flags).arg(source).arg("-o").arg(to);
    let built = compiler.output()?;
    if built.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&built.stderr).into_owned().into()) }
}

fn suite(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Result<Suite, Failed> {
    let expectations = folder.join("expectations");
    fs::create_dir_all(&expectations)?;
    let variables: String = variables.iter().map(|(name, value)| format!("  {name}: {value:?}\n")).collect();
    let variables = if variables.is_empty() { variables } else { format!("env:\n{variables}") };
    fs::write(expectations.join("it.yaml"), format!("version: 2\ncommand: {words:?}\n{variables}"))?;
    let settings = resolve(&RawSettings::default(), Flags::default())?;
    Ok(Suite::open(folder, Some(folder), platform(), settings)?)
}

/// A workload with its survey.
pub(crate) struct Explored<'a> {
    pub(crate) explorer: Explorer<'a>,
    pub(crate) surveyed: Surveyed,
    pub(crate) limit: Duration,
}

impl Explored<'_> {
    /// Returns the calls of this name that the loader does not make.
    pub(crate) fn calls(&self, name: &str) -> Vec<&SurveyedCall> {
        let calls = self.surveyed.survey.calls.iter();
        calls.filter(|call| call.point.syscall.name() == name && !call.by_loader).collect()
    }

    /// Returns the calls between the first and the last call of this name.
    pub(crate) fn calls_between(&self, name: &str) -> Vec<&SurveyedCall> {
        let calls = &self.surveyed.survey.calls;
        let mut marks = calls.iter().enumerate().filter(|(_, call)| call.point.syscall.name() == name);
        let (first, last) = (marks.next(), marks.next_back());
        let Some(((first, _), (last, _))) = first.zip(last) else { return Vec::new() };
        calls[first + 1..last].iter().collect()
    }

    /// Makes an attempt and fails unless its call was reached.
    pub(crate) fn attempt(&self, call: &SurveyedCall, fault: Fault) -> Result<Attempt, Failed> {
        let attempt = self.explorer.attempt(&Injection { point: call.point, fault }, self.limit)?;
        if attempt.reached { Ok(attempt) } else { Err(format!("not reached: {}", call.example.call).into()) }
    }

    /// As [`Self::attempt`], and returns the lines of the output.
    pub(crate) fn lines(&self, call: &SurveyedCall, fault: Fault) -> Result<Vec<String>, Failed> {
        Ok(lines(&self.attempt(call, fault)?.result.stdout.start))
    }
}

/// Returns the lines of an output.
pub(crate) fn lines(output: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(output).lines().map(str::to_owned).collect()
}

/// Returns an error to inject.
pub(crate) fn error(number: i32) -> Fault {
    Fault::Errno(Errno(number))
}
