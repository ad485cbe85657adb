//! The list of libraries that ldconfig(8) writes for the loader of glibc: `/etc/ld.so.cache`. Main
//! type: [`LoaderCache`].
//!
//! The format is that of `sysdeps/generic/dl-cache.h` in glibc. A damaged cache is an empty one, as
//! it is for the loader.

use std::collections::HashMap;
use std::path::PathBuf;

/// The files of each library name, in the order of the cache.
#[derive(Debug, Default)]
pub(super) struct LoaderCache(HashMap<String, Vec<CachedFile>>);

#[derive(Debug, PartialEq, Eq)]
struct CachedFile {
    path: PathBuf,
    /// The level of the processor that it needs, such as `x86-64-v3`; `None` if any will do.
    level: Option<String>,
}

/// The first bytes of the format since glibc 2.2.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";

/// The first bytes of an older format that may come before it.
const OLD_MAGIC: &[u8] = b"ld.so-1.7.0\0";

/// Sizes in bytes: `struct file_entry`, `struct cache_file_new`, `struct file_entry_new`.
const OLD_ENTRY: usize = 12;
const HEADER: usize = 48;
const ENTRY: usize = 24;

/// `FLAG_ELF_LIBC6 | FLAG_X8664_LIB64`: a library for 64-bit x86 programs.
const X86_64: u32 = 0x0303;

/// `DL_CACHE_HWCAP_EXTENSION`: the lower half of the field is an index into the names of levels.
const LEVELLED: u64 = 1 << 62;

/// `cache_extension_magic`, and the tag of the section with the names of levels.
const EXTENSION: u32 = 0xeaa4_2174;
const LEVELS: u32 = 1;

impl LoaderCache {
    /// Reads the content of the file.
    pub(super) fn read(bytes: &[u8]) -> Self {
        Self(newest(bytes).and_then(entries).unwrap_or_default())
    }

    /// Returns the file that the loader takes for a name. `supported` lists the levels of the
    /// processor, the best one first.
    pub(super) fn file(&self, name: &str, supported: &[&str]) -> Option<&PathBuf> {
        let files = self.0.get(name)?;
        let of_level = |level: Option<&str>| files.iter().find(|file| file.level.as_deref() == level);
        let best = supported.iter().find_map(|level| of_level(Some(level)));
        best.or_else(|| of_level(None)).map(|file| &file.path)
    }
}

/// Returns the part of the file in the newest format.
fn newest(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.starts_with(MAGIC) {
        return Some(bytes);
    }
    let count = word(bytes.strip_prefix(OLD_MAGIC)?, 0)? as usize;
    let end = OLD_MAGIC.len() + size_of::<u32>() + count.checked_mul(OLD_ENTRY)?;
    bytes.get(end.next_multiple_of(8)..).filter(|rest| rest.starts_with(MAGIC))
}

fn entries(bytes: &[u8]) -> Option<HashMap<String, Vec<CachedFile>>> {
    let count = word(bytes, MAGIC.len())? as usize;
    let levels = levels(bytes, word(bytes, 32)? as usize).unwrap_or_default();
    let mut files: HashMap<String, Vec<CachedFile>> = HashMap::new();
    for at in 0..count {
        let entry = bytes.get(HEADER.checked_add(at.checked_mul(ENTRY)?)?..)?;
        let (flags, name, path) = (word(entry, 0)?, word(entry, 4)?, word(entry, 8)?);
        let capability = u64::from(word(entry, 16)?) | u64::from(word(entry, 20)?) << 32;
        let level = match capability {
            0 => None,
            levelled if levelled & LEVELLED != 0 => {
                let Some(level) = levels.get(levelled as u32 as usize) else { continue };
                Some(level.clone())
            }
            // Capabilities of a kind that the loader no longer knows.
            _ => continue,
        };
        if flags == X86_64 {
            let path = PathBuf::from(string(bytes, path)?);
            files.entry(string(bytes, name)?).or_default().push(CachedFile { path, level });
        }
    }
    Some(files)
}

/// Returns the names of levels, which follow the extension's table of sections.
fn levels(bytes: &[u8], extension: usize) -> Option<Vec<String>> {
    let table = bytes.get(extension..).filter(|_| extension > 0)?;
    let count = (word(table, 0)? == EXTENSION).then(|| word(table, 4))??;
    let section = (0..count as usize).find_map(|at| {
        let section = table.get(8 + at.checked_mul(16)?..)?;
        (word(section, 0)? == LEVELS).then(|| Some((word(section, 8)? as usize, word(section, 12)? as usize)))?
    });
    let (start, size) = section?;
    let names = bytes.get(start..start.checked_add(size)?)?;
    names.chunks_exact(4).map(|offset| string(bytes, word(offset, 0)?)).collect()
}

/// Returns the 32-bit word at an offset. The cache is written for the machine that reads it.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(word.try_into().ok()?))
}

fn string(bytes: &[u8], at: u32) -> Option<String> {
    let rest = bytes.get(at as usize..)?;
    let end = rest.iter().position(|&byte| byte == 0)?;
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a cache with these entries: flags, name, path and level.
    fn cache(entries: &[(u32, &str, &str, Option<u32>)], levels: &[&str]) -> Vec<u8> {
        let strings_at = HEADER + entries.len() * ENTRY;
        let mut strings: Vec<u8> = Vec::new();
        let mut string = |text: &str| {
            let at = (strings_at + strings.len()) as u32;
            strings.extend(text.as_bytes());
            strings.push(0);
            at
        };
        let mut body = Vec::new();
        for (flags, name, path, level) in entries {
            let capability = level.map_or(0, |level| LEVELLED | u64::from(level));
            body.extend([*flags, string(name), string(path), 0].map(u32::to_le_bytes).concat());
            body.extend(capability.to_le_bytes());
        }
        let levels: Vec<u8> = levels.iter().flat_map(|level| string(level).to_le_bytes()).collect();
        let extension = (strings_at + strings.len()).next_multiple_of(4);
        let mut bytes = MAGIC.to_vec();
        bytes.extend(
            [entries.len() as u32, strings.len() as u32, 2, extension as u32, 0, 0, 0].map(u32::to_le_bytes).concat(),
        );
        bytes.extend(body);
        bytes.extend(strings);
        bytes.resize(extension, 0);
        let section = [EXTENSION, 1, LEVELS, 0, extension as u32 + 24, levels.len() as u32];
        bytes.extend(section.map(u32::to_le_bytes).concat());
        bytes.extend(levels);
        bytes
    }

    #[test]
    fn best_supported_level_is_taken() {
        let bytes = cache(
            &[
                (X86_64, "libz.so.1", "/v3/libz.so.1", Some(1)),
                (X86_64, "libz.so.1", "/v2/libz.so.1", Some(0)),
                (0x0803, "libz.so.1", "/x32/libz.so.1", None),
                (X86_64, "libz.so.1", "/lib/libz.so.1", None),
            ],
            &["x86-64-v2", "x86-64-v3"],
        );
        let cache = LoaderCache::read(&bytes);
        for (supported, path) in [
            (&["x86-64-v3", "x86-64-v2"][..], "/v3/libz.so.1"),
            (&["x86-64-v2"], "/v2/libz.so.1"),
            (&[], "/lib/libz.so.1"),
        ] {
            assert_eq!(cache.file("libz.so.1", supported), Some(&PathBuf::from(path)), "{supported:?}");
        }
        assert_eq!(cache.file("liby.so.1", &[]), None);
    }

    #[test]
    fn older_format_may_come_first() {
        let mut bytes = OLD_MAGIC.to_vec();
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend([0; OLD_ENTRY]);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend(cache(&[(X86_64, "liba.so", "/lib/liba.so", None)], &[]));
        assert_eq!(LoaderCache::read(&bytes).file("liba.so", &[]), Some(&PathBuf::from("/lib/liba.so")));
    }

    #[test]
    fn damaged_cache_is_empty() {
        let whole = cache(&[(X86_64, "liba.so", "/lib/liba.so", None)], &[]);
        for length in 0..HEADER + ENTRY {
            assert_eq!(LoaderCache::read(&whole[..length]).file("liba.so", &[]), None, "{length}");
        }
    }
}
