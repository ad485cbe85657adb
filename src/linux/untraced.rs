//! Keeps CLONE_UNTRACED from hiding a child: for the length of the call the flag is taken out of
//! it. Main type: [`Revealed`].
//!
//! "If CLONE_UNTRACED is specified, then a tracing process cannot force CLONE_PTRACE on this child
//! process", clone(2). The flags of clone3 are in memory, where another task could set the flag
//! after it was looked for. So the call is pointed to a copy of its arguments that only the tracer
//! writes. Neither parent nor child may find a trace of that: what was changed is put back before
//! either runs on. No other call is touched.

use std::collections::HashMap;
use std::io;
use std::ops::Range;

use super::stopped::{Alive, Stopped};
use super::{memory, sys, vdso};
use crate::model::kernel::call::{Call, Tid};
use crate::model::kernel::syscall::Abi;

/// include/uapi/linux/sched.h
const CLONE_UNTRACED: u64 = 0x0080_0000;

/// Where the flags of a call that makes a task are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the first argument's register of this ABI: clone.
    Register(Abi),
    /// In memory, at this address: clone3, whose `struct clone_args` begins with them.
    Memory(u64),
}

/// What was changed, and what was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Taken {
    place: Place,
    /// The flags, or the address of the arguments.
    before: u64,
    /// Where the copy of the arguments is.
    copy: Option<u64>,
}

/// `CLONE_ARGS_SIZE_VER0` and room for the arguments of the kernels to come,
/// include/uapi/linux/sched.h
const LEAST_ARGUMENTS: usize = 64;
const MOST_ARGUMENTS: usize = 128;

/// What became of the flag at a call's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// It is not in the call.
    Revealed,
    /// It is not in the copy of the arguments at this address, which the kernel will read.
    Copied(u64),
    /// It is in the call, and could not be taken out.
    Hidden,
}

/// The calls under way that were changed, and the children that still have to get their copy back.
#[derive(Debug, Default)]
pub(super) struct Revealed {
    taken: HashMap<Tid, Taken>,
}

impl Revealed {
    /// At a call's entry: takes the flag out of it.
    pub(super) fn at_entry(&mut self, task: &Stopped, call: &Call) -> io::Result<Entry> {
        let Some(place) = flags_of(call) else { return Ok(Entry::Revealed) };
        let flags = match place {
            Place::Register(_) => Some(call.args[0]),
            Place::Memory(address) => {
                // An entry stop comes before the filter's.
                if self.taken.get(&task.tid()).is_some_and(|taken| taken.copy == Some(address)) {
                    return Ok(Entry::Copied(address));
                }
                if let Some(copy) = self.copy_arguments(task, call, address)? {
                    return Ok(Entry::Copied(copy));
                }
                task.read_word(address)?
            }
        };
        let Some(flags) = flags.filter(|flags| flags & CLONE_UNTRACED != 0) else { return Ok(Entry::Revealed) };
        if !write(task, place, flags & !CLONE_UNTRACED)? {
            return Ok(Entry::Hidden);
        }
        self.taken.insert(task.tid(), Taken { place, before: flags, copy: None });
        Ok(Entry::Revealed)
    }

    /// Points clone3 to a copy of its arguments without the flag. `None`: there is no place for
    /// one, or the kernel will refuse these arguments.
    fn copy_arguments(&mut self, task: &Stopped, call: &Call, address: u64) -> io::Result<Option<u64>> {
        let mut arguments = [0; MOST_ARGUMENTS];
        let Some(arguments) = usize::try_from(call.args[1])
            .ok()
            .filter(|size| (LEAST_ARGUMENTS..=MOST_ARGUMENTS).contains(size))
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
        let place = Place::Register(call.syscall.abi);
        if !write_all(task, copy, arguments)? || !write(task, place, copy)? {
            return Ok(None);
        }
        self.taken.insert(task.tid(), Taken { place, before: address, copy: Some(copy) });
        Ok(Some(copy))
    }

    /// A place for arguments that no call under way has.
    fn unused(&self, spare: Range<u64>) -> Option<u64> {
        let is_used = |place: &u64| self.taken.values().any(|taken| taken.copy == Some(*place));
        let end = spare.end.checked_sub(MOST_ARGUMENTS as u64)?;
        (spare.start..=end).step_by(MOST_ARGUMENTS).find(|place| !is_used(place))
    }

    /// At a parent's announcement: the kernel has read what was changed, and the child owns a copy
    /// of it.
    pub(super) fn at_birth(&mut self, parent: &Stopped, child: Tid, held: Option<&Stopped>) -> io::Result<()> {
        let Some(taken) = self.taken.get(&parent.tid()).copied() else { return Ok(()) };
        match held {
            Some(child) => put_back(child, taken)?,
            None => drop(self.taken.insert(child, taken)),
        }
        self.at_end(parent)
    }

    /// At a call's exit, and at a child's first stop.
    pub(super) fn at_end(&mut self, task: &Stopped) -> io::Result<()> {
        self.taken.remove(&task.tid()).map_or(Ok(()), |taken| put_back(task, taken))
    }

    /// Whether something must still be put back for this task.
    pub(super) fn holds(&self, task: Tid) -> bool {
        self.taken.contains_key(&task)
    }

    /// The task is gone.
    pub(super) fn forget(&mut self, tid: Tid) {
        self.taken.remove(&tid);
    }
}

fn flags_of(call: &Call) -> Option<Place> {
    match call.syscall.row()?.name {
        "clone" => Some(Place::Register(call.syscall.abi)),
        "clone3" => Some(Place::Memory(call.args[0])),
        _ => None,
    }
}

fn put_back(task: &Stopped, taken: Taken) -> io::Result<()> {
    if let Some(copy) = taken.copy {
        write_all(task, copy, &[0; MOST_ARGUMENTS])?;
    }
    if matches!(taken.place, Place::Register(_)) && sys::RESULT_REPLACES_FIRST_ARGUMENT {
        return Ok(());
    }
    write(task, taken.place, taken.before).map(drop)
}

/// Whether all bytes, a multiple of eight, could be written.
fn write_all(task: &Stopped, address: u64, bytes: &[u8]) -> io::Result<bool> {
    for (at, word) in (address..).step_by(8).zip(bytes.chunks_exact(8)) {
        let word = word.first_chunk().map_or(0, |word| u64::from_ne_bytes(*word));
        if !matches!(task.write_word(at, word)?, Alive::Gone | Alive::Yes(true)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether it could be written. A task that was killed meanwhile makes no child.
fn write(task: &Stopped, place: Place, flags: u64) -> io::Result<bool> {
    let written = match place {
        Place::Register(abi) => task.write_first_argument(abi, flags)?,
        Place::Memory(address) => task.write_word(address, flags)?,
    };
    Ok(matches!(written, Alive::Gone | Alive::Yes(true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::Syscall;

    #[test]
    fn flags_are_where_the_call_has_them() {
        for (abi, name, place) in [
            (Abi::X86_64, "clone", Some(Place::Register(Abi::X86_64))),
            (Abi::I386, "clone", Some(Place::Register(Abi::I386))),
            (Abi::Aarch64, "clone3", Some(Place::Memory(7))),
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
