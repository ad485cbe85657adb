//! CLONE_UNTRACED would hide a child from its parent's tracer: for the length of the call the flag is taken out of it. Main type: [`Revealed`].
//!
//! "If CLONE_UNTRACED is specified, then a tracing process cannot force CLONE_PTRACE on this child process", clone(2). Neither parent nor
//! child may find a trace of it: what was changed is put back before either runs on. It must not touch any other call.

use std::collections::HashMap;
use std::io;

use super::stopped::{Alive, Stopped};
use super::sys;
use crate::model::event::{Call, Tid};
use crate::model::syscall::Abi;

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

/// What was taken out, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Taken {
    place: Place,
    flags: u64,
}

/// The calls under way that were changed, and the children that still have to get their copy back.
#[derive(Debug, Default)]
pub(super) struct Revealed {
    taken: HashMap<Tid, Taken>,
}

impl Revealed {
    /// At a call's entry: takes the flag out of it. `false`: it has the flag, and that cannot be taken out.
    pub(super) fn at_entry(&mut self, task: &Stopped, call: &Call) -> io::Result<bool> {
        let Some(place) = flags_of(call) else { return Ok(true) };
        let flags = match place {
            Place::Register(_) => Some(call.args[0]),
            Place::Memory(address) => task.read_word(address)?,
        };
        let Some(flags) = flags.filter(|flags| flags & CLONE_UNTRACED != 0) else { return Ok(true) };
        let changed = write(task, place, flags & !CLONE_UNTRACED)?;
        if changed {
            self.taken.insert(task.tid(), Taken { place, flags });
        }
        Ok(changed)
    }

    /// At a parent's announcement: its child owns a copy of what was changed.
    pub(super) fn at_birth(&mut self, parent: Tid, child: Tid, held: Option<&Stopped>) -> io::Result<()> {
        let Some(taken) = self.taken.get(&parent).copied() else { return Ok(()) };
        match held {
            Some(child) => put_back(child, taken),
            None => {
                self.taken.insert(child, taken);
                Ok(())
            }
        }
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
    if matches!(taken.place, Place::Register(_)) && sys::RESULT_REPLACES_FIRST_ARGUMENT {
        return Ok(());
    }
    write(task, taken.place, taken.flags).map(drop)
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
    use crate::model::syscall::Syscall;

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
