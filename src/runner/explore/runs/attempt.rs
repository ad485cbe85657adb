//! Watches a run with an injection. Main type: [`AttemptWatcher`].
//!
//! Stacks are read only at calls of the injected syscall, and no longer once it was injected.

use std::collections::{BTreeSet, HashMap};

use super::points::{Place, Points, is_continuation};
use super::protection::Protection;
use crate::linux::{CallExamples, Callers, NotInjected, Watcher};
use crate::model::conditions::Conditions;
use crate::model::explore::injection::{Fault, Injection};
use crate::model::facts::example::Example;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::observe::call_site::CallSite;
use crate::model::observe::observation::Observer;
use crate::model::trace::event::Event;
use crate::runner::watch::WatchOptions;

/// Injects a fault into one call of a run.
pub(super) struct AttemptWatcher<'c, 'a> {
    injection: Injection,
    points: Points<'c, 'a>,
    protection: Protection,
    observer: Observer,
    conditions: Conditions,
    state: State,
    /// The calls under way that an injection could be for.
    entered: HashMap<Tid, (Call, Place)>,
    /// Decodes the call, if that is wanted.
    examples: Option<CallExamples>,
    call: Option<Example>,
    site: CallSite,
    /// Gets the process of the injected call, if that is left to a debugger.
    debugger: Option<&'c mut dyn FnMut(Option<Tid>)>,
}

/// What an attempt has done.
pub(super) struct Attempted {
    pub(super) observer: Observer,
    /// Whether the call was made, or why nothing was injected into it.
    pub(super) reached: Result<bool, NotInjected>,
    /// The calls that would have changed the user's files.
    pub(super) refused: BTreeSet<String>,
    pub(super) call: Option<Example>,
    pub(super) site: CallSite,
}

/// The position of a run relative to its injection.
#[derive(Debug, Clone, Copy)]
enum State {
    Before,
    /// This task is in the injected call.
    Inside(Tid),
    /// This task has left it.
    Left(Tid),
    After,
    Refused(NotInjected),
}

impl<'c, 'a> AttemptWatcher<'c, 'a> {
    /// Starts an attempt. With `names`, the call is decoded and its stack is named.
    pub(super) fn new(
        callers: &'c mut Callers<'a>,
        options: WatchOptions,
        protection: Protection,
        injection: &Injection,
        names: bool,
    ) -> Self {
        let WatchOptions { part, folders, closure, conditions, .. } = options;
        Self {
            injection: *injection,
            points: Points::new(callers),
            protection,
            observer: Observer::new(part),
            conditions: Conditions::new(conditions, folders.clone()),
            state: State::Before,
            entered: HashMap::new(),
            examples: names.then(|| CallExamples::new(folders, closure)),
            call: None,
            site: CallSite::default(),
            debugger: None,
        }
    }

    /// Leaves the process of the injected call to a debugger, once the call has failed.
    pub(super) fn for_debugger(self, debugger: &'c mut dyn FnMut(Option<Tid>)) -> Self {
        Self { debugger: Some(debugger), ..self }
    }

    pub(super) fn finish(self) -> Attempted {
        let reached = match self.state {
            State::Before => Ok(false),
            State::Inside(_) | State::Left(_) | State::After => Ok(true),
            State::Refused(reason) => Err(reason),
        };
        let refused = self.protection.into_refused();
        Attempted { observer: self.observer, reached, refused, call: self.call, site: self.site }
    }

    /// Returns the fault if this is the call to inject it into.
    fn injected(&mut self, task: Tid, call: &Call) -> Option<Fault> {
        let Injection { point, fault } = self.injection;
        let may_be_it = call.syscall == point.syscall || is_continuation(call);
        if !may_be_it || !matches!(self.state, State::Before) || !self.observer.counts(task) {
            return None;
        }
        let place = self.points.entered(task, call)?;
        self.entered.insert(task, (*call, place));
        if place.point != point {
            return None;
        }
        self.state = State::Inside(task);
        if let Some(examples) = &mut self.examples {
            self.call = Some(examples.of(task, call, CallOutcome::Unknown));
            self.site = self.points.site(task);
        }
        Some(fault)
    }

    /// Takes the end of a call. A signal may have interrupted the injected one before it read or
    /// wrote anything: then it goes on, and gets the fault again.
    fn called(&mut self, task: Tid, call: &Call, outcome: CallOutcome) {
        let Some((_, place)) = self.entered.remove(&task).filter(|(entered, _)| entered == call) else { return };
        self.points.left(task, call, outcome, place);
        if matches!(self.state, State::Inside(inside) if inside == task) {
            self.state = if outcome == CallOutcome::Restarting { State::Before } else { State::Left(task) };
        }
    }
}

impl Watcher for AttemptWatcher<'_, '_> {
    fn event(&mut self, event: &Event) {
        self.observer.fold(event);
        match *event {
            Event::Called { task, ref call, outcome, .. } => self.called(task, call, outcome),
            Event::Ended { task, .. } => drop(self.entered.remove(&task)),
            Event::Spawned { .. } | Event::Handled { .. } | Event::Blind(_) => {}
        }
        self.points.event(event);
        self.examples.iter_mut().for_each(|examples| examples.event(event));
    }

    fn entered(&mut self, task: Tid, call: &Call) {
        if let (Some(examples), State::Before) = (&mut self.examples, self.state) {
            examples.entered(task, call, |_| false);
        }
    }

    fn fault(&mut self, task: Tid, call: &Call) -> Option<Fault> {
        self.injected(task, call).or_else(|| self.protection.fault(task, call))
    }

    fn not_injected(&mut self, _task: Tid, reason: NotInjected) {
        self.state = State::Refused(reason);
    }

    fn may_leave(&self) -> bool {
        self.debugger.is_some()
    }

    fn leaves(&mut self, task: Tid) -> bool {
        let is_it = self.debugger.is_some() && matches!(self.state, State::Left(left) if left == task);
        self.state = if is_it { State::After } else { self.state };
        is_it
    }

    fn left(&mut self, process: Option<Tid>) {
        self.debugger.iter_mut().for_each(|debugger| debugger(process));
    }

    fn awaits(&mut self, parent: Tid, child: Tid) {
        self.points.awaits(parent, child);
    }

    fn renumbered(&mut self, task: Tid, former: Tid) {
        self.examples.iter_mut().for_each(|examples| examples.renumbered(task, former));
    }

    fn executed(&mut self, task: Tid, former: Tid) {
        self.points.executed(task);
        self.examples.iter_mut().for_each(|examples| examples.executed(task, former));
    }

    fn conditions(&self) -> Conditions {
        self.conditions.clone()
    }
}
