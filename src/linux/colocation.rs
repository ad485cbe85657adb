//! Tracer and tracee on one CPU while a single task is busy, or two that take turns: it is where
//! they run, not what they do, that makes a ptrace stop slow.
//!
//! It must stay invisible: a task's own affinity is restored before anybody can ask for it or
//! change it, in a child before it runs, and as soon as more tasks are busy. Main type:
//! [`Colocation`].

use std::collections::HashMap;

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

use crate::model::attribution::Memory;
use crate::model::attribution::files::is_untraced;
use crate::model::kernel::call::Tid;
use crate::model::kernel::syscall::table::Row;
use crate::model::trace::tracee::Stop;

/// So many tasks may take turns on the tracer's CPU: two that wake each other are busy one at a
/// time.
const TURNS: usize = 2;

/// So many stops in a row of the same few tasks mean that nobody else is busy.
const STREAK: u32 = 4;

/// Who has not stopped for so many stops of others takes no turns.
const SILENCE: u32 = 64;

/// So many stops later all are let go for a moment, so that the scheduler can move them off a CPU
/// that has become crowded.
const STAY: u32 = 4096;

/// Which tasks share this tracer's CPU, if any.
#[derive(Debug)]
pub(super) struct Colocation {
    /// Who is busy, at most [`TURNS`] of them.
    busy: Vec<Busy>,
    /// The CPUs of whoever was lent one, as nobody but a call of the tree changes them. A child may
    /// have inherited the loan long after it has ended.
    theirs: HashMap<Tid, CpuSet>,
    streak: u32,
    /// Stops since the first of them came here.
    stay: u32,
    /// In a call that may see affinities: nobody's changes until its next stop.
    asking: Option<Tid>,
    /// Nobody is worth the trouble where there is one CPU, or where the kernel does not say.
    own: Option<CpuSet>,
    /// This tracer keeps to one of its CPUs.
    is_bound: bool,
    /// Somebody has stopped since the last tick of the clock.
    is_busy: bool,
}

/// A task that is.
#[derive(Debug)]
struct Busy {
    task: Tid,
    /// Stops of others since its last one.
    silence: u32,
    /// It shares the tracer's CPU.
    is_lent: bool,
}

const SELF: Pid = Pid::from_raw(0);

impl Colocation {
    /// For the tracer that runs on this thread, of a tree that begins with this task: as yet nobody
    /// else can be busy.
    pub(super) fn new(root: Tid) -> Self {
        let own = sched_getaffinity(SELF)
            .ok()
            .filter(|cpus| (0..CpuSet::count()).filter(|cpu| cpus.is_set(*cpu) == Ok(true)).count() > 1);
        Self {
            busy: vec![Busy::new(root)],
            theirs: HashMap::new(),
            streak: STREAK,
            stay: 0,
            asking: None,
            own,
            is_bound: false,
            is_busy: false,
        }
    }

    /// Takes note of a stop, while the task is still stopped, or of its end.
    pub(super) fn observe(&mut self, task: Tid, stop: &Stop) {
        if self.own.is_none() {
            return;
        }
        self.is_busy = true;
        if self.asking == Some(task) {
            self.asking = None;
        }
        match stop {
            // Its number may mean somebody else from now on.
            Stop::Ended(_) => return self.forget(task),
            // A thread that executes a program takes its leader's number.
            Stop::Exec { former, .. } if *former != task => {
                self.forget(task);
                self.busy.iter_mut().filter(|busy| busy.task == *former).for_each(|busy| busy.task = task);
                let theirs = self.theirs.remove(former);
                self.theirs.extend(theirs.map(|theirs| (task, theirs)));
            }
            _ => {}
        }
        self.turn(task);
        if may_see_affinity(stop) {
            self.separate();
            self.asking = Some(task);
            changes_cpus_of(task, stop).map(|changed| self.theirs.remove(&changed));
        } else if self.stay >= STAY {
            self.separate();
        } else if (self.streak >= STREAK || begins_to_stop(stop)) && self.asking.is_none() {
            self.join(task);
        }
        if let Stop::Spawning { child, awaited, .. } = *stop {
            self.bear(task, child, awaited);
        }
    }

    /// A child begins with the CPUs of its parent, and does not run yet: it is given its parent's
    /// own, whatever was lent. Where its parent waits for it, the child is the one who is busy from
    /// now on.
    fn bear(&mut self, parent: Tid, child: Tid, awaited: bool) {
        let Some(theirs) = self.theirs.get(&parent).copied() else { return };
        let is_full = self.busy.len() >= TURNS;
        match self.busy.iter_mut().find(|busy| busy.task == parent && busy.is_lent) {
            Some(busy) if awaited => {
                self.theirs.insert(child, theirs);
                if is_full {
                    give_back(parent, &theirs);
                    *busy = Busy { task: child, silence: 0, is_lent: true };
                } else {
                    self.busy.push(Busy { task: child, silence: 0, is_lent: true });
                }
            }
            _ => give_back(child, &theirs),
        }
    }

    /// It is a task's turn: it is busy, and who was long silent is not.
    fn turn(&mut self, task: Tid) {
        let mut is_known = false;
        for busy in &mut self.busy {
            let is_its = busy.task == task;
            busy.silence = if is_its { 0 } else { busy.silence + 1 };
            is_known |= is_its;
            if busy.silence > SILENCE {
                busy.leave(&self.theirs);
            }
        }
        self.busy.retain(|busy| busy.silence <= SILENCE);
        self.part();
        if is_known {
            self.streak += 1;
            self.stay += 1;
            return;
        }
        if self.busy.len() >= TURNS {
            self.separate();
            self.busy.sort_by_key(|busy| busy.silence);
            self.busy.truncate(TURNS - 1);
        }
        self.streak = 1;
        self.busy.push(Busy::new(task));
    }

    /// A tick of the clock: who has not stopped since the last one runs by itself, and better where
    /// it likes.
    pub(super) fn tick(&mut self) {
        if !std::mem::take(&mut self.is_busy) {
            self.separate();
        }
    }

    /// Moves the task to this CPU. Where that is not allowed, nothing changes.
    fn join(&mut self, task: Tid) {
        let Some(busy) = self.busy.iter_mut().find(|busy| busy.task == task && !busy.is_lent) else { return };
        let pid = Pid::from_raw(task);
        let known = self.theirs.get(&task).copied();
        let Some(theirs) = known.or_else(|| sched_getaffinity(pid).ok()) else { return };
        let Ok(cpu) = sched_getcpu() else { return };
        let mut here = CpuSet::new();
        if theirs.is_set(cpu) == Ok(true) && here.set(cpu).is_ok() && sched_setaffinity(pid, &here).is_ok() {
            self.theirs.insert(task, theirs);
            busy.is_lent = true;
            self.is_bound = sched_setaffinity(SELF, &here).is_ok() || self.is_bound;
        }
    }

    /// Gives everybody their own CPUs back.
    fn separate(&mut self) {
        let theirs = &self.theirs;
        self.busy.iter_mut().for_each(|busy| busy.leave(theirs));
        (self.streak, self.stay) = (0, 0);
        self.part();
    }

    /// A task is gone: there is nobody to be given anything back.
    fn forget(&mut self, task: Tid) {
        self.busy.retain(|busy| busy.task != task);
        self.theirs.remove(&task);
        self.part();
    }

    /// Gives this tracer its own CPUs back if nobody shares the one that it keeps to.
    fn part(&mut self) {
        if let Some(own) = self.own.as_ref().filter(|_| self.is_bound && self.busy.iter().all(|busy| !busy.is_lent)) {
            let _ = sched_setaffinity(SELF, own);
            self.is_bound = false;
        }
    }
}

impl Busy {
    fn new(task: Tid) -> Self {
        Self { task, silence: 0, is_lent: false }
    }

    /// Gives it its own CPUs back.
    fn leave(&mut self, theirs: &HashMap<Tid, CpuSet>) {
        if let (true, Some(theirs)) = (std::mem::take(&mut self.is_lent), theirs.get(&self.task)) {
            give_back(self.task, theirs);
        }
    }
}

/// Whoever is gone needs none.
fn give_back(task: Tid, theirs: &CpuSet) {
    let _ = sched_setaffinity(Pid::from_raw(task), theirs);
}

impl Drop for Colocation {
    fn drop(&mut self) {
        self.separate();
    }
}

/// Whether the task is likely to stop soon and often: a program is loaded, or the next child made.
fn begins_to_stop(stop: &Stop) -> bool {
    matches!(stop, Stop::Exec { .. } | Stop::Signal(libc::SIGCHLD))
}

/// Whether the task is about to look at affinities (sched_setaffinity(2)), or to make a child that
/// nobody may tell of.
fn may_see_affinity(stop: &Stop) -> bool {
    let (Stop::Entry(call) | Stop::Filtered(call)) = stop else { return false };
    let looks = |row: &Row| matches!(row.name, "sched_getaffinity" | "sched_setaffinity");
    call.syscall.row().is_some_and(looks) || is_untraced(call, &Memory::default())
}

/// Whose CPUs are others after this call.
fn changes_cpus_of(task: Tid, stop: &Stop) -> Option<Tid> {
    let (Stop::Entry(call) | Stop::Filtered(call)) = stop else { return None };
    let is_change = call.syscall.row().is_some_and(|row| row.name == "sched_setaffinity");
    let whose = call.args[0] as Tid;
    is_change.then_some(if whose == 0 { task } else { whose })
}
