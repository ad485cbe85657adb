//! Tests that need further runs once nextest has ended: nextest limits the time of each test, and
//! recording takes longer. Main type: [`Later`].

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::{Deserialize, Serialize};

use super::append;
use crate::exit_code::Failure;

/// nextest's name of the group in which a test runs. Tests of the global group may run beside each
/// other.
const GROUP: &str = "NEXTEST_TEST_GROUP";
const GLOBAL: &str = "@global";

/// A test, and how its runner was called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Later {
    /// The name of its workload.
    pub(crate) workload: String,
    /// The arguments of this program.
    arguments: Vec<OsString>,
    folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Later {
    /// The runner is called again as this process is, with `flag` behind its first word.
    pub(crate) fn as_called(workload: String, flag: &str) -> io::Result<Self> {
        let mut arguments: Vec<OsString> = env::args_os().skip(1).collect();
        arguments.insert(1.min(arguments.len()), flag.into());
        let environment = env::vars_os().collect();
        Ok(Self { workload, arguments, folder: env::current_dir()?, environment })
    }

    /// Passes it to the `cargo sysguard run` with this plan.
    pub(crate) fn tell(&self, plan: &Path) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        append(&file(plan), &line)
    }

    /// Those that were passed on, each once, in the order of their names: a repeated test counts as
    /// it was run last.
    pub(crate) fn told(plan: &Path) -> Result<Vec<Self>, Failure> {
        let cannot = |error: &dyn std::fmt::Display| Failure::failed(format!("cannot read which tests wait: {error}"));
        let text = match fs::read_to_string(file(plan)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(|error| cannot(&error))?,
        };
        let mut all = BTreeMap::new();
        for line in text.lines() {
            let later: Self = serde_json::from_str(line).map_err(|error| cannot(&error))?;
            all.insert(later.workload.clone(), later);
        }
        Ok(all.into_values().collect())
    }

    /// Runs them by this program, which passes on verdicts and progress as in a slot.
    pub(crate) fn run_all(all: &[Self], program: &Path) -> Result<(), Failure> {
        let (beside, alone): (Vec<_>, Vec<_>) = all.iter().partition(|later| later.may_run_beside_others());
        let failed: Mutex<Option<io::Error>> = Mutex::default();
        let run = |later: &Self| {
            if let Err(error) = later.command(program).and_then(|mut command| command.status()) {
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        };
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from).min(beside.len()) {
                scope.spawn(|| {
                    while let Some(later) = beside.get(next.fetch_add(1, Ordering::Relaxed)) {
                        run(later);
                    }
                });
            }
        });
        alone.into_iter().for_each(run);
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(error) => Err(Failure::failed(format!("cannot repeat a test: {error}"))),
        }
    }

    fn may_run_beside_others(&self) -> bool {
        self.environment.iter().any(|(name, value)| name == GROUP && value == GLOBAL)
    }

    fn command(&self, program: &Path) -> io::Result<Command> {
        let mut command = Command::new(program);
        command.args(&self.arguments).current_dir(&self.folder);
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(File::options().write(true).open("/dev/null")?);
        Ok(command)
    }
}

/// The file beside a plan.
fn file(plan: &Path) -> PathBuf {
    plan.with_file_name("later")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(workload: &str, argument: &str) -> Later {
        let environment = vec![(GROUP.into(), GLOBAL.into())];
        Later { workload: workload.to_owned(), arguments: vec![argument.into()], folder: "/".into(), environment }
    }

    #[test]
    fn a_test_that_was_repeated_is_told_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let plan = folder.path().join("plan");
        assert_eq!(Later::told(&plan).expect("no file"), []);
        for one in [later("b", "1"), later("a", "2"), later("b", "3")] {
            one.tell(&plan).expect("a line");
        }
        assert_eq!(Later::told(&plan).expect("lines"), [later("a", "2"), later("b", "3")]);
    }

    #[test]
    fn tests_of_a_group_run_alone() {
        assert!(later("a", "").may_run_beside_others());
        let group = Later { environment: vec![(GROUP.into(), "serial".into())], ..later("a", "") };
        assert!(!group.may_run_beside_others());
    }
}
