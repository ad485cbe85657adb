//! The debug information of a program or library: functions and lines by address. Main type:
//! [`DebugInfo`].
//!
//! It may be in the file itself, in a package beside it (`.dwp`), or in the objects that the
//! compiler left (`.dwo`). It must not unwind.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use addr2line::gimli::{
    self, AbbreviationsCacheStrategy, Dwarf, DwarfPackage, EndianSlice, RunTimeEndian, Section, SectionId,
};
use addr2line::{Context, FrameIter, LookupContinuation, LookupResult, SplitDwarfLoad};
use object::read::{CompressionFormat, Object, ObjectSection};
use object::{SymbolMap, SymbolMapName};
use typed_arena::Arena;

use crate::linux::sys::{MappedFile, map_file};

/// The files that symbols are read from. They stay mapped as long as this lives.
#[derive(Default)]
pub struct SymbolFiles {
    mapped: Arena<MappedFile>,
    decompressed: Arena<Vec<u8>>,
    reads_packages: bool,
}

impl fmt::Debug for SymbolFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SymbolFiles").field("mapped", &self.mapped.len()).finish()
    }
}

type Bytes<'a> = EndianSlice<'a, RunTimeEndian>;

impl SymbolFiles {
    /// Returns an empty set that also reads the debug information that distributions install apart
    /// from a program, found by its build ID: "Separate Debug Files", GDB manual.
    #[cfg(feature = "unstable")]
    pub fn with_debug_packages() -> Self {
        Self { reads_packages: true, ..Self::default() }
    }

    /// Returns the file with debug information: a separate one if this one has none.
    fn debug_file<'a>(&'a self, file: object::File<'a>) -> object::File<'a> {
        let is_bare = self.reads_packages && !file.has_debug_symbols();
        let id = is_bare.then(|| file.build_id().ok().flatten()).flatten();
        let separate = id.and_then(|id| self.open(&debug_path(id)?));
        separate.unwrap_or(file)
    }

    /// Maps a file and reads its headers. `None` if it is gone or not an ELF file.
    fn open(&self, path: &Path) -> Option<object::File<'_>> {
        let mapped = map_file(&File::open(path).ok()?).ok()?;
        object::File::parse(&**self.mapped.alloc(mapped)).ok()
    }

    /// Returns a section, empty if the file lacks it or it cannot be decompressed. It never fails;
    /// the type of the error is the one that gimli needs.
    fn section<'a>(&'a self, file: &object::File<'a>, name: Option<&str>) -> gimli::Result<Bytes<'a>> {
        let endian = if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let bytes = match name.and_then(|name| file.section_by_name(name)?.uncompressed_data().ok()) {
            Some(Cow::Borrowed(bytes)) => bytes,
            Some(Cow::Owned(bytes)) => self.decompressed.alloc(bytes),
            None => &[],
        };
        Ok(EndianSlice::new(bytes, endian))
    }
}

/// Debug information and symbols.
pub(super) struct DebugInfo<'a> {
    files: &'a SymbolFiles,
    context: Context<Bytes<'a>>,
    package: Option<DwarfPackage<Bytes<'a>>>,
    symbols: SymbolMap<SymbolMapName<'a>>,
    is_compressed: bool,
}

impl<'a> DebugInfo<'a> {
    /// Reads a program or library. `None` if it is gone or invalid.
    pub(super) fn read(files: &'a SymbolFiles, path: &Path) -> Option<Self> {
        let file = files.debug_file(files.open(path)?);
        let mut dwarf = Dwarf::load(|id: SectionId| files.section(&file, Some(id.name()))).ok()?;
        dwarf.populate_abbreviations_cache(AbbreviationsCacheStrategy::Duplicates);
        let is_compressed = is_compressed(&file) && dwarf.debug_info.reader().is_empty();
        let context = Context::from_dwarf(dwarf).ok()?;
        let package = files.open(&package_path(path)).and_then(|package| {
            let empty = files.section(&package, None).ok()?;
            DwarfPackage::load(|id| files.section(&package, id.dwo_name()), empty).ok()
        });
        Some(Self { files, context, package, symbols: file.symbol_map(), is_compressed })
    }

    /// Returns whether the file has debug information that this build cannot decompress.
    pub(super) fn is_compressed(&self) -> bool {
        self.is_compressed
    }

    /// Returns the mangled symbol of an address.
    pub(super) fn symbol(&self, address: u64) -> Option<&'a str> {
        self.symbols.containing(address).map(SymbolMapName::name)
    }

    /// Returns the functions at an address, inlined ones first.
    pub(super) fn frames(&self, address: u64) -> Option<FrameIter<'_, Bytes<'a>>> {
        let mut lookup = self.context.find_frames(address);
        loop {
            match lookup {
                LookupResult::Output(frames) => return frames.ok(),
                LookupResult::Load { load, continuation } => lookup = continuation.resume(self.split(&load)),
            }
        }
    }

    /// Returns the part of the debug information that the compiler split off.
    fn split(&self, load: &SplitDwarfLoad<Bytes<'a>>) -> Option<Arc<Dwarf<Bytes<'a>>>> {
        if let Some(unit) = self.package.as_ref().and_then(|package| package.find_cu(load.dwo_id, &load.parent).ok()?) {
            return Some(Arc::new(unit));
        }
        let name = |bytes: &Bytes<'a>| PathBuf::from(OsStr::from_bytes(bytes.slice()));
        let folder = load.comp_dir.as_ref().map(name).unwrap_or_default();
        let file = self.files.open(&folder.join(name(load.path.as_ref()?)))?;
        let mut dwarf = Dwarf::load(|id: SectionId| self.files.section(&file, id.dwo_name())).ok()?;
        let header = dwarf.units().next().ok()??;
        // A file that was compiled again since describes another program.
        let is_same = dwarf.unit(header).ok()?.dwo_id == Some(load.dwo_id);
        dwarf.make_dwo(&load.parent);
        is_same.then(|| Arc::new(dwarf))
    }
}

/// Returns whether the debug information in the file is compressed.
fn is_compressed(file: &object::File<'_>) -> bool {
    let format = |name| Some(file.section_by_name(name)?.compressed_data().ok()?.format);
    format(SectionId::DebugInfo.name()).is_some_and(|format| format != CompressionFormat::None)
}

/// Returns where distributions install the debug information of a build:
/// `/usr/lib/debug/.build-id/ab/cdef.debug`.
fn debug_path(id: &[u8]) -> Option<PathBuf> {
    let (first, rest) = id.split_first().filter(|(_, rest)| !rest.is_empty())?;
    let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(PathBuf::from(format!("/usr/lib/debug/.build-id/{first:02x}/{rest}.debug")))
}

/// Returns where the linker leaves the package of split debug information: `demo.dwp`,
/// `libdemo.so.dwp`.
fn package_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".dwp");
    PathBuf::from(name)
}
