//! Waits for tracees and carries out directives: the kernel's reports become stops, directives
//! become ptrace requests. Main type: [`Tracer`].
//!
//! It must not interpret stops: that is the job of `model::trace::tracee`. One tracer serves one
//! thread, as ptrace(2) requires.

use std::collections::HashMap;
use std::ffi::CString;
use std::io;
use std::marker::PhantomData;
use std::os::unix::fs::MetadataExt;

use super::dumpable::{DumpableTasks, Late};
use super::reports::Reports;
use super::stopped::{Alive, NextStop, Stopped};
use super::strays::{self, Stray};
use super::sys::{self, SeizeOptions, SyscallInfo};
use super::uapi::{PTRACE_SYSCALL_INFO_ENTRY, PTRACE_SYSCALL_INFO_EXIT};
use super::untraced::{CloneRewriter, Entry};
use super::wait::{Report, report};
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::kernel::call::{Call, Tid};
use crate::model::kernel::syscall::Syscall;
use crate::model::trace::tracee::{Directive, Stop};

/// The tracer of this thread.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    /// Tasks that stay stopped until their parent's stop announces them.
    held: HashMap<Tid, Stopped>,
    reports: Reports,
    clones: CloneRewriter,
    dumpable: DumpableTasks,
    /// Blind spots found since the last [`Tracer::take_blind_spots`].
    blind_spots: Vec<BlindSpot>,
    /// "Ptrace attachments are always per-thread": no other thread may use them.
    not_send: PhantomData<*const ()>,
}

/// The result of a wait.
#[derive(Debug)]
pub(super) enum Waited {
    /// A task stopped.
    Stopped(Stopped, Stop),
    /// A task is gone.
    Ended(Tid, Stop),
    /// A stop that the task has left, or in which it waits for a later one to be reported.
    Late(Tid, Stop),
    /// A signal interrupted this thread: time to check the clock.
    Interrupted,
    /// No task is left.
    NoneLeft,
}

impl Tracer {
    /// Creates a tracer that keeps tasks readable with `dumpable`.
    pub(super) fn new(dumpable: DumpableTasks) -> Self {
        Self { dumpable, ..Self::default() }
    }

    /// Waits for the next report.
    pub(super) fn wait(&mut self) -> io::Result<Waited> {
        loop {
            if let Some(late) = self.dumpable.take_late() {
                return self.late(late);
            }
            let (tid, status) = match self.reports.next() {
                Ok(Some(reported)) => reported,
                Ok(None) => return Ok(Waited::NoneLeft),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Waited::Interrupted),
                Err(error) => return Err(error),
            };
            let report = report(status);
            if let Report::Ended(exit) = report {
                self.held.remove(&tid);
                self.clones.forget(tid);
                let stop = Stop::Ended(exit);
                if self.dumpable.is_late(tid, stop) {
                    continue;
                }
                return Ok(Waited::Ended(tid, stop));
            }
            let task = Stopped::reported(tid);
            let stop = stop(&task, report)?;
            if let Some((task, stop)) = self.dumpable.at_stop(task, stop)? {
                let stop = self.keep_children_traced(&task, stop)?;
                return Ok(Waited::Stopped(task, stop));
            }
        }
    }

    /// Returns a stop that is reported late. Whether an execve loses privileges can be read only
    /// now.
    fn late(&mut self, late: Late) -> io::Result<Waited> {
        let Late { tid, task, stop } = late;
        let stop = match stop {
            Stop::Exec { former, .. } => Stop::Exec { former, privileged: loses_privileges(tid) },
            stop => stop,
        };
        match (task, stop) {
            (Some(task), stop) => {
                let stop = self.keep_children_traced(&task, stop)?;
                Ok(Waited::Stopped(task, stop))
            }
            (None, Stop::Ended(_)) => Ok(Waited::Ended(tid, stop)),
            (None, stop) => {
                self.note_preload(tid, &stop);
                Ok(Waited::Late(tid, stop))
            }
        }
    }

    /// Keeps children from being untraced and notes blind spots. Returns the stop as the kernel
    /// sees it from here on: the arguments of a call may have been replaced.
    fn keep_children_traced(&mut self, task: &Stopped, stop: Stop) -> io::Result<Stop> {
        match stop {
            Stop::Entry(call) => return Ok(Stop::Entry(self.rewrite_clone(task, call)?)),
            Stop::Filtered(call) => return Ok(Stop::Filtered(self.rewrite_clone(task, call)?)),
            Stop::Exec { .. } => self.note_preload(task.tid(), &stop),
            Stop::Exit { .. } | Stop::Trap { .. } => self.clones.at_exit(task)?,
            Stop::Spawning { child, .. } => self.clones.at_spawn(task, child, self.held.get(&child))?,
            _ => {}
        }
        Ok(stop)
    }

    fn note_preload(&mut self, tid: Tid, stop: &Stop) {
        let preloads = || matches!(stop, Stop::Exec { .. }) && preloads(tid);
        self.blind_spots.extend(preloads().then_some(BlindSpot::LdPreload));
    }

    fn rewrite_clone(&mut self, task: &Stopped, call: Call) -> io::Result<Call> {
        let args = match self.clones.at_entry(task, &call)? {
            Entry::Copied(address) => [[address].as_slice(), &call.args[1..]].concat(),
            Entry::Traced => return Ok(call),
            Entry::Untraced => {
                self.blind_spots.push(BlindSpot::UntracedChild);
                return Ok(call);
            }
        };
        Ok(Call { args: std::array::from_fn(|at| args[at]), ..call })
    }

    /// Attaches a child that no stop announced, and its descendants. Notes that their calls so far
    /// are a blind spot.
    pub(super) fn attach_hidden(&mut self, parent: Tid, number: i64, options: SeizeOptions) -> Vec<Stray> {
        self.blind_spots.push(BlindSpot::UntracedChild);
        let strays = strays::attach(parent, number, options);
        strays.iter().for_each(|stray| self.dumpable.found(parent, stray.task, stray.leads));
        strays
    }

    /// Waits until no task is left. Kills each task that stops once more, as a killed task does at
    /// its exit.
    pub(super) fn reap_all(&mut self) {
        loop {
            match self.wait() {
                Ok(Waited::Stopped(task, _)) => drop(self.carry_out(task, Directive::Kill, NextStop::EveryCall)),
                Ok(Waited::Ended(..) | Waited::Late(..) | Waited::Interrupted) => {}
                Ok(Waited::NoneLeft) | Err(_) => return,
            }
        }
    }

    /// Returns whether the exit of this task's call must be seen, to restore what was changed.
    pub(super) fn must_see_exit(&self, task: Tid) -> bool {
        self.clones.has_change(task) || self.dumpable.must_see_next_call(task)
    }

    /// Kills a task, unless its number may belong to another process by now.
    pub(super) fn kill(&self, task: Tid) {
        if !self.dumpable.is_former(task) {
            sys::kill(task, libc::SIGKILL);
        }
    }

    /// Returns the blind spots found since the last call.
    pub(super) fn take_blind_spots(&mut self) -> Vec<BlindSpot> {
        std::mem::take(&mut self.blind_spots)
    }

    /// Carries out a directive on a stopped task.
    pub(super) fn carry_out(&mut self, task: Stopped, directive: Directive, next_stop: NextStop) -> io::Result<()> {
        match directive {
            Directive::Resume(signal) => task.resume(signal, next_stop),
            Directive::Listen => task.listen(),
            Directive::Hold => {
                self.held.insert(task.tid(), task);
                Ok(())
            }
            Directive::Kill => {
                sys::kill(task.tid(), libc::SIGKILL);
                // The task stops once more, at its exit.
                task.resume(0, NextStop::EveryCall)
            }
            Directive::Forget => Ok(()),
        }
    }

    /// Carries out a directive on a held task. Does nothing if the task died meanwhile.
    pub(super) fn release(&mut self, tid: Tid, directive: Directive, next_stop: NextStop) -> io::Result<()> {
        match self.held.remove(&tid) {
            Some(task) => self.carry_out(task, directive, next_stop),
            None => Ok(()),
        }
    }
}

/// Reads from the kernel what belongs to a report. A task that was killed meanwhile only has an end
/// left to report.
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

fn syscall_stop(info: &SyscallInfo) -> Stop {
    match info.op {
        PTRACE_SYSCALL_INFO_ENTRY => call(info).map_or(Stop::Unreadable, Stop::Entry),
        PTRACE_SYSCALL_INFO_EXIT => Stop::Exit { value: info.number as i64, failed: info.args[0] & 0xff != 0 },
        _ => Stop::Other,
    }
}

/// Returns the call that is about to be made. Entry and seccomp reports hold its registers at the
/// same offsets.
fn call(info: &SyscallInfo) -> Option<Call> {
    let syscall = Syscall::from_kernel(info.arch, info.number)?;
    Some(Call { syscall, args: info.args, instruction_pointer: info.instruction_pointer })
}

/// "If the calling process is being ptraced, set-user-ID and set-group-ID bits […] are ignored"
/// unless its tracer is privileged. The same holds for file capabilities; execve(2).
fn loses_privileges(tid: Tid) -> bool {
    const SET_USER_ID: u32 = 0o4000;
    /// The set-group-ID bit counts only if the group may execute: bprm_fill_uid(), fs/exec.c.
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

/// Returns whether the environment makes the dynamic loader preload a library: ld.so(8).
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
    use crate::model::kernel::uapi::AUDIT_ARCH_X86_64;

    #[test]
    fn syscall_info_becomes_a_stop() {
        let entry = SyscallInfo {
            op: PTRACE_SYSCALL_INFO_ENTRY,
            arch: AUDIT_ARCH_X86_64,
            number: 257,
            args: [1; 6],
            ..SyscallInfo::default()
        };
        let syscall = Syscall { abi: Abi::X86_64, number: 257 };
        assert_eq!(syscall_stop(&entry), Stop::Entry(Call { syscall, args: [1; 6], instruction_pointer: 0 }));
        assert_eq!(syscall_stop(&SyscallInfo { arch: 0, ..entry }), Stop::Unreadable);

        let exit = SyscallInfo {
            op: PTRACE_SYSCALL_INFO_EXIT,
            number: -2_i64 as u64,
            args: [0x1, 0, 0, 0, 0, 0],
            ..SyscallInfo::default()
        };
        assert_eq!(syscall_stop(&exit), Stop::Exit { value: -2, failed: true });
        assert_eq!(syscall_stop(&SyscallInfo { args: [0; 6], ..exit }), Stop::Exit { value: -2, failed: false });
        assert_eq!(syscall_stop(&SyscallInfo::default()), Stop::Other);
    }
}
