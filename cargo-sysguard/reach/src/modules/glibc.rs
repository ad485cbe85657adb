//! Where the loader of glibc looks for a library: ld.so(8). Main type: [`GlibcRules`].
//!
//! `LD_LIBRARY_PATH` and `LD_PRELOAD` are left out: they belong to a run, not to a program.

use std::path::{Path, PathBuf};

use super::cache::LoaderCache;
use super::chain::Requester;

/// The rules of glibc, with the cache of this system.
#[derive(Debug)]
pub(super) struct GlibcRules {
    cache: LoaderCache,
    /// The levels of this processor, the best one first.
    levels: Vec<&'static str>,
    /// The libraries that every program loads first.
    preloaded: Vec<String>,
}

const CACHE: &str = "/etc/ld.so.cache";
const PRELOADED: &str = "/etc/ld.so.preload";

/// The default folders of glibc as distributions build it: `slibdir` and `libdir`. One with a name
/// of the architecture has only libraries of it.
const DEFAULT: [&str; 6] =
    ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"];

impl GlibcRules {
    /// Reads the loader's files.
    pub(super) fn of_system() -> Self {
        let preloaded = std::fs::read_to_string(PRELOADED).unwrap_or_default();
        let preloaded = preloaded.lines().map(|line| line.split('#').next().unwrap_or_default());
        let names = preloaded.flat_map(|line| line.split([' ', '\t', ':'])).filter(|name| !name.is_empty());
        Self {
            cache: LoaderCache::read(&std::fs::read(CACHE).unwrap_or_default()),
            levels: levels(),
            preloaded: names.map(str::to_owned).collect(),
        }
    }

    /// Returns the libraries of `/etc/ld.so.preload`.
    pub(super) fn preloaded(&self) -> &[String] {
        &self.preloaded
    }

    /// Returns the files that may be the library, in the order in which they are tried.
    pub(super) fn candidates(&self, name: &str, requester: &Requester<'_>) -> Vec<PathBuf> {
        if name.contains('/') {
            return requester.path(name).into_iter().collect();
        }
        let own = requester.links();
        let folders = if own.runpath.is_empty() { requester.inherited_rpath() } else { requester.runpath() };
        let levelled = |folder: PathBuf| self.levelled(&folder, name);
        let mut candidates: Vec<PathBuf> = folders.into_iter().flat_map(levelled).collect();
        let is_default = |file: &&PathBuf| DEFAULT.iter().any(|folder| file.starts_with(folder));
        let cached = self.cache.file(name, &self.levels);
        candidates.extend(cached.filter(|file| !own.ignores_default_folders || !is_default(file)).cloned());
        if !own.ignores_default_folders {
            candidates.extend(DEFAULT.iter().flat_map(|folder| self.levelled(Path::new(folder), name)));
        }
        candidates
    }

    /// Returns the file in a folder, after its variants for better processors.
    fn levelled(&self, folder: &Path, name: &str) -> Vec<PathBuf> {
        let variants = self.levels.iter().map(|level| folder.join("glibc-hwcaps").join(level).join(name));
        variants.chain([folder.join(name)]).collect()
    }
}

/// Returns the levels of this processor, as `sysdeps/x86_64/dl-hwcaps_subdirs.c` in glibc has them.
fn levels() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        let v2 =
            has!("cmpxchg16b") && has!("popcnt") && has!("sse3") && has!("ssse3") && has!("sse4.1") && has!("sse4.2");
        let v3 = v2
            && has!("avx")
            && has!("avx2")
            && has!("bmi1")
            && has!("bmi2")
            && has!("f16c")
            && has!("fma")
            && has!("lzcnt")
            && has!("movbe");
        let v4 = v3 && has!("avx512f") && has!("avx512bw") && has!("avx512cd") && has!("avx512dq") && has!("avx512vl");
        let known = [(v4, "x86-64-v4"), (v3, "x86-64-v3"), (v2, "x86-64-v2")];
        known.into_iter().filter(|(has, _)| *has).map(|(_, level)| level).collect()
    }
    #[cfg(not(target_arch = "x86_64"))]
    Vec::new()
}
