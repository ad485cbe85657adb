//! Keeps tasks readable for a tracer without CAP_SYS_PTRACE, and tracks the value of
//! PR_SET_DUMPABLE that each would have without a tracer. Main type: [`Dumpability`].
//!
//! The kernel refuses every query of such a tracer about a task with a memory map that is not
//! dumpable: `__ptrace_may_access()`, kernel/ptrace.c. A map becomes undumpable in three ways:
//!
//! 1. The program calls prctl(PR_SET_DUMPABLE, 0). The call is made with 1.
//! 2. The file of the program or of its loader cannot be read: `would_dump()`, fs/exec.c. The task
//!    makes prctl(PR_SET_DUMPABLE, 1) in place of its first call, and then that call. The stops of
//!    its execve are reported only afterwards, because the tracer queries the task at them.
//! 3. The task changes its IDs: `commit_creds()`, kernel/cred.c. It makes the same call in place of
//!    its next one, unless the kernel refuses queries because of the new IDs.
//!
//! The program sees none of this: PR_GET_DUMPABLE returns what it would return without a tracer,
//! the *native value*. No signal can arrive between the stops of the added call: it does not wait,
//! and signals are delivered on the way out of the kernel. Only SIGKILL ends it.
//!
//! Nothing here touches a process: [`Dumpability::step`] asks by [`Ask`] and returns an [`Action`].

mod maps;
mod requests;

use std::collections::HashMap;

use super::tracee::Stop;
use crate::model::kernel::call::{Call, Tid};
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::kernel::uapi::SUID_DUMP_USER;
use maps::MemoryMaps;
pub use requests::{Request, dumps_core, request};

/// The value of a dumpable map.
pub const DUMPABLE: i64 = SUID_DUMP_USER;

/// Questions about the stopped task.
pub trait Ask {
    /// Returns the number of its thread group.
    fn group(&self) -> Tid;
    /// Returns whether it has a seccomp filter of its own, which may refuse an added call or kill
    /// the task.
    fn has_own_filter(&self) -> bool;
    /// Returns the native value of its map if its memory cannot be read, and could be read if the
    /// map were dumpable.
    fn refusal(&self) -> Option<i64>;
    /// Returns whether it shares its memory map with another process.
    fn shares_memory(&self, other: Tid) -> bool;
}

/// What to do at a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Report the stop.
    Report,
    /// Report the stop after those that were not reported yet.
    ReportAfter(Vec<Stop>),
    /// Report the stop of a signal that must not write a core file if it ends its process.
    ReportWithoutCore,
    /// Write the second argument, and report the stop as it is.
    WriteArgument(Abi, u64),
    /// Report the stop with this second argument.
    ShowArgument(u64),
    /// Write the result, and report the stop with it.
    WriteResult(i64),
    /// Resume with this signal (0: none) to the next stop of any call, without a report.
    Resume(i32),
    /// Leave the task in its group-stop, without a report.
    Listen,
    /// Replace the call by prctl(PR_SET_DUMPABLE, 1), and resume without a report.
    Replace,
    /// Let the task make the replaced call once it resumes, and report these stops. Resume without
    /// a report if there is none.
    Restore(Vec<Stop>),
}

/// Where a task is in a change or query of its dumpability.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// It is in a PR_SET_DUMPABLE of this value. `before`: the argument that the tracer replaced.
    Sets { native: i64, before: Option<(Abi, u64)> },
    /// It is in a PR_GET_DUMPABLE.
    Gets,
    /// It is in a call that changes its IDs.
    ChangesIds,
    /// It has changed its IDs, and has made no call since.
    ChangedIds,
    /// It has executed a program with unreadable memory, and has made no call since. The stops are
    /// those of the execve.
    Executed { native: i64, stops: Vec<Stop> },
    /// It is in the call that was added.
    Added { native: i64, stops: Vec<Stop> },
}

/// The dumpability of all tasks of a tree.
#[derive(Debug, Default)]
pub struct Dumpability {
    phases: HashMap<Tid, Phase>,
    maps: MemoryMaps,
}

impl Dumpability {
    /// Returns whether the next stop of this task must be that of its next call.
    pub fn must_see_next_call(&self, task: Tid) -> bool {
        self.phases.contains_key(&task)
    }

    /// Returns whether this number was that of a thread before an execve that is not reported yet.
    /// It may belong to another process by now.
    pub fn is_former(&self, task: Tid) -> bool {
        self.phases.iter().any(|(tid, phase)| match phase {
            Phase::Executed { stops, .. } | Phase::Added { stops, .. } => {
                *tid != task && matches!(stops.first(), Some(Stop::Exec { former, .. }) if *former == task)
            }
            _ => false,
        })
    }

    /// Processes one stop, before anything else does.
    pub fn step(&mut self, task: Tid, stop: Stop, ask: &impl Ask) -> Action {
        match stop {
            Stop::Entry(call) => self.entered(task, &call, ask),
            Stop::Filtered(call) => self.filtered(task, &call, ask),
            Stop::Exit { failed, .. } => self.left(task, stop, failed, ask),
            Stop::Exec { former, .. } => self.executed(task, former, stop, ask),
            Stop::Spawning { child, leads, .. } => {
                self.spawned(child, leads, ask);
                Action::Report
            }
            Stop::Signal(_) | Stop::Trap { .. } | Stop::Other => self.between(task, stop, ask),
            Stop::Exiting { .. } | Stop::Unreadable => self.given_up(task),
            Stop::Ended(_) => self.ended(task),
        }
    }

    /// Handles a new child, or one that no stop announced. `ask` is about its parent.
    pub fn spawned(&mut self, child: Tid, leads: bool, ask: &impl Ask) {
        if !leads {
            return;
        }
        self.maps.know(child);
        if !self.maps.are_native() {
            self.maps.spawned(ask.group(), child, ask.shares_memory(child));
        }
    }

    fn entered(&mut self, task: Tid, call: &Call, ask: &impl Ask) -> Action {
        let added = match self.phases.remove(&task) {
            Some(Phase::Executed { native, stops }) => Some((native, stops)),
            Some(Phase::ChangedIds) => can_be_read_after(ask).map(|native| (native, Vec::new())),
            _ => None,
        };
        match added {
            Some((native, stops)) if Syscall::from_name(call.syscall.abi, "prctl").is_some() => {
                self.phases.insert(task, Phase::Added { native, stops });
                Action::Replace
            }
            Some((_, stops)) if !stops.is_empty() => Action::ReportAfter(stops),
            _ => self.requested(task, call, ask),
        }
    }

    /// Handles the stop of a filter, which may follow an entry stop of the same call.
    fn filtered(&mut self, task: Tid, call: &Call, ask: &impl Ask) -> Action {
        match self.phases.get(&task) {
            Some(Phase::Added { .. }) => Action::Resume(0),
            Some(Phase::Sets { before: Some((_, value)), .. }) => Action::ShowArgument(*value),
            Some(_) => Action::Report,
            None => self.requested(task, call, ask),
        }
    }

    fn requested(&mut self, task: Tid, call: &Call, ask: &impl Ask) -> Action {
        let (phase, action) = match request(call) {
            Some(Request::Set(DUMPABLE)) => (Phase::Sets { native: DUMPABLE, before: None }, Action::Report),
            Some(Request::Set(native)) if ask.has_own_filter() => {
                (Phase::Sets { native, before: None }, Action::Report)
            }
            Some(Request::Set(native)) => {
                let abi = call.syscall.abi;
                let before = Some((abi, call.args[1]));
                (Phase::Sets { native, before }, Action::WriteArgument(abi, DUMPABLE as u64))
            }
            Some(Request::Get) => (Phase::Gets, Action::Report),
            Some(Request::ChangeIds) => (Phase::ChangesIds, Action::Report),
            None => return Action::Report,
        };
        self.phases.insert(task, phase);
        action
    }

    fn left(&mut self, task: Tid, stop: Stop, failed: bool, ask: &impl Ask) -> Action {
        match self.phases.remove(&task) {
            Some(Phase::Sets { native, before }) => {
                // The task's own filter may have answered instead of the kernel, without an error.
                // A value that is kept from before then still protects its memory.
                if !failed && !ask.has_own_filter() {
                    self.set(native, ask);
                }
                before.map_or(Action::Report, |(abi, value)| Action::WriteArgument(abi, value))
            }
            Some(Phase::Gets) if !failed && !self.maps.are_native() => {
                self.maps.native(ask.group()).map_or(Action::Report, Action::WriteResult)
            }
            Some(Phase::ChangesIds | Phase::ChangedIds) => {
                self.phases.insert(task, Phase::ChangedIds);
                Action::Report
            }
            Some(Phase::Executed { native, mut stops }) => {
                stops.push(stop);
                self.phases.insert(task, Phase::Executed { native, stops });
                Action::Resume(0)
            }
            Some(Phase::Added { native, stops }) => {
                if !failed {
                    self.set(native, ask);
                }
                Action::Restore(stops)
            }
            Some(Phase::Gets) | None => Action::Report,
        }
    }

    fn set(&mut self, native: i64, ask: &impl Ask) {
        self.maps.set(ask.group(), native, |other| ask.shares_memory(other));
    }

    /// Handles an execve, which gives the task a new map.
    fn executed(&mut self, task: Tid, former: Tid, stop: Stop, ask: &impl Ask) -> Action {
        self.phases.remove(&former);
        self.phases.remove(&task);
        self.maps.begin(task);
        match can_be_read_after(ask) {
            Some(native) => {
                self.phases.insert(task, Phase::Executed { native, stops: vec![stop] });
                Action::Resume(0)
            }
            None => Action::Report,
        }
    }

    /// Handles a stop that is not of a call.
    fn between(&mut self, task: Tid, stop: Stop, ask: &impl Ask) -> Action {
        if let Stop::Trap { leads: true, .. } = stop {
            self.maps.know(task);
        }
        let is_silent = matches!(self.phases.get(&task), Some(Phase::Executed { .. } | Phase::Added { .. }));
        match stop {
            Stop::Signal(signal) if is_silent => Action::Resume(signal),
            Stop::Trap { group_stop: true, .. } if is_silent => Action::Listen,
            _ if is_silent => Action::Resume(0),
            Stop::Signal(signal)
                if dumps_core(signal) && !self.maps.are_native() && self.maps.native(ask.group()).is_some() =>
            {
                Action::ReportWithoutCore
            }
            _ => Action::Report,
        }
    }

    /// Handles the end of a task, which may come before the added call.
    fn given_up(&mut self, task: Tid) -> Action {
        match self.phases.remove(&task) {
            Some(Phase::Executed { stops, .. } | Phase::Added { stops, .. }) if !stops.is_empty() => {
                Action::ReportAfter(stops)
            }
            _ => Action::Report,
        }
    }

    fn ended(&mut self, task: Tid) -> Action {
        self.maps.end(task);
        self.given_up(task)
    }
}

/// Returns the native value of a task's map if an added call is allowed and makes it readable.
fn can_be_read_after(ask: &impl Ask) -> Option<i64> {
    ask.refusal().filter(|_| !ask.has_own_filter())
}

#[cfg(test)]
mod tests;
