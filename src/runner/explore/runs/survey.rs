//! Watches a run without an injection, and lists its calls. Main type: [`SurveyWatcher`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::points::{Place, Points};
use super::protection::Protection;
use crate::linux::{CallExamples, Callers, Watcher, is_nonblocking};
use crate::model::attribution::attribute;
use crate::model::conditions::Conditions;
use crate::model::explore::injection::{CallPoint, Fault};
use crate::model::explore::survey::SurveyedCall;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::kernel::syscall::Syscall;
use crate::model::observe::call_site::CallSite;
use crate::model::observe::observation::Observer;
use crate::model::trace::event::Event;
use crate::runner::watch::WatchOptions;

/// How many calls of a stack are listed from the first one on; the last one is listed, too.
const FIRST_CALLS: u32 = 16;

/// Lists the calls of a run.
pub(super) struct SurveyWatcher<'c, 'a> {
    points: Points<'c, 'a>,
    protection: Protection,
    observer: Observer,
    conditions: Conditions,
    examples: CallExamples,
    /// The calls under way.
    entered: HashMap<Tid, Entered>,
    /// The call of a thread that takes another number, until the end of the call is reported.
    moved: Option<Entered>,
    calls: Calls,
    /// The named stacks, if names are wanted.
    sites: Option<HashMap<u64, CallSite>>,
}

/// A call under way.
#[derive(Debug, Clone, Copy)]
struct Entered {
    order: u64,
    call: Call,
    place: Place,
    nonblocking: Option<bool>,
}

impl<'c, 'a> SurveyWatcher<'c, 'a> {
    /// Starts a survey. With `names`, each distinct stack is named.
    pub(super) fn new(
        callers: &'c mut Callers<'a>,
        options: WatchOptions,
        protection: Protection,
        names: bool,
    ) -> Self {
        let WatchOptions { part, folders, closure, conditions, .. } = options;
        let examples = CallExamples::new(folders.clone(), closure);
        Self {
            points: Points::new(callers),
            protection,
            observer: Observer::new(part),
            conditions: Conditions::new(conditions, folders),
            examples,
            entered: HashMap::new(),
            moved: None,
            calls: Calls::default(),
            sites: names.then(HashMap::new),
        }
    }

    /// Returns the calls in the order in which they were made, those that would have changed the
    /// user's files, and the observation.
    pub(super) fn finish(self) -> (Vec<SurveyedCall>, BTreeSet<String>, Observer) {
        (self.calls.into_list(), self.protection.into_refused(), self.observer)
    }

    fn called(&mut self, task: Tid, event: &Event) {
        let Event::Called { call, outcome, answers, .. } = event else { return };
        let Some(Entered { order, place, nonblocking, .. }) =
            self.entered.remove(&task).filter(|entered| entered.call == *call)
        else {
            return;
        };
        self.points.left(task, call, *outcome, place);
        let site = self.sites.as_mut().and_then(|sites| sites.get(&place.point.stack)).cloned();
        let call = SurveyedCall {
            point: place.point,
            used: attribute(call, *outcome, answers),
            args: call.args,
            nonblocking,
            outcome: *outcome,
            depth: place.stack.depth,
            by_loader: place.stack.by_loader,
            example: self.examples.of(task, call, *outcome),
            site: site.unwrap_or_default(),
        };
        self.calls.add(order, call);
    }

    /// Names the stack of a call at its entry, since an execve replaces it.
    fn name(&mut self, task: Tid, place: &Place) {
        let Some(sites) = &mut self.sites else { return };
        sites.entry(place.point.stack).or_insert_with(|| self.points.site(task));
    }
}

impl Watcher for SurveyWatcher<'_, '_> {
    fn event(&mut self, event: &Event) {
        self.observer.fold(event);
        match *event {
            Event::Called { task, .. } => self.called(task, event),
            Event::Ended { task, .. } => drop(self.entered.remove(&task)),
            Event::Spawned { .. } | Event::Handled { .. } | Event::Blind(_) => {}
        }
        self.points.event(event);
        self.examples.event(event);
    }

    fn entered(&mut self, task: Tid, call: &Call) {
        self.examples.entered(task, call, |_| true);
        self.entered.remove(&task);
        if self.observer.counts(task)
            && let Some(place) = self.points.entered(task, call)
        {
            self.name(task, &place);
            let order = self.calls.order(&place.point);
            let nonblocking = is_nonblocking(task, call);
            self.entered.insert(task, Entered { order, call: *call, place, nonblocking });
        }
    }

    fn fault(&mut self, task: Tid, call: &Call) -> Option<Fault> {
        self.protection.fault(task, call)
    }

    fn awaits(&mut self, parent: Tid, child: Tid) {
        self.points.awaits(parent, child);
    }

    fn renumbered(&mut self, task: Tid, former: Tid) {
        self.moved = self.entered.remove(&former);
        self.examples.renumbered(task, former);
    }

    fn executed(&mut self, task: Tid, former: Tid) {
        self.points.executed(task);
        self.entered.extend(self.moved.take().map(|entered| (task, entered)));
        self.examples.executed(task, former);
    }

    fn conditions(&self) -> Conditions {
        self.conditions.clone()
    }
}

/// The listed calls. A loop makes any number of calls from one stack, so only the first ones of
/// each stack and its last one are kept.
#[derive(Debug, Default)]
struct Calls {
    first: BTreeMap<u64, SurveyedCall>,
    /// The last call of each stack that has made more than [`FIRST_CALLS`].
    last: HashMap<(Syscall, u64), (u64, SurveyedCall)>,
    /// The places of calls that a signal has interrupted, and that may go on.
    restarting: HashMap<CallPoint, u64>,
    made: u64,
}

impl Calls {
    /// Returns the place of a call in the order of entries.
    fn order(&mut self, point: &CallPoint) -> u64 {
        self.restarting.remove(point).unwrap_or_else(|| {
            self.made += 1;
            self.made
        })
    }

    /// Adds a call, or the result of one that went on after a signal.
    fn add(&mut self, order: u64, call: SurveyedCall) {
        let point = call.point;
        if call.outcome == CallOutcome::Restarting {
            self.restarting.insert(point, order);
        }
        if point.occurrence < FIRST_CALLS {
            self.first.insert(order, call);
        } else if self.last.get(&(point.syscall, point.stack)).is_none_or(|(last, _)| *last <= order) {
            self.last.insert((point.syscall, point.stack), (order, call));
        }
    }

    fn into_list(mut self) -> Vec<SurveyedCall> {
        self.first.extend(self.last.into_values());
        self.first.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::{Met, Subsystem, Use};
    use crate::model::facts::example::Example;
    use crate::model::kernel::syscall::Abi;

    fn call(occurrence: u32, outcome: CallOutcome) -> SurveyedCall {
        let syscall = Syscall { abi: Abi::X86_64, number: 0 };
        let used = Use {
            subsystem: Subsystem::Filesystem,
            syscall,
            argument: None,
            object: None,
            ambient: false,
            met: Met::default(),
        };
        SurveyedCall {
            point: CallPoint { syscall, stack: 7, occurrence },
            used,
            args: [0; 6],
            nonblocking: None,
            outcome,
            depth: 1,
            by_loader: false,
            example: Example::default(),
            site: CallSite::default(),
        }
    }

    #[test]
    fn loop_is_listed_by_its_first_calls_and_its_last() {
        let mut calls = Calls::default();
        for occurrence in 0..100 {
            let call = call(occurrence, CallOutcome::Returned(1));
            let order = calls.order(&call.point);
            calls.add(order, call);
        }
        let listed: Vec<u32> = calls.into_list().iter().map(|call| call.point.occurrence).collect();
        assert_eq!(listed, (0..FIRST_CALLS).chain([99]).collect::<Vec<_>>());
    }

    #[test]
    fn restarted_call_is_listed_once_with_its_last_result() {
        let mut calls = Calls::default();
        for (occurrence, outcome) in
            [(0, CallOutcome::Restarting), (1, CallOutcome::Returned(1)), (0, CallOutcome::Returned(0))]
        {
            let call = call(occurrence, outcome);
            let order = calls.order(&call.point);
            calls.add(order, call);
        }
        let listed: Vec<_> = calls.into_list().iter().map(|call| (call.point.occurrence, call.outcome)).collect();
        assert_eq!(listed, [(0, CallOutcome::Returned(0)), (1, CallOutcome::Returned(1))]);
    }
}
