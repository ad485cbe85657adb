//! Follows the calls of a run as they happen: decodes each at its entry and its exit, and measures
//! it. Main type: [`CallLog`].
//!
//! Only runs with a log use it. It must not write lines: that is the job of the
//! [`Recorder`](super::recorder::Recorder).

pub(super) mod task;

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::recorder::{Recorder, Selection};
use crate::model::attribution::Answers;
use crate::model::decode::{self, EnteredCall, NamedFolders};
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::trace::event::Event;
use crate::model::trace::logged::{Happening, Logged, TimedCall};
use crate::model::trace::tracee::{Step, Stop};
use task::StoppedTask;

/// After this time a call that has not ended is written as unfinished.
const LONG: Duration = Duration::from_secs(1);

/// The log of one run.
pub(super) struct CallLog<'a> {
    recorder: &'a mut dyn Recorder,
    begin: Instant,
    /// When the last stop arrived.
    arrived: Instant,
    /// The first process has become the command; calls before that are the launcher's.
    is_started: bool,
    places: NamedFolders,
    programs: HashMap<Tid, Rc<str>>,
    calls: HashMap<Tid, Pending>,
    /// When calls were last checked for being unfinished.
    checked: Instant,
}

/// A call that has not ended.
struct Pending {
    call: Call,
    /// `None` if it is not written.
    entered: Option<EnteredCall>,
    selection: Selection,
    since: Instant,
    is_announced: bool,
}

impl<'a> CallLog<'a> {
    /// Starts the log of a run. Its paths are shown as they are.
    pub(in crate::linux) fn new(recorder: &'a mut dyn Recorder) -> Self {
        let now = Instant::now();
        let (programs, calls) = (HashMap::new(), HashMap::new());
        let places = NamedFolders::default();
        Self { recorder, begin: now, arrived: now, is_started: false, places, programs, calls, checked: now }
    }

    /// Notes the time of a stop, before anything is asked about its task.
    pub(super) fn arrive(&mut self) {
        self.arrived = Instant::now();
    }

    /// Processes a stop and its events. The task must not run before this returns.
    pub(super) fn observe(&mut self, task: Tid, stop: &Stop, step: &Step) {
        let now = self.arrived;
        for event in step.before.iter().chain(&step.event) {
            match event {
                Event::Called { task, call, outcome, answers } => self.returned(*task, call, *outcome, answers, now),
                Event::Ended { task, exit, .. } => {
                    self.write(*task, now, Happening::Ended(*exit));
                    self.programs.remove(task);
                    self.calls.remove(task);
                }
                Event::Spawned { .. } | Event::Blind(_) | Event::Handled { .. } => {}
            }
        }
        // The events of an execve stop are those of the thread that had this number before.
        match *stop {
            Stop::Spawning { child, .. } => {
                let program = self.program(task);
                self.programs.insert(child, program);
            }
            Stop::Exec { former, .. } => self.executed(task, former, now),
            Stop::Signal(signal) => self.write(task, now, Happening::Signal(signal)),
            _ => {}
        }
        if now.duration_since(self.checked) >= LONG / 4 {
            self.tick();
        }
        if let Stop::Entry(call) = *stop {
            self.entered(task, call);
        }
    }

    /// Writes calls that have not ended for a while.
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        self.checked = now;
        let is_long = |pending: &Pending| {
            let is_new = pending.selection == Selection::Written && !pending.is_announced;
            is_new && now.duration_since(pending.since) >= LONG
        };
        let mut long: Vec<Tid> =
            self.calls.iter().filter(|(_, pending)| is_long(pending)).map(|(tid, _)| *tid).collect();
        long.sort_unstable();
        for task in long {
            let Some(pending) = self.calls.get_mut(&task) else { continue };
            pending.is_announced = true;
            let since = pending.since;
            let Some(entered) = &pending.entered else { continue };
            // What the kernel fills in is not there yet: only addresses are shown.
            let text = entered.call(CallOutcome::Unknown, &StoppedTask(task), &self.places);
            self.write(task, since, Happening::Unfinished { text: &text });
        }
    }

    fn entered(&mut self, task: Tid, call: Call) {
        let view = StoppedTask(task);
        let selection = self.recorder.selects(&call, &decode::name(&call, &view), &mut || view.places_of(&call));
        let entered = (selection != Selection::Ignored).then(|| EnteredCall::new(&call, &view, &self.places));
        // Measured from here, so that decoding does not count.
        let pending = Pending { call, entered, selection, since: Instant::now(), is_announced: false };
        self.calls.insert(task, pending);
    }

    fn returned(&mut self, task: Tid, call: &Call, outcome: CallOutcome, answers: &Answers, now: Instant) {
        let Some(pending) = self.calls.remove(&task).filter(|pending| pending.call == *call) else { return };
        if !self.is_started {
            return;
        }
        let took = now.saturating_duration_since(pending.since);
        let timed = TimedCall { call, outcome, answers, took };
        self.recorder.time(&timed);
        let Some(entered) = &pending.entered else { return };
        if pending.selection == Selection::Undecided && !self.recorder.selects_use(&timed) {
            return;
        }
        let view = StoppedTask(task);
        let text = entered.call(outcome, &view, &self.places);
        let result = entered.result(outcome, &view, &self.places);
        let is_resumed = pending.is_announced;
        self.write(task, pending.since, Happening::Called { text: &text, result: &result, took, is_resumed });
    }

    /// Handles an execve. The exit of the call follows, under the task's new number.
    fn executed(&mut self, task: Tid, former: Tid, now: Instant) {
        if former != task {
            self.write(task, now, Happening::Superseded { by: former });
            self.calls.remove(&task);
            if let Some(pending) = self.calls.remove(&former) {
                self.calls.insert(task, pending);
            }
            self.programs.remove(&former);
        }
        self.is_started = true;
        self.programs.insert(task, task::program(task));
    }

    fn write(&mut self, task: Tid, at: Instant, what: Happening<'_>) {
        if !self.is_started {
            return;
        }
        let program = self.program(task);
        let since_start = at.saturating_duration_since(self.begin);
        self.recorder.write(&Logged { task, program: &program, since_start, what });
    }

    fn program(&mut self, task: Tid) -> Rc<str> {
        Rc::clone(self.programs.entry(task).or_insert_with(|| task::program(task)))
    }
}
