//! The index of functions: from the name of a function to the source files that may define it.
//! Main type: [`Index`].
//!
//! Names are stored as hashes of 34 bits, so that the index of three kernels takes 3 MB. One in
//! 20,000 unknown names matches a file by accident; its neighbours contradict the match. One table
//! holds all versions, because most functions are in all of them.
//!
//! The text (paths, sections) is compressed by `miniz_oxide`, which is already a dependency for
//! debug information. Hashes do not compress, so `bits` writes their differences.

mod bits;
mod encode;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

pub use encode::encode;

use crate::profile::Place;
use kernel_source::Linkage;

/// Width of a hash in bits.
const WIDTH: u32 = 34;

/// The first line of an index.
const MAGIC: &str = "sysguard index of kernel functions, format 1\n";

/// The built-in index.
static BUILT_IN: &[u8] = include_bytes!("index.bin");

/// An index that is not yet searched.
#[derive(Debug)]
pub(crate) struct Index {
    versions: Vec<String>,
    text: Vec<u8>,
    bits: Vec<u8>,
}

/// A file of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) place: Place,
    /// Files with the same number are compiled together, because one includes the other.
    pub(crate) object: usize,
}

/// The entries of one version of the index for the wanted names.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) files: Vec<File>,
    /// Number of functions of each file in the index.
    pub(crate) sizes: Vec<usize>,
    by_hash: HashMap<u64, Vec<(usize, Linkage)>, BuildHasherDefault<AsIs>>,
}

/// A hasher for names that are hashes already.
#[derive(Debug, Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        // `HashMap` uses both ends of a hash.
        self.0 ^ self.0 << 30
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = self.0 << 8 | u64::from(byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// Returns the hash of a name: FNV-1a with a final mix, as its low bits depend on few letters.
fn hash(name: &str) -> u64 {
    let mut hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash >> (u64::BITS - WIDTH)
}

impl Index {
    /// Returns the built-in index.
    pub(crate) fn built_in() -> Self {
        Self::read(BUILT_IN).expect("the built-in index, which a test reads")
    }

    /// Reads what [`encode`] wrote. Returns `None` for anything else.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC.as_bytes())?;
        let end = rest.windows(2).position(|pair| pair == b"\n\n")?;
        let header = std::str::from_utf8(&rest[..end]).ok()?;
        let versions = header.lines().find_map(|line| line.strip_prefix("From Linux "))?.trim_end_matches('.');
        let (length, rest) = rest[end + 2..].split_first_chunk::<4>()?;
        let (text, bits) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        Some(Self {
            versions: versions.split(", ").map(str::to_owned).collect(),
            text: miniz_oxide::inflate::decompress_to_vec(text).ok()?,
            bits: bits.to_owned(),
        })
    }

    /// Returns the versions of its kernels, the oldest first.
    pub(crate) fn versions(&self) -> &[String] {
        &self.versions
    }

    /// Returns the entries for the names in the version at this position.
    pub(crate) fn find<'n>(&self, version: usize, names: impl Iterator<Item = &'n str>) -> Found {
        let by_hash = names.map(|name| (hash(name), Vec::new())).collect();
        let mut found = Found { by_hash, ..Found::default() };
        let mut text = Text { bytes: &self.text };
        let mut bits = bits::Reader::new(&self.bits);
        let [subsystems, sections] = [text.strings(), text.strings()];
        let mut path = Vec::new();
        let mut objects = Vec::new();
        for row in 0..text.number() {
            let shared = text.number();
            path.truncate(shared);
            path.extend_from_slice(text.string());
            let subsystem = Arc::clone(&subsystems[text.number()]);
            let mut section = text.number();
            for _ in 0..text.number() {
                let (since, its) = (text.number(), text.number());
                if version >= since {
                    section = its;
                }
            }
            let section = section.checked_sub(1).map(|at| Arc::clone(&sections[at]));
            let place = Place { file: Arc::from(String::from_utf8_lossy(&path)), subsystem, section };
            objects.extend((0..text.number()).map(|_| (row, text.number())));
            let mut size = 0;
            for _ in 0..text.number() {
                let key = text.number();
                let (linkage, is_ours) = (linkage(key & 3), key >> 2 >> version & 1 == 1);
                let count = text.number();
                size += if is_ours { count } else { 0 };
                bits.sorted(count, WIDTH, |hash| {
                    if is_ours && let Some(candidates) = found.by_hash.get_mut(&hash) {
                        candidates.push((row, linkage));
                    }
                });
            }
            found.files.push(File { place, object: row });
            found.sizes.push(size);
        }
        found.join(&objects);
        found
    }
}

impl Found {
    /// Assigns the same object to files that include each other.
    fn join(&mut self, pairs: &[(usize, usize)]) {
        for &(included, includer) in pairs {
            let (from, to) = (self.files[included].object, self.files[includer].object);
            self.files.iter_mut().filter(|file| file.object == from).for_each(|file| file.object = to);
        }
    }

    /// Returns the files that define a function of this name, with how the linker sees it there.
    pub(crate) fn candidates(&self, name: &str) -> &[(usize, Linkage)] {
        self.by_hash.get(&hash(name)).map_or(&[], Vec::as_slice)
    }
}

fn linkage(number: usize) -> Linkage {
    match number {
        0 => Linkage::Static,
        1 => Linkage::Global,
        _ => Linkage::Weak,
    }
}

/// Reads the text part. Numbers have seven bits a byte, the lowest first.
struct Text<'b> {
    bytes: &'b [u8],
}

impl<'b> Text<'b> {
    fn number(&mut self) -> usize {
        let mut number = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = self.bytes.split_off_first().copied().unwrap_or(0);
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    fn string(&mut self) -> &'b [u8] {
        let length = self.number().min(self.bytes.len());
        self.bytes.split_off(..length).unwrap_or_default()
    }

    fn strings(&mut self) -> Vec<Arc<str>> {
        (0..self.number()).map(|_| Arc::from(String::from_utf8_lossy(self.string()))).collect()
    }
}

#[cfg(test)]
mod tests;
