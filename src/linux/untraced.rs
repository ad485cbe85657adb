//! Keeps CLONE_UNTRACED from hiding a child: removes the flag for the length of the call. Main
//! type: [`CloneRewriter`].
//!
//! "If CLONE_UNTRACED is specified, then a tracing process cannot force CLONE_PTRACE on this child
//! process", clone(2). The flags of clone3 are in memory, where another task could set the flag
//! after the tracer has read it. So the call gets the address of a copy of its arguments, which
//! only the tracer writes. Neither parent nor child may see a trace of that: every change is undone
//! before either resumes. No other call is changed.

use std::collections::HashMap;
use std::io;
use std::ops::Range;

use super::stopped::{Alive, Stopped};
use super::uapi::CLONE_ARGS_SIZE_VER0;
use super::{memory, sys, vdso};
use crate::model::kernel::call::{Call, Tid};
use crate::model::kernel::syscall::Abi;
use crate::model::kernel::uapi::CLONE_UNTRACED;

/// Where a call that creates a task has its flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FlagsLocation {
    /// In the register of the first argument, under this ABI: clone.
    Register(Abi),
    /// In memory, at this address: clone3. Its `struct clone_args` begins with the flags.
    Memory(u64),
}

/// A change to a call, and the value before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    place: FlagsLocation,
    /// The flags, or the address of the arguments.
    before: u64,
    /// Where the copy of the arguments is.
    copy: Option<u64>,
}

/// Room for the larger structures of later kernels.
const MAX_ARGUMENTS: usize = 128;

/// What happened to the flag at a call's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// The call does not have the flag.
    Traced,
    /// The kernel will read the copy of the arguments at this address, which does not have the
    /// flag.
    Copied(u64),
    /// The call has the flag, and it could not be removed.
    Untraced,
}

/// The changed calls under way, and the children with a change still to undo.
#[derive(Debug, Default)]
pub(super) struct CloneRewriter {
    changes: HashMap<Tid, Change>,
}

impl CloneRewriter {
    /// Removes the flag at a call's entry.
    pub(super) fn at_entry(&mut self, task: &Stopped, call: &Call) -> io::Result<Entry> {
        let Some(place) = flags_of(call) else { return Ok(Entry::Traced) };
        let flags = match place {
            FlagsLocation::Register(_) => Some(call.args[0]),
            FlagsLocation::Memory(address) => {
                // A filter's stop may follow an entry stop of the same call.
                if self.changes.get(&task.tid()).is_some_and(|change| change.copy == Some(address)) {
                    return Ok(Entry::Copied(address));
                }
                if let Some(copy) = self.copy_arguments(task, call, address)? {
                    return Ok(Entry::Copied(copy));
                }
                task.read_word(address)?
            }
        };
        let Some(flags) = flags.filter(|flags| flags & CLONE_UNTRACED != 0) else { return Ok(Entry::Traced) };
        if !write(task, place, flags & !CLONE_UNTRACED)? {
            return Ok(Entry::Untraced);
        }
        self.changes.insert(task.tid(), Change { place, before: flags, copy: None });
        Ok(Entry::Traced)
    }

    /// Makes clone3 read a copy of its arguments without the flag. `None`: there is no place for a
    /// copy, or the kernel will refuse these arguments.
    fn copy_arguments(&mut self, task: &Stopped, call: &Call, address: u64) -> io::Result<Option<u64>> {
        let mut arguments = [0; MAX_ARGUMENTS];
        let Some(arguments) = usize::try_from(call.args[1])
            .ok()
            .filter(|size| (CLONE_ARGS_SIZE_VER0..=MAX_ARGUMENTS).contains(size))
            .map(|size| &mut arguments[..size])
        else {
            return Ok(None);
        };
        if memory::read(task.tid(), address, arguments) != Ok(arguments.len()) {
            return Ok(None);
        }
        let Some(copy) = vdso::spare(task.tid()).and_then(|spare| self.unused(spare)) else { return Ok(None) };
        if let Some(flags) = arguments.first_chunk_mut::<8>() {
            *flags = (u64::from_le_bytes(*flags) & !CLONE_UNTRACED).to_le_bytes();
        }
        let place = FlagsLocation::Register(call.syscall.abi);
        if !write_all(task, copy, arguments)? || !write(task, place, copy)? {
            return Ok(None);
        }
        self.changes.insert(task.tid(), Change { place, before: address, copy: Some(copy) });
        Ok(Some(copy))
    }

    /// Returns a place for arguments that no other call under way uses.
    fn unused(&self, spare: Range<u64>) -> Option<u64> {
        let is_used = |place: &u64| self.changes.values().any(|change| change.copy == Some(*place));
        let end = spare.end.checked_sub(MAX_ARGUMENTS as u64)?;
        (spare.start..=end).step_by(MAX_ARGUMENTS).find(|place| !is_used(place))
    }

    /// Undoes a change when the parent announces its child: the kernel has read the arguments, and
    /// the child has a copy of the change.
    pub(super) fn at_spawn(&mut self, parent: &Stopped, child: Tid, held: Option<&Stopped>) -> io::Result<()> {
        let Some(change) = self.changes.get(&parent.tid()).copied() else { return Ok(()) };
        match held {
            Some(child) => undo(child, change)?,
            None => drop(self.changes.insert(child, change)),
        }
        self.at_exit(parent)
    }

    /// Undoes a change at a call's exit or at a child's first stop.
    pub(super) fn at_exit(&mut self, task: &Stopped) -> io::Result<()> {
        self.changes.remove(&task.tid()).map_or(Ok(()), |change| undo(task, change))
    }

    /// Returns whether a change must still be undone for this task.
    pub(super) fn has_change(&self, task: Tid) -> bool {
        self.changes.contains_key(&task)
    }

    /// Drops the change of a task that has ended.
    pub(super) fn forget(&mut self, tid: Tid) {
        self.changes.remove(&tid);
    }
}

fn flags_of(call: &Call) -> Option<FlagsLocation> {
    match call.syscall.row()?.name {
        "clone" => Some(FlagsLocation::Register(call.syscall.abi)),
        "clone3" => Some(FlagsLocation::Memory(call.args[0])),
        _ => None,
    }
}

fn undo(task: &Stopped, change: Change) -> io::Result<()> {
    if let Some(copy) = change.copy {
        write_all(task, copy, &[0; MAX_ARGUMENTS])?;
    }
    if matches!(change.place, FlagsLocation::Register(_)) && sys::RESULT_REPLACES_FIRST_ARGUMENT {
        return Ok(());
    }
    write(task, change.place, change.before).map(drop)
}

/// Writes bytes, a multiple of eight, and returns whether that was possible.
fn write_all(task: &Stopped, address: u64, bytes: &[u8]) -> io::Result<bool> {
    for (at, word) in (address..).step_by(8).zip(bytes.chunks_exact(8)) {
        let word = word.first_chunk().map_or(0, |word| u64::from_ne_bytes(*word));
        if !matches!(task.write_word(at, word)?, Alive::Gone | Alive::Yes(true)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes a value and returns whether that was possible. It counts as written if the task was
/// killed meanwhile, since it makes no child.
fn write(task: &Stopped, place: FlagsLocation, flags: u64) -> io::Result<bool> {
    let written = match place {
        FlagsLocation::Register(abi) => task.write_first_argument(abi, flags)?,
        FlagsLocation::Memory(address) => task.write_word(address, flags)?,
    };
    Ok(matches!(written, Alive::Gone | Alive::Yes(true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::Syscall;

    #[test]
    fn flags_are_found_in_each_clone_call() {
        for (abi, name, place) in [
            (Abi::X86_64, "clone", Some(FlagsLocation::Register(Abi::X86_64))),
            (Abi::I386, "clone", Some(FlagsLocation::Register(Abi::I386))),
            (Abi::Aarch64, "clone3", Some(FlagsLocation::Memory(7))),
            (Abi::X86_64, "fork", None),
            (Abi::X86_64, "read", None),
        ] {
            let syscall = Syscall::from_name(abi, name).expect(name);
            let call = Call { syscall, args: [7, 0, 0, 0, 0, 0], instruction_pointer: 0 };
            assert_eq!(flags_of(&call), place, "{abi} {name}");
        }
        let unknown = Call {
            syscall: Syscall { abi: Abi::X86_64, number: 0x3e7 },
            args: [CLONE_UNTRACED; 6],
            instruction_pointer: 0,
        };
        assert_eq!(flags_of(&unknown), None);
    }
}
