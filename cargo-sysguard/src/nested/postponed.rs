//! Tests that are repeated after nextest has ended, because nextest limits the time of each test.
//! Main type: [`PostponedTest`].

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

/// The variable in which nextest passes the test group. Tests of the global group may run in
/// parallel.
const GROUP: &str = "NEXTEST_TEST_GROUP";
const GLOBAL: &str = "@global";

/// A test to repeat, and how its runner was called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PostponedTest {
    /// The name of its workload.
    pub(crate) workload: String,
    /// The arguments of this program.
    arguments: Vec<OsString>,
    folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl PostponedTest {
    /// Returns a call like that of this process, with `flag` after its first argument.
    pub(crate) fn as_called(workload: String, flag: &str) -> io::Result<Self> {
        let mut arguments: Vec<OsString> = env::args_os().skip(1).collect();
        arguments.insert(1.min(arguments.len()), flag.into());
        let environment = env::vars_os().collect();
        Ok(Self { workload, arguments, folder: env::current_dir()?, environment })
    }

    /// Records the test for the `cargo sysguard run` with this plan.
    pub(crate) fn record(&self, plan: &Path) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        append(&file(plan), &line)
    }

    /// Returns the recorded tests once each, sorted by name. The last call of a test counts.
    pub(crate) fn read_all(plan: &Path) -> Result<Vec<Self>, Failure> {
        let cannot =
            |error: &dyn std::fmt::Display| Failure::failed(format!("cannot read the postponed tests: {error}"));
        let text = match fs::read_to_string(file(plan)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(|error| cannot(&error))?,
        };
        let mut all = BTreeMap::new();
        for line in text.lines() {
            let test: Self = serde_json::from_str(line).map_err(|error| cannot(&error))?;
            all.insert(test.workload.clone(), test);
        }
        Ok(all.into_values().collect())
    }

    /// Repeats the tests with this program, which passes on verdicts and progress.
    pub(crate) fn run_all(all: &[Self], program: &Path) -> Result<(), Failure> {
        let (parallel, alone): (Vec<_>, Vec<_>) = all.iter().partition(|test| test.may_run_in_parallel());
        let failed: Mutex<Option<io::Error>> = Mutex::default();
        let run = |test: &Self| {
            if let Err(error) = test.command(program).and_then(|mut command| command.status()) {
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        };
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from).min(parallel.len()) {
                scope.spawn(|| {
                    while let Some(test) = parallel.get(next.fetch_add(1, Ordering::Relaxed)) {
                        run(test);
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

    fn may_run_in_parallel(&self) -> bool {
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

/// Returns the file of postponed tests beside a plan.
fn file(plan: &Path) -> PathBuf {
    plan.with_file_name("postponed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(workload: &str, argument: &str) -> PostponedTest {
        let environment = vec![(GROUP.into(), GLOBAL.into())];
        PostponedTest {
            workload: workload.to_owned(),
            arguments: vec![argument.into()],
            folder: "/".into(),
            environment,
        }
    }

    #[test]
    fn repeated_test_is_read_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let plan = folder.path().join("plan");
        assert_eq!(PostponedTest::read_all(&plan).expect("no file"), []);
        for one in [test("b", "1"), test("a", "2"), test("b", "3")] {
            one.record(&plan).expect("a line");
        }
        assert_eq!(PostponedTest::read_all(&plan).expect("lines"), [test("a", "2"), test("b", "3")]);
    }

    #[test]
    fn tests_of_a_custom_group_run_alone() {
        assert!(test("a", "").may_run_in_parallel());
        let group = PostponedTest { environment: vec![(GROUP.into(), "serial".into())], ..test("a", "") };
        assert!(!group.may_run_in_parallel());
    }
}
