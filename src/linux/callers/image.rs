//! The unwind tables and functions of a program or a library file. Main type: [`Image`].
//!
//! It must not depend on the load address.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use framehop::ExplicitModuleSectionInfo;
use nix::unistd::{SysconfVar, sysconf};
use object::elf::PF_X;
use object::read::{Object, ObjectSection, ObjectSegment, ReadCache, ReadRef};
use object::{SegmentFlags, SymbolMap};

use super::debug_info::{DebugInfo, SymbolFiles};
use crate::linux::maps::{Mapping, VDSO};
use crate::linux::sys;
use crate::model::kernel::call::Tid;

/// A program or a library.
pub struct Image<'a> {
    /// Parts of the file that are loaded as code: file offsets, and the address of the first byte.
    segments: Vec<(Range<u64>, u64)>,
    pub(super) sections: ExplicitModuleSectionInfo<Arc<[u8]>>,
    path: String,
    /// Loaded when the first stack passes through the image; stacks never pass through most
    /// libraries.
    symbols: OnceCell<Symbols<'a>>,
    /// Functions found so far: stacks share their outer frames.
    found: RefCell<HashMap<u64, Functions>>,
}

/// The functions at an address, inlined ones first.
pub type Functions = Rc<[Function]>;

/// A function, as far as debug information and symbols describe it.
#[derive(Debug)]
pub struct Function {
    /// The demangled name.
    pub name: Option<String>,
    /// File and line.
    pub source: Option<(String, u32)>,
}

enum Symbols<'a> {
    File(Box<DebugInfo<'a>>),
    /// Symbols of the vDSO, which is not a file.
    Memory(BTreeMap<u64, String>),
    None,
}

impl fmt::Debug for Image<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image").field("path", &self.path).finish()
    }
}

impl<'a> Image<'a> {
    /// Reads the image of a mapping of a task. `None` if the file is gone or not an ELF file.
    pub(super) fn of_task(task: Tid, mapping: &Mapping<'_>) -> Option<Self> {
        if mapping.path == VDSO {
            let mut bytes = vec![0; usize::try_from(mapping.range.end - mapping.range.start).ok()?];
            let length = sys::read_memory(task, mapping.range.start, &mut bytes).ok()?;
            return Self::of_vdso(&bytes[..length]);
        }
        let file = File::open(format!("{}{}", root(task), mapping.path)).ok()?;
        Self::of_file(file, mapping.path.to_owned())
    }

    /// Reads a file. Its symbols are read later, from `path`. `None` if it is not an ELF file.
    pub fn of_file(file: File, path: String) -> Option<Self> {
        let cache = ReadCache::new(file);
        let object = object::File::parse(&cache).ok()?;
        Some(Self::of(&object, path, OnceCell::new()))
    }

    /// Reads a copy of the vDSO. `None` if it is not an ELF file.
    pub fn of_vdso(bytes: &[u8]) -> Option<Self> {
        let object = object::File::parse(bytes).ok()?;
        let symbols: SymbolMap<_> = object.symbol_map();
        let symbols = symbols.symbols().iter().map(|symbol| (symbol.address(), symbol.name().to_owned()));
        Some(Self::of(&object, VDSO.to_owned(), OnceCell::from(Symbols::Memory(symbols.collect()))))
    }

    fn of<'data>(
        object: &object::File<'data, impl ReadRef<'data>>,
        path: String,
        symbols: OnceCell<Symbols<'a>>,
    ) -> Self {
        let section = |name: &str| {
            let section = object.section_by_name(name)?;
            Some((section.address()..section.address() + section.size(), Arc::<[u8]>::from(section.data().ok()?)))
        };
        let (eh_frame_svma, eh_frame) = section(".eh_frame").unzip();
        let (eh_frame_hdr_svma, eh_frame_hdr) = section(".eh_frame_hdr").unzip();
        let text_svma = object.section_by_name(".text").map(|text| text.address()..text.address() + text.size());
        let page = page();
        let segments = object
            .segments()
            .filter(|segment| matches!(segment.flags(), SegmentFlags::Elf { p_flags, .. } if p_flags & PF_X == PF_X))
            .map(|segment| {
                let (offset, size) = segment.file_range();
                // A mapping begins at a page boundary.
                let slack = offset % page;
                (offset - slack..offset + size, segment.address() - slack)
            })
            .collect();
        let base_svma = object.segments().map(|segment| segment.address()).min().unwrap_or_default();
        let sections = ExplicitModuleSectionInfo {
            base_svma,
            text_svma,
            eh_frame_svma,
            eh_frame,
            eh_frame_hdr_svma,
            eh_frame_hdr,
            ..ExplicitModuleSectionInfo::default()
        };
        Self { segments, sections, path, symbols, found: RefCell::default() }
    }

    /// Returns the address that belongs to a file offset, if that is code.
    pub fn address(&self, offset: u64) -> Option<u64> {
        let (segment, address) = self.segments.iter().find(|(segment, _)| segment.contains(&offset))?;
        Some(address + (offset - segment.start))
    }

    /// Returns the functions at an address. There is at least one; an unknown one has neither name
    /// nor source. `root` is the prefix for the path of the image: the root folder of a task that
    /// has loaded it, or an empty string.
    pub fn functions(&self, root: &str, files: &'a SymbolFiles, address: u64) -> Functions {
        let symbols = self.symbols.get_or_init(|| {
            let read = DebugInfo::read(files, &PathBuf::from(format!("{root}{}", self.path)));
            read.map_or(Symbols::None, |debug_info| Symbols::File(Box::new(debug_info)))
        });
        self.found.borrow_mut().entry(address).or_insert_with(|| symbols.functions(address)).clone()
    }

    /// Returns whether the lines of its functions cannot be read because they are compressed.
    pub(super) fn is_compressed(&self) -> bool {
        matches!(self.symbols.get(), Some(Symbols::File(debug_info)) if debug_info.is_compressed())
    }

    /// Returns whether the symbols are loaded.
    pub(super) fn has_symbols(&self) -> bool {
        self.symbols.get().is_some()
    }
}

/// Returns the folder through which a task's files are visible.
pub(super) fn root(task: Tid) -> String {
    format!("/proc/{task}/root")
}

impl Symbols<'_> {
    fn functions(&self, address: u64) -> Functions {
        let mut functions = if let Self::File(debug_info) = self { lines(debug_info, address) } else { Vec::new() };
        let symbol = self.symbol(address);
        match functions.last_mut() {
            // Without full debug information, line tables name inlined functions only, and without
            // their module path.
            Some(outermost) if symbol.as_ref().is_some_and(|symbol| symbol.contains("::")) => outermost.name = symbol,
            Some(outermost) => outermost.name = outermost.name.take().or(symbol),
            None => functions.push(Function { name: symbol, source: None }),
        }
        functions.into()
    }

    /// Returns the demangled symbol of an address.
    fn symbol(&self, address: u64) -> Option<String> {
        let symbol = match self {
            Self::File(debug_info) => debug_info.symbol(address),
            Self::Memory(symbols) => symbols.range(..=address).next_back().map(|(_, name)| name.as_str()),
            Self::None => None,
        };
        symbol.map(|symbol| addr2line::demangle_auto(Cow::Borrowed(symbol), None).into_owned())
    }
}

/// Returns the functions that debug information has for an address.
fn lines(debug_info: &DebugInfo<'_>, address: u64) -> Vec<Function> {
    let mut functions = Vec::new();
    if let Some(mut inlined) = debug_info.frames(address) {
        while let Ok(Some(frame)) = inlined.next() {
            let name = frame.function.as_ref().and_then(|function| function.demangle().ok()).map(Cow::into_owned);
            let source =
                frame.location.and_then(|place| Some((place.file?.to_owned(), place.line.unwrap_or_default())));
            functions.push(Function { name, source });
        }
    }
    functions
}

/// Returns the page size: 4 KiB on x86_64; a build option of the kernel on aarch64.
fn page() -> u64 {
    let size = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(4096)
}
