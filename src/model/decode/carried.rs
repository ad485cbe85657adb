//! Calls of 32-bit x86 that carry another call in memory: `socketcall`, the old `mmap` and the old
//! `select`. Main function: [`unpacked`].

use std::borrow::Cow;

use super::view::View;
use crate::model::attribution::{Memory, answers, meant};
use crate::model::kernel::call::Call;
use crate::model::kernel::syscall::Abi;

/// Returns the name and the arguments of the call that the program meant.
pub(super) fn unpacked(call: &Call, view: &dyn View) -> (Cow<'static, str>, [u64; 6]) {
    if call.syscall.abi != Abi::I386 {
        return (call.syscall.name(), call.args);
    }
    if call.syscall.row().is_some_and(|row| row.entry_point == "compat_sys_old_select") {
        return old_select(call, view);
    }
    let mut bytes = [0; Memory::SIZE];
    let memory = answers::memory(call).map_or(0, |address| view.read(address, &mut bytes));
    match meant(call, &Memory::new(&bytes[..memory.min(Memory::SIZE)])) {
        Some((name, args)) => (Cow::Borrowed(name), args),
        None => (call.syscall.name(), call.args),
    }
}

/// `struct sel_arg_struct`, fs/select.c: the five arguments of select.
fn old_select(call: &Call, view: &dyn View) -> (Cow<'static, str>, [u64; 6]) {
    let mut bytes = [0; 20];
    if view.read(call.args[0], &mut bytes) < bytes.len() {
        return (call.syscall.name(), call.args);
    }
    let (words, _) = bytes.as_chunks::<4>();
    let mut args = [0; 6];
    args.iter_mut().zip(words).for_each(|(arg, word)| *arg = u32::from_le_bytes(*word).into());
    (Cow::Borrowed("select"), args)
}
