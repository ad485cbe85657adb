//! Finds the file that holds a workload now: its own, or one shared by the tests of its binary.
//!
//! `cargo sysguard layout` may move tests while others run, so each lookup asks the file system.

use std::fs;

use super::{Store, StoreError, find, walk};
use crate::model::run::test_name;

/// How often a file is looked for again after another process moved it.
const ATTEMPTS: usize = 8;

impl Store {
    /// Returns the name of the shared file that holds this workload or would hold it. `None` if the
    /// workload has its own file or is not a test of a binary.
    ///
    /// A test's own file takes precedence over a shared one. New tests are stored like the other
    /// tests of their binary; those of a new binary share a file.
    pub(super) fn shared_of(&self, name: &str) -> Option<String> {
        let shared = test_name::shared_file(name)?;
        if self.has_file(name) {
            return None;
        }
        (self.has_file(&shared) || !self.has_own_files(&shared)).then_some(shared)
    }

    /// Returns whether a file of this name exists, of any kind.
    pub(super) fn has_file(&self, name: &str) -> bool {
        fs::symlink_metadata(self.package.join(find::path_of(name, find::EXPECTATION))).is_ok()
    }

    /// Returns whether tests of this shared file's binary have their own files.
    fn has_own_files(&self, shared: &str) -> bool {
        let Some(below) = test_name::tests_of(shared) else { return false };
        if self.files.range(below.clone()..).next().is_some_and(|(name, _)| name.starts_with(&below)) {
            return true;
        }
        // Tests may have been moved here only if the shared file existed before.
        self.was_shared(shared) && {
            let folder = find::path_of(below.trim_end_matches(':'), "");
            walk::files(&self.package.join(folder))
                .is_ok_and(|files| files.iter().any(|file| find::is_expectation(file)))
        }
    }

    /// Reads a workload from the file that holds it: `read` gets the name of the shared file, or
    /// `None` for its own file. Reads again if another process moved the workload meanwhile.
    pub(super) fn at_place<T>(
        &self,
        name: &str,
        read: impl Fn(Option<&str>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut place = self.shared_of(name);
        for _ in 0..ATTEMPTS {
            let result = read(place.as_deref());
            let now = self.shared_of(name);
            if now == place || !result.as_ref().is_err_and(StoreError::is_not_found) {
                return result;
            }
            place = now;
        }
        read(place.as_deref())
    }
}
