//! The files through which `cargo sysguard run` and its target runners exchange data. Main type:
//! [`Plan`].
//!
//! The runner must not ask cargo again, because nextest calls it once per test.

mod added;
mod line;
mod postponed;
mod progress;
mod runners;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sysguard::unstable::model::judge::verdict::Verdict;
use sysguard::unstable::model::run::test_name::{self, TestName};
use sysguard::unstable::report::{self, ShownGroups};

use crate::exit_code::Failure;

pub(crate) use added::Added;
pub(crate) use line::{Line, Tool};
pub(crate) use postponed::PostponedTest;
pub(crate) use progress::{Follower, Reporter};
pub(crate) use runners::Runners;
pub(crate) use targets::Targets;

/// The test binaries, and how they are run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The folder of the workspace.
    pub(crate) workspace: PathBuf,
    /// Whether each test of a binary is run separately.
    pub(crate) per_test: bool,
    /// The number of runs for a first baseline, or nothing to run until no run adds anything.
    pub(crate) runs: Option<NonZeroU32>,
    /// The runners that the user's own configuration names, by target triple.
    pub(crate) runners: BTreeMap<String, Vec<String>>,
    pub(crate) binaries: Vec<Binary>,
    /// Whether the time of each test is limited. Then tests are repeated after all have ended.
    pub(crate) has_slots: bool,
    /// The variables that a test must not see.
    pub(crate) added: Added,
}

/// A test binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Binary {
    /// Its path, if cargo reports it, or its ID in nextest.
    pub(crate) key: String,
    /// The folder of its package.
    pub(crate) folder: PathBuf,
    /// The package's name.
    pub(crate) package: String,
    /// Its name, unique within the package.
    pub(crate) name: String,
}

impl Binary {
    /// Returns the name of one of its tests, or of the whole binary.
    pub(crate) fn test(&self, test: Option<&str>) -> TestName {
        TestName { package: self.package.clone(), binary: self.name.clone(), test: test.map(str::to_owned) }
    }
}

impl Plan {
    /// Writes the plan to a file for [`Plan::read`].
    pub(crate) fn write(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_vec(self).map_err(Failure::failed)?;
        fs::write(file, text).map_err(|error| Failure::failed(format!("cannot write {}: {error}", file.display())))
    }

    /// Reads the plan from its file.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let cannot = |error: io::Error| Failure::failed(format!("cannot read {}: {error}", file.display()));
        let text = fs::read(file).map_err(cannot)?;
        serde_json::from_slice(&text).map_err(|error| cannot(error.into()))
    }

    /// Returns whether the runner was called for every binary that cargo ran, or for at least one
    /// with nextest.
    pub(crate) fn was_called(&self, tool: Tool, called: &BTreeSet<String>) -> bool {
        match tool {
            Tool::Libtest => {
                !self.binaries.is_empty() && self.binaries.iter().all(|binary| called.contains(&binary.key))
            }
            // A binary without selected tests is not called, and perhaps not even built.
            Tool::Nextest => !called.is_empty(),
        }
    }

    /// Returns whether a complete run that showed these workloads proves that this workload of the
    /// package no longer exists: its binary is missing, or it has other tests.
    ///
    /// A run of whole binaries proves nothing about single tests, and vice versa.
    pub(crate) fn is_deleted(&self, folder: &Path, workload: &str, seen: &BTreeSet<String>) -> bool {
        // An unreadable shared file appears under its own name. Its tests are unknown.
        let is_file = test_name::tests_of(workload).is_some();
        if is_file || test_name::short(workload).is_none() || seen.contains(workload) {
            return false;
        }
        let binaries = self.binaries.iter().filter(|binary| binary.folder == folder);
        let mut wholes = binaries.map(|binary| binary.test(None).workload());
        let its = wholes.find(|whole| test_name::is_at_or_below(workload, whole));
        its.is_none_or(|whole| {
            let below = format!("{whole}::");
            workload != whole && seen.iter().any(|seen| seen.starts_with(&below))
        })
    }

    /// Returns the noun for a workload, singular and plural.
    pub(crate) fn noun(&self, tool: Tool) -> (&'static str, &'static str) {
        if self.per_test || tool == Tool::Nextest { ("test", "tests") } else { ("test binary", "test binaries") }
    }

    /// Returns the test binary with this path or nextest ID, or nothing for a doctest or another
    /// program.
    pub(crate) fn binary(&self, executable: &Path, nextest: Option<&str>) -> Option<&Binary> {
        let is = |binary: &&Binary| Some(binary.key.as_str()) == nextest || Path::new(&binary.key) == executable;
        self.binaries.iter().find(is)
    }
}

/// Returns the file beside a plan with the keys of called binaries.
fn called_file(plan: &Path) -> PathBuf {
    plan.with_file_name("called")
}

/// Records that the runner was called for this binary.
pub(crate) fn record_called(plan: &Path, binary: &Binary) -> io::Result<()> {
    append(&called_file(plan), format!("{}\n", binary.key).as_bytes())
}

/// Returns the keys of the binaries for which the runner was called.
pub(crate) fn called(plan: &Path) -> BTreeSet<String> {
    names_in(&called_file(plan))
}

/// Returns the file beside a plan that caches whether this binary is a sysguard harness.
pub(crate) fn harness_file(plan: &Path, binary: &Binary) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    binary.key.hash(&mut hasher);
    plan.with_file_name(format!("harness.{:016x}", hasher.finish()))
}

/// Returns the file beside a plan with the names of tests that were run or listed.
fn seen_file(plan: &Path) -> PathBuf {
    plan.with_file_name("seen")
}

/// Records that these tests exist.
pub(crate) fn record_seen(plan: &Path, names: &[TestName]) -> io::Result<()> {
    let lines: String = names.iter().map(|name| name.workload() + "\n").collect();
    append(&seen_file(plan), lines.as_bytes())
}

/// Returns the file beside a plan with the names of tests that failed without a verdict.
fn unjudged_file(plan: &Path) -> PathBuf {
    plan.with_file_name("unjudged")
}

/// Records that this test failed by itself, so there is no verdict on what it used.
pub(crate) fn record_unjudged(plan: &Path, name: &TestName) -> io::Result<()> {
    append(&unjudged_file(plan), (name.workload() + "\n").as_bytes())
}

/// Returns the workload names of the tests that failed without a verdict.
pub(crate) fn unjudged(plan: &Path) -> BTreeSet<String> {
    names_in(&unjudged_file(plan))
}

/// Returns the file beside a plan with the causes that a verdict's text has shown.
fn shown_file(plan: &Path) -> PathBuf {
    plan.with_file_name("causes")
}

/// Returns the causes that other runners have shown.
pub(crate) fn shown(plan: &Path) -> ShownGroups {
    ShownGroups::from_lines(&fs::read_to_string(shown_file(plan)).unwrap_or_default())
}

/// Records the causes that the text of this workload's verdict has shown.
pub(crate) fn record_shown(plan: &Path, shown: &ShownGroups, workload: &str) -> io::Result<()> {
    append(&shown_file(plan), shown.lines(workload).as_bytes())
}

fn names_in(file: &Path) -> BTreeSet<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Returns the workload names of all recorded tests.
pub(crate) fn seen(plan: &Path) -> BTreeSet<String> {
    names_in(&seen_file(plan))
}

/// Appends a verdict on a test of the package in this folder.
pub(crate) fn record_verdict(file: &Path, folder: &Path, verdict: &Verdict) -> io::Result<()> {
    let mut line = Vec::new();
    report::write_json_line(&mut line, &folder.to_string_lossy(), verdict)?;
    append(file, &line)
}

/// Appends with a single write(2), because other processes append too.
fn append(file: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(file)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let binary = |key: &str, name: &str| Binary {
            key: key.to_owned(),
            folder: "/demo".into(),
            package: "demo".to_owned(),
            name: name.to_owned(),
        };
        let binaries = vec![binary("/target/demo-1", "demo"), binary("demo::it", "it")];
        let (runners, added) = (BTreeMap::new(), Added::default());
        Plan { workspace: "/".into(), per_test: false, runs: None, runners, binaries, has_slots: false, added }
    }

    #[test]
    fn binary_is_found_by_path_or_nextest_id() {
        let plan = plan();
        let name = |file: &str, nextest| plan.binary(Path::new(file), nextest).map(|binary| binary.name.as_str());
        assert_eq!(name("/target/demo-1", None), Some("demo"));
        assert_eq!(name("/target/it-2", Some("demo::it")), Some("it"));
        assert_eq!(name("/tmp/doctest", None), None);
    }

    #[test]
    fn cargo_test_must_call_every_binary() {
        let plan = plan();
        for (tool, called, kept) in [
            (Tool::Libtest, &["/target/demo-1", "demo::it"][..], true),
            (Tool::Libtest, &["demo::it"], false),
            (Tool::Nextest, &["demo::it"], true),
            (Tool::Nextest, &[], false),
        ] {
            let called = called.iter().map(|&key| key.to_owned()).collect();
            assert_eq!(plan.was_called(tool, &called), kept, "{tool:?} {called:?}");
        }
        let nothing = Plan { binaries: Vec::new(), ..plan };
        assert!(!nothing.was_called(Tool::Libtest, &BTreeSet::new()), "doctests only");
    }

    #[test]
    fn only_tests_that_a_run_could_show_are_deleted() {
        let folder = Path::new("/demo");
        for (seen, workload, missed) in [
            (&["run::demo::it::a"][..], "run::demo::it::b", true),
            (&["run::demo::it::a"], "run::demo::it::a", false),
            (&["run::demo::it::a"], "run::demo::it", false),
            (&["run::demo::it"], "run::demo::it::a", false),
            (&["run::demo::it"], "run::demo::other::a", true),
            (&["run::demo::it"], "run::demo::items", true),
            (&["run::demo::it"], "echo", false),
            (&["run::demo::it::a"], "run::demo::tests.it", false),
            (&["run::demo::it::a"], "run::demo::tests.other", false),
        ] {
            let seen = seen.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(plan().is_deleted(folder, workload, &seen), missed, "{workload}");
        }
    }
}
