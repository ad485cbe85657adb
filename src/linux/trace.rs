//! Runs a command under the tracer and reports every event of its process tree. Entry point:
//! [`trace()`].

use std::{io, thread};

use super::colocation::Colocation;
use super::command::Command;
use super::deadlines::{Deadlines, Due};
use super::dumpable::DumpableTasks;
use super::engine::{EngineState, NotifyQueue};
#[cfg(feature = "unstable")]
use super::inject::Injector;
use super::launch::{LaunchFailure, LaunchStep, PreparedCommand};
use super::log::CallLog;
use super::outcome::{Limits, Outcome, TraceError};
use super::signals::is_caught;
use super::stopped::{NextStop, Stopped};
use super::sys::SeizeOptions;
use super::sys::members::Members;
use super::tracer::{Tracer, Waited};
use super::watcher::{Watcher, Watching};
use super::{probe, sys};
use crate::model::kernel::call::Tid;
use crate::model::run::workload::Exit;
use crate::model::trace::event::Event;
use crate::model::trace::tracee::{Directive, Step, Stop, Tasks};

/// Runs the command, passes every event of its process tree to `sink`, and returns when no task of
/// the tree is left.
///
/// The kernel kills the tree when the calling thread ends for any reason (PTRACE_O_EXITKILL,
/// ptrace(2)). Every child of the calling thread counts as part of the workload, so the thread must
/// have no other children. SIGURG gets a handler that does nothing.
///
/// # Errors
///
/// [`TraceError`]; no task of the tree is left in this case either.
pub fn trace(command: Command, limits: &Limits, mut sink: &mut dyn FnMut(&Event)) -> Result<Outcome, TraceError> {
    watch(command, limits, Watching::EveryCall, &mut sink)
}

/// Like [`trace()`], but attribution gets registers only, so events carry no answers. The benchmark
/// `benches/attribution.rs` compares it with [`trace()`].
///
/// # Errors
///
/// Same as [`trace()`].
#[doc(hidden)]
pub fn trace_unasked(
    command: Command,
    limits: &Limits,
    mut sink: &mut dyn FnMut(&Event),
) -> Result<Outcome, TraceError> {
    run(command, limits, EngineState::ptrace_unasked(), &mut sink)
}

/// Like [`trace()`], by the given engine. A watcher may also look at tasks while they are stopped.
///
/// # Errors
///
/// Same as [`trace()`].
pub fn watch(
    command: Command,
    limits: &Limits,
    watching: Watching<'_>,
    watcher: &mut dyn Watcher,
) -> Result<Outcome, TraceError> {
    let engine = match watching {
        Watching::EveryCall => EngineState::ptrace(),
        Watching::Logged(recorder) => EngineState::ptrace_logged(CallLog::new(recorder)),
        Watching::Guarded(guard) => EngineState::guard(guard),
    };
    run(command, limits, engine, watcher)
}

/// Like [`watch`], but reports a call before it is made, without a result, if the result does not
/// affect attribution. The watcher may be called on other threads than the caller's.
///
/// # Errors
///
/// Same as [`trace()`].
pub fn watch_notified(
    command: Command,
    limits: &Limits,
    watcher: &mut (dyn Watcher + Send),
) -> Result<Outcome, TraceError> {
    let queue = NotifyQueue::new(watcher);
    let (tracer, receiver) = queue.sides();
    thread::scope(|scope| {
        let receiver = scope.spawn(|| receiver.receive());
        let outcome = run(command, limits, EngineState::Notify(tracer), &mut &queue);
        queue.close(|| receiver.is_finished());
        outcome
    })
}

fn run(
    command: Command,
    limits: &Limits,
    mut engine: EngineState<'_>,
    watcher: &mut dyn Watcher,
) -> Result<Outcome, TraceError> {
    probe::check_surroundings()?;
    let dumpable = DumpableTasks::new();
    let filter = engine.filter(&|call| dumpable.must_stop(call))?;
    let tracer = Tracer::new(dumpable.with_filters(usize::from(filter.is_some()) + command.filters.len()));
    let program = command.program.display().to_string();
    let directory = command.cwd.as_ref().map(|cwd| cwd.display().to_string()).unwrap_or_default();
    let deadlines = Deadlines::start(limits).map_err(system("start a timer"))?;
    let is_isolated = command.isolated;
    engine.set_conditions(watcher.conditions());
    command.scratch.iter().for_each(|scratch| engine.set_scratch(scratch));
    let prepared = PreparedCommand::new(command, filter);
    #[cfg(feature = "unstable")]
    let prepared = prepared.map(|command| command.dying_with_parent_if(watcher.may_leave()));
    let suspended = prepared.and_then(PreparedCommand::suspend).map_err(system("start a process"))?;
    let root = suspended.tid;
    let options = engine.seize_options();
    if let Err(error) = attach(root, options) {
        sys::kill(root, libc::SIGKILL);
        Tracer::default().reap_all();
        return Err(probe::explain(&error));
    }
    let mut run = Run {
        root,
        options,
        tracer,
        tasks: engine.begin(root),
        engine,
        colocation: Colocation::new(root).unless(watcher.may_leave()),
        members: (!is_isolated).then(Members::default),
        deadlines,
        #[cfg(feature = "unstable")]
        injector: Injector::default(),
        stops: 0,
        end: None,
        stragglers: 0,
    };
    run.until_ready().map_err(system("resume a process"))?;
    probe::check_child(root)?;
    let launched = suspended.go().map_err(system("resume a process"))?;
    watcher.event(&Event::Spawned { task: root, parent: None, process: true });
    let exit = run.follow(watcher).map_err(system("trace a process"))?;
    if let Some(failure) = launched.failure().map_err(system("read the result of a launch"))? {
        return Err(failure.explain(program, directory));
    }
    let incomplete = run.engine.incomplete();
    Ok(Outcome { exit, lost_events: run.tasks.lost(), killed_stragglers: run.stragglers, incomplete })
}

/// Attaches to the child and stops it, so that its execve is the first call that is traced.
fn attach(root: Tid, options: SeizeOptions) -> io::Result<()> {
    sys::seize(root, options)?;
    sys::interrupt(root)
}

/// The state of one run.
struct Run<'a> {
    root: Tid,
    options: SeizeOptions,
    tracer: Tracer,
    tasks: Tasks,
    engine: EngineState<'a>,
    colocation: Colocation,
    /// The tasks that this process ignores signals from. `None` for a tree in a session of its own,
    /// which cannot signal this process group.
    members: Option<Members>,
    deadlines: Deadlines,
    #[cfg(feature = "unstable")]
    injector: Injector,
    /// The number of stops since the clock was checked.
    stops: u32,
    end: Option<Exit>,
    stragglers: u64,
}

/// Number of stops on a busy workload after which the clock is checked.
const STOPS_PER_CLOCK_CHECK: u32 = 1024;

impl Run<'_> {
    /// Resumes the child from the stop that [`attach`] asked for.
    fn until_ready(&mut self) -> io::Result<()> {
        loop {
            match self.tracer.wait()? {
                Waited::Stopped(task, stop) => {
                    self.track_member(task.tid(), &stop);
                    let step = self.tasks.step(task.tid(), stop);
                    return self.tracer.carry_out(task, step.directive, NextStop::EveryCall);
                }
                Waited::Interrupted | Waited::Late(..) => {}
                // The child was killed; `follow` finds no child either.
                Waited::Ended(..) | Waited::NoneLeft => return Ok(()),
            }
        }
    }

    /// Traces the tree until its last task has ended, and returns how the first one ended.
    fn follow(&mut self, watcher: &mut dyn Watcher) -> io::Result<Exit> {
        loop {
            let (tid, task, stop) = match self.tracer.wait()? {
                Waited::Stopped(task, stop) if self.may_pass(task.tid(), &stop) => {
                    self.pass(task, &stop)?;
                    continue;
                }
                Waited::Stopped(task, stop) => (task.tid(), Some(task), stop),
                Waited::Ended(tid, stop) | Waited::Late(tid, stop) => (tid, None, stop),
                Waited::Interrupted => {
                    self.tick(watcher)?;
                    continue;
                }
                Waited::NoneLeft => {
                    #[cfg(feature = "unstable")]
                    self.injector.wait()?;
                    return Ok(self.end.unwrap_or(Exit::Signaled(libc::SIGKILL)));
                }
            };
            self.track_member(tid, &stop);
            #[cfg(feature = "unstable")]
            let stop = self.injector.at_stop(tid, stop)?;
            let stop = self.tasks.interpret(tid, stop);
            let mut step = self.tasks.step(tid, stop);
            self.engine.on_stop(tid, &stop, &mut step, &self.tasks)?;
            let handled = handled(tid, &stop, &step, watcher);
            if let Stop::Exec { former, .. } = stop
                && former != tid
            {
                watcher.renumbered(tid, former);
            }
            step.before.iter().chain(&step.event).chain(&handled).for_each(|event| watcher.event(event));
            match stop {
                Stop::Entry(call) => {
                    watcher.entered(tid, &call);
                    if call.syscall.is_execute() {
                        watcher.executes(tid, &call, self.engine.argument(tid));
                    }
                    #[cfg(feature = "unstable")]
                    self.injector.at_entry(task.as_ref(), &call, watcher)?;
                }
                Stop::Spawning { child, awaited: true, .. } => watcher.awaits(tid, child),
                Stop::Exec { former, .. } => watcher.executed(tid, former),
                _ => {}
            }
            self.attach_hidden(tid, step.hidden);
            self.report_blind_spots(watcher);
            if self.engine.incomplete().is_some() && !self.tasks.is_ending() {
                self.kill_all();
            }
            self.colocation.observe(tid, &stop);
            #[cfg(feature = "unstable")]
            let task = {
                let is_free = !self.tracer.must_see_exit(tid);
                self.injector.keep(task, (&stop, is_free), self.root, &mut self.tasks, watcher)?
            };
            if let Some(task) = task {
                let next_stop = self.next_stop(tid, step.directive);
                self.tracer.carry_out(task, step.directive, next_stop)?;
            }
            self.release(step.released)?;
            self.note_end(tid, &stop);
            self.check_clock();
        }
    }

    /// Returns whether a task may continue natively from this stop. A task that is being killed is
    /// never resumed this way, nor one with a call that must be seen to its exit.
    fn may_pass(&mut self, tid: Tid, stop: &Stop) -> bool {
        !self.tasks.is_ending() && !self.tracer.must_see_exit(tid) && self.engine.may_pass(tid, stop, &self.tasks)
    }

    /// Resumes a task to the next call that its filter stops, without an event.
    fn pass(&mut self, task: Stopped, stop: &Stop) -> io::Result<()> {
        self.colocation.observe(task.tid(), stop);
        self.tracer.carry_out(task, Directive::Resume(0), NextStop::Filtered)
    }

    /// Handles the passing of time: deadlines, and the release of tasks that were held too long.
    fn tick(&mut self, watcher: &mut dyn Watcher) -> io::Result<()> {
        self.colocation.tick();
        self.check_deadlines();
        let Step { before, released, .. } = self.tasks.tick();
        before.iter().for_each(|event| watcher.event(event));
        self.release(released)?;
        self.engine.on_tick()
    }

    /// Resumes tasks that were held.
    fn release(&mut self, held: Vec<(Tid, Directive)>) -> io::Result<()> {
        for (tid, directive) in held {
            let next_stop = self.next_stop(tid, directive);
            self.tracer.release(tid, directive, next_stop)?;
        }
        Ok(())
    }

    /// Attaches the child that a call returned although no stop announced it.
    fn attach_hidden(&mut self, parent: Tid, number: Option<i64>) {
        let Some(number) = number else { return };
        for stray in self.tracer.attach_hidden(parent, number, self.options) {
            self.tasks.found(stray.task, parent, stray.leads);
        }
    }

    fn report_blind_spots(&mut self, watcher: &mut dyn Watcher) {
        for spot in self.tracer.take_blind_spots() {
            self.engine.note_blind_spot(spot);
            watcher.event(&Event::Blind(spot));
        }
    }

    /// Keeps the list of traced tasks. A new task is added before it runs, since it may send a
    /// signal.
    fn track_member(&mut self, tid: Tid, stop: &Stop) {
        let Some(members) = &mut self.members else { return };
        match *stop {
            Stop::Trap { .. } => members.join(tid),
            // From here on the task has the number of its thread group leader.
            Stop::Exec { former, .. } if former != tid => members.leave(former),
            Stop::Ended(_) => members.leave(tid),
            _ => {}
        }
    }

    /// Returns where a task stops next. This matters only for a task that resumes: the fd table of
    /// a held task is known once its parent announces it.
    fn next_stop(&mut self, tid: Tid, directive: Directive) -> NextStop {
        match directive {
            Directive::Resume(_) if !self.tracer.must_see_exit(tid) => self.engine.next_stop(tid, &self.tasks),
            _ => NextStop::EveryCall,
        }
    }

    /// Notes the end of the first task, which begins the grace period of the others.
    fn note_end(&mut self, tid: Tid, stop: &Stop) {
        if let (true, Stop::Ended(exit)) = (tid == self.root && self.end.is_none(), stop) {
            self.end = Some(*exit);
            self.deadlines.begin_grace();
        }
    }

    /// Checks the deadlines now and then: on a busy workload no timer interrupts a wait.
    fn check_clock(&mut self) {
        self.stops += 1;
        if self.stops == STOPS_PER_CLOCK_CHECK {
            self.stops = 0;
            self.check_deadlines();
        }
    }

    fn check_deadlines(&mut self) {
        match self.deadlines.due() {
            Due::Nothing => {}
            Due::Signal(signal) => sys::kill(self.root, signal),
            Due::Timeout => {
                self.end = Some(Exit::TimedOut);
                self.kill_all();
            }
            Due::GraceOver => {
                self.stragglers = self.stragglers.max(self.tasks.alive().count() as u64);
                self.kill_all();
            }
        }
    }

    /// Kills every task of the tree. No task is reaped before this thread waits for it, so no
    /// number can belong to another process yet, except that of a thread that called execve.
    fn kill_all(&mut self) {
        self.tasks.end().for_each(|tid| self.tracer.kill(tid));
    }
}

/// Returns the event of a signal that a handler is about to take, if the watcher requests it.
fn handled(task: Tid, stop: &Stop, step: &Step, watcher: &dyn Watcher) -> Option<Event> {
    let Stop::Signal(signal) = *stop else { return None };
    let is_delivered = step.directive == Directive::Resume(signal);
    let is_handled = is_delivered && watcher.counts_handled_signals() && is_caught(task, signal);
    is_handled.then_some(Event::Handled { task, signal })
}

/// No task of the tree outlives a run, however it ends.
impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.kill_all();
        self.tracer.reap_all();
    }
}

pub(super) fn system(operation: &'static str) -> impl FnOnce(io::Error) -> TraceError {
    move |source| TraceError::System { operation, source }
}

impl LaunchFailure {
    pub(super) fn explain(self, program: String, directory: String) -> TraceError {
        match self.step {
            LaunchStep::Execute => TraceError::Exec { program, source: self.source },
            LaunchStep::Directory => TraceError::Directory { directory, source: self.source },
            LaunchStep::Streams => system("connect the standard streams")(self.source),
            LaunchStep::Filter => system("install a seccomp filter")(self.source),
        }
    }
}
