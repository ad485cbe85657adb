//! Keeps the memory maps of tasks dumpable, so that a tracer without CAP_SYS_PTRACE can read them.
//! Main type: [`DumpableTasks`].
//!
//! `model::trace::dumpable` decides what to do at a stop. This module answers its questions and
//! carries out its actions. A tracer with CAP_SYS_PTRACE does not need it.

use std::cell::OnceCell;
use std::collections::{HashMap, VecDeque};
use std::{fs, io};

use libc::rlimit;

use super::memory;
use super::signals::is_default;
use super::status::{field, has_cap_sys_ptrace};
use super::stopped::{Alive, NextStop, Stopped};
use super::sys::{self, ReplacedCall};
use crate::model::attribution::Failure;
use crate::model::kernel::call::{Call, Tid};
use crate::model::kernel::syscall::Syscall;
use crate::model::kernel::uapi::PR_SET_DUMPABLE;
use crate::model::trace::dumpable::{Action, Ask, DUMPABLE, Dumpability, request};
use crate::model::trace::tracee::Stop;

/// Returns whether this process cannot read tasks that are not dumpable.
///
/// CAP_SYS_PTRACE in a user namespace other than the initial one does not suffice: the file of a
/// program may belong to a user that the namespace does not map (`would_dump()`, fs/exec.c).
fn is_needed() -> bool {
    const CAN_BE_CHANGED: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
    let own = |file: &str| fs::read_to_string(format!("/proc/thread-self/{file}")).unwrap_or_default();
    CAN_BE_CHANGED && !may_read_any(&own("status"), &own("uid_map"))
}

/// Decides by proc_pid_status(5) and the map of user_namespaces(7).
fn may_read_any(status: &str, uid_map: &str) -> bool {
    const EVERY_USER: [&str; 3] = ["0", "0", "4294967295"];
    has_cap_sys_ptrace(status) && uid_map.split_whitespace().eq(EVERY_USER)
}

/// Carries out what `model::trace::dumpable` decides about each stop.
#[derive(Debug, Default)]
pub(super) struct DumpableTasks {
    /// Facts about this tracer; `None` if it can read any task.
    tracer: Option<Own>,
    state: Dumpability,
    replaced: HashMap<Tid, ReplacedCall>,
    /// Stops that are reported before the next wait, in this order. A task is stopped in its last
    /// one only.
    late: VecDeque<Late>,
    /// The limits of tasks that were about to write a core file. A task that lives on gets its
    /// limit back: the signal may have been ignored after all, as by the first process of a PID
    /// namespace.
    core_limits: HashMap<Tid, rlimit>,
}

/// A stop that is reported late, and the task if it is still stopped there.
#[derive(Debug)]
pub(super) struct Late {
    pub(super) tid: Tid,
    pub(super) task: Option<Stopped>,
    pub(super) stop: Stop,
}

/// What a task must have in common with this tracer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Own {
    /// User and group; `None` if the tracer has several.
    ids: Option<[u32; 2]>,
    /// The number of seccomp filters of a task that has none of its own.
    filters: Option<u32>,
}

impl DumpableTasks {
    /// Finds out what this tracer may read.
    pub(super) fn new() -> Self {
        let read = || {
            let Status { ids, filters, .. } = Status::of(sys::gettid());
            Own { ids, filters }
        };
        Self { tracer: is_needed().then(read), ..Self::default() }
    }

    /// Counts the seccomp filters of this run as those that every task has.
    pub(super) fn with_filters(mut self, number: usize) -> Self {
        if let Some(filters) = self.tracer.as_mut().and_then(|own| own.filters.as_mut()) {
            *filters += number as u32;
        }
        self
    }

    /// Returns whether a filter of this run must stop a call: it reads or changes whether its task
    /// is dumpable.
    pub(super) fn must_stop(&self, call: &Call) -> bool {
        self.tracer.is_some() && request(call).is_some()
    }

    /// Returns whether the next call of this task, or its exit, must be seen.
    pub(super) fn must_see_next_call(&self, task: Tid) -> bool {
        self.state.must_see_next_call(task) || self.core_limits.contains_key(&task)
    }

    /// Returns whether this number may belong to another process: an execve that freed it is not
    /// reported yet.
    pub(super) fn is_former(&self, task: Tid) -> bool {
        let is_late =
            |late: &Late| matches!(late.stop, Stop::Exec { former, .. } if former == task && late.tid != task);
        self.state.is_former(task) || self.late.iter().any(is_late)
    }

    /// Returns the next stop that is reported late.
    pub(super) fn take_late(&mut self) -> Option<Late> {
        self.late.pop_front()
    }

    /// Handles a child that was attached without a stop of its parent.
    pub(super) fn found(&mut self, parent: Tid, child: Tid, leads: bool) {
        if let Some(own) = &self.tracer {
            self.state.spawned(child, leads, &Asked::new(own, parent, None));
        }
    }

    /// Processes a stop. Returns it if it must be reported now, possibly changed; otherwise the
    /// task has been resumed, or the stop is among the late ones.
    pub(super) fn at_stop(&mut self, task: Stopped, stop: Stop) -> io::Result<Option<(Stopped, Stop)>> {
        let Some(own) = &self.tracer else { return Ok(Some((task, stop))) };
        if let Some(limit) = self.core_limits.remove(&task.tid()).filter(|_| !matches!(stop, Stop::Exiting { .. })) {
            sys::set_core_limit(task.tid(), limit);
        }
        let action = self.state.step(task.tid(), stop, &Asked::new(own, task.tid(), Some(&task)));
        match (action, stop) {
            (Action::Report, _) => {}
            (Action::ReportWithoutCore, Stop::Signal(signal)) => {
                if is_default(task.tid(), signal)
                    && let Some(limit) = sys::forbid_core_file(task.tid())
                {
                    self.core_limits.insert(task.tid(), limit);
                }
            }
            (Action::ReportAfter(stops), _) => {
                self.report_late(task.tid(), stops);
                self.late.push_back(Late { tid: task.tid(), task: Some(task), stop });
                return Ok(None);
            }
            (Action::WriteArgument(abi, value), _) => task.write_second_argument(abi, value)?,
            (Action::ShowArgument(value), Stop::Filtered(call)) => {
                return Ok(Some((task, Stop::Filtered(with_second_argument(call, value)))));
            }
            (Action::WriteResult(value), Stop::Exit { failed, .. }) => {
                sys::write_result(task.tid(), value)?;
                return Ok(Some((task, Stop::Exit { value, failed })));
            }
            (Action::Replace, Stop::Entry(call)) => {
                self.replace(&task, &call)?;
                return task.resume(0, NextStop::EveryCall).map(|()| None);
            }
            (Action::Restore(stops), _) => return self.restore(task, stops).map(|()| None),
            (Action::Resume(signal), _) => return task.resume(signal, NextStop::EveryCall).map(|()| None),
            (Action::Listen, _) => return task.listen().map(|()| None),
            // These actions are for the stops above only.
            (Action::ReportWithoutCore | Action::ShowArgument(_) | Action::WriteResult(_) | Action::Replace, _) => {}
        }
        Ok(Some((task, stop)))
    }

    /// Processes the end of a task. Returns whether its stop is among the late ones.
    pub(super) fn is_late(&mut self, tid: Tid, stop: Stop) -> bool {
        let Some(own) = &self.tracer else { return false };
        self.replaced.remove(&tid);
        self.core_limits.remove(&tid);
        let Action::ReportAfter(stops) = self.state.step(tid, stop, &Asked::new(own, tid, None)) else { return false };
        self.report_late(tid, stops);
        self.late.push_back(Late { tid, task: None, stop });
        true
    }

    fn report_late(&mut self, tid: Tid, stops: Vec<Stop>) {
        self.late.extend(stops.into_iter().map(|stop| Late { tid, task: None, stop }));
    }

    fn replace(&mut self, task: &Stopped, call: &Call) -> io::Result<()> {
        let Some(by) = Syscall::from_name(call.syscall.abi, "prctl") else { return Ok(()) };
        if let Alive::Yes(replaced) = task.replace_call(by, [PR_SET_DUMPABLE, DUMPABLE as u64])? {
            self.replaced.insert(task.tid(), replaced);
        }
        Ok(())
    }

    fn restore(&mut self, task: Stopped, mut stops: Vec<Stop>) -> io::Result<()> {
        if let Some(replaced) = self.replaced.remove(&task.tid()) {
            task.restore_call(&replaced)?;
        }
        let Some(last) = stops.pop() else { return task.resume(0, NextStop::EveryCall) };
        self.report_late(task.tid(), stops);
        self.late.push_back(Late { tid: task.tid(), task: Some(task), stop: last });
        Ok(())
    }
}

fn with_second_argument(mut call: Call, value: u64) -> Call {
    call.args[1] = value;
    call
}

/// Answers questions about one task.
struct Asked<'a> {
    own: &'a Own,
    tid: Tid,
    stopped: Option<&'a Stopped>,
    status: OnceCell<Status>,
}

impl<'a> Asked<'a> {
    fn new(own: &'a Own, tid: Tid, stopped: Option<&'a Stopped>) -> Self {
        Self { own, tid, stopped, status: OnceCell::new() }
    }

    fn status(&self) -> &Status {
        self.status.get_or_init(|| Status::of(self.tid))
    }

    /// Returns whether the kernel refuses to read memory, by every way to read it.
    fn is_memory_refused(&self) -> bool {
        let Some(Ok(Alive::Yes(info))) = self.stopped.map(Stopped::syscall_info) else { return false };
        memory::read(self.tid, info.instruction_pointer, &mut [0]) == Err(Failure::Refused)
    }
}

impl Ask for Asked<'_> {
    fn group(&self) -> Tid {
        self.status().group.unwrap_or(self.tid)
    }

    fn has_own_filter(&self) -> bool {
        self.status().filters.is_none_or(|filters| Some(filters) != self.own.filters)
    }

    fn refusal(&self) -> Option<i64> {
        let has_same_ids = || self.own.ids.is_some() && self.status().ids == self.own.ids;
        (self.is_memory_refused() && has_same_ids()).then(initial_value).filter(|native| *native != DUMPABLE)
    }

    fn shares_memory(&self, other: Tid) -> bool {
        sys::share_memory(self.tid, other) == Some(true)
    }
}

/// Returns the first value of the map of an unreadable program: `suid_dumpable`, proc_sys_fs(5).
fn initial_value() -> i64 {
    let value = fs::read_to_string("/proc/sys/fs/suid_dumpable").ok();
    value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

/// Fields of proc_pid_status(5).
#[derive(Debug, PartialEq, Eq)]
struct Status {
    group: Option<Tid>,
    /// User and group, if the real, the effective and the saved one are the same.
    ids: Option<[u32; 2]>,
    /// `Seccomp_filters`, since Linux 5.9.
    filters: Option<u32>,
}

impl Status {
    fn of(task: Tid) -> Self {
        Self::read(&String::from_utf8_lossy(&sys::read_proc(&format!("/proc/{task}/status"))))
    }

    fn read(text: &str) -> Self {
        let number = |key| field(text, key).and_then(|value| value.parse().ok());
        let id = |key| {
            let mut ids = field(text, key)?.split_whitespace().map_while(|id| id.parse().ok());
            let first: u32 = ids.next()?;
            ids.all(|id| id == first).then_some(first)
        };
        let ids = id("Uid:").zip(id("Gid:")).map(|(user, group)| [user, group]);
        // Older kernels show only whether there is a filter.
        let has_none = field(text, "Seccomp:").is_some_and(|mode| mode == "0");
        let filters = number("Seccomp_filters:").or(has_none.then_some(0));
        Self { group: number("Tgid:").and_then(|group| Tid::try_from(group).ok()), ids, filters }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_names_group_ids_and_filters() {
        let text = "Name:\tx\nTgid:\t70\nUid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\nSeccomp:\t2\nSeccomp_filters:\t3\n";
        assert_eq!(Status::read(text), Status { group: Some(70), ids: Some([7, 8]), filters: Some(3) });
        let changed = text.replace("Gid:\t8\t8\t8", "Gid:\t8\t9\t8");
        assert_eq!(Status::read(&changed).ids, None);
    }

    #[test]
    fn number_of_filters_is_unknown_on_older_kernels() {
        for (text, filters) in [("Seccomp:\t0\n", Some(0)), ("Seccomp:\t2\n", None), ("", None)] {
            assert_eq!(Status::read(text).filters, filters, "{text:?}");
        }
    }

    #[test]
    fn only_capable_tracer_of_first_namespace_reads_any_task() {
        let all = "         0          0 4294967295\n";
        for (caps, map, expected) in [
            ("000001ffffffffff", all, true),
            ("0000000000080000", all, true),
            ("000001fffff7ffff", all, false),
            ("0000000000000000", all, false),
            ("000001ffffffffff", "         0       1000          1\n", false),
            ("000001ffffffffff", "", false),
        ] {
            assert_eq!(may_read_any(&format!("CapEff:\t{caps}\n"), map), expected, "{caps} {map:?}");
        }
        assert!(!may_read_any("", all));
    }
}
