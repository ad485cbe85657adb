//! The stack of a stopped task: unwound by what its programs and libraries tell of their frames, and named by their symbols. Main type: [`Callers`].
//!
//! It is slow beside a stop (a file is opened for every library once), so it is asked for what is new only. It must not fail a run: a stack that
//! cannot be read ends where it cannot.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use addr2line::Loader;
use framehop::{
    CacheNative, ExplicitModuleSectionInfo, FrameAddress, Module, UnwindRegsNative, Unwinder, UnwinderNative,
};
use object::SegmentFlags;
use object::elf::PF_X;
use object::read::{Object, ObjectSection, ObjectSegment, ReadCache};

use super::sys::StackRegisters;
use super::{maps, sys};
use crate::model::call_site::{CallSite, Frame};
use crate::model::event::Tid;

/// No stack is followed further: a recursion tells nothing more.
const DEEPEST: usize = 128;

/// What is known of the programs and libraries that were met.
#[derive(Default)]
pub struct Callers {
    images: HashMap<String, Option<Rc<Image>>>,
}

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callers").field("images", &self.images.len()).finish()
    }
}

/// A program or a library, as its file tells.
struct Image {
    /// Parts of the file that are loaded as code: offsets in it, and the address where the first of them belongs.
    segments: Vec<(Range<u64>, u64)>,
    sections: ExplicitModuleSectionInfo<Arc<[u8]>>,
    symbols: Option<Loader>,
}

/// An image where it was loaded.
struct Loaded {
    name: String,
    range: Range<u64>,
    /// What must be taken from an address to have that of the file.
    bias: u64,
    image: Rc<Image>,
}

impl Callers {
    /// Who calls: to be asked from a sink of events, about the task of the event, which is still stopped.
    pub fn of(&mut self, task: Tid) -> CallSite {
        let Ok(registers) = sys::stack_registers(task) else { return CallSite::default() };
        let loaded = self.loaded(task);
        let mut unwinder = UnwinderNative::<Arc<[u8]>, _>::new();
        for module in &loaded {
            let sections = module.image.sections.clone();
            let base = module.bias.wrapping_add(sections.base_svma);
            unwinder.add_module(Module::new(module.name.clone(), module.range.clone(), base, sections));
        }
        let mut cache = CacheNative::<_>::new();
        let mut read = |address| sys::read_word(task, address).map_err(drop);
        let mut frames = Vec::new();
        let instruction = registers.instruction;
        let mut addresses = unwinder.iter_frames(instruction, unwind_registers(registers), &mut cache, &mut read);
        while let Ok(Some(address)) = addresses.next() {
            name(address, &loaded, &mut frames);
            if frames.len() >= DEEPEST {
                break;
            }
        }
        CallSite { frames, past: None }
    }

    /// Every file that the task has loaded as code.
    fn loaded(&mut self, task: Tid) -> Vec<Loaded> {
        let maps = maps::text(task);
        let code = maps::mappings(&maps).filter(|mapping| mapping.is_code);
        code.filter_map(|maps::Mapping { range, offset, path, .. }| {
            let image =
                self.images.entry(path.to_owned()).or_insert_with(|| Image::read(task, path).map(Rc::new)).clone()?;
            let (segment, address) = image.segments.iter().find(|(segment, _)| segment.contains(&offset))?;
            let bias = range.start.wrapping_sub(address + (offset - segment.start));
            let name = path.rsplit('/').next().unwrap_or(path).to_owned();
            Some(Loaded { name, range, bias, image })
        })
        .collect()
    }
}

#[cfg(target_arch = "x86_64")]
fn unwind_registers(StackRegisters { instruction, stack, frame }: StackRegisters) -> UnwindRegsNative {
    UnwindRegsNative::new(instruction, stack, frame)
}

/// A return address may carry a signature in its upper bits, where no address of a process has any.
#[cfg(target_arch = "aarch64")]
fn unwind_registers(StackRegisters { instruction, link, stack, frame }: StackRegisters) -> UnwindRegsNative {
    let addresses = framehop::aarch64::PtrAuthMask::from_max_known_address(stack.max(instruction));
    UnwindRegsNative::new_with_ptr_auth_mask(addresses, link, stack, frame)
}

impl Image {
    /// Read as the task sees it; nothing where the file is gone, or no ELF file.
    fn read(task: Tid, path: &str) -> Option<Self> {
        let file = format!("/proc/{task}/root{path}");
        let cache = ReadCache::new(File::open(&file).ok()?);
        let object = object::File::parse(&cache).ok()?;
        let section = |name: &str| {
            let section = object.section_by_name(name)?;
            Some((section.address()..section.address() + section.size(), Arc::<[u8]>::from(section.data().ok()?)))
        };
        let (eh_frame_svma, eh_frame) = section(".eh_frame").unzip();
        let (eh_frame_hdr_svma, eh_frame_hdr) = section(".eh_frame_hdr").unzip();
        let text_svma = object.section_by_name(".text").map(|text| text.address()..text.address() + text.size());
        let is_code = |segment: &object::Segment<'_, '_, _>| matches!(segment.flags(), SegmentFlags::Elf { p_flags, .. } if p_flags & PF_X == PF_X);
        let segments = object
            .segments()
            .filter(is_code)
            .map(|segment| {
                let (offset, size) = segment.file_range();
                // A mapping begins with a whole page.
                let slack = offset % PAGE;
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
        Some(Self { segments, sections, symbols: Loader::new(&file).ok() })
    }
}

const PAGE: u64 = 4096;

/// The functions at an address, inlined ones first.
fn name(address: FrameAddress, loaded: &[Loaded], frames: &mut Vec<Frame>) {
    let lookup = address.address_for_lookup();
    let Some(module) = loaded.iter().find(|module| module.range.contains(&lookup)) else { return };
    let probe = lookup.wrapping_sub(module.bias);
    let before = frames.len();
    if let Some(symbols) = &module.image.symbols {
        if let Ok(mut inlined) = symbols.find_frames(probe) {
            while let Ok(Some(frame)) = inlined.next() {
                let function =
                    frame.function.as_ref().and_then(|function| function.demangle().ok()).map(Cow::into_owned);
                let source =
                    frame.location.and_then(|place| Some((place.file?.to_owned(), place.line.unwrap_or_default())));
                frames.push(Frame { function, source, module: module.name.clone() });
            }
        }
        if let (true, Some(symbol)) = (frames.len() == before, symbols.find_symbol(probe)) {
            let function = addr2line::demangle_auto(Cow::Borrowed(symbol), None).into_owned();
            frames.push(Frame { function: Some(function), source: None, module: module.name.clone() });
        }
    }
    if frames.len() == before {
        frames.push(Frame { function: None, source: None, module: module.name.clone() });
    }
}
