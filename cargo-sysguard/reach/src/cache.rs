//! Results of earlier analyses of the same files. Main trait: [`Cache`].

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use crate::analysis::Analysis;
use crate::digest::digest;
use crate::result::{Module, Origin};

/// Keeps results for later. Another version of this crate must not find them.
pub trait Cache {
    /// Returns the result that was kept under a key, if it is still whole.
    fn load(&self, key: &str) -> Option<Vec<u8>>;

    /// Keeps a result. One that cannot be kept is lost.
    fn save(&self, key: &str, result: &[u8]);
}

/// Results in memory, for one process.
impl Cache for RefCell<HashMap<String, Vec<u8>>> {
    fn load(&self, key: &str) -> Option<Vec<u8>> {
        self.borrow().get(key).cloned()
    }

    fn save(&self, key: &str, result: &[u8]) {
        self.borrow_mut().insert(key.to_owned(), result.to_owned());
    }
}

/// What is kept of the files of one program.
pub(crate) struct Kept<'c> {
    cache: Option<&'c dyn Cache>,
    /// The digests of the files so far: others come after them.
    digests: Vec<String>,
}

impl<'c> Kept<'c> {
    /// Returns the results in a cache. Without one, there are none.
    pub(crate) fn new(cache: Option<&'c dyn Cache>) -> Self {
        Self { cache, digests: Vec::new() }
    }

    /// Returns the result of the same files, if it was kept and can be read.
    pub(crate) fn load(&mut self, files: &[Module]) -> Option<Analysis> {
        let cache = self.cache?;
        serde_json::from_slice(&cache.load(&self.key(files)?)?).ok()
    }

    /// Keeps the result of files.
    pub(crate) fn save(&mut self, files: &[Module], analysis: &Analysis) {
        if let Some(cache) = self.cache
            && let Some(key) = self.key(files)
            && let Ok(result) = serde_json::to_vec(analysis)
        {
            cache.save(&key, &result);
        }
    }

    /// Returns what all files are identified by. `None` if a path is not UTF-8.
    fn key(&mut self, files: &[Module]) -> Option<String> {
        let new = files.get(self.digests.len()..).unwrap_or_default();
        self.digests.extend(new.iter().map(|file| digest(&file.bytes)));
        let identities: Vec<(&Path, &Origin, &String)> =
            files.iter().zip(&self.digests).map(|(file, digest)| (file.path.as_path(), &file.origin, digest)).collect();
        Some(digest(&serde_json::to_vec(&identities).ok()?))
    }
}
