//! The one door: start a command, follow its whole tree, hand every event on.

use std::{io, thread};

use super::colocation::Colocation;
use super::command::Command;
use super::deadlines::{Deadlines, Due};
use super::guard::Watch;
use super::launch::{LaunchFailure, LaunchStep, Prepared};
use super::notify::{Desk, Hearing};
use super::outcome::{Incomplete, Limits, Outcome, TraceError};
use super::stopped::Pace;
use super::sys::members::Members;
use super::sys::{Filter, Hears};
use super::tracer::{Tracer, Waited};
use super::witness::Witness;
use super::{probe, sys};
use crate::model::guard::Guard;
use crate::model::kernel::call::Tid;
use crate::model::notify;
use crate::model::run::workload::Exit;
use crate::model::trace::event::Event;
use crate::model::trace::tracee::{Directive, Step, Stop, Tasks};

/// Runs the command, hands every event of its whole tree to `sink`, and returns when no task of it
/// is left.
///
/// The tree dies with the calling thread, whatever becomes of it (PTRACE_O_EXITKILL, ptrace(2)).
/// All children of the calling thread are taken to be the workload's: it must have none of its own.
/// SIGURG is given a handler that does nothing.
///
/// # Errors
///
/// [`TraceError`]; no task is left then either.
pub fn trace(command: Command, limits: &Limits, sink: &mut dyn FnMut(&Event)) -> Result<Outcome, TraceError> {
    run(command, limits, Mode::EveryCall, sink)
}

/// As [`trace()`], but calls that the guard lets pass are no events.
///
/// # Errors
///
/// As [`trace()`].
pub fn trace_guarded(
    command: Command,
    limits: &Limits,
    guard: &Guard,
    sink: &mut dyn FnMut(&Event),
) -> Result<Outcome, TraceError> {
    run(command, limits, Mode::Guarded(guard), sink)
}

/// As [`trace()`], but calls whose result does not say what they used are told before they are
/// made, without one. Other threads than the caller's may tell.
///
/// # Errors
///
/// As [`trace()`].
pub fn trace_notified(
    command: Command,
    limits: &Limits,
    sink: &mut (dyn FnMut(&Event) + Send),
) -> Result<Outcome, TraceError> {
    let desk = Desk::new(sink);
    let (hearing, receiver) = desk.sides();
    thread::scope(|scope| {
        let receiver = scope.spawn(|| receiver.receive());
        let outcome = run(command, limits, Mode::Notified(hearing), &mut |event| desk.tell(event));
        desk.close(|| receiver.is_finished());
        outcome
    })
}

/// As [`trace()`], but nobody is asked beyond registers, so that events have no answers: what
/// `benches/attribution.rs` holds [`trace()`] against.
///
/// # Errors
///
/// As [`trace()`].
#[doc(hidden)]
pub fn trace_unasked(command: Command, limits: &Limits, sink: &mut dyn FnMut(&Event)) -> Result<Outcome, TraceError> {
    run(command, limits, Mode::Unasked, sink)
}

/// How a tree is watched.
enum Mode<'a> {
    EveryCall,
    Unasked,
    Guarded(&'a Guard),
    Notified(Hearing<'a>),
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
        let program = program.map_err(|error| system("make a filter")(io::Error::other(error)))?;
        Ok(Some(Filter { program, notifies }))
    }

    /// A stop that tells nothing new is not asked for.
    fn hears(&self) -> Hears {
        let is_guarded = matches!(self, Self::Guarded(_));
        Hears { filtered: is_guarded || matches!(self, Self::Notified(_)), exits: !is_guarded }
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
    let hears = mode.hears();
    if let Err(error) = attach(root, hears) {
        sys::kill(root, libc::SIGKILL);
        Tracer::default().bury();
        return Err(probe::explain(&error));
    }
    let tasks = mode.tasks(root);
    let (witness, watch, hearing) = match mode {
        Mode::EveryCall => (Some(Witness::new(root)), None, None),
        Mode::Unasked => (None, None, None),
        Mode::Guarded(guard) => (Some(Witness::of_some()), Some(Watch::new(guard)), None),
        Mode::Notified(hearing) => (None, None, Some(hearing.begin(root))),
    };
    let mut run = Run {
        root,
        hears,
        tracer: Tracer::default(),
        tasks,
        witness,
        watch,
        hearing,
        colocation: Colocation::new(root),
        members: (!is_isolated).then(Members::default),
        deadlines,
        end: None,
        stragglers: 0,
    };
    run.until_ready().map_err(system("let a process go"))?;
    probe::check_child(root)?;
    let launched = suspended.go().map_err(system("let a process go"))?;
    sink(&Event::Spawned { task: root, parent: None, process: true });
    let exit = run.follow(sink).map_err(system("follow a process"))?;
    if let Some(failure) = launched.failure().map_err(system("hear from a process"))? {
        return Err(failure.explain(program, directory));
    }
    let incomplete = run.incomplete();
    Ok(Outcome { exit, lost_events: run.tasks.lost(), killed_stragglers: run.stragglers, incomplete })
}

/// Attaches to the child and stops it, so that its execve is the first call that it is watched at.
fn attach(root: Tid, hears: Hears) -> io::Result<()> {
    sys::seize(root, hears)?;
    sys::interrupt(root)
}

/// One run under way.
struct Run<'a> {
    root: Tid,
    hears: Hears,
    tracer: Tracer,
    tasks: Tasks,
    /// Who asks what registers do not tell.
    witness: Option<Witness>,
    /// Who may run unwatched; nobody where there is no guard.
    watch: Option<Watch<'a>>,
    /// Who hears of calls by notifications; nobody where there are none.
    hearing: Option<Hearing<'a>>,
    colocation: Colocation,
    /// The tasks whose signals this process ignores; a tree with a session of its own cannot signal
    /// our process group.
    members: Option<Members>,
    deadlines: Deadlines,
    end: Option<Exit>,
    stragglers: u64,
}

/// How many stops may pass on a busy workload until the clock is looked at.
const STOPS_PER_LOOK: u32 = 1024;

impl Run<'_> {
    /// Takes the child through the stop that [`attach`] asked for.
    fn until_ready(&mut self) -> io::Result<()> {
        loop {
            match self.tracer.wait()? {
                Waited::Stopped(task, stop) => {
                    self.know(task.tid(), &stop);
                    let step = self.tasks.step(task.tid(), stop);
                    return self.tracer.obey(task, step.directive, Pace::EveryCall);
                }
                Waited::Interrupted => {}
                // Somebody killed it already: `follow` will find nobody.
                Waited::Ended(..) | Waited::Nobody => return Ok(()),
            }
        }
    }

    /// The whole tracer: a stop becomes a step, its events go on, its directives are obeyed.
    fn follow(&mut self, sink: &mut dyn FnMut(&Event)) -> io::Result<Exit> {
        let mut stops = 0_u32;
        loop {
            let (tid, task, stop) = match self.tracer.wait()? {
                Waited::Stopped(task, stop) => (task.tid(), Some(task), stop),
                Waited::Ended(tid, stop) => (tid, None, stop),
                Waited::Interrupted => {
                    self.colocation.tick();
                    self.keep_deadlines();
                    let Step { before, released, .. } = self.tasks.tick();
                    before.iter().for_each(&mut *sink);
                    self.release(released)?;
                    if let Some(failure) = self.hearing.as_ref().and_then(Hearing::failure) {
                        return Err(failure);
                    }
                    continue;
                }
                Waited::Nobody => return Ok(self.end.unwrap_or(Exit::Signaled(libc::SIGKILL))),
            };
            let task = match task {
                Some(task) if self.settles(tid, &stop) => {
                    self.colocation.observe(tid, &stop);
                    self.tracer.obey(task, Directive::Resume(0), Pace::Filtered)?;
                    continue;
                }
                task => task,
            };
            self.know(tid, &stop);
            let stop = self.tasks.heard(tid, stop);
            let mut step = self.tasks.step(tid, stop);
            if let Some(witness) = &mut self.witness {
                witness.observe(tid, &stop, &mut step);
            }
            if let Some(hearing) = &mut self.hearing {
                hearing.observe(tid, &stop, &mut step, &self.tasks)?;
            }
            self.watch(tid, &stop, &step);
            step.before.iter().chain(&step.event).for_each(&mut *sink);
            if let Some(number) = step.hidden {
                for stray in self.tracer.attach_hidden(tid, number, self.hears) {
                    self.tasks.found(stray.task, tid, stray.leads);
                }
            }
            for spot in self.tracer.take_blind_spots() {
                self.watch.iter_mut().for_each(|watch| watch.hide(spot));
                self.hearing.iter_mut().for_each(|hearing| hearing.hide(spot));
                sink(&Event::Blind(spot));
            }
            if self.incomplete().is_some() && !self.tasks.is_ending() {
                self.kill_all();
            }
            self.colocation.observe(tid, &stop);
            if let Some(task) = task {
                let pace = self.pace(tid, step.directive);
                self.tracer.obey(task, step.directive, pace)?;
            }
            self.release(step.released)?;
            if let (true, Stop::Ended(exit)) = (tid == self.root && self.end.is_none(), stop) {
                self.end = Some(exit);
                self.deadlines.begin_grace();
            }
            stops += 1;
            if stops.is_multiple_of(STOPS_PER_LOOK) {
                self.keep_deadlines();
            }
        }
    }

    /// Whether a guard's filter stopped a call that needs no second look. Who is to end is not let
    /// go so.
    fn settles(&mut self, tid: Tid, stop: &Stop) -> bool {
        let (Stop::Filtered(call), Some(watch), Some(witness)) = (stop, &mut self.watch, &mut self.witness) else {
            return false;
        };
        !self.tasks.is_ending() && watch.settles(tid, call, &self.tasks, witness)
    }

    /// Lets those go on that were held.
    fn release(&mut self, held: Vec<(Tid, Directive)>) -> io::Result<()> {
        for (tid, directive) in held {
            let pace = self.pace(tid, directive);
            self.tracer.release(tid, directive, pace)?;
        }
        Ok(())
    }

    /// Shows the guard what happened.
    fn watch(&mut self, tid: Tid, stop: &Stop, step: &Step) {
        let (Some(watch), Some(witness)) = (&mut self.watch, &mut self.witness) else { return };
        let events: Vec<&Event> = step.before.iter().chain(&step.event).collect();
        watch.observe(tid, stop, &events, &self.tasks, witness);
    }

    /// Why this run must be made again by another engine, once that is so.
    fn incomplete(&self) -> Option<Incomplete> {
        let heard = || self.hearing.as_ref().and_then(Hearing::incomplete);
        self.watch.as_ref().and_then(Watch::incomplete).or_else(heard)
    }

    /// Notes which tasks there are. A newborn is noted before it runs, since it may send a signal.
    fn know(&mut self, tid: Tid, stop: &Stop) {
        let Some(members) = &mut self.members else { return };
        match *stop {
            Stop::Trap { .. } => members.join(tid),
            // Its number from here on is that of its group's leader.
            Stop::Exec { former, .. } if former != tid => members.leave(former),
            Stop::Ended(_) => members.leave(tid),
            _ => {}
        }
    }

    /// Returns where a task stops next. Only a task that goes on has a pace: the fd table of one
    /// that is held is known when its parent announces it.
    fn pace(&mut self, tid: Tid, directive: Directive) -> Pace {
        match (&mut self.watch, &mut self.witness, &self.hearing) {
            _ if !matches!(directive, Directive::Resume(_)) || self.tracer.owes_end(tid) => Pace::EveryCall,
            (Some(watch), Some(witness), _) => watch.pace(tid, &self.tasks, witness),
            (_, _, Some(hearing)) => hearing.pace(tid, &self.tasks),
            _ => Pace::EveryCall,
        }
    }

    fn keep_deadlines(&mut self) {
        match self.deadlines.due() {
            Due::Nothing => {}
            Due::Ask(signal) => sys::kill(self.root, signal),
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

    /// Nobody of them is reaped before we wait for it, so no number can mean somebody else.
    fn kill_all(&mut self) {
        self.tasks.end().for_each(|tid| sys::kill(tid, libc::SIGKILL));
    }
}

/// Whatever way a run ends, nobody of its tree is left.
impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.kill_all();
        self.tracer.bury();
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
            LaunchStep::Filter => system("install a filter")(self.source),
        }
    }
}
