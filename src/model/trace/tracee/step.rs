//! From one stop to a directive and its events. Main types: [`Tasks`] and [`Step`].

use std::collections::{BTreeSet, HashMap};

use super::stop::Stop;
use super::task::{Task, starts_workload};
use crate::model::attribution::Answers;
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::kernel::call::{Call, CallOutcome, Errno, Tid};
use crate::model::kernel::uapi::{ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS, SIGKILL};
use crate::model::run::workload::Exit;
use crate::model::trace::event::Event;

/// How a stopped task must be resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// Resume until the next call, and deliver this signal (0: none).
    Resume(i32),
    /// Stay stopped with the group, but report when the group-stop ends (PTRACE_LISTEN).
    Listen,
    /// Stay stopped until a [`Step::released`] names the task.
    Hold,
    /// Kill the task.
    Kill,
    /// Do nothing: the task has ended.
    Forget,
}

/// The result of one stop.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a task without a directive stays stopped forever"]
pub struct Step {
    /// How the task must be resumed.
    pub directive: Directive,
    /// The event that the stop means, if any.
    pub event: Option<Event>,
    /// Rare: events that happened before `event`.
    pub before: Vec<Event>,
    /// Rare: tasks that were held and must be resumed now, with their directives.
    pub released: Vec<(Tid, Directive)>,
    /// Rare: the child that the call returned, although no stop announced it. The number is that of
    /// the parent's PID namespace.
    pub hidden: Option<i64>,
}

impl Step {
    fn new(directive: Directive, event: Option<Event>) -> Self {
        Self { directive, event, before: Vec::new(), released: Vec::new(), hidden: None }
    }
}

/// All tasks of a traced tree.
#[derive(Debug, Default)]
pub struct Tasks {
    tasks: HashMap<Tid, Task>,
    /// The tasks that are held: [`Task::AwaitingParent`]. A task is held only while another one may
    /// still announce it.
    held: BTreeSet<Tid>,
    /// The held tasks that were held at the last tick, too.
    overdue: BTreeSet<Tid>,
    lost: u64,
    is_ending: bool,
    /// The stop that reports a new task or program also ends the call that made it.
    is_brief: bool,
}

impl Tasks {
    /// Returns a tree with one process, which becomes the workload with its first execve.
    pub fn launch(root: Tid) -> Self {
        Self { tasks: HashMap::from([(root, Task::Launching)]), ..Self::default() }
    }

    /// Returns the same tree in brief mode. The stop that reports a new task or program ends the
    /// call that made it. Its exit is not awaited, and some calls are not reported at all.
    pub fn in_brief(self) -> Self {
        Self { is_brief: true, ..self }
    }

    /// Returns the number of calls that are known to have been made, but not which they were.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// From now on, kills every task that stops. Returns the tasks to kill at once.
    ///
    /// Both are needed: a tree that forks faster than it is killed would never end.
    pub fn end(&mut self) -> impl Iterator<Item = Tid> {
        self.is_ending = true;
        self.alive()
    }

    /// Forgets a task that is no longer traced.
    pub fn leave(&mut self, tid: Tid) {
        self.held.remove(&tid);
        self.tasks.remove(&tid);
    }

    /// Returns the tasks that have stopped once and have not ended. These can be killed.
    pub fn alive(&self) -> impl Iterator<Item = Tid> {
        self.tasks.iter().filter(|(_, task)| !matches!(task, Task::Attaching { .. })).map(|(tid, _)| *tid)
    }

    /// Returns whether all tasks are to be killed.
    pub fn is_ending(&self) -> bool {
        self.is_ending
    }

    /// Returns the call that a task is in, if its entry was reported.
    pub fn call(&self, tid: Tid) -> Option<Call> {
        self.tasks.get(&tid).and_then(|task| task.call())
    }

    /// Returns whether no other task of the tree can run. All others are held before their first
    /// instruction, or have not had their first stop, which comes before it.
    pub fn is_alone(&self, tid: Tid) -> bool {
        let cannot_run = |task: &Task| matches!(task, Task::AwaitingParent { .. } | Task::Attaching { .. });
        self.tasks.iter().all(|(other, task)| *other == tid || cannot_run(task))
    }

    /// Returns whether the task is not yet the workload.
    pub fn is_launching(&self, tid: Tid) -> bool {
        self.tasks.get(&tid) == Some(&Task::Launching)
    }

    /// Returns what a stop means for this task: without a syscall-enter-stop, the filter's stop is
    /// the entry.
    pub fn interpret(&self, tid: Tid, stop: Stop) -> Stop {
        match stop {
            Stop::Filtered(call) if self.call(tid).is_none() && !self.is_launching(tid) => Stop::Entry(call),
            stop => stop,
        }
    }

    /// Processes one stop.
    pub fn step(&mut self, tid: Tid, stop: Stop) -> Step {
        let mut step = self.apply(tid, stop);
        if self.is_ending && step.directive != Directive::Forget {
            self.held.remove(&tid);
            step.directive = Directive::Kill;
        }
        step
    }

    fn apply(&mut self, tid: Tid, stop: Stop) -> Step {
        match stop {
            Stop::Filtered(_) => Step::new(Directive::Resume(0), None),
            Stop::Entry(_) | Stop::Exit { .. } | Stop::Unreadable => self.syscall(tid, stop),
            Stop::Spawning { child, leads, .. } => self.announced(tid, child, leads),
            Stop::Trap { leads, group_stop } => self.trapped(tid, leads, group_stop),
            Stop::Exec { former, privileged } => self.executed(tid, former, privileged),
            Stop::Exiting { leads } => self.exiting(tid, leads),
            Stop::Ended(exit) => {
                let mut step = self.gone(tid);
                // From then on, a SIGKILL of another sender looks the same.
                let by_tracer = self.is_ending && exit == Exit::Signaled(SIGKILL);
                step.event = Some(Event::Ended { task: tid, exit, by_tracer });
                step
            }
            Stop::Signal(signal) => Step::new(Directive::Resume(signal), None),
            Stop::Other => Step::new(Directive::Resume(0), None),
        }
    }

    /// "Syscall-enter-stop and syscall-exit-stop are indistinguishable" in their status.
    /// PTRACE_GET_SYSCALL_INFO tells them apart, and takes precedence over our own state.
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
            // Two entries in a row: a signal has restarted the first call.
            (Some(call), _) => Some(called(tid, call, CallOutcome::Restarting)),
            // An exit without an entry belongs to a call that began before the task was traced.
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

    /// Adds a task that no stop announced but that was found. Its own first stop is still to come.
    pub fn found(&mut self, task: Tid, parent: Tid, leads: bool) {
        self.tasks.entry(task).or_insert(Task::Attaching { parent, leads });
    }

    /// A parent announces its child, before or after the child's own first stop.
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
                step.released.push((child, after_trap(group_stop)));
            }
            // An `Attaching` task with this id has died before its first stop, and the id was
            // reused.
            None | Some(Task::Attaching { .. }) => {
                self.tasks.insert(child, Task::Attaching { parent, leads });
            }
            Some(_) => {}
        }
        before.into_iter().for_each(|before| self.release_orphans(before, &mut step));
        step
    }

    /// Releases tasks that have been held for a whole tick. Returns a step with these tasks only.
    ///
    /// In brief mode, not every call that makes a task is reported. The parent of such a task was
    /// killed in that moment, or is slow.
    pub fn tick(&mut self) -> Step {
        let mut step = Step::new(Directive::Resume(0), None);
        // A task that is known to be in such a call will still announce its child, or end the call.
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
                Step::new(after_trap(group_stop), Some(Event::Spawned { task: tid, parent: None, process: leads }))
            }
            Some(&Task::Attaching { parent, .. }) => {
                self.tasks.insert(tid, Task::Outside);
                let event = Event::Spawned { task: tid, parent: Some(parent), process: leads };
                Step::new(after_trap(group_stop), Some(event))
            }
            Some(_) => Step::new(after_trap(group_stop), None),
        }
    }

    /// A task executes a program. If it is not the leader, it takes over the leader's id: "all
    /// other threads […] report death", and neither its old id nor the old leader is reported
    /// again.
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
        self.finish(tid, task, leads, Directive::Resume(0))
    }

    /// Removes a task. An unknown one counts as a process, because SIGKILL kills whole processes.
    fn gone(&mut self, tid: Tid) -> Step {
        let task = self.tasks.remove(&tid);
        self.finish(tid, task, true, Directive::Forget)
    }

    /// Emits the events that are still missing for a task that makes no further call.
    fn finish(&mut self, tid: Tid, task: Option<Task>, leads: bool, directive: Directive) -> Step {
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

    /// Releases all held tasks if the task that has left this state was the last one that could
    /// announce them.
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

    /// Releases a held task that no parent will announce.
    fn orphaned(&mut self, tid: Tid, step: &mut Step) {
        if let Some(&Task::AwaitingParent { leads, group_stop }) = self.tasks.get(&tid) {
            self.tasks.insert(tid, Task::Outside);
            step.before.push(Event::Spawned { task: tid, parent: None, process: leads });
            step.released.push((tid, after_trap(group_stop)));
        }
    }
}

/// Returns the directive after a trap: a task that is stopped with its group listens, others run.
fn after_trap(group_stop: bool) -> Directive {
    if group_stop { Directive::Listen } else { Directive::Resume(0) }
}

fn called(task: Tid, call: Call, outcome: CallOutcome) -> Event {
    Event::Called { task, call, outcome, answers: Answers::default() }
}

/// Results that never reach a program.
const RESTARTS: [i64; 4] = [ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK];

fn outcome(call: Call, value: i64, failed: bool) -> CallOutcome {
    // sigreturn "returns" the register that it restored, whatever that holds.
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
