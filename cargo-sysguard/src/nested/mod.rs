//! What `cargo sysguard run` tells the processes that cargo calls as its target runner: a file that
//! names every test binary. Main type: [`Plan`].
//!
//! The runner must ask neither cargo nor the user again: nextest calls it once a test.

mod added;
mod later;
mod line;
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
use sysguard::model::judge::verdict::Verdict;
use sysguard::model::run::test_name::{self, TestName};
use sysguard::report;

use crate::exit_code::Failure;

pub(crate) use added::Added;
pub(crate) use later::Later;
pub(crate) use line::{Line, Tool};
pub(crate) use progress::{Follower, Reporter};
pub(crate) use runners::Runners;
pub(crate) use targets::Targets;

/// What the tests are, and how they are run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The folder of the workspace.
    pub(crate) workspace: PathBuf,
    /// Each test of a binary is run by itself.
    pub(crate) per_test: bool,
    /// So many runs make a first baseline; nothing: until it is quiet.
    pub(crate) runs: Option<NonZeroU32>,
    /// The runners that the user's own configuration names, by target triple.
    pub(crate) runners: BTreeMap<String, Vec<String>>,
    pub(crate) binaries: Vec<Binary>,
    /// The time of each test is limited, so that further runs of it wait until all have ended.
    pub(crate) has_slots: bool,
    /// The variables that a test must not see.
    pub(crate) added: Added,
}

/// A test binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Binary {
    /// Its file, where cargo tells it, or what nextest calls it.
    pub(crate) key: String,
    /// The folder of its package.
    pub(crate) folder: PathBuf,
    /// The package's name.
    pub(crate) package: String,
    /// Its own name among the package's.
    pub(crate) name: String,
}

impl Binary {
    /// All of it, or one test in it.
    pub(crate) fn test(&self, test: Option<&str>) -> TestName {
        TestName { package: self.package.clone(), binary: self.name.clone(), test: test.map(str::to_owned) }
    }
}

impl Plan {
    /// Writes it where [`Plan::read`] finds it.
    pub(crate) fn write(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_vec(self).map_err(Failure::failed)?;
        fs::write(file, text).map_err(|error| Failure::failed(format!("cannot write {}: {error}", file.display())))
    }

    /// Reads what was written.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let cannot = |error: io::Error| Failure::failed(format!("cannot read {}: {error}", file.display()));
        let text = fs::read(file).map_err(cannot)?;
        serde_json::from_slice(&text).map_err(|error| cannot(error.into()))
    }

    /// Whether the runner was called for every binary that cargo surely ran, and for at least one
    /// where that is not known.
    pub(crate) fn is_kept(&self, tool: Tool, called: &BTreeSet<String>) -> bool {
        match tool {
            Tool::Libtest => {
                !self.binaries.is_empty() && self.binaries.iter().all(|binary| called.contains(&binary.key))
            }
            // What a filter leaves out is never called, or not even built.
            Tool::Nextest => !called.is_empty(),
        }
    }

    /// Whether a complete run that showed these workloads tells that one of the package in this
    /// folder is no more: its binary is not there, or shows other tests. A run of whole binaries
    /// tells nothing of each test, nor the other way round.
    pub(crate) fn misses(&self, folder: &Path, workload: &str, seen: &BTreeSet<String>) -> bool {
        // A shared file is called by its own name where it cannot be read: which tests it holds is
        // not known.
        let is_file = test_name::tests_of(workload).is_some();
        if is_file || test_name::short(workload).is_none() || seen.contains(workload) {
            return false;
        }
        let binaries = self.binaries.iter().filter(|binary| binary.folder == folder);
        let its = binaries.map(|binary| binary.test(None).workload()).find(|whole| {
            workload.strip_prefix(whole.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        });
        its.is_none_or(|whole| {
            let below = format!("{whole}::");
            workload != whole && seen.iter().any(|seen| seen.starts_with(&below))
        })
    }

    /// What a workload is, as one and as many.
    pub(crate) fn noun(&self, tool: Tool) -> (&'static str, &'static str) {
        if self.per_test || tool == Tool::Nextest { ("test", "tests") } else { ("test binary", "test binaries") }
    }

    /// The test binary of this file, or with this name of nextest's; nothing of a doctest or any
    /// other program.
    pub(crate) fn binary(&self, executable: &Path, nextest: Option<&str>) -> Option<&Binary> {
        let is = |binary: &&Binary| Some(binary.key.as_str()) == nextest || Path::new(&binary.key) == executable;
        self.binaries.iter().find(is)
    }
}

/// The file beside a plan with the keys of binaries that were called.
fn called_file(plan: &Path) -> PathBuf {
    plan.with_file_name("called")
}

/// Says that the runner was called for this binary.
pub(crate) fn tell_called(plan: &Path, binary: &Binary) -> io::Result<()> {
    append(&called_file(plan), format!("{}\n", binary.key).as_bytes())
}

/// The keys of binaries for which the runner was called.
pub(crate) fn called(plan: &Path) -> BTreeSet<String> {
    names_in(&called_file(plan))
}

/// The file beside a plan that keeps whether this binary is a harness of ours.
pub(crate) fn harness_file(plan: &Path, binary: &Binary) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    binary.key.hash(&mut hasher);
    plan.with_file_name(format!("harness.{:016x}", hasher.finish()))
}

/// The file of names beside a plan: the tests that were run or listed.
fn seen_file(plan: &Path) -> PathBuf {
    plan.with_file_name("seen")
}

/// Says that these tests exist.
pub(crate) fn tell_seen(plan: &Path, names: &[TestName]) -> io::Result<()> {
    let lines: String = names.iter().map(|name| name.workload() + "\n").collect();
    append(&seen_file(plan), lines.as_bytes())
}

/// The file of names beside a plan: the tests that failed by themselves.
fn unjudged_file(plan: &Path) -> PathBuf {
    plan.with_file_name("unjudged")
}

/// Says that this test failed by itself, so that there is no verdict on what it used.
pub(crate) fn tell_unjudged(plan: &Path, name: &TestName) -> io::Result<()> {
    append(&unjudged_file(plan), (name.workload() + "\n").as_bytes())
}

/// The tests that failed by themselves, by the names of their workloads.
pub(crate) fn unjudged(plan: &Path) -> BTreeSet<String> {
    names_in(&unjudged_file(plan))
}

fn names_in(file: &Path) -> BTreeSet<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The tests of which anybody said that they exist, by the names of their workloads.
pub(crate) fn seen(plan: &Path) -> BTreeSet<String> {
    names_in(&seen_file(plan))
}

/// Tells a verdict on a test of the package in this folder.
pub(crate) fn tell(file: &Path, folder: &Path, verdict: &Verdict) -> io::Result<()> {
    let mut line = Vec::new();
    report::write_json_line(&mut line, &folder.to_string_lossy(), verdict)?;
    append(file, &line)
}

/// One write, because other processes do the same.
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
    fn a_binary_is_found_by_its_file_or_by_nextests_name() {
        let plan = plan();
        let name = |file: &str, nextest| plan.binary(Path::new(file), nextest).map(|binary| binary.name.as_str());
        assert_eq!(name("/target/demo-1", None), Some("demo"));
        assert_eq!(name("/target/it-2", Some("demo::it")), Some("it"));
        assert_eq!(name("/tmp/doctest", None), None);
    }

    #[test]
    fn cargo_must_have_called_every_binary() {
        let plan = plan();
        for (tool, called, kept) in [
            (Tool::Libtest, &["/target/demo-1", "demo::it"][..], true),
            (Tool::Libtest, &["demo::it"], false),
            (Tool::Nextest, &["demo::it"], true),
            (Tool::Nextest, &[], false),
        ] {
            let called = called.iter().map(|&key| key.to_owned()).collect();
            assert_eq!(plan.is_kept(tool, &called), kept, "{tool:?} {called:?}");
        }
        let nothing = Plan { binaries: Vec::new(), ..plan };
        assert!(!nothing.is_kept(Tool::Libtest, &BTreeSet::new()), "doctests only");
    }

    #[test]
    fn only_what_a_complete_run_could_have_shown_is_missed() {
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
            assert_eq!(plan().misses(folder, workload, &seen), missed, "{workload}");
        }
    }
}
