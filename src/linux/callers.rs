//! Unwinds the stack of a stopped task by the unwind tables of its programs and libraries, and
//! names its functions by their symbols. Main type: [`Callers`].
//!
//! Unwinding is slow compared to a stop (every library is opened once), so it is used for new facts
//! only. It must not fail a run: a stack that cannot be read is cut there.

mod debug_info;
mod image;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use framehop::{CacheNative, FrameAddress, Module, UnwindRegsNative, Unwinder, UnwinderNative};

pub use self::debug_info::SymbolFiles;
use self::image::Image;
use super::sys::StackRegisters;
use super::{maps, sys};
use crate::model::facts::site::NoSite;
use crate::model::kernel::call::Tid;
use crate::model::observe::call_site::{CallSite, Frame};

/// The most frames that are read of a stack; deep recursion adds no information.
const MAX_FRAMES: usize = 128;

/// Unwind tables and symbols of the programs and libraries seen so far.
pub struct Callers<'a> {
    files: &'a SymbolFiles,
    /// Keyed by the file fields of a maps line: device, inode and path.
    images: HashMap<String, Option<Rc<Image<'a>>>>,
    /// The layout of the last task. The next one is most often the same task, or has the same
    /// layout.
    layout: Option<Layout<'a>>,
}

impl fmt::Debug for Callers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callers").field("images", &self.images.len()).finish()
    }
}

/// A task that waits until a child executes a program or ends. Meanwhile its stack stays as it is.
#[derive(Debug, Clone, Copy)]
pub struct WaitingParent(StackRegisters);

impl WaitingParent {
    /// Returns the task, which has just made that child; `None` if it is gone. Must be called while
    /// the task is still stopped.
    pub fn new(task: Tid) -> Option<Self> {
        sys::stack_registers(task).ok().map(Self)
    }
}

/// The code mappings of a task, with an unwinder for them.
struct Layout<'a> {
    /// The lines of the task's maps that are code.
    code: String,
    loaded: Vec<Loaded<'a>>,
    unwinder: UnwinderNative<Arc<[u8]>, framehop::MayAllocateDuringUnwind>,
    rules: CacheNative<framehop::MayAllocateDuringUnwind>,
}

/// An image at its load address.
struct Loaded<'a> {
    name: String,
    range: Range<u64>,
    /// Difference between an address in the task and in the file.
    bias: u64,
    image: Rc<Image<'a>>,
}

impl<'a> Callers<'a> {
    /// Returns an empty cache. Programs and libraries are read into `files`.
    pub fn new(files: &'a SymbolFiles) -> Self {
        Self { files, images: HashMap::new(), layout: None }
    }

    /// Returns the call site of the event's task. Must be called from the sink of that event, while
    /// the task is still stopped.
    pub fn of(&mut self, task: Tid) -> CallSite {
        self.below(task, None)
    }

    /// Returns the call site of a task that its parent waits for. posix_spawn(3) runs the child on a
    /// stack of its own, whose functions are followed by those of the parent. vfork(2) runs it on
    /// the parent's stack, which is not repeated.
    pub fn of_child(&mut self, task: Tid, parent: &WaitingParent) -> CallSite {
        self.below(task, Some(parent))
    }

    fn below(&mut self, task: Tid, parent: Option<&WaitingParent>) -> CallSite {
        let Ok(registers) = sys::stack_registers(task) else { return CallSite::without_frames(NoSite::Unreadable) };
        let files = self.files;
        let layout = self.layout(task);
        let (mut frames, end) = layout.unwind(task, files, registers);
        if let Some(WaitingParent(registers)) = parent {
            // The child shares the memory of its parent, or has a copy.
            let (of_parent, its_end) = layout.unwind(task, files, *registers);
            frames.extend(of_parent.into_iter().filter(|_| its_end != end));
        }
        CallSite { frames, ..CallSite::default() }
    }

    /// Returns for how many programs and libraries symbols were loaded. The first stack through
    /// each waits for that, and `benches/callers.rs` reports it separately.
    #[doc(hidden)]
    pub fn loaded_symbols(&self) -> usize {
        self.images.values().flatten().filter(|image| image.has_symbols()).count()
    }

    /// Returns the current layout of the task.
    fn layout(&mut self, task: Tid) -> &mut Layout<'a> {
        let maps = maps::text(task);
        let is_code = |line: &&str| maps::mappings(line).any(|mapping| mapping.is_code);
        let code: String = maps.split_inclusive('\n').filter(is_code).collect();
        let known = self.layout.take().filter(|layout| layout.code == code);
        let layout = known.unwrap_or_else(|| self.lay_out(task, code));
        self.layout.insert(layout)
    }

    fn lay_out(&mut self, task: Tid, code: String) -> Layout<'a> {
        let loaded: Vec<Loaded<'_>> = maps::mappings(&code).filter_map(|mapping| self.find(task, mapping)).collect();
        let mut unwinder = UnwinderNative::new();
        for module in &loaded {
            let sections = module.image.sections.clone();
            let base = module.bias.wrapping_add(sections.base_svma);
            unwinder.add_module(Module::new(module.name.clone(), module.range.clone(), base, sections));
        }
        Layout { code, loaded, unwinder, rules: CacheNative::new() }
    }

    fn find(&mut self, task: Tid, mapping: maps::Mapping<'_>) -> Option<Loaded<'a>> {
        let image = match self.images.get(mapping.file) {
            Some(image) => image.clone(),
            None => {
                let image = Image::read(task, &mapping).map(Rc::new);
                self.images.entry(mapping.file.to_owned()).or_insert(image).clone()
            }
        }?;
        let bias = mapping.range.start.wrapping_sub(image.address(mapping.offset)?);
        let name = mapping.path.rsplit('/').next().unwrap_or(mapping.path).to_owned();
        Some(Loaded { name, range: mapping.range, bias, image })
    }
}

impl<'a> Layout<'a> {
    /// Returns the functions on a stack in the memory of a task, innermost first, and the address
    /// at which the stack begins.
    fn unwind(&mut self, task: Tid, files: &'a SymbolFiles, registers: StackRegisters) -> (Vec<Frame>, u64) {
        let Self { loaded, unwinder, rules, .. } = self;
        let mut read = |address| sys::read_word(task, address).map_err(drop);
        let mut frames = Vec::new();
        let mut next = Some(FrameAddress::InstructionPointer(registers.instruction));
        let mut registers = unwind_registers(registers);
        while let Some(address) = next.filter(|_| frames.len() < MAX_FRAMES) {
            name(task, address, files, loaded, &mut frames);
            next = interrupted(address, &mut registers, &mut read).or_else(|| {
                let caller = unwinder.unwind_frame(address, &mut registers, rules, &mut read).ok()??;
                FrameAddress::from_return_address(caller)
            });
        }
        (frames, registers.sp())
    }
}

#[cfg(target_arch = "x86_64")]
fn unwind_registers(StackRegisters { instruction, stack, frame }: StackRegisters) -> UnwindRegsNative {
    UnwindRegsNative::new(instruction, stack, frame)
}

/// Pointer authentication signs return addresses in upper bits that no user address has.
#[cfg(target_arch = "aarch64")]
fn unwind_registers(StackRegisters { instruction, link, stack, frame }: StackRegisters) -> UnwindRegsNative {
    let addresses = framehop::aarch64::PtrAuthMask::from_max_known_address(stack.max(instruction));
    UnwindRegsNative::new_with_ptr_auth_mask(addresses, link, stack, frame)
}

/// Returns the code that a signal interrupted, given the return address of its handler. The
/// registers of that code lie on the stack. C libraries have no usable unwind tables for this
/// frame.
#[cfg(target_arch = "x86_64")]
fn interrupted(
    address: FrameAddress,
    registers: &mut UnwindRegsNative,
    read: &mut impl FnMut(u64) -> Result<u64, ()>,
) -> Option<FrameAddress> {
    /// The first eight bytes of `mov $15, %rax; syscall`: rt_sigreturn(2), as every C library calls
    /// it.
    const SIGNAL_RETURN: u64 = 0x0f_00_00_00_0f_c0_c7_48;
    /// Offsets in `struct ucontext`, to which the stack pointer points there;
    /// arch/x86/include/uapi/asm/sigcontext.h.
    const FRAME: u64 = 120;
    const STACK: u64 = 160;
    const INSTRUCTION: u64 = 168;
    if !address.is_return_address() || read(address.address()) != Ok(SIGNAL_RETURN) {
        return None;
    }
    let mut saved = |place| read(registers.sp().wrapping_add(place)).ok();
    let (instruction, stack, frame) = (saved(INSTRUCTION)?, saved(STACK)?, saved(FRAME)?);
    *registers = UnwindRegsNative::new(instruction, stack, frame);
    Some(FrameAddress::InstructionPointer(instruction))
}

/// A handler returns to the vDSO here, which has usable unwind tables.
#[cfg(target_arch = "aarch64")]
fn interrupted(
    _: FrameAddress,
    _: &mut UnwindRegsNative,
    _: &mut impl FnMut(u64) -> Result<u64, ()>,
) -> Option<FrameAddress> {
    None
}

/// Appends the functions at an address, inlined ones first.
fn name<'a>(task: Tid, address: FrameAddress, files: &'a SymbolFiles, loaded: &[Loaded<'a>], frames: &mut Vec<Frame>) {
    let lookup = address.address_for_lookup();
    let Some(module) = loaded.iter().find(|module| module.range.contains(&lookup)) else { return };
    let functions = module.image.functions(task, files, lookup.wrapping_sub(module.bias));
    frames.extend(functions.iter().map(|function| Frame {
        function: function.name.clone(),
        source: function.source.clone(),
        is_compressed: module.image.is_compressed(),
        module: module.name.clone(),
        ..Frame::default()
    }));
}
