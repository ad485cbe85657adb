//! Runs a command under the tracer and reports every event of its process tree. Entry point:
//! [`trace()`].

use std::{io, thread};

use super::colocation::Colocation;
use super::command::Command;
use super::deadlines::{Deadlines, Due};
use super::guard::Watch;
use super::launch::{LaunchFailure, LaunchStep, Prepared};
use super::notify::{NotifyQueue, NotifyTracer};
use super::outcome::{Incomplete, Limits, Outcome, TraceError};
use super::stopped::NextStop;
use super::sys::members::Members;
use super::sys::{Filter, SeizeOptions};
use super::tracer::{Tracer, Waited};
use super::witness::Witness;
use super::{probe, sys};
use crate::model::guard::Guard;
use crate::model::kernel::call::Tid;
use crate::model::notify;
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
pub fn trace(command: Command, limits: &Limits, sink: &mut dyn FnMut(&Event)) -> Result<Outcome, TraceError> {
    run(command, limits, Mode::EveryCall, sink)
}

/// Like [`trace()`], but calls that the guard allows to run natively produce no event.
///
/// # Errors
///
/// Same as [`trace()`].
pub fn trace_guarded(
    command: Command,
    limits: &Limits,
    guard: &Guard,
    sink: &mut dyn FnMut(&Event),
) -> Result<Outcome, TraceError> {
    run(command, limits, Mode::Guarded(guard), sink)
}

/// Like [`trace()`], but reports a call before it is made, without a result, if the result does not
/// affect attribution. `sink` may run on other threads than the caller's.
///
/// # Errors
///
/// Same as [`trace()`].
pub fn trace_notified(
    command: Command,
    limits: &Limits,
    sink: &mut (dyn FnMut(&Event) + Send),
) -> Result<Outcome, TraceError> {
    let queue = NotifyQueue::new(sink);
    let (tracer, receiver) = queue.sides();
    thread::scope(|scope| {
        let receiver = scope.spawn(|| receiver.receive());
        let outcome = run(command, limits, Mode::Notified(tracer), &mut |event| queue.emit(event));
        queue.close(|| receiver.is_finished());
        outcome
    })
}

/// Like [`trace()`], but attribution gets registers only, so events carry no answers. The benchmark
/// `benches/attribution.rs` compares it with [`trace()`].
///
/// # Errors
///
/// Same as [`trace()`].
#[doc(hidden)]
pub fn trace_unasked(command: Command, limits: &Limits, sink: &mut dyn FnMut(&Event)) -> Result<Outcome, TraceError> {
    run(command, limits, Mode::Unasked, sink)
}

/// The engine that a run uses.
enum Mode<'a> {
    EveryCall,
    Unasked,
    Guarded(&'a Guard),
    Notified(NotifyTracer<'a>),
}

impl Mode<'_> {
    fn filter(&self) -> Result<Option<Filter>, TraceError> {
        let (program, notifies) = match self {
            Self::EveryCall | Self::Unasked => return Ok(None),
            Self::Guarded(guard) => (guard.filter(), false),
            Self::Notified(_) if !cfg!(target_arch = "x86_64") => {
                return Err(TraceError::Impossible { reason: "notifications are received on x86_64 only".to_owned() });
            }
            Self::Notified(_) if !sys::has_killable_notifications() => {
                return Err(TraceError::Impossible { reason: "notifications need Linux 5.19".to_owned() });
            }
            Self::Notified(_) => (Ok(notify::filter()), true),
        };
        let program = program.map_err(|error| system("build a seccomp filter")(io::Error::other(error)))?;
        Ok(Some(Filter { program, notifies }))
    }

    /// Returns the stops to ask the kernel for; those that carry no new information are left out.
    fn seize_options(&self) -> SeizeOptions {
        let is_guarded = matches!(self, Self::Guarded(_));
        SeizeOptions { filtered: is_guarded || matches!(self, Self::Notified(_)), exits: !is_guarded }
    }

    fn tasks(&self, root: Tid) -> Tasks {
        let tasks = Tasks::launch(root);
        if matches!(self, Self::Guarded(_)) { tasks.in_brief() } else { tasks }
    }
}

fn run(command: Command, limits: &Limits, mode: Mode<'_>, sink: &mut dyn FnMut(&Event)) -> Result<Outcome, TraceError> {
    probe::check_surroundings()?;
    let filter = mode.filter()?;
    let program = command.program.display().to_string();
    let directory = command.cwd.as_ref().map(|cwd| cwd.display().to_string()).unwrap_or_default();
    let deadlines = Deadlines::start(limits).map_err(system("start a timer"))?;
    let is_isolated = command.isolated;
    let suspended = Prepared::new(command, filter).and_then(Prepared::suspend).map_err(system("start a process"))?;
    let root = suspended.tid;
    let options = mode.seize_options();
    if let Err(error) = attach(root, options) {
        sys::kill(root, libc::SIGKILL);
        Tracer::default().reap_all();
        return Err(probe::explain(&error));
    }
    let tasks = mode.tasks(root);
    let (witness, watch, notify_tracer) = match mode {
        Mode::EveryCall => (Some(Witness::new(root)), None, None),
        Mode::Unasked => (None, None, None),
        Mode::Guarded(guard) => (Some(Witness::for_guarded_run()), Some(Watch::new(guard)), None),
        Mode::Notified(tracer) => (None, None, Some(tracer.begin(root))),
    };
    let mut run = Run {
        root,
        options,
        tracer: Tracer::default(),
        tasks,
        witness,
        watch,
        notify_tracer,
        colocation: Colocation::new(root),
        members: (!is_isolated).then(Members::default),
        deadlines,
        end: None,
        stragglers: 0,
    };
    run.until_ready().map_err(system("resume a process"))?;
    probe::check_child(root)?;
    let launched = suspended.go().map_err(system("resume a process"))?;
    sink(&Event::Spawned { task: root, parent: None, process: true });
    let exit = run.follow(sink).map_err(system("trace a process"))?;
    if let Some(failure) = launched.failure().map_err(system("read the result of a launch"))? {
        return Err(failure.explain(program, directory));
    }
    let incomplete = run.incomplete();
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
    /// Answers questions that registers do not answer.
    witness: Option<Witness>,
    /// Decides which tasks run natively; `None` without a guard.
    watch: Option<Watch<'a>>,
    /// The tracer's side of seccomp notifications; `None` in other modes.
    notify_tracer: Option<NotifyTracer<'a>>,
    colocation: Colocation,
    /// The tasks that this process ignores signals from. `None` for a tree in a session of its own,
    /// which cannot signal this process group.
    members: Option<Members>,
    deadlines: Deadlines,
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
                    return self.tracer.obey(task, step.directive, NextStop::EveryCall);
                }
                Waited::Interrupted => {}
                // The child was killed; `follow` finds no child either.
                Waited::Ended(..) | Waited::NoneLeft => return Ok(()),
            }
        }
    }

    /// Runs the tracing loop: turns each stop into a step, passes its events on, carries out its
    /// directives.
    fn follow(&mut self, sink: &mut dyn FnMut(&Event)) -> io::Result<Exit> {
        let mut stops = 0_u32;
        loop {
            let (tid, task, stop) = match self.tracer.wait()? {
                Waited::Stopped(task, stop) => (task.tid(), Some(task), stop),
                Waited::Ended(tid, stop) => (tid, None, stop),
                Waited::Interrupted => {
                    self.colocation.tick();
                    self.check_deadlines();
                    let Step { before, released, .. } = self.tasks.tick();
                    before.iter().for_each(&mut *sink);
                    self.release(released)?;
                    if let Some(failure) = self.notify_tracer.as_ref().and_then(NotifyTracer::failure) {
                        return Err(failure);
                    }
                    continue;
                }
                Waited::NoneLeft => return Ok(self.end.unwrap_or(Exit::Signaled(libc::SIGKILL))),
            };
            let task = match task {
                Some(task) if self.needs_no_exit(tid, &stop) => {
                    self.colocation.observe(tid, &stop);
                    self.tracer.obey(task, Directive::Resume(0), NextStop::Filtered)?;
                    continue;
                }
                task => task,
            };
            self.track_member(tid, &stop);
            let stop = self.tasks.interpret(tid, stop);
            let mut step = self.tasks.step(tid, stop);
            if let Some(witness) = &mut self.witness {
                witness.observe(tid, &stop, &mut step);
            }
            if let Some(notify_tracer) = &mut self.notify_tracer {
                notify_tracer.observe(tid, &stop, &mut step, &self.tasks)?;
            }
            self.update_guard(tid, &stop, &step);
            step.before.iter().chain(&step.event).for_each(&mut *sink);
            if let Some(number) = step.hidden {
                for stray in self.tracer.attach_hidden(tid, number, self.options) {
                    self.tasks.found(stray.task, tid, stray.leads);
                }
            }
            for spot in self.tracer.take_blind_spots() {
                self.watch.iter_mut().for_each(|watch| watch.note_blind_spot(spot));
                self.notify_tracer.iter_mut().for_each(|notify_tracer| notify_tracer.note_blind_spot(spot));
                sink(&Event::Blind(spot));
            }
            if self.incomplete().is_some() && !self.tasks.is_ending() {
                self.kill_all();
            }
            self.colocation.observe(tid, &stop);
            if let Some(task) = task {
                let next_stop = self.next_stop(tid, step.directive);
                self.tracer.obey(task, step.directive, next_stop)?;
            }
            self.release(step.released)?;
            if let (true, Stop::Ended(exit)) = (tid == self.root && self.end.is_none(), stop) {
                self.end = Some(exit);
                self.deadlines.begin_grace();
            }
            stops += 1;
            if stops.is_multiple_of(STOPS_PER_CLOCK_CHECK) {
                self.check_deadlines();
            }
        }
    }

    /// Returns whether a call that the guard's filter stopped may continue natively. A task that is
    /// being killed is never resumed this way.
    fn needs_no_exit(&mut self, tid: Tid, stop: &Stop) -> bool {
        let (Stop::Filtered(call), Some(watch), Some(witness)) = (stop, &mut self.watch, &mut self.witness) else {
            return false;
        };
        !self.tasks.is_ending() && watch.needs_no_exit(tid, call, &self.tasks, witness)
    }

    /// Resumes tasks that were held.
    fn release(&mut self, held: Vec<(Tid, Directive)>) -> io::Result<()> {
        for (tid, directive) in held {
            let next_stop = self.next_stop(tid, directive);
            self.tracer.release(tid, directive, next_stop)?;
        }
        Ok(())
    }

    /// Passes a stop and its events to the guard.
    fn update_guard(&mut self, tid: Tid, stop: &Stop, step: &Step) {
        let (Some(watch), Some(witness)) = (&mut self.watch, &mut self.witness) else { return };
        let events: Vec<&Event> = step.before.iter().chain(&step.event).collect();
        watch.observe(tid, stop, &events, &self.tasks, witness);
    }

    /// Returns why this run must be repeated by another engine, if it must.
    fn incomplete(&self) -> Option<Incomplete> {
        let by_notifications = || self.notify_tracer.as_ref().and_then(NotifyTracer::incomplete);
        self.watch.as_ref().and_then(Watch::incomplete).or_else(by_notifications)
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
        match (&mut self.watch, &mut self.witness, &self.notify_tracer) {
            _ if !matches!(directive, Directive::Resume(_)) || self.tracer.must_see_exit(tid) => NextStop::EveryCall,
            (Some(watch), Some(witness), _) => watch.next_stop(tid, &self.tasks, witness),
            (_, _, Some(notify_tracer)) => notify_tracer.next_stop(tid, &self.tasks),
            _ => NextStop::EveryCall,
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
    /// number can belong to another process yet.
    fn kill_all(&mut self) {
        self.tasks.end().for_each(|tid| sys::kill(tid, libc::SIGKILL));
    }
}

/// No task of the tree outlives a run, however it ends.
impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.kill_all();
        self.tracer.reap_all();
    }
}

fn system(operation: &'static str) -> impl FnOnce(io::Error) -> TraceError {
    move |source| TraceError::System { operation, source }
}

impl LaunchFailure {
    fn explain(self, program: String, directory: String) -> TraceError {
        match self.step {
            LaunchStep::Execute => TraceError::Exec { program, source: self.source },
            LaunchStep::Directory => TraceError::Directory { directory, source: self.source },
            LaunchStep::Streams => system("connect the standard streams")(self.source),
            LaunchStep::Filter => system("install a seccomp filter")(self.source),
        }
    }
}
