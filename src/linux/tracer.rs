//! Wait and obey: the kernel's reports become stops, directives become ptrace requests. Main type:
//! [`Tracer`].
//!
//! It must not know what a stop means: that is `model::tracee`. One tracer serves one thread, as
//! ptrace(2) wants it.

use std::collections::HashMap;
use std::ffi::CString;
use std::io;
use std::marker::PhantomData;
use std::os::unix::fs::MetadataExt;

use super::stopped::{Alive, Pace, Stopped};
use super::strays::{self, Stray};
use super::sys::{self, Hears, SyscallInfo};
use super::untraced::{Entry, Revealed};
use super::wait::{Report, report};
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::kernel::call::{Call, Tid};
use crate::model::kernel::syscall::Syscall;
use crate::model::trace::tracee::{Directive, Stop};

/// The tracer of this thread.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    /// Tasks that stay stopped until another one tells of them.
    held: HashMap<Tid, Stopped>,
    revealed: Revealed,
    /// What was found since it was asked for.
    blind_spots: Vec<BlindSpot>,
    /// "Ptrace attachments are always per-thread": no other thread may use them.
    not_send: PhantomData<*const ()>,
}

/// What a wait brought.
#[derive(Debug)]
pub(super) enum Waited {
    /// A task stopped.
    Stopped(Stopped, Stop),
    /// A task is gone.
    Ended(Tid, Stop),
    /// A signal came to this thread: time to look at the clock.
    Interrupted,
    /// No task is left.
    Nobody,
}

impl Tracer {
    /// Waits for the next report.
    pub(super) fn wait(&mut self) -> io::Result<Waited> {
        let (tid, status) = match sys::wait() {
            Ok(Some(reported)) => reported,
            Ok(None) => return Ok(Waited::Nobody),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Waited::Interrupted),
            Err(error) => return Err(error),
        };
        let report = report(status);
        if let Report::Ended(exit) = report {
            self.held.remove(&tid);
            self.revealed.forget(tid);
            return Ok(Waited::Ended(tid, Stop::Ended(exit)));
        }
        let task = Stopped::reported(tid);
        let stop = stop(&task, report)?;
        let stop = self.reveal(&task, stop)?;
        Ok(Waited::Stopped(task, stop))
    }

    /// Keeps children from being hidden, and notes what is. Returns the stop as the kernel sees it
    /// from here on: a call may have been given other arguments.
    fn reveal(&mut self, task: &Stopped, stop: Stop) -> io::Result<Stop> {
        match stop {
            Stop::Entry(call) => return Ok(Stop::Entry(self.reveal_call(task, call)?)),
            Stop::Filtered(call) => return Ok(Stop::Filtered(self.reveal_call(task, call)?)),
            Stop::Exec { .. } => self.blind_spots.extend(preloads(task.tid()).then_some(BlindSpot::LdPreload)),
            Stop::Exit { .. } | Stop::Trap { .. } => self.revealed.at_end(task)?,
            Stop::Spawning { child, .. } => self.revealed.at_birth(task, child, self.held.get(&child))?,
            _ => {}
        }
        Ok(stop)
    }

    fn reveal_call(&mut self, task: &Stopped, call: Call) -> io::Result<Call> {
        let args = match self.revealed.at_entry(task, &call)? {
            Entry::Copied(address) => [[address].as_slice(), &call.args[1..]].concat(),
            Entry::Revealed => return Ok(call),
            Entry::Hidden => {
                self.blind_spots.push(BlindSpot::UntracedChild);
                return Ok(call);
            }
        };
        Ok(Call { args: std::array::from_fn(|at| args[at]), ..call })
    }

    /// A child was made that no stop announced: attaches it and its descendants, and notes that
    /// what they have done so far is unseen.
    pub(super) fn attach_hidden(&mut self, parent: Tid, number: i64, hears: Hears) -> Vec<Stray> {
        self.blind_spots.push(BlindSpot::UntracedChild);
        strays::attach(parent, number, hears)
    }

    /// Waits until nobody is left, and kills whoever stops once more: a killed task does at its
    /// exit.
    pub(super) fn bury(&mut self) {
        loop {
            match self.wait() {
                Ok(Waited::Stopped(task, _)) => drop(self.obey(task, Directive::Kill, Pace::EveryCall)),
                Ok(Waited::Ended(..) | Waited::Interrupted) => {}
                Ok(Waited::Nobody) | Err(_) => return,
            }
        }
    }

    /// Whether a call of this task must be seen to its end: something of it was changed.
    pub(super) fn owes_end(&self, task: Tid) -> bool {
        self.revealed.holds(task)
    }

    /// What may stay unseen; told once.
    pub(super) fn take_blind_spots(&mut self) -> Vec<BlindSpot> {
        std::mem::take(&mut self.blind_spots)
    }

    /// Does with a stopped task what was decided.
    pub(super) fn obey(&mut self, task: Stopped, directive: Directive, pace: Pace) -> io::Result<()> {
        match directive {
            Directive::Resume(signal) => task.resume(signal, pace),
            Directive::Listen => task.listen(),
            Directive::Hold => {
                self.held.insert(task.tid(), task);
                Ok(())
            }
            Directive::Kill => {
                sys::kill(task.tid(), libc::SIGKILL);
                // It stops once more, at its exit.
                task.resume(0, Pace::EveryCall)
            }
            Directive::Forget => Ok(()),
        }
    }

    /// Does with a held task what was decided; one that died meanwhile needs nothing.
    pub(super) fn release(&mut self, tid: Tid, directive: Directive, pace: Pace) -> io::Result<()> {
        match self.held.remove(&tid) {
            Some(task) => self.obey(task, directive, pace),
            None => Ok(()),
        }
    }
}

/// Asks the kernel for what belongs to a report. A task that is killed meanwhile has nothing more
/// to say but its end.
fn stop(task: &Stopped, report: Report) -> io::Result<Stop> {
    let stop = match report {
        Report::Syscall => match task.syscall_info()? {
            Alive::Yes(info) => syscall_stop(&info),
            Alive::Gone => Stop::Other,
        },
        Report::Filtered => match task.syscall_info()? {
            Alive::Yes(info) => call(&info).map_or(Stop::Unreadable, Stop::Filtered),
            Alive::Gone => Stop::Other,
        },
        Report::Spawning { awaited } => match task.event_message()? {
            Alive::Yes(child) => Stop::Spawning { child, leads: sys::leads_thread_group(child), awaited },
            Alive::Gone => Stop::Other,
        },
        Report::Exec => match task.event_message()? {
            Alive::Yes(former) => Stop::Exec { former, privileged: loses_privileges(task.tid()) },
            Alive::Gone => Stop::Other,
        },
        Report::Trap { group_stop } => Stop::Trap { leads: sys::leads_thread_group(task.tid()), group_stop },
        Report::Exiting => Stop::Exiting { leads: sys::leads_thread_group(task.tid()) },
        Report::Signal(signal) => Stop::Signal(signal),
        Report::OtherEvent => Stop::Other,
        Report::Ended(exit) => Stop::Ended(exit),
    };
    Ok(stop)
}

/// `PTRACE_SYSCALL_INFO_ENTRY` and `…_EXIT`, include/uapi/linux/ptrace.h
const OP_ENTRY: u8 = 1;
const OP_EXIT: u8 = 2;

fn syscall_stop(info: &SyscallInfo) -> Stop {
    match info.op {
        OP_ENTRY => call(info).map_or(Stop::Unreadable, Stop::Entry),
        OP_EXIT => Stop::Exit { value: info.number as i64, failed: info.args[0] & 0xff != 0 },
        _ => Stop::Other,
    }
}

/// The call that is about to be made: its registers lie alike in the report of an entry and of a
/// filter.
fn call(info: &SyscallInfo) -> Option<Call> {
    let syscall = Syscall::from_kernel(info.arch, info.number)?;
    Some(Call { syscall, args: info.args, instruction_pointer: info.instruction_pointer })
}

/// "If the calling process is being ptraced, set-user-ID and set-group-ID bits […] are ignored"
/// unless its tracer is privileged, and so are file capabilities; execve(2).
fn loses_privileges(tid: Tid) -> bool {
    const SET_USER_ID: u32 = 0o4000;
    /// "set-group-ID" needs that the group may execute: bprm_fill_uid(), fs/exec.c.
    const SET_GROUP_ID: u32 = 0o2010;
    if sys::is_root() {
        return false;
    }
    let program = format!("/proc/{tid}/exe");
    let sets_an_id = std::fs::metadata(&program).is_ok_and(|program| {
        let mode = program.mode();
        mode & SET_USER_ID != 0 || mode & SET_GROUP_ID == SET_GROUP_ID
    });
    sets_an_id
        || CString::new(program).is_ok_and(|program| sys::short_attribute(&program, c"security.capability").is_ok())
}

/// Whether the loader of what a task executes from here on is told to put a library before others:
/// ld.so(8).
fn preloads(tid: Tid) -> bool {
    let environment = sys::read_proc(&format!("/proc/{tid}/environ"));
    environment.split(|byte| *byte == 0).any(|variable| {
        let value = variable.strip_prefix(b"LD_PRELOAD=").or_else(|| variable.strip_prefix(b"LD_AUDIT="));
        value.is_some_and(|value| !value.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::Abi;

    #[test]
    fn what_the_kernel_says_of_a_call_becomes_a_stop() {
        let entry =
            SyscallInfo { op: OP_ENTRY, arch: 0xc000_003e, number: 257, args: [1; 6], ..SyscallInfo::default() };
        let syscall = Syscall { abi: Abi::X86_64, number: 257 };
        assert_eq!(syscall_stop(&entry), Stop::Entry(Call { syscall, args: [1; 6], instruction_pointer: 0 }));
        assert_eq!(syscall_stop(&SyscallInfo { arch: 0, ..entry }), Stop::Unreadable);

        let exit =
            SyscallInfo { op: OP_EXIT, number: -2_i64 as u64, args: [0x1, 0, 0, 0, 0, 0], ..SyscallInfo::default() };
        assert_eq!(syscall_stop(&exit), Stop::Exit { value: -2, failed: true });
        assert_eq!(syscall_stop(&SyscallInfo { args: [0; 6], ..exit }), Stop::Exit { value: -2, failed: false });
        assert_eq!(syscall_stop(&SyscallInfo::default()), Stop::Other);
    }
}
