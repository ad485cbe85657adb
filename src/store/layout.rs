//! Moves the recorded facts of tests between one file per test and one file per binary. Main type:
//! [`Layout`]. Nothing is run, and no fact changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::shared::{is_too_long, named, test_in};
use super::{MAX_BYTES, Store, StoreError, check_size, file, find};
use crate::model::expectation::Baseline;
use crate::model::expectation::format::{self, Parsed, Shared};
use crate::model::run::platform::Platform;
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
    /// The tests that were not moved.
    pub kept: Vec<Kept>,
}

/// A test that was not moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The file that still holds it, relative to the package.
    pub file: PathBuf,
    /// The reason, and what to do if it should move.
    pub reason: KeptReason,
}

/// Why a test was not moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeptReason {
    /// The path says another name than the first document.
    #[error("its first document names another test than its path does")]
    OtherName,
    /// A shared file has no place for the edits of one test.
    #[error("its first document was edited")]
    Edited,
    /// A key in a shared file has a limited length.
    #[error("its name is too long for a shared file")]
    NameTooLong,
    /// The rules of the shared file would apply to this test.
    #[error("the first document of {} has rules that would apply to this test", .0.display())]
    OtherRules(PathBuf),
    /// The test's own file names another test.
    #[error("it holds {test}, but the first document of {} names another test", own.display())]
    OtherTest {
        /// The test in the shared file.
        test: String,
        /// Its own file.
        own: PathBuf,
    },
    /// Both files hold a baseline of the same platform, and these differ.
    #[error("{} and {} hold different baselines of {test} for {platform}: remove one of them", shared.display(), own.display())]
    OtherBaseline {
        /// The test.
        test: String,
        /// The platform of both baselines.
        platform: Box<Platform>,
        /// The shared file.
        shared: PathBuf,
        /// The test's own file.
        own: PathBuf,
    },
}

impl Store {
    /// Moves the tests of all binaries to the other layout. New files are written before old ones
    /// are removed. Other processes write before or after the whole move, never during it.
    ///
    /// A test is moved only if this changes neither its rules nor a recorded fact. It stays where
    /// it is if its first document was edited, if the shared file has other rules, or if both files
    /// hold different baselines of one platform.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written. That file and all later ones stay as they are.
    pub fn lay_out(&self, layout: Layout) -> Result<Vec<Moved>, StoreError> {
        let _lock = self.lock()?;
        // Other processes may have added files since this store was opened.
        let now = Self::open(&self.package, None)?;
        match layout {
            Layout::Binary => {
                now.own_by_binary().into_iter().map(|(shared, names)| now.join(&shared, &names)).collect()
            }
            Layout::Test => now.shared_names().map(|shared| now.take_apart(shared)).collect(),
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
        let mut content = match self.read_shared(shared) {
            Err(error) if error.is_not_found() => None,
            content => Some(content?.shared.clone()),
        };
        let mut moved = Moved { shared: shown.clone(), ..Moved::default() };
        let mut old = Vec::new();
        for name in names {
            let parsed = self.load(name)?;
            let own = find::path_of(name, find::EXPECTATION);
            let test = match movable(&parsed, name) {
                Ok(test) => test,
                Err(reason) => {
                    moved.kept.push(Kept { file: own, reason });
                    continue;
                }
            };
            let new = Shared::of_binary(&test.whole().to_string());
            let new =
                new.map_err(|malformed| StoreError::Malformed { file: shown.display().to_string(), malformed })?;
            let into = content.as_ref().unwrap_or(&new);
            let part = test.test.as_deref().unwrap_or_default();
            if let Some(reason) = obstacle(&parsed, &into.test(part), &test, (&shown, &own)) {
                moved.kept.push(Kept { file: own, reason });
                continue;
            }
            let content = content.get_or_insert(new);
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
        let content = self.read_shared(shared)?;
        let content = &content.shared;
        let mut rest = content.clone();
        let mut moved = Moved { binary: content.binary().to_owned(), shared: shown, ..Moved::default() };
        let mut emptied = content.clone();
        content.tests().into_iter().for_each(|test| {
            emptied.remove(test);
        });
        for test in content.tests() {
            let name = named(content, test);
            let own = find::path_of(&name.workload(), find::EXPECTATION);
            let text = if self.has_file(&name.workload()) {
                merged(&self.load(&name.workload())?, &content.test(test), (&moved.shared, &own))
            } else {
                Ok(own_text(content, &name, test, emptied.is_bare()))
            };
            match text {
                Ok(text) => {
                    let own = self.package.join(own);
                    check_size(&own, &text, MAX_BYTES)?;
                    file::replace(&own, &text)?;
                    moved.tests += 1;
                    rest.remove(test);
                }
                Err(reason) => moved.kept.push(Kept { file: moved.shared.clone(), reason }),
            }
        }
        // The user's edits were copied to each test.
        if moved.kept.is_empty() && (moved.tests > 0 || emptied.is_bare()) {
            file::remove(&path)?;
        } else if moved.tests > 0 {
            self.write_shared(&path, &rest)?;
        }
        Ok(moved)
    }
}

/// Returns the test of a file that contains only what this program writes, or why it has to stay.
fn movable(parsed: &Parsed, name: &str) -> Result<TestName, KeptReason> {
    let test = test_in(&parsed.expectation).filter(|test| test.workload() == name);
    let test = test.ok_or(KeptReason::OtherName)?;
    let bare = Parsed::of_test(&test.to_string()).ok();
    if bare.is_none_or(|bare| parsed.clone().without_baselines().text() != bare.text()) {
        return Err(KeptReason::Edited);
    }
    if is_too_long(&test) {
        return Err(KeptReason::NameTooLong);
    }
    Ok(test)
}

/// Returns why a test cannot be moved into a shared file, where it would become `there`.
fn obstacle(from: &Parsed, there: &Parsed, test: &TestName, (shared, own): (&Path, &Path)) -> Option<KeptReason> {
    if from.expectation.document != there.expectation.document {
        return Some(KeptReason::OtherRules(shared.to_owned()));
    }
    let Baseline { platform, .. } = differing(&there.expectation.baselines, from)?.clone();
    Some(KeptReason::OtherBaseline {
        test: test.to_string(),
        platform: Box::new(platform),
        shared: shared.to_owned(),
        own: own.to_owned(),
    })
}

/// Returns the first baseline that differs from the one of the same platform.
fn differing<'a>(baselines: &'a [Baseline], from: &Parsed) -> Option<&'a Baseline> {
    let differs =
        |baseline: &&Baseline| from.expectation.baseline(&baseline.platform).is_some_and(|held| held != *baseline);
    baselines.iter().find(differs)
}

/// Returns the text of a test's own file with the baselines that only the shared file holds, or why
/// the shared file has to keep them.
fn merged(own: &Parsed, shared: &Parsed, (shared_file, own_file): (&Path, &Path)) -> Result<String, KeptReason> {
    let test = test_in(&shared.expectation);
    let name = || test.as_ref().map(ToString::to_string).unwrap_or_default();
    if test_in(&own.expectation) != test {
        return Err(KeptReason::OtherTest { test: name(), own: own_file.to_owned() });
    }
    if let Some(Baseline { platform, .. }) = differing(&shared.expectation.baselines, own) {
        let (shared, own) = (shared_file.to_owned(), own_file.to_owned());
        return Err(KeptReason::OtherBaseline { test: name(), platform: Box::new(platform.clone()), shared, own });
    }
    let mut baselines = own.expectation.baselines.clone();
    for baseline in &shared.expectation.baselines {
        if own.expectation.baseline(&baseline.platform).is_none() {
            let place = baselines.iter().position(|held| held.platform > baseline.platform);
            baselines.insert(place.unwrap_or(baselines.len()), baseline.clone());
        }
    }
    Ok(format::write(own, &baselines))
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

#[cfg(test)]
mod tests;
