//! The stack of a stopped task: unwound by what its programs and libraries tell of their frames,
//! and named by their symbols. Main type: [`Callers`].
//!
//! It is slow beside a stop (a file is opened for every library once), so it is asked for what is
//! new only. It must not fail a run: a stack that cannot be read ends where it cannot.

mod image;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use framehop::{CacheNative, FrameAddress, Module, UnwindRegsNative, Unwinder, UnwinderNative};

use self::image::Image;
use super::sys::StackRegisters;
use super::{maps, sys};
use crate::model::kernel::call::Tid;
use crate::model::observe::call_site::{CallSite, Frame};

/// No stack is followed further: a recursion tells nothing more.
const DEEPEST: usize = 128;

/// What is known of the programs and libraries that were met.
#[derive(Default)]
pub struct Callers {
    /// By what maps say of a file: its device, number and path.
    images: HashMap<String, Option<Rc<Image>>>,
    /// Of the last task: the next one is most often the same, or laid out like it.
    layout: Option<Layout>,
}

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callers").field("images", &self.images.len()).finish()
    }
}

/// All code of a task, and how to unwind it.
struct Layout {
    /// The lines of its maps.
    code: String,
    loaded: Vec<Loaded>,
    unwinder: UnwinderNative<Arc<[u8]>, framehop::MayAllocateDuringUnwind>,
    rules: CacheNative<framehop::MayAllocateDuringUnwind>,
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
    /// Who calls: to be asked from a sink of events, about the task of the event, which is still
    /// stopped.
    pub fn of(&mut self, task: Tid) -> CallSite {
        let Ok(registers) = sys::stack_registers(task) else { return CallSite::default() };
        let Layout { loaded, unwinder, rules, .. } = self.layout(task);
        let mut read = |address| sys::read_word(task, address).map_err(drop);
        let mut frames = Vec::new();
        let mut next = Some(FrameAddress::InstructionPointer(registers.instruction));
        let mut registers = unwind_registers(registers);
        while let Some(address) = next.filter(|_| frames.len() < DEEPEST) {
            name(task, address, loaded, &mut frames);
            next = interrupted(address, &mut registers, &mut read).or_else(|| {
                let caller = unwinder.unwind_frame(address, &mut registers, rules, &mut read).ok()??;
                FrameAddress::from_return_address(caller)
            });
        }
        CallSite { frames, past: None }
    }

    /// Of how many programs and libraries symbols were loaded: the first stack through each waits
    /// for that, and `benches/callers.rs` tells it apart.
    #[doc(hidden)]
    pub fn loaded_symbols(&self) -> usize {
        self.images.values().flatten().filter(|image| image.has_symbols()).count()
    }

    /// That of the task as it is now.
    fn layout(&mut self, task: Tid) -> &mut Layout {
        let maps = maps::text(task);
        let is_code = |line: &&str| maps::mappings(line).any(|mapping| mapping.is_code);
        let code: String = maps.split_inclusive('\n').filter(is_code).collect();
        let known = self.layout.take().filter(|layout| layout.code == code);
        let layout = known.unwrap_or_else(|| self.lay_out(task, code));
        self.layout.insert(layout)
    }

    fn lay_out(&mut self, task: Tid, code: String) -> Layout {
        let loaded: Vec<Loaded> = maps::mappings(&code).filter_map(|mapping| self.find(task, mapping)).collect();
        let mut unwinder = UnwinderNative::new();
        for module in &loaded {
            let sections = module.image.sections.clone();
            let base = module.bias.wrapping_add(sections.base_svma);
            unwinder.add_module(Module::new(module.name.clone(), module.range.clone(), base, sections));
        }
        Layout { code, loaded, unwinder, rules: CacheNative::new() }
    }

    fn find(&mut self, task: Tid, mapping: maps::Mapping<'_>) -> Option<Loaded> {
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

/// Whom a signal interrupted, where its handler returns to the kernel: his registers lie there, and
/// what the C library tells of that frame cannot be followed.
#[cfg(target_arch = "x86_64")]
fn interrupted(
    address: FrameAddress,
    registers: &mut UnwindRegsNative,
    read: &mut impl FnMut(u64) -> Result<u64, ()>,
) -> Option<FrameAddress> {
    /// `mov $15, %rax; syscall`, the most of it: rt_sigreturn(2), as every C library calls it.
    const SIGNAL_RETURN: u64 = 0x0f_00_00_00_0f_c0_c7_48;
    /// In `struct ucontext`, where the stack pointer points then;
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

/// The vDSO, to which a handler returns here, tells of it what can be followed.
#[cfg(target_arch = "aarch64")]
fn interrupted(
    _: FrameAddress,
    _: &mut UnwindRegsNative,
    _: &mut impl FnMut(u64) -> Result<u64, ()>,
) -> Option<FrameAddress> {
    None
}

/// The functions at an address, inlined ones first.
fn name(task: Tid, address: FrameAddress, loaded: &[Loaded], frames: &mut Vec<Frame>) {
    let lookup = address.address_for_lookup();
    let Some(module) = loaded.iter().find(|module| module.range.contains(&lookup)) else { return };
    let functions = module.image.functions(task, lookup.wrapping_sub(module.bias));
    frames.extend(functions.iter().map(|function| Frame {
        function: function.name.clone(),
        source: function.source.clone(),
        module: module.name.clone(),
    }));
}
