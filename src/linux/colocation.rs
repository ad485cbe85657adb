//! Keeps tracer and tracees on one CPU while a single task is busy, or two tasks take turns: a
//! ptrace stop between CPUs is much slower.
//!
//! It must stay invisible to tracees. A task's own affinity is restored before any task can read or
//! change it, in a child before it runs, and when more tasks get busy. Main type: [`Colocation`].

use std::collections::HashMap;

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

use crate::model::attribution::Memory;
use crate::model::attribution::files::is_untraced;
use crate::model::kernel::call::Tid;
use crate::model::kernel::syscall::table::Row;
use crate::model::trace::tracee::Stop;

/// Maximum number of tasks that take turns on the tracer's CPU: of two tasks that wake each other,
/// one is busy at a time.
const TURNS: usize = 2;

/// After this many stops in a row of the same few tasks, no other task counts as busy.
const STREAK: u32 = 4;

/// A task counts as idle after this many stops of other tasks.
const IDLE_STOPS: u32 = 64;

/// After this many stops all affinities are restored for a moment, so that the scheduler can move
/// the tasks off a crowded CPU.
const STAY: u32 = 4096;

/// The tasks that share this tracer's CPU, if any.
#[derive(Debug)]
pub(super) struct Colocation {
    /// The busy tasks, at most [`TURNS`].
    busy: Vec<Busy>,
    /// The own affinity of every task that was moved. Only calls of the tree change it. A child may
    /// inherit a moved affinity long after the move has ended.
    own_cpus: HashMap<Tid, CpuSet>,
    streak: u32,
    /// Stops since the first task was moved to this CPU.
    stay: u32,
    /// A task in a call that may see affinities: none is changed until the task's next stop.
    asking: Option<Tid>,
    /// The tracer's own affinity. `None` disables colocation: there is only one CPU, or the
    /// affinity is unknown.
    own: Option<CpuSet>,
    /// The tracer is bound to one CPU.
    is_bound: bool,
    /// A task has stopped since the last tick of the clock.
    is_busy: bool,
}

/// A busy task.
#[derive(Debug)]
struct Busy {
    task: Tid,
    /// Stops of other tasks since its last stop.
    idle_stops: u32,
    /// The task was moved to the tracer's CPU.
    is_moved: bool,
}

const SELF: Pid = Pid::from_raw(0);

impl Colocation {
    /// Returns the colocation for the tracer on this thread. The tree begins with this task, so no
    /// other task can be busy yet.
    pub(super) fn new(root: Tid) -> Self {
        let own = sched_getaffinity(SELF)
            .ok()
            .filter(|cpus| (0..CpuSet::count()).filter(|cpu| cpus.is_set(*cpu) == Ok(true)).count() > 1);
        Self {
            busy: vec![Busy::new(root)],
            own_cpus: HashMap::new(),
            streak: STREAK,
            stay: 0,
            asking: None,
            own,
            is_bound: false,
            is_busy: false,
        }
    }

    /// Leaves all affinities as they are, in a run with tasks that may be left to a debugger.
    pub(super) fn unless(mut self, may_leave: bool) -> Self {
        self.own = self.own.filter(|_| !may_leave);
        self
    }

    /// Processes a stop, while the task is still stopped, or the task's end.
    pub(super) fn observe(&mut self, task: Tid, stop: &Stop) {
        if self.own.is_none() {
            return;
        }
        self.is_busy = true;
        if self.asking == Some(task) {
            self.asking = None;
        }
        match stop {
            // The number may belong to another process from now on.
            Stop::Ended(_) => return self.forget(task),
            // A thread that executes a program takes the number of its thread group leader.
            Stop::Exec { former, .. } if *former != task => {
                self.forget(task);
                self.busy.iter_mut().filter(|busy| busy.task == *former).for_each(|busy| busy.task = task);
                let own_cpus = self.own_cpus.remove(former);
                self.own_cpus.extend(own_cpus.map(|own_cpus| (task, own_cpus)));
            }
            _ => {}
        }
        self.turn(task);
        if may_see_affinity(stop) {
            self.separate();
            self.asking = Some(task);
            changes_cpus_of(task, stop).map(|changed| self.own_cpus.remove(&changed));
        } else if self.stay >= STAY {
            self.separate();
        } else if (self.streak >= STREAK || begins_to_stop(stop)) && self.asking.is_none() {
            self.join(task);
        }
        if let Stop::Spawning { child, awaited, .. } = *stop {
            self.spawned(task, child, awaited);
        }
    }

    /// Handles a new child, which has inherited its parent's affinity and does not run yet. It gets
    /// its parent's own affinity. Where the parent waits for the child, the child takes the
    /// parent's turn instead.
    fn spawned(&mut self, parent: Tid, child: Tid, awaited: bool) {
        let Some(own_cpus) = self.own_cpus.get(&parent).copied() else { return };
        let is_full = self.busy.len() >= TURNS;
        match self.busy.iter_mut().find(|busy| busy.task == parent && busy.is_moved) {
            Some(busy) if awaited => {
                self.own_cpus.insert(child, own_cpus);
                if is_full {
                    restore(parent, &own_cpus);
                    *busy = Busy { task: child, idle_stops: 0, is_moved: true };
                } else {
                    self.busy.push(Busy { task: child, idle_stops: 0, is_moved: true });
                }
            }
            _ => restore(child, &own_cpus),
        }
    }

    /// Marks a task as busy, and drops tasks that have been idle for long.
    fn turn(&mut self, task: Tid) {
        let mut is_known = false;
        for busy in &mut self.busy {
            let is_its = busy.task == task;
            busy.idle_stops = if is_its { 0 } else { busy.idle_stops + 1 };
            is_known |= is_its;
            if busy.idle_stops > IDLE_STOPS {
                busy.restore(&self.own_cpus);
            }
        }
        self.busy.retain(|busy| busy.idle_stops <= IDLE_STOPS);
        self.release_tracer();
        if is_known {
            self.streak += 1;
            self.stay += 1;
            return;
        }
        if self.busy.len() >= TURNS {
            self.separate();
            self.busy.sort_by_key(|busy| busy.idle_stops);
            self.busy.truncate(TURNS - 1);
        }
        self.streak = 1;
        self.busy.push(Busy::new(task));
    }

    /// Handles a tick of the clock: tasks without a stop since the last tick run natively, and any
    /// CPU may suit them better.
    pub(super) fn tick(&mut self) {
        if !std::mem::take(&mut self.is_busy) {
            self.separate();
        }
    }

    /// Moves the task to this CPU. If that is not allowed, nothing changes.
    fn join(&mut self, task: Tid) {
        let Some(busy) = self.busy.iter_mut().find(|busy| busy.task == task && !busy.is_moved) else { return };
        let pid = Pid::from_raw(task);
        let known = self.own_cpus.get(&task).copied();
        let Some(own_cpus) = known.or_else(|| sched_getaffinity(pid).ok()) else { return };
        let Ok(cpu) = sched_getcpu() else { return };
        let mut here = CpuSet::new();
        if own_cpus.is_set(cpu) == Ok(true) && here.set(cpu).is_ok() && sched_setaffinity(pid, &here).is_ok() {
            self.own_cpus.insert(task, own_cpus);
            busy.is_moved = true;
            self.is_bound = sched_setaffinity(SELF, &here).is_ok() || self.is_bound;
        }
    }

    /// Restores the affinity of all tasks and of the tracer.
    fn separate(&mut self) {
        let own_cpus = &self.own_cpus;
        self.busy.iter_mut().for_each(|busy| busy.restore(own_cpus));
        (self.streak, self.stay) = (0, 0);
        self.release_tracer();
    }

    /// Drops a task that has ended, without restoring it.
    fn forget(&mut self, task: Tid) {
        self.busy.retain(|busy| busy.task != task);
        self.own_cpus.remove(&task);
        self.release_tracer();
    }

    /// Restores the tracer's affinity if no task shares its CPU any more.
    fn release_tracer(&mut self) {
        if let Some(own) = self.own.as_ref().filter(|_| self.is_bound && self.busy.iter().all(|busy| !busy.is_moved)) {
            let _ = sched_setaffinity(SELF, own);
            self.is_bound = false;
        }
    }
}

impl Busy {
    fn new(task: Tid) -> Self {
        Self { task, idle_stops: 0, is_moved: false }
    }

    /// Restores the task's own affinity.
    fn restore(&mut self, own_cpus: &HashMap<Tid, CpuSet>) {
        if let (true, Some(own_cpus)) = (std::mem::take(&mut self.is_moved), own_cpus.get(&self.task)) {
            restore(self.task, own_cpus);
        }
    }
}

/// Restores a task's affinity; errors are ignored, since a task may be gone.
fn restore(task: Tid, own_cpus: &CpuSet) {
    let _ = sched_setaffinity(Pid::from_raw(task), own_cpus);
}

impl Drop for Colocation {
    fn drop(&mut self) {
        self.separate();
    }
}

/// Returns whether the task is likely to stop soon and often: a program is loaded, or the next
/// child is started.
fn begins_to_stop(stop: &Stop) -> bool {
    matches!(stop, Stop::Exec { .. } | Stop::Signal(libc::SIGCHLD))
}

/// Returns whether the task is about to read or change affinities (sched_setaffinity(2)), or to
/// create a child that may stay untraced.
fn may_see_affinity(stop: &Stop) -> bool {
    let (Stop::Entry(call) | Stop::Filtered(call)) = stop else { return false };
    let looks = |row: &Row| matches!(row.name, "sched_getaffinity" | "sched_setaffinity");
    call.syscall.row().is_some_and(looks) || is_untraced(call, &Memory::default())
}

/// Returns the task that this call changes the affinity of.
fn changes_cpus_of(task: Tid, stop: &Stop) -> Option<Tid> {
    let (Stop::Entry(call) | Stop::Filtered(call)) = stop else { return None };
    let is_change = call.syscall.row().is_some_and(|row| row.name == "sched_setaffinity");
    let target = call.args[0] as Tid;
    is_change.then_some(if target == 0 { task } else { target })
}
