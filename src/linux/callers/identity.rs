//! Reads the identity of a stack: its frames without names. It needs no symbols, so it is fast
//! enough for every call of a run.
//!
//! It must not pass the frames of a signal handler: the code that a signal interrupts differs from
//! run to run.

use super::super::loader::is_loader;
use super::super::maps::VDSO;
use super::super::stack::{Frames, StackIdentity};
use super::super::sys::{self, StackRegisters};
use super::layout::{Layout, UnwindRules};
use super::{Callers, MAX_FRAMES, WaitingParent};
use crate::model::kernel::call::{Call, Tid};
use crate::model::kernel::syscall::Abi;

impl Callers<'_> {
    /// Whether this build reads stacks.
    pub const READS_STACKS: bool = true;

    /// Returns the identity of the stack of a task that is stopped at this call, and of the parent
    /// that waits for it. `None` if its registers cannot be read.
    ///
    /// The layout of a task is read once. [`Self::changed`] must be called when it may have
    /// changed.
    ///
    /// 32-bit code on x86_64 is not unwound: its stack has one frame.
    pub fn identity(&mut self, task: Tid, call: &Call, parent: Option<&WaitingParent>) -> Option<StackIdentity> {
        let registers = sys::stack_registers(task).ok()?;
        let is_32_bit = || call.syscall.abi == Abi::I386 && sys::is_32_bit(task);
        let most = if ends_handler(call) || is_32_bit() { 1 } else { MAX_FRAMES };
        let mut rules = std::mem::take(&mut self.rules);
        let mut stack = Stack { task, layout: self.layout(task), rules: &mut rules };
        let mut frames = Frames::new();
        let end = stack.walk(registers, most, &mut |frame| frames.add(frame, is_loader));
        if let Some(WaitingParent(registers)) = parent
            && stack.walk(*registers, most, &mut |_| {}) != end
        {
            stack.walk(*registers, most, &mut |frame| frames.add(frame, is_loader));
        }
        self.rules = rules;
        Some(frames.identity())
    }

    /// Learns that a task may have mapped or unmapped code, or that its number is free.
    pub fn changed(&mut self) {
        self.same.clear();
    }
}

/// Returns whether a call ends a signal handler. Its caller is the code that the signal
/// interrupted.
fn ends_handler(call: &Call) -> bool {
    call.syscall.row().is_some_and(|row| matches!(row.name, "rt_sigreturn" | "sigreturn"))
}

/// What it takes to read a stack.
struct Stack<'l, 'a> {
    task: Tid,
    layout: &'l Layout<'a>,
    rules: &'l mut UnwindRules,
}

/// Takes the file of a frame and the address in it.
type Visit<'v> = dyn FnMut(Option<(&str, u64)>) + 'v;

impl Stack<'_, '_> {
    /// Visits at most `most` frames as file and address in it, up to the first one in no file, and
    /// returns the stack pointer of the last one.
    fn walk(&mut self, registers: StackRegisters, most: usize, visit: &mut Visit<'_>) -> u64 {
        let Self { task, layout, rules } = self;
        let mut read = |address| sys::read_word(*task, address).map_err(drop);
        let mut depth = 0;
        layout.walk(registers, rules, &mut read, &mut |address, is_interrupted| {
            let frame = layout.module(address).map(|module| (module.name, module.address));
            // On aarch64 a handler returns to the vDSO.
            let is_return = depth > 0 && frame.is_some_and(|(file, _)| file == VDSO);
            if is_interrupted || is_return {
                return false;
            }
            visit(frame);
            depth += 1;
            depth < most && frame.is_some()
        })
    }
}
