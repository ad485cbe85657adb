//! Files that hold all tests of a binary: which workloads lie in them, and how one of those is read
//! and replaced.
//!
//! Several processes may each run one test of a binary: a change reads the file again and replaces
//! it under a lock of its folder, so that no process overwrites what another one has written.
//! Proposals stay a file a test: they are many processes' at once, and short-lived.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::file::{self, Lock};
use super::{Store, StoreError, find};
use crate::model::expectation::format::{self, MAX_SHARED_BYTES, Parsed, Shared};
use crate::model::expectation::{Expectation, Malformed};
use crate::model::run::test_name::{self, TestName};
use crate::model::run::workload::Program;

/// The shared files of a package.
#[derive(Debug, Default)]
pub(super) struct SharedFiles {
    /// Name → file, relative to the package, as they were found.
    found: BTreeMap<String, PathBuf>,
    /// What was read last, by the name of the file: many workloads lie in one.
    read: Mutex<BTreeMap<String, Arc<Content>>>,
}

/// A shared file that was read.
#[derive(Debug)]
pub(super) struct Content {
    bytes: Vec<u8>,
    pub(super) shared: Shared,
    /// The test of each workload.
    tests: BTreeMap<String, String>,
}

impl SharedFiles {
    /// Takes the shared files out of what was found.
    pub(super) fn taken_from(found: &mut BTreeMap<String, PathBuf>) -> Self {
        let shared = found.extract_if(.., |name, _| test_name::tests_of(name).is_some()).collect();
        Self { found: shared, read: Mutex::default() }
    }
}

impl Store {
    /// The name of the shared file that holds this workload, or will; `None` where it has a file of
    /// its own, or is no test of a binary.
    ///
    /// A file of its own goes before a shared one. New tests of a binary go where its other tests
    /// are, those of a new binary share a file.
    pub(super) fn shared_of(&self, name: &str) -> Option<String> {
        let shared = test_name::shared_file(name)?;
        if self.files.contains_key(name) {
            return None;
        }
        let below = test_name::tests_of(&shared)?;
        let has_own_files =
            || self.files.range(below.clone()..).next().is_some_and(|(name, _)| name.starts_with(&below));
        (self.shared.found.contains_key(&shared) || !has_own_files()).then_some(shared)
    }

    /// The names of all workloads that lie in shared files; that of the file itself where it cannot
    /// be read.
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

    /// Reads the expectation of a test that cargo runs. One that has none yet has that of its
    /// binary without baselines, or a new one.
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

    /// Replaces what a shared file holds of a workload by what this text of a file of its own says.
    /// Says whether a byte changed.
    pub(super) fn save_shared(&self, shared: &str, name: &str, text: &str) -> Result<bool, StoreError> {
        let path = find::path_of(name, find::EXPECTATION);
        let malformed = |malformed| StoreError::Malformed { file: path.display().to_string(), malformed };
        let expectation = format::read(text.as_bytes()).map_err(malformed)?.expectation;
        let test = test_in(&expectation).filter(|test| test.workload() == name).ok_or_else(|| find::bad_name(path))?;
        self.change_shared(shared, &test, |content, test| {
            expectation.baselines.into_iter().for_each(|baseline| content.insert(test, baseline));
        })
    }

    /// Removes what a shared file holds of a workload. Says whether there was anything.
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

    /// Changes a shared file under its folder's lock. A file with nothing in it but what this
    /// program wrote is removed.
    fn change_shared(
        &self,
        shared: &str,
        test: &TestName,
        change: impl FnOnce(&mut Shared, &str),
    ) -> Result<bool, StoreError> {
        let path = self.package.join(find::path_of(shared, find::EXPECTATION));
        let _lock = Lock::of(path.parent().unwrap_or(&self.package))?;
        let mut content = match self.read_shared(shared) {
            Err(error) if error.is_not_found() => Shared::of_binary(&test.whole().to_string())
                .map_err(|malformed| StoreError::Malformed { file: path.display().to_string(), malformed })?,
            content => content?.shared.clone(),
        };
        change(&mut content, test.test.as_deref().unwrap_or_default());
        self.write_shared(&path, &content)
    }

    /// Writes a shared file; its folder is locked by the caller.
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

    /// Reads a shared file; it is parsed again only where its bytes are others than before.
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
        if TestName::parse(parsed.binary()).is_none_or(|binary| binary.shared_file() != shared) {
            let reason = "its `tests:` names another binary than its path does";
            return Err(StoreError::BadName { path: shown, reason });
        }
        let tests = parsed.tests().into_iter().map(|test| (named(&parsed, test).workload(), test.to_owned()));
        let content = Arc::new(Content { bytes, tests: tests.collect(), shared: parsed });
        read.insert(shared.to_owned(), Arc::clone(&content));
        Ok(content)
    }

    /// The names of the shared files that were found.
    pub(super) fn shared_names(&self) -> impl Iterator<Item = &str> {
        self.shared.found.keys().map(String::as_str)
    }

    /// Whether this file, relative to its package, is an expectation by its name.
    pub fn is_expectation(file: &Path) -> bool {
        find::name_of(file, find::EXPECTATION).is_some()
    }

    /// Adds what a file of expectations says, by the names of workloads. A file of a workload's own
    /// goes before a shared one.
    ///
    /// # Errors
    ///
    /// Where the text is malformed.
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

/// The name of a test of a shared file.
pub(super) fn named(content: &Shared, test: &str) -> TestName {
    let binary = content.binary();
    let whole = TestName::parse(binary);
    let whole = whole.unwrap_or_else(|| TestName { package: binary.to_owned(), binary: String::new(), test: None });
    TestName { test: Some(test.to_owned()), ..whole }
}

/// The test that an expectation is about.
pub(super) fn test_in(expectation: &Expectation) -> Option<TestName> {
    match &expectation.document.workload.program {
        Program::Run(name) => TestName::parse(name).filter(|name| name.test.is_some()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
