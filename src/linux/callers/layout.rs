//! The code of a process: images at their addresses, with an unwinder for them. Main type:
//! [`Layout`].
//!
//! It must not read the process: the caller passes registers and stack.

use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use framehop::{CacheNative, FrameAddress, UnwindRegsNative, Unwinder, UnwinderNative};

use super::debug_info::SymbolFiles;
use super::image::{Functions, Image};
use crate::linux::sys::StackRegisters;

/// The code mappings of a process.
#[derive(Clone)]
pub struct Layout<'a> {
    loaded: Vec<Loaded<'a>>,
    unwinder: UnwinderNative<Arc<[u8]>, framehop::MayAllocateDuringUnwind>,
}

/// Unwind rules of addresses seen before. Layouts may share them.
#[derive(Default)]
pub struct UnwindRules(CacheNative<framehop::MayAllocateDuringUnwind>);

/// An image at its load address.
#[derive(Clone)]
struct Loaded<'a> {
    name: String,
    range: Range<u64>,
    /// Difference between an address in the process and in the file.
    bias: u64,
    image: Rc<Image<'a>>,
}

/// An address in an image.
pub(super) struct Module<'l, 'a> {
    pub(super) name: &'l str,
    pub(super) image: &'l Image<'a>,
    /// The address in its file.
    pub(super) address: u64,
}

impl fmt::Debug for Layout<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layout").field("loaded", &self.loaded.len()).finish()
    }
}

impl fmt::Debug for UnwindRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnwindRules").finish()
    }
}

impl Default for Layout<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Layout<'a> {
    /// Returns a layout without code.
    pub fn new() -> Self {
        Self { loaded: Vec::new(), unwinder: UnwinderNative::new() }
    }

    /// Adds a mapping of an image from this offset of its file, and removes mappings that it
    /// overlaps. Does nothing if the image has no code at the offset.
    pub fn add(&mut self, name: String, range: Range<u64>, offset: u64, image: Rc<Image<'a>>) {
        self.remove(&range);
        let Some(address) = image.address(offset) else { return };
        let bias = range.start.wrapping_sub(address);
        let sections = image.sections.clone();
        let base = bias.wrapping_add(sections.base_svma);
        self.unwinder.add_module(framehop::Module::new(name.clone(), range.clone(), base, sections));
        self.loaded.push(Loaded { name, range, bias, image });
    }

    /// Removes the mappings that overlap these addresses.
    pub fn remove(&mut self, range: &Range<u64>) {
        let Self { loaded, unwinder } = self;
        loaded.retain(|module| {
            let is_apart = module.range.end <= range.start || range.end <= module.range.start;
            if !is_apart {
                unwinder.remove_module(module.range.start);
            }
            is_apart
        });
    }

    /// Visits the addresses of at most `most` frames, innermost first. All but the first lie in a
    /// call instruction, not after it. `read` reads a word of the stack; the stack ends where it
    /// fails. Returns the stack pointer of the outermost frame.
    pub fn unwind(
        &self,
        registers: StackRegisters,
        rules: &mut UnwindRules,
        read: &mut dyn FnMut(u64) -> Result<u64, ()>,
        most: usize,
        visit: &mut dyn FnMut(u64),
    ) -> u64 {
        let mut frames = 0;
        self.walk(registers, rules, read, &mut |address, _| {
            visit(address);
            frames += 1;
            frames < most
        })
    }

    /// As [`Self::unwind`], as long as `visit` returns true. It also gets whether a signal has
    /// interrupted the code at the address, so that the frames before are those of a handler.
    pub(super) fn walk(
        &self,
        registers: StackRegisters,
        rules: &mut UnwindRules,
        read: &mut dyn FnMut(u64) -> Result<u64, ()>,
        visit: &mut dyn FnMut(u64, bool) -> bool,
    ) -> u64 {
        let mut next = Some((FrameAddress::InstructionPointer(registers.instruction), false));
        let mut registers = unwind_registers(registers);
        while let Some((address, is_interrupted)) = next {
            if !visit(address.address_for_lookup(), is_interrupted) {
                break;
            }
            let code = interrupted(address, &mut registers, read).map(|code| (code, true));
            next = code.or_else(|| {
                let caller = self.unwinder.unwind_frame(address, &mut registers, &mut rules.0, &mut |at| read(at));
                Some((FrameAddress::from_return_address(caller.ok()??)?, false))
            });
        }
        registers.sp()
    }

    pub(super) fn module(&self, address: u64) -> Option<Module<'_, 'a>> {
        let Loaded { name, bias, image, .. } = self.loaded.iter().find(|module| module.range.contains(&address))?;
        Some(Module { name, image, address: address.wrapping_sub(*bias) })
    }
}

impl<'a> Module<'_, 'a> {
    /// Returns the functions at the address. For `root`, see [`Image::functions`].
    pub(super) fn functions(&self, root: &str, files: &'a SymbolFiles) -> Functions {
        self.image.functions(root, files, self.address)
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
    read: &mut dyn FnMut(u64) -> Result<u64, ()>,
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
    _: &mut dyn FnMut(u64) -> Result<u64, ()>,
) -> Option<FrameAddress> {
    None
}
