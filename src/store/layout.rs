//! Moves the recorded facts of tests between one file per test and one file per binary. Main type:
//! [`Layout`]. Nothing is run, and no fact changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::file::{self, Lock};
use super::shared::{named, test_in};
use super::{Store, StoreError, find};
use crate::model::expectation::format::{self, Parsed, Shared};
use crate::model::run::test_name::{self, TestName};

/// How the recorded facts of a binary's tests are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One file for all tests of a binary.
    Binary,
    /// One file per test.
    Test,
}

/// What was moved for one binary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// `CRATE::BINARY`.
    pub binary: String,
    /// The file that all its tests share or shared, relative to the package.
    pub shared: PathBuf,
    /// The number of tests that were moved.
    pub tests: usize,
    /// The files that were left unchanged, relative to the package, because the user edited their
    /// first document.
    pub kept: Vec<PathBuf>,
}

impl Store {
    /// Moves the tests of all binaries to the other layout. New files are written before old ones
    /// are removed.
    ///
    /// A test with an edited first document keeps its file, which takes precedence over a shared
    /// one.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written. That file and all later ones stay as they are.
    pub fn lay_out(&self, layout: Layout) -> Result<Vec<Moved>, StoreError> {
        match layout {
            Layout::Binary => {
                self.own_by_binary().into_iter().map(|(shared, names)| self.join(&shared, &names)).collect()
            }
            Layout::Test => self.shared_names().map(|shared| self.take_apart(shared)).collect(),
        }
    }

    /// Returns the tests that have their own file, by the shared file that can hold them.
    fn own_by_binary(&self) -> BTreeMap<String, BTreeSet<&str>> {
        let mut found: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for name in self.files.keys() {
            if let Some(shared) = test_name::shared_file(name) {
                found.entry(shared).or_default().insert(name);
            }
        }
        found
    }

    fn join(&self, shared: &str, names: &BTreeSet<&str>) -> Result<Moved, StoreError> {
        let shown = find::path_of(shared, find::EXPECTATION);
        let path = self.package.join(&shown);
        let _lock = Lock::of(path.parent().unwrap_or(&self.package))?;
        let mut content = match self.read_shared(shared) {
            Err(error) if error.is_not_found() => None,
            content => Some(content?.shared.clone()),
        };
        let mut moved = Moved { shared: shown.clone(), ..Moved::default() };
        let mut old = Vec::new();
        for name in names {
            let parsed = self.load(name)?;
            let own = find::path_of(name, find::EXPECTATION);
            let Some(test) = movable(&parsed).filter(|test| test.workload() == **name) else {
                moved.kept.push(own);
                continue;
            };
            let new = Shared::of_binary(&test.whole().to_string());
            let new =
                new.map_err(|malformed| StoreError::Malformed { file: shown.display().to_string(), malformed })?;
            let content = content.get_or_insert(new);
            let part = test.test.as_deref().unwrap_or_default();
            parsed.expectation.baselines.into_iter().for_each(|baseline| content.insert(part, baseline));
            old.push(own);
        }
        moved.tests = old.len();
        if let Some(content) = content.filter(|_| !old.is_empty()) {
            moved.binary = content.binary().to_owned();
            self.write_shared(&path, &content)?;
        }
        let folder = path.parent().unwrap_or(&self.package);
        for own in old {
            let own = self.package.join(own);
            file::remove(&own)?;
            own.parent().into_iter().for_each(|below| file::remove_empty_folders(below, folder));
        }
        Ok(moved)
    }

    fn take_apart(&self, shared: &str) -> Result<Moved, StoreError> {
        let shown = find::path_of(shared, find::EXPECTATION);
        let path = self.package.join(&shown);
        let _lock = Lock::of(path.parent().unwrap_or(&self.package))?;
        let content = self.read_shared(shared)?;
        let content = &content.shared;
        let binary = content.binary().to_owned();
        let mut moved = Moved { binary, shared: shown, ..Moved::default() };
        let mut emptied = content.clone();
        content.tests().into_iter().for_each(|test| {
            emptied.remove(test);
        });
        for test in content.tests() {
            let name = named(content, test);
            // A test's own file already takes precedence over the shared one.
            if !self.files.contains_key(&name.workload()) {
                let own = find::path_of(&name.workload(), find::EXPECTATION);
                file::replace(&self.package.join(own), &own_text(content, &name, test, emptied.is_bare()))?;
                moved.tests += 1;
            }
        }
        // The user's edits were copied to each test.
        if moved.tests > 0 || emptied.is_bare() {
            file::remove(&path)?;
        }
        Ok(moved)
    }
}

/// Returns the test of a file that contains only what this program writes.
fn movable(parsed: &Parsed) -> Option<TestName> {
    let test = test_in(&parsed.expectation)?;
    let bare = Parsed::of_test(&test.to_string()).ok()?;
    (parsed.clone().without_baselines().text() == bare.text()).then_some(test)
}

/// Returns the text of a test's own file, including the user's edits.
fn own_text(content: &Shared, name: &TestName, test: &str, is_bare: bool) -> String {
    let parsed = content.test(test);
    let bare = Parsed::of_test(&name.to_string()).ok().filter(|_| is_bare);
    match bare {
        Some(bare) => format::write(&bare, &parsed.expectation.baselines),
        None => parsed.text(),
    }
}
