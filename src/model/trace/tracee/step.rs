//! One stop → what the task is told, and what it means. Main types: [`Tasks`] and [`Step`].

use std::collections::{BTreeSet, HashMap};

use super::stop::Stop;
use super::task::{Task, starts_workload};
use crate::model::attribution::Answers;
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::kernel::call::{Call, CallOutcome, Errno, Tid};
use crate::model::trace::event::Event;

/// What a stopped task must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// Go on to the next call, and take this signal (0: none).
    Resume(i32),
    /// Stay stopped with your group, but report when that ends (PTRACE_LISTEN).
    Listen,
    /// Nothing yet: it stays stopped until a [`Step::released`] names it.
    Hold,
    /// Die.
    Kill,
    /// Nothing any more: it is gone.
    Forget,
}

/// The answer to one stop.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a task that is told nothing stays stopped for ever"]
pub struct Step {
    /// What the task is told.
    pub directive: Directive,
    /// What the stop meant, if anything.
    pub event: Option<Event>,
    /// Rare: what else it meant, before `event` in time.
    pub before: Vec<Event>,
    /// Rare: tasks that were held and go on now, each with what it is told.
    pub released: Vec<(Tid, Directive)>,
    /// Rare: the child that the call returned, as its parent numbers it, though no stop announced
    /// it.
    pub hidden: Option<i64>,
}

impl Step {
    fn new(directive: Directive, event: Option<Event>) -> Self {
        Self { directive, event, before: Vec::new(), released: Vec::new(), hidden: None }
    }
}

/// All tasks of a tracee tree.
#[derive(Debug, Default)]
pub struct Tasks {
    tasks: HashMap<Tid, Task>,
    /// Those that are held: [`Task::AwaitingParent`]. Nobody is unless somebody may still announce
    /// it.
    held: BTreeSet<Tid>,
    /// Those of them that were held when the clock last ticked.
    overdue: BTreeSet<Tid>,
    lost: u64,
    is_ending: bool,
    /// What a stop of its own tells, a new task or program, is the end of the call that made it.
    is_brief: bool,
}

impl Tasks {
    /// A tree that consists of one process, not yet the workload: it becomes that with its first
    /// execve.
    pub fn launch(root: Tid) -> Self {
        Self { tasks: HashMap::from([(root, Task::Launching)]), ..Self::default() }
    }

    /// The same tree, whose calls end with the stop that tells of a new task or program: nobody
    /// awaits their exits, and some are not told at all.
    pub fn in_brief(self) -> Self {
        Self { is_brief: true, ..self }
    }

    /// Calls known to have been made, but not which.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// From now on whoever stops is told to die: else who forks faster than anybody looks would
    /// never end. Those that must be killed at once are named.
    pub fn end(&mut self) -> impl Iterator<Item = Tid> {
        self.is_ending = true;
        self.alive()
    }

    /// The tasks that have shown themselves and are not gone: those that can be killed.
    pub fn alive(&self) -> impl Iterator<Item = Tid> {
        self.tasks.iter().filter(|(_, task)| !matches!(task, Task::Attaching { .. })).map(|(tid, _)| *tid)
    }

    /// Whether all are to be killed.
    pub fn is_ending(&self) -> bool {
        self.is_ending
    }

    /// The call that a task is in, where that was told.
    pub fn call(&self, tid: Tid) -> Option<Call> {
        self.tasks.get(&tid).and_then(|task| task.call())
    }

    /// Whether no other task of the tree can run: all others are held before their first
    /// instruction, or have not yet shown themselves, which each does before it runs.
    pub fn is_alone(&self, tid: Tid) -> bool {
        let cannot_run = |task: &Task| matches!(task, Task::AwaitingParent { .. } | Task::Attaching { .. });
        self.tasks.iter().all(|(other, task)| *other == tid || cannot_run(task))
    }

    /// Whether it is not yet the workload.
    pub fn is_launching(&self, tid: Tid) -> bool {
        self.tasks.get(&tid) == Some(&Task::Launching)
    }

    /// What a stop is for this task: where entries are not told, the filter's stop is one.
    pub fn heard(&self, tid: Tid, stop: Stop) -> Stop {
        match stop {
            Stop::Filtered(call) if self.call(tid).is_none() && !self.is_launching(tid) => Stop::Entry(call),
            stop => stop,
        }
    }

    /// Takes one stop in.
    pub fn step(&mut self, tid: Tid, stop: Stop) -> Step {
        let mut step = self.meaning(tid, stop);
        if self.is_ending && step.directive != Directive::Forget {
            self.held.remove(&tid);
            step.directive = Directive::Kill;
        }
        step
    }

    fn meaning(&mut self, tid: Tid, stop: Stop) -> Step {
        match stop {
            Stop::Filtered(_) => Step::new(Directive::Resume(0), None),
            Stop::Entry(_) | Stop::Exit { .. } | Stop::Unreadable => self.syscall(tid, stop),
            Stop::Spawning { child, leads, .. } => self.announced(tid, child, leads),
            Stop::Trap { leads, group_stop } => self.trapped(tid, leads, group_stop),
            Stop::Exec { former, privileged } => self.executed(tid, former, privileged),
            Stop::Exiting { leads } => self.exiting(tid, leads),
            Stop::Ended(exit) => {
                let mut step = self.gone(tid);
                step.event = Some(Event::Ended { task: tid, exit });
                step
            }
            Stop::Signal(signal) => Step::new(Directive::Resume(signal), None),
            Stop::Other => Step::new(Directive::Resume(0), None),
        }
    }

    /// "Syscall-enter-stop and syscall-exit-stop are indistinguishable": PTRACE_GET_SYSCALL_INFO
    /// tells them apart, and is believed over our own state.
    fn syscall(&mut self, tid: Tid, stop: Stop) -> Step {
        let task = self.tasks.entry(tid).or_insert(Task::Outside);
        if *task == Task::Launching && !starts_workload(&stop) {
            return Step::new(Directive::Resume(0), None);
        }
        let next = match stop {
            Stop::Entry(call) => Task::Inside(call),
            _ => Task::Outside,
        };
        if stop == Stop::Unreadable {
            self.lost += 1;
        }
        let before = std::mem::replace(task, next);
        let event = match (before.call(), stop) {
            (Some(call), Stop::Exit { value, failed }) => Some(called(tid, call, outcome(call, value, failed))),
            // Two entries in a row: a signal restarted the first one.
            (Some(call), _) => Some(called(tid, call, CallOutcome::Restarting)),
            // An exit without an entry belongs to a call that was made before this task was ours.
            (None, _) => None,
        };
        let mut step = Step::new(Directive::Resume(0), event);
        step.hidden = match stop {
            Stop::Exit { value, failed: false } if value > 0 && before.makes_a_task() => Some(value),
            _ => None,
        };
        self.release_orphans(before, &mut step);
        step
    }

    /// A task of the tree was found that no stop announced; its own first stop is still to come.
    pub fn found(&mut self, task: Tid, parent: Tid, leads: bool) {
        self.tasks.entry(task).or_insert(Task::Attaching { parent, leads });
    }

    /// A parent tells of its child, before or after the child shows itself.
    fn announced(&mut self, parent: Tid, child: Tid, leads: bool) -> Step {
        let mut step = Step::new(Directive::Resume(0), None);
        let before = self.tasks.get(&parent).copied();
        if let Some(Task::Inside(call)) = before {
            let is_over = self.is_brief;
            self.tasks.insert(parent, if is_over { Task::Outside } else { Task::Announced(call) });
            step.before.extend(is_over.then(|| called(parent, call, CallOutcome::Returned(child.into()))));
        }
        match self.tasks.get(&child) {
            Some(&Task::AwaitingParent { leads, group_stop }) => {
                self.tasks.insert(child, Task::Outside);
                self.held.remove(&child);
                step.event = Some(Event::Spawned { task: child, parent: Some(parent), process: leads });
                step.released.push((child, birth(group_stop)));
            }
            // An `Attaching` of this number died before it showed itself, and the number is used
            // again.
            None | Some(Task::Attaching { .. }) => {
                self.tasks.insert(child, Task::Attaching { parent, leads });
            }
            Some(_) => {}
        }
        before.into_iter().for_each(|before| self.release_orphans(before, &mut step));
        step
    }

    /// The clock ticks. Where calls are not told, nobody knows who might still announce a task: one
    /// that has been held for so long was made by somebody who was killed just then, or is slow,
    /// and goes on.
    pub fn tick(&mut self) -> Step {
        let mut step = Step::new(Directive::Resume(0), None);
        // Who was told to be in such a call announces it yet, or ends it.
        if self.tasks.values().any(|task| task.may_announce()) {
            return step;
        }
        for tid in std::mem::replace(&mut self.overdue, self.held.clone()) {
            if self.held.remove(&tid) {
                self.overdue.remove(&tid);
                self.orphaned(tid, &mut step);
            }
        }
        step
    }

    fn trapped(&mut self, tid: Tid, leads: bool, group_stop: bool) -> Step {
        match self.tasks.get(&tid) {
            None if self.is_brief || self.tasks.values().any(|task| task.may_announce()) => {
                self.tasks.insert(tid, Task::AwaitingParent { leads, group_stop });
                self.held.insert(tid);
                Step::new(Directive::Hold, None)
            }
            None => {
                self.tasks.insert(tid, Task::Outside);
                Step::new(birth(group_stop), Some(Event::Spawned { task: tid, parent: None, process: leads }))
            }
            Some(&Task::Attaching { parent, .. }) => {
                self.tasks.insert(tid, Task::Outside);
                let event = Event::Spawned { task: tid, parent: Some(parent), process: leads };
                Step::new(birth(group_stop), Some(event))
            }
            Some(_) => Step::new(birth(group_stop), None),
        }
    }

    /// execve from another thread than the leader: the caller takes the leader's number, "all other
    /// threads […] report death", and neither the caller's old number nor the old leader is heard
    /// of again.
    fn executed(&mut self, tid: Tid, former: Tid, privileged: bool) -> Step {
        let mut step = Step::new(Directive::Resume(0), None);
        if former != tid {
            step = self.gone(tid);
            step.directive = Directive::Resume(0);
            let caller = self.tasks.remove(&former).unwrap_or(Task::Outside);
            self.tasks.insert(tid, caller);
        }
        if let (true, Some(&Task::Inside(call))) = (self.is_brief, self.tasks.get(&tid)) {
            self.tasks.insert(tid, Task::Outside);
            step.before.push(called(tid, call, CallOutcome::Returned(0)));
        }
        step.event = privileged.then_some(Event::Blind(BlindSpot::SetuidExec));
        step
    }

    fn exiting(&mut self, tid: Tid, leads: bool) -> Step {
        let task = self.tasks.insert(tid, Task::Exiting);
        self.settle(tid, task, leads, Directive::Resume(0))
    }

    /// Takes a task off the table. One that was never heard of is taken for a process: SIGKILL
    /// kills whole processes.
    fn gone(&mut self, tid: Tid) -> Step {
        let task = self.tasks.remove(&tid);
        self.settle(tid, task, true, Directive::Forget)
    }

    /// Says what is still owed for a task that will do nothing more.
    fn settle(&mut self, tid: Tid, task: Option<Task>, leads: bool, directive: Directive) -> Step {
        let mut step = Step::new(directive, None);
        let spawned = |parent, process| Event::Spawned { task: tid, parent, process };
        step.before.extend(match task {
            Some(Task::Inside(call) | Task::Announced(call)) => Some(called(tid, call, CallOutcome::NeverReturned)),
            // Killed before its first stop, or while it was held there.
            Some(Task::Attaching { parent, leads }) => Some(spawned(Some(parent), leads)),
            Some(Task::AwaitingParent { leads, .. }) => Some(spawned(None, leads)),
            None => Some(spawned(None, leads)),
            Some(Task::Launching | Task::Outside | Task::Exiting) => None,
        });
        self.held.remove(&tid);
        task.into_iter().for_each(|task| self.release_orphans(task, &mut step));
        step
    }

    /// A task has left a state. If it was the last that might announce another, whoever still waits
    /// for an announcement waits in vain.
    fn release_orphans(&mut self, left: Task, step: &mut Step) {
        if self.is_brief
            || self.held.is_empty()
            || !left.may_announce()
            || self.tasks.values().any(|task| task.may_announce())
        {
            return;
        }
        std::mem::take(&mut self.held).into_iter().for_each(|tid| self.orphaned(tid, step));
    }

    /// Nobody announces this task.
    fn orphaned(&mut self, tid: Tid, step: &mut Step) {
        if let Some(&Task::AwaitingParent { leads, group_stop }) = self.tasks.get(&tid) {
            self.tasks.insert(tid, Task::Outside);
            step.before.push(Event::Spawned { task: tid, parent: None, process: leads });
            step.released.push((tid, birth(group_stop)));
        }
    }
}

/// A task that is stopped with its group listens; any other goes on.
fn birth(group_stop: bool) -> Directive {
    if group_stop { Directive::Listen } else { Directive::Resume(0) }
}

fn called(task: Tid, call: Call, outcome: CallOutcome) -> Event {
    Event::Called { task, call, outcome, answers: Answers::default() }
}

/// ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND and ERESTART_RESTARTBLOCK (include/linux/errno.h)
/// never reach a program.
const RESTARTS: [i64; 4] = [512, 513, 514, 516];

fn outcome(call: Call, value: i64, failed: bool) -> CallOutcome {
    // What sigreturn "returns" is the register it restored, whatever that was.
    let restores = || call.syscall.row().is_some_and(|row| matches!(row.name, "rt_sigreturn" | "sigreturn"));
    if !failed || restores() {
        CallOutcome::Returned(value)
    } else if RESTARTS.contains(&-value) {
        CallOutcome::Restarting
    } else {
        CallOutcome::Failed(Errno(i32::try_from(-value).unwrap_or(i32::MAX)))
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unannounced;
