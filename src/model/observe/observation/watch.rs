//! From events to an observation, by the markers among them. Main type: [`Watch`].
//!
//! It must not count a call twice, nor trust a marker that the harness did not send.

use std::collections::HashSet;

use super::{First, Observation};
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::trace::event::Event;
use crate::model::trace::marker::LOADER;
use crate::model::trace::marker::{Key, Marker};

/// What of a run counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    #[default]
    All,
    /// What the first process calls between [`Marker::Enter`] and [`Marker::Leave`], and all that
    /// tasks call which were made there.
    Marked,
}

/// A marker that the harness did not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// By another task than the harness's.
    #[error("a thread or child process sent the marker of a closure")]
    ByOther,
    /// After the first one.
    #[error("a closure was entered more than once")]
    EnteredAgain,
    /// Before the first one.
    #[error("a closure was left before it was entered")]
    NotEntered,
    /// With another key, or again.
    #[error("a closure was left by a marker that is not the harness's")]
    Forged,
}

/// An observation that is being made.
#[derive(Debug, Clone)]
pub struct Watch {
    /// What counted so far.
    pub observation: Observation,
    part: Part,
    phase: Option<String>,
    place: Place,
    /// The first task.
    root: Option<Tid>,
    /// The tasks that were made inside of the closure, and their descendants.
    born_inside: HashSet<Tid>,
    misplaced: Option<Misplaced>,
}

/// Where the harness is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Inside(Key),
    Behind,
    /// It will not come back: everything counts.
    Replaced,
}

impl Watch {
    /// Nothing has happened yet.
    pub fn new(part: Part) -> Self {
        Self {
            observation: Observation::new(),
            part,
            phase: None,
            place: Place::Before,
            root: None,
            born_inside: HashSet::new(),
            misplaced: None,
        }
    }

    /// The first marker that the harness did not send: what counted may be less than what happened.
    pub fn misplaced(&self) -> Option<Misplaced> {
        self.misplaced
    }

    /// Whether nothing could count, because the closure was never entered.
    pub fn is_never_entered(&self) -> bool {
        self.part == Part::Marked && self.place == Place::Before
    }

    /// Takes one event in; gives the use that it is the first of. A marker is no call of the
    /// workload's.
    pub fn fold(&mut self, event: &Event) -> Option<First> {
        let mut is_by_loader = false;
        match event {
            Event::Spawned { task, parent, .. } => self.spawned(*task, *parent),
            Event::Ended { task, .. } => drop(self.born_inside.remove(task)),
            Event::Blind(_) => {}
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
        // What a program names goes before: its phase is of all its tree, the loaders of its
        // children included.
        let phase = self.phase.as_deref().or(is_by_loader.then_some(LOADER));
        self.observation.fold(event, phase)
    }

    fn spawned(&mut self, task: Tid, parent: Option<Tid>) {
        if self.root.is_none() {
            self.root = Some(task);
        } else if self.part == Part::Marked && parent.is_none_or(|parent| self.counts(parent)) {
            self.born_inside.insert(task);
        }
    }

    /// The harness executes no program, so a program that is executed after the closure is its
    /// doing. The caller has the number of its thread group's leader from then on, execve(2).
    fn executed(&mut self, task: Tid, call: &Call, outcome: CallOutcome) {
        let is_execute = || call.syscall.row().is_some_and(|row| matches!(row.name, "execve" | "execveat"));
        if self.place != Place::Behind || !matches!(outcome, CallOutcome::Returned(_)) || !is_execute() {
            return;
        }
        if self.root == Some(task) {
            self.place = Place::Replaced;
        } else {
            self.born_inside.insert(task);
        }
    }

    fn counts(&self, task: Tid) -> bool {
        let is_inside = matches!(self.place, Place::Inside(_) | Place::Replaced);
        self.part == Part::All || is_inside || self.born_inside.contains(&task)
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
            Marker::Enter(key) if self.place == Place::Before => self.place = Place::Inside(key),
            Marker::Enter(_) => self.misplace(Misplaced::EnteredAgain),
            Marker::Leave(_) if self.place == Place::Before => self.misplace(Misplaced::NotEntered),
            Marker::Leave(key) if self.place == Place::Inside(key) && self.misplaced.is_none() => {
                self.place = Place::Behind;
            }
            Marker::Leave(_) => self.misplace(Misplaced::Forged),
        }
    }

    /// From here on everything counts.
    fn misplace(&mut self, misplaced: Misplaced) {
        self.misplaced.get_or_insert(misplaced);
        if self.place == Place::Behind {
            self.place = Place::Replaced;
        }
    }
}
