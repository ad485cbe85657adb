//! Numbers the calls of a run, so that each is found again in other runs. Main type: [`Points`].

use std::collections::HashMap;

use crate::linux::{Callers, StackIdentity};
use crate::model::explore::injection::CallPoint;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::kernel::uapi::{MAP_FIXED, PROT_EXEC};
use crate::model::observe::call_site::CallSite;
use crate::model::trace::event::Event;
use crate::model::trace::marker::Marker;
use crate::runner::waiting::WaitingParents;

/// The calls of one run so far.
pub(super) struct Points<'c, 'a> {
    callers: &'c mut Callers<'a>,
    waiting: WaitingParents,
    /// How many calls each stack has made.
    made: HashMap<(Syscall, u64), u32>,
    /// The calls that the kernel restarts once the handler of a signal has returned.
    restarting: HashMap<Tid, (Call, Place)>,
    /// Whether the workload was started. The calls before that are the launcher's.
    is_started: bool,
}

/// A call of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) point: CallPoint,
    pub(super) stack: StackIdentity,
}

impl<'c, 'a> Points<'c, 'a> {
    /// Starts a run.
    pub(super) fn new(callers: &'c mut Callers<'a>) -> Self {
        callers.changed();
        Self {
            callers,
            waiting: WaitingParents::default(),
            made: HashMap::new(),
            restarting: HashMap::new(),
            is_started: false,
        }
    }

    /// Returns where a call is that its task is entering. `None` for the calls of the launcher, the
    /// harness and the kernel itself.
    pub(super) fn entered(&mut self, task: Tid, call: &Call) -> Option<Place> {
        if is_continuation(call) {
            self.restarting.remove(&task);
            return None;
        }
        if !self.is_started || Marker::of(call).is_some() {
            return None;
        }
        // The same call goes on. Whether a signal interrupts it differs from run to run.
        if let Some((_, place)) = self.restarting.get(&task).filter(|(restarting, _)| restarting == call) {
            return Some(*place);
        }
        let stack = self.callers.identity(task, call, self.waiting.of(task))?;
        let made = self.made.entry((call.syscall, stack.hash)).or_default();
        let point = CallPoint { syscall: call.syscall, stack: stack.hash, occurrence: *made };
        *made += 1;
        Some(Place { point, stack })
    }

    /// Takes the end of a call that was entered at this place.
    pub(super) fn left(&mut self, task: Tid, call: &Call, outcome: CallOutcome, place: Place) {
        if outcome == CallOutcome::Restarting {
            self.restarting.insert(task, (*call, place));
        } else if self.restarting.get(&task).is_some_and(|(_, restarting)| *restarting == place) {
            self.restarting.remove(&task);
        }
    }

    /// Returns the stack of a task with names.
    pub(super) fn site(&mut self, task: Tid) -> CallSite {
        match self.waiting.of(task) {
            Some(parent) => self.callers.of_child(task, parent),
            None => self.callers.of(task),
        }
    }

    /// Notes that a task waits for its child.
    pub(super) fn awaits(&mut self, parent: Tid, child: Tid) {
        self.waiting.awaits(parent, child);
    }

    /// Notes that a task executes another program from here on.
    pub(super) fn executed(&mut self, task: Tid) {
        self.is_started = true;
        self.forget(task);
    }

    /// Takes each event of the run.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Called { call, .. } if may_map_code(call) => self.callers.changed(),
            Event::Ended { task, .. } => self.forget(*task),
            _ => {}
        }
    }

    fn forget(&mut self, task: Tid) {
        self.callers.changed();
        self.waiting.forget(task);
        self.restarting.remove(&task);
    }
}

/// Returns whether a call may map or unmap code.
fn may_map_code(call: &Call) -> bool {
    match &*call.syscall.name() {
        // It reads its arguments from memory.
        "mmap" if call.syscall.abi == Abi::I386 => true,
        "mmap" | "mmap2" => call.args[2] & PROT_EXEC != 0 || call.args[3] & MAP_FIXED != 0,
        "munmap" | "mremap" | "mprotect" | "pkey_mprotect" | "remap_file_pages" | "shmat" | "shmdt" | "ipc" => true,
        _ => false,
    }
}

/// Returns whether the kernel makes this call in place of one that a signal has interrupted:
/// restart_syscall(2).
pub(super) fn is_continuation(call: &Call) -> bool {
    call.syscall.row().is_some_and(|row| row.name == "restart_syscall")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_that_may_map_code_change_a_layout() {
        const PRIVATE: u64 = 2;
        for (abi, name, [protection, flags], may) in [
            (Abi::X86_64, "mmap", [3, PRIVATE], false),
            (Abi::X86_64, "mmap", [3, PRIVATE | MAP_FIXED], true),
            (Abi::Aarch64, "mmap", [PROT_EXEC, PRIVATE], true),
            (Abi::I386, "mmap", [0, 0], true),
            (Abi::I386, "mmap2", [3, PRIVATE], false),
            (Abi::X86_64, "munmap", [0, 0], true),
            (Abi::X86_64, "brk", [0, 0], false),
            (Abi::X86_64, "read", [PROT_EXEC, 0], false),
        ] {
            let syscall = Syscall::from_name(abi, name).expect(name);
            let call = Call { syscall, args: [0, 4096, protection, flags, 0, 0], instruction_pointer: 0 };
            assert_eq!(may_map_code(&call), may, "{abi} {name} {protection} {flags}");
        }
    }
}
