//! Folds events into an observation, guided by the markers among them. Main type: [`Observer`].
//!
//! It must not count a call twice, or trust a marker that the harness did not send.

use std::collections::HashSet;

use super::{First, Observation};
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::run::workload::Exit;
use crate::model::trace::event::Event;
use crate::model::trace::marker::LOADER;
use crate::model::trace::marker::{Key, Marker};

/// The part of a run that counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Part {
    /// The whole run.
    #[default]
    All,
    /// Calls of the first process between [`Marker::Enter`] and [`Marker::Leave`], and all calls of
    /// tasks created there.
    Marked,
}

/// A marker that the harness did not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// It came from another task than the harness's.
    #[error("a thread or child process sent the marker of a closure")]
    ByOther,
    /// It followed the first one.
    #[error("a closure was entered more than once")]
    EnteredAgain,
    /// It preceded the first one.
    #[error("a closure was left before it was entered")]
    NotEntered,
    /// It had another key, or was repeated.
    #[error("a closure was left by a marker that is not the harness's")]
    Forged,
}

/// An observation in progress.
#[derive(Debug, Clone)]
pub struct Observer {
    /// The uses counted so far.
    pub observation: Observation,
    part: Part,
    phase: Option<String>,
    position: Position,
    /// The first task.
    root: Option<Tid>,
    /// Live tasks that lead no thread group. The end of a thread is not the end of its process.
    threads: HashSet<Tid>,
    /// Live tasks that were created inside the closure, and their live descendants.
    tasks_inside: HashSet<Tid>,
    misplaced: Option<Misplaced>,
}

/// The position of the harness relative to the closure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    Before,
    Inside(Key),
    After,
    /// The harness was replaced by another program: everything counts.
    Replaced,
}

impl Observer {
    /// Starts an observation without events.
    pub fn new(part: Part) -> Self {
        Self {
            observation: Observation::new(),
            part,
            phase: None,
            position: Position::Before,
            root: None,
            threads: HashSet::new(),
            tasks_inside: HashSet::new(),
            misplaced: None,
        }
    }

    /// Returns the first marker that the harness did not send. Calls may be missing after it.
    pub fn misplaced(&self) -> Option<Misplaced> {
        self.misplaced
    }

    /// Returns whether the closure was never entered, so that no call counted.
    pub fn is_never_entered(&self) -> bool {
        self.part == Part::Marked && self.position == Position::Before
    }

    /// Adds one event. Returns its use if this is the first call of that use, or the first with its
    /// error. A marker is not counted as a call.
    pub fn fold(&mut self, event: &Event) -> Option<First> {
        let mut is_by_loader = false;
        match event {
            Event::Spawned { task, parent, process } => self.spawned(*task, *parent, *process),
            Event::Ended { task, exit, by_tracer } => {
                self.ended(*task, *exit, *by_tracer);
            }
            Event::Handled { task, .. } if !self.counts(*task) => return None,
            Event::Blind(_) | Event::Handled { .. } => {}
            Event::Called { task, call, outcome, answers } => {
                if let Some(marker) = Marker::of(call) {
                    self.mark(*task, marker);
                    return None;
                }
                self.executed(*task, call, *outcome);
                if !self.counts(*task) {
                    return None;
                }
                is_by_loader = answers.by_loader;
            }
        }
        // A phase named by the program takes precedence: it covers the whole process tree,
        // including the loaders of its children.
        let phase = self.phase.as_deref().or(is_by_loader.then_some(LOADER));
        self.observation.fold(event, phase)
    }

    /// Returns the phase that the program has named.
    pub fn phase(&self) -> Option<&str> {
        self.phase.as_deref()
    }

    /// Returns the signal that ends a process other than the first one, if this event means that.
    pub fn fatal_signal(&self, event: &Event) -> Option<SignalName> {
        match *event {
            Event::Ended { task, exit: Exit::Signaled(signal), by_tracer: false } if self.ends_process(task) => {
                Some(SignalName(signal))
            }
            _ => None,
        }
    }

    /// Returns whether the end of this task is that of a process that counts. A thread that
    /// executes a program takes its leader's number: execve(2).
    fn ends_process(&self, task: Tid) -> bool {
        self.root != Some(task) && !self.threads.contains(&task) && self.counts(task)
    }

    fn ended(&mut self, task: Tid, exit: Exit, by_tracer: bool) {
        if !by_tracer && self.ends_process(task) {
            self.observation.ends.ended(exit);
        }
        self.threads.remove(&task);
        self.tasks_inside.remove(&task);
    }

    fn spawned(&mut self, task: Tid, parent: Option<Tid>, process: bool) {
        // The number of a thread that executed a program may belong to a process now.
        if process {
            self.threads.remove(&task)
        } else {
            self.threads.insert(task)
        };
        if self.root.is_none() {
            self.root = Some(task);
        } else if self.part == Part::Marked && parent.is_none_or(|parent| self.counts(parent)) {
            self.tasks_inside.insert(task);
        }
    }

    /// Counts a program that is executed after the closure: the harness itself executes none, so
    /// the closure caused it. From then on the caller has the tid of its thread group's leader,
    /// execve(2).
    fn executed(&mut self, task: Tid, call: &Call, outcome: CallOutcome) {
        if self.position != Position::After
            || !matches!(outcome, CallOutcome::Returned(_))
            || !call.syscall.is_execute()
        {
            return;
        }
        if self.root == Some(task) {
            self.position = Position::Replaced;
        } else {
            self.tasks_inside.insert(task);
        }
    }

    /// Returns whether the calls of a task count now.
    pub fn counts(&self, task: Tid) -> bool {
        let is_inside = matches!(self.position, Position::Inside(_) | Position::Replaced);
        self.part == Part::All || is_inside || self.tasks_inside.contains(&task)
    }

    fn mark(&mut self, task: Tid, marker: Marker) {
        match marker {
            Marker::Phase(name) if name.is_reserved() => {
                self.phase = None;
                self.observation.blind_spots.insert(BlindSpot::ReservedPhase);
            }
            Marker::Phase(name) => self.phase = name.text(),
            Marker::Enter(_) | Marker::Leave(_) if self.part == Part::All => {}
            Marker::Enter(_) | Marker::Leave(_) if self.root != Some(task) => self.misplace(Misplaced::ByOther),
            Marker::Enter(key) if self.position == Position::Before => self.position = Position::Inside(key),
            Marker::Enter(_) => self.misplace(Misplaced::EnteredAgain),
            Marker::Leave(_) if self.position == Position::Before => self.misplace(Misplaced::NotEntered),
            Marker::Leave(key) if self.position == Position::Inside(key) && self.misplaced.is_none() => {
                self.position = Position::After;
            }
            Marker::Leave(_) => self.misplace(Misplaced::Forged),
        }
    }

    /// Records a misplaced marker. From here on everything counts.
    fn misplace(&mut self, misplaced: Misplaced) {
        self.misplaced.get_or_insert(misplaced);
        if self.position == Position::After {
            self.position = Position::Replaced;
        }
    }
}
