//! Keeps analyses in the target directory, for the next use of the same files. Main type:
//! [`AnalysisCache`].

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use reach::cache::Cache;
use reach::digest;

/// The analyses of a workspace. A file of it starts with the digest of the rest.
#[derive(Debug)]
pub(crate) struct AnalysisCache {
    folder: PathBuf,
    /// Identifies this executable: another one may analyse otherwise.
    analyser: String,
}

/// How many bytes the files have at most. Those that were not used for the longest time go first.
const MOST: u64 = 64 << 20;

impl AnalysisCache {
    /// Returns the analyses in a target directory. `None` if this executable cannot be identified.
    pub(crate) fn below(target: &Path) -> Option<Self> {
        let own = fs::metadata("/proc/self/exe").ok()?;
        let identity = [own.dev() as i64, own.ino() as i64, own.size() as i64];
        // The kernel alone sets the time of the last change of an inode (inode(7)).
        let changed = [own.ctime(), own.ctime_nsec()];
        let analyser = format!("{} {identity:?} {changed:?}", env!("CARGO_PKG_VERSION"));
        Some(Self { folder: target.join("sysguard/reach-cache"), analyser })
    }

    fn file(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{}.json", digest(format!("{} {key}", self.analyser).as_bytes())))
    }

    /// Replaces a file as a whole: another process may read it meanwhile.
    fn replace(&self, file: &Path, result: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut new = tempfile::NamedTempFile::new_in(&self.folder)?;
        writeln!(new, "{}", digest(result))?;
        new.write_all(result)?;
        new.persist(file)?;
        self.trim()
    }

    /// Removes the oldest files until the others are small enough.
    fn trim(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)?.flatten() {
            // Another process may remove it meanwhile.
            let Ok(metadata) = entry.metadata() else { continue };
            files.push((metadata.modified()?, metadata.len(), entry.path()));
        }
        files.sort();
        let mut total = 0;
        for (_, size, path) in files.into_iter().rev() {
            total += size;
            if total > MOST {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

impl Cache for AnalysisCache {
    fn load(&self, key: &str) -> Option<Vec<u8>> {
        let path = self.file(key);
        let bytes = fs::read(&path).ok()?;
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (known, result) = (&bytes[..end], &bytes[end + 1..]);
        if known != digest(result).as_bytes() {
            return None;
        }
        // Ignore an error: the file is only removed earlier.
        let _ = File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Some(result.to_owned())
    }

    fn save(&self, key: &str, result: &[u8]) {
        // Ignore an error, for example in a read-only target directory: the result is found again.
        let _ = self.replace(&self.file(key), result);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn cache(folder: &tempfile::TempDir) -> AnalysisCache {
        AnalysisCache::below(folder.path()).expect("a cache")
    }

    #[test]
    fn result_is_kept_for_this_executable_and_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = cache(&folder);
        own.save("key", b"{}");
        assert_eq!(cache(&folder).load("key").as_deref(), Some(&b"{}"[..]));
        assert_eq!(own.load("other"), None);
        let other = AnalysisCache { analyser: "other".to_owned(), ..cache(&folder) };
        assert_eq!(other.load("key"), None);
    }

    #[test]
    fn damaged_file_is_ignored_and_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(&folder);
        cache.save("key", b"whole");
        let whole = fs::read(cache.file("key")).expect("a file");
        for damaged in [&whole[..whole.len() - 1], b"", b"\n", &whole[1..]] {
            fs::write(cache.file("key"), damaged).expect("a file");
            assert_eq!(cache.load("key"), None, "{damaged:?}");
        }
        cache.save("key", b"whole");
        assert_eq!(cache.load("key").as_deref(), Some(&b"whole"[..]));
    }

    #[test]
    fn oldest_files_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(&folder);
        let large = vec![b' '; MOST as usize / 3];
        for (age, key) in ["new", "old", "oldest"].into_iter().enumerate() {
            cache.save(key, &large);
            let file = File::open(cache.file(key)).expect("a file");
            file.set_modified(SystemTime::now() - Duration::from_secs(60 * age as u64)).expect("a time");
        }
        cache.save("next", &large);
        let is_there = |key| cache.file(key).exists();
        assert_eq!(["next", "new", "old", "oldest"].map(is_there), [true, true, false, false]);
    }
}
