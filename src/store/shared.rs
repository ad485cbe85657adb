//! Shared files, which hold all tests of a binary. Main type: [`SharedFiles`].
//!
//! Several processes may each run one test of a binary. A change therefore reads the file again and
//! replaces it under the lock of the package, so that no update is lost. Proposals stay one file
//! per test, because many processes write them and they are short-lived.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Store, StoreError, check_size, file, find};
use crate::model::expectation::format::{self, MAX_BYTES, MAX_SHARED_BYTES, Parsed, Shared};
use crate::model::expectation::{Expectation, Malformed};
use crate::model::run::test_name::{self, TestName};
use crate::model::run::workload::Program;

/// The longest name of a test in a shared file, in bytes: YAML 1.2, 7.4.2, allows keys of 1024
/// characters, quotes and escapes included.
const LONGEST_KEY: usize = 500;

/// Returns whether the name of a test is too long for a shared file.
pub(super) fn is_too_long(test: &TestName) -> bool {
    test.test.as_ref().is_some_and(|test| test.len() > LONGEST_KEY)
}

/// The shared files of a package.
#[derive(Debug, Default)]
pub(super) struct SharedFiles {
    /// Shared files by name, relative to the package, as found when the store was opened.
    found: BTreeMap<String, PathBuf>,
    /// The content that was last read, by the file's name, because one file holds many workloads.
    read: Mutex<BTreeMap<String, Arc<Content>>>,
}

/// The content of a shared file.
#[derive(Debug)]
pub(super) struct Content {
    bytes: Vec<u8>,
    pub(super) shared: Shared,
    /// The test of each workload by workload name.
    tests: BTreeMap<String, String>,
}

impl SharedFiles {
    /// Takes the shared files out of the found files.
    pub(super) fn taken_from(found: &mut BTreeMap<String, PathBuf>) -> Self {
        let shared = found.extract_if(.., |name, _| test_name::tests_of(name).is_some()).collect();
        Self { found: shared, read: Mutex::default() }
    }
}

impl Store {
    /// Returns whether this shared file existed when the store was opened.
    pub(super) fn was_shared(&self, shared: &str) -> bool {
        self.shared.found.contains_key(shared)
    }

    /// Returns the names of all workloads in shared files. A file that cannot be read contributes
    /// its own name.
    pub(super) fn names_in_shared(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for shared in self.shared.found.keys() {
            match self.read_shared(shared) {
                Ok(content) => names.extend(content.tests.keys().cloned()),
                Err(_) => drop(names.insert(shared.clone())),
            }
        }
        names
    }

    /// Reads a workload from a shared file.
    pub(super) fn load_shared(&self, shared: &str, name: &str) -> Result<Parsed, StoreError> {
        let content = self.read_shared(shared)?;
        let test = content.tests.get(name).map(|test| content.shared.test(test));
        test.ok_or_else(|| StoreError::io("read", find::path_of(shared, find::EXPECTATION))(ErrorKind::NotFound.into()))
    }

    /// Reads the expectation of a test that cargo runs. A test without one gets that of its binary
    /// without baselines, or a new one.
    pub fn load_test(&self, test: &TestName) -> Result<Parsed, StoreError> {
        let name = test.workload();
        match self.load(&name) {
            Err(error) if error.is_not_found() => {}
            parsed => return parsed,
        }
        let file = self.file(&name);
        let malformed = |malformed| StoreError::Malformed { file: file.display().to_string(), malformed };
        let (Some(shared), Some(part)) = (self.shared_of(&name), &test.test) else {
            return Parsed::of_test(&test.to_string()).map_err(malformed);
        };
        match self.read_shared(&shared) {
            Err(error) if error.is_not_found() => {
                Ok(Shared::of_binary(&test.whole().to_string()).map_err(malformed)?.test(part))
            }
            content => Ok(content?.shared.test(part)),
        }
    }

    /// Replaces a workload's own file.
    ///
    /// If the text was made for a shared file, and the test was moved out of it since, the text
    /// gets the first document of a test's own file.
    pub(super) fn save_own(&self, name: &str, text: &str) -> Result<bool, StoreError> {
        let path = self.package.join(find::path_of(name, find::EXPECTATION));
        let own = test_name::shared_file(name).and_then(|_| {
            let parsed = format::read(text.as_bytes()).ok()?;
            let test = test_in(&parsed.expectation)?;
            let of_shared = Shared::of_binary(&test.whole().to_string()).ok()?.test(test.test.as_deref()?);
            let is_of_shared = parsed.clone().without_baselines().text() == of_shared.text();
            let bare = Parsed::of_test(&test.to_string()).ok().filter(|_| is_of_shared)?;
            Some(format::write(&bare, &parsed.expectation.baselines))
        });
        let text = own.as_deref().unwrap_or(text);
        check_size(&path, text, MAX_BYTES)?;
        file::replace(&path, text)
    }

    /// Replaces a workload's part of a shared file by the content of `text`, which is written like
    /// a test's own file. Returns whether a byte changed. The caller holds the lock.
    pub(super) fn save_shared(&self, shared: &str, name: &str, text: &str) -> Result<bool, StoreError> {
        let path = find::path_of(name, find::EXPECTATION);
        let malformed = |malformed| StoreError::Malformed { file: path.display().to_string(), malformed };
        check_size(&path, text, MAX_BYTES)?;
        let expectation = format::read(text.as_bytes()).map_err(malformed)?.expectation;
        let test = test_in(&expectation).filter(|test| test.workload() == name);
        let test = test.ok_or_else(|| find::bad_name(path.clone()))?;
        // YAML limits the length of a key; as a value the name may be longer.
        if is_too_long(&test) {
            return self.save_own(name, text);
        }
        self.change_shared(shared, &test, |content, test| {
            expectation.baselines.into_iter().for_each(|baseline| content.insert(test, baseline));
        })
    }

    /// Removes a workload's part of a shared file. Returns whether there was any. The caller holds
    /// the lock.
    pub(super) fn remove_from_shared(&self, shared: &str, name: &str) -> Result<bool, StoreError> {
        match self.load_shared(shared, name) {
            Err(error) if error.is_not_found() => Ok(false),
            parsed => match test_in(&parsed?.expectation) {
                Some(test) => self.change_shared(shared, &test, |content, test| {
                    content.remove(test);
                }),
                None => Ok(false),
            },
        }
    }

    /// Changes a shared file. A file that contains only what this program writes, and no tests, is
    /// removed.
    fn change_shared(
        &self,
        shared: &str,
        test: &TestName,
        change: impl FnOnce(&mut Shared, &str),
    ) -> Result<bool, StoreError> {
        let path = self.package.join(find::path_of(shared, find::EXPECTATION));
        let mut content = match self.read_shared(shared) {
            Err(error) if error.is_not_found() => Shared::of_binary(&test.whole().to_string())
                .map_err(|malformed| StoreError::Malformed { file: path.display().to_string(), malformed })?,
            content => content?.shared.clone(),
        };
        change(&mut content, test.test.as_deref().unwrap_or_default());
        self.write_shared(&path, &content)
    }

    /// Writes a shared file. The caller holds the lock.
    pub(super) fn write_shared(&self, path: &Path, content: &Shared) -> Result<bool, StoreError> {
        if content.is_bare() {
            return file::remove(path);
        }
        let text = content.text();
        if text.len() > MAX_SHARED_BYTES {
            let why = "it would be too large to be read again; `cargo sysguard layout test` gives each test a file";
            return Err(StoreError::io("write", path)(io::Error::other(why)));
        }
        file::replace(path, &text)
    }

    /// Reads a shared file. It is parsed again only if its bytes have changed.
    pub(super) fn read_shared(&self, shared: &str) -> Result<Arc<Content>, StoreError> {
        let shown = find::path_of(shared, find::EXPECTATION);
        let path = self.package.join(&shown);
        let bytes = match file::read(&path, MAX_SHARED_BYTES)? {
            file::Content::Regular(bytes) => bytes,
            file::Content::Other(kind) => return Err(StoreError::NotAFile { path, kind }),
        };
        let mut read = self.shared.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(content) = read.get(shared).filter(|content| content.bytes == bytes) {
            return Ok(Arc::clone(content));
        }
        let parsed = Shared::read(&bytes)
            .map_err(|malformed| StoreError::Malformed { file: shown.display().to_string(), malformed })?;
        if TestName::parse(parsed.binary()).is_none_or(|binary| binary.test.is_some() || binary.shared_file() != shared)
        {
            let reason = "its `tests:` names another binary than its path does";
            return Err(StoreError::BadName { path: shown, reason });
        }
        let tests = parsed.tests().into_iter().map(|test| (named(&parsed, test).workload(), test.to_owned()));
        let content = Arc::new(Content { bytes, tests: tests.collect(), shared: parsed });
        read.insert(shared.to_owned(), Arc::clone(&content));
        Ok(content)
    }

    /// Returns the names of the shared files that were found.
    pub(super) fn shared_names(&self) -> impl Iterator<Item = &str> {
        self.shared.found.keys().map(String::as_str)
    }

    /// Returns whether this file, relative to its package, has the name of an expectation.
    pub fn is_expectation(file: &Path) -> bool {
        find::name_of(file, find::EXPECTATION).is_some()
    }

    /// Adds the expectations of a file by workload name. A workload's own file takes precedence
    /// over a shared one.
    ///
    /// # Errors
    ///
    /// The text is malformed.
    pub fn add_expectations(
        all: &mut BTreeMap<String, Expectation>,
        file: &Path,
        bytes: &[u8],
    ) -> Result<(), Malformed> {
        let Some(name) = find::name_of(file, find::EXPECTATION) else { return Ok(()) };
        if test_name::tests_of(&name).is_none() {
            all.insert(name, format::read(bytes)?.expectation);
            return Ok(());
        }
        let content = Shared::read(bytes)?;
        for test in content.tests() {
            all.entry(named(&content, test).workload()).or_insert_with(|| content.test(test).expectation);
        }
        Ok(())
    }
}

/// Returns the full name of a test in a shared file.
pub(super) fn named(content: &Shared, test: &str) -> TestName {
    let binary = content.binary();
    let whole = TestName::parse(binary);
    let whole = whole.unwrap_or_else(|| TestName { package: binary.to_owned(), binary: String::new(), test: None });
    TestName { test: Some(test.to_owned()), ..whole }
}

/// Returns the test that an expectation belongs to.
pub(super) fn test_in(expectation: &Expectation) -> Option<TestName> {
    match &expectation.document.workload.program {
        Program::Run(name) => TestName::parse(name).filter(|name| name.test.is_some()),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
