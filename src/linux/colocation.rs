//! Tracer and tracee on one CPU while a single task is busy: it is where the two run, not what they do, that makes a ptrace stop slow.
//!
//! It must stay invisible: a task's own affinity is restored before it can ask for it, change it or hand it to a child, and as soon as a second task
//! is busy. Main type: [`Colocation`].

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

use crate::model::event::Tid;
use crate::model::tracee::Stop;

/// So many stops of one task in a row mean that it is the only one that is busy.
const STREAK: u32 = 8;

/// So many stops later both are let go for a moment, so that the scheduler can move them off a CPU that has become crowded.
const STAY: u32 = 4096;

/// Which task shares this tracer's CPU, if any.
#[derive(Debug)]
pub(super) struct Colocation {
    last: Tid,
    streak: u32,
    /// Neither is worth the trouble where there is one CPU, or where the kernel does not say.
    own: Option<CpuSet>,
    lent: Option<(Tid, CpuSet)>,
    /// Somebody has stopped since the last tick of the clock.
    is_busy: bool,
}

const SELF: Pid = Pid::from_raw(0);

impl Colocation {
    /// For the tracer that runs on this thread.
    pub(super) fn new() -> Self {
        let own = sched_getaffinity(SELF)
            .ok()
            .filter(|cpus| (0..CpuSet::count()).filter(|cpu| cpus.is_set(*cpu) == Ok(true)).count() > 1);
        Self { last: 0, streak: 0, own, lent: None, is_busy: false }
    }

    /// Takes note of a stop, while the task is still stopped, or of its end.
    pub(super) fn observe(&mut self, task: Tid, stop: &Stop) {
        if self.own.is_none() {
            return;
        }
        match (stop, &mut self.lent) {
            // Its number may mean somebody else from now on.
            (Stop::Ended(_), Some((lent, _))) if *lent == task => return self.part(),
            // A thread that executes a program takes its leader's number.
            (Stop::Exec { former, .. }, Some((lent, _))) if lent == former => *lent = task,
            _ => {}
        }
        if task != self.last || may_see_affinity(stop) || self.streak >= STAY {
            self.separate();
            (self.last, self.streak) = (task, 0);
        }
        self.is_busy = true;
        self.streak += 1;
        if self.streak == STREAK {
            self.join(task);
        }
    }

    /// A tick of the clock: who has not stopped since the last one runs by itself, and better where it likes.
    pub(super) fn tick(&mut self) {
        if !std::mem::take(&mut self.is_busy) {
            self.separate();
            self.streak = 0;
        }
    }

    /// Moves the task to this CPU. Where that is not allowed, nothing changes.
    fn join(&mut self, task: Tid) {
        let pid = Pid::from_raw(task);
        let Ok(theirs) = sched_getaffinity(pid) else { return };
        let Ok(cpu) = sched_getcpu() else { return };
        let mut here = CpuSet::new();
        if theirs.is_set(cpu) == Ok(true) && here.set(cpu).is_ok() && sched_setaffinity(pid, &here).is_ok() {
            self.lent = Some((task, theirs));
            let _ = sched_setaffinity(SELF, &here);
        }
    }

    /// Gives both their own CPUs back.
    fn separate(&mut self) {
        if let Some((task, theirs)) = &self.lent {
            let _ = sched_setaffinity(Pid::from_raw(*task), theirs);
            self.part();
        }
    }

    /// Gives this tracer its own CPUs back.
    fn part(&mut self) {
        self.lent = None;
        if let Some(own) = &self.own {
            let _ = sched_setaffinity(SELF, own);
        }
    }
}

impl Drop for Colocation {
    fn drop(&mut self) {
        self.separate();
    }
}

/// Whether the task is about to look at affinities, or to make a task that inherits its own (sched_setaffinity(2)).
fn may_see_affinity(stop: &Stop) -> bool {
    let (Stop::Entry(call) | Stop::Filtered(call)) = stop else { return false };
    call.syscall.row().is_some_and(|row| {
        matches!(row.name, "sched_getaffinity" | "sched_setaffinity" | "clone" | "clone3" | "fork" | "vfork")
    })
}
