//! Watches one run: folds its events, and keeps first calls as examples and with call sites. Main
//! functions: [`watch_run`] and [`watch_by_notifications`].

mod executions;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use self::executions::Executions;
use super::runnable::{Wanted, is_same_program};
use super::traced_run::TracedRun;
use crate::linux::{
    CallExamples, Callers, Command, Limits, Outcome, SymbolFiles, TraceError, Watcher, Watching, watch, watch_notified,
};
use crate::model::attribution::{Met, ObjectClass, ObjectKind, Subsystem, Use};
use crate::model::conditions::{CallCondition, Conditions};
use crate::model::decode::NamedFolders;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::observe::observation::{First, Observation, Observer, Part, Tally};
use crate::model::trace::event::Event;
use crate::model::trace::marker::Marker;

/// What counts of a run, what is kept of it, and how examples name its folders.
#[derive(Debug, Clone, Default)]
pub(super) struct WatchOptions {
    pub(super) part: Part,
    pub(super) folders: NamedFolders,
    /// The name of the closure that the first process runs.
    pub(super) closure: Option<String>,
    /// What the document's rules require of single calls.
    pub(super) conditions: Vec<CallCondition>,
    /// Whether signals that handlers take are counted. No verdict needs them.
    pub(super) handled_signals: bool,
}

/// Returns the names of folders that differ from run to run. The kernel names a folder behind a
/// link otherwise, so both names are known.
pub(super) fn folders<'a>(named: impl IntoIterator<Item = (&'a Path, &'static str)>) -> NamedFolders {
    let both = named.into_iter().flat_map(|(folder, name)| {
        let behind = folder.canonicalize().ok();
        [Some(folder.to_owned()), behind].into_iter().flatten().map(move |folder| (folder, name))
    });
    NamedFolders::new(both.map(|(folder, name)| (folder.to_string_lossy().into_owned(), name)))
}

/// Runs a command under an engine that reports on the caller's thread.
pub(super) fn watch_run(
    command: Command,
    limits: &Limits,
    watching: Watching<'_>,
    options: WatchOptions,
    wanted: Wanted<'_>,
) -> Result<TracedRun, TraceError> {
    let files = SymbolFiles::default();
    let run = ExampleWatcher::new(options, wanted);
    let mut watcher = CallSiteWatcher { callers: Callers::new(&files), executions: Executions::default(), run };
    let outcome = watch(command, limits, watching, &mut watcher)?;
    Ok(watcher.run.into_run(outcome))
}

/// Runs a command by notifications. No call site is kept.
pub(super) fn watch_by_notifications(
    command: Command,
    limits: &Limits,
    options: WatchOptions,
    wanted: Wanted<'_>,
) -> Result<TracedRun, TraceError> {
    let mut watcher = ExampleWatcher::new(options, wanted);
    let outcome = watch_notified(command, limits, &mut watcher)?;
    Ok(watcher.into_run(outcome))
}

/// Folds events, and keeps examples.
struct ExampleWatcher<'a> {
    observer: Observer,
    part: Part,
    wanted: Wanted<'a>,
    conditions: Conditions,
    handled_signals: bool,
    /// `None` if no example is wanted.
    examples: Option<CallExamples>,
}

impl<'a> ExampleWatcher<'a> {
    fn new(options: WatchOptions, wanted: Wanted<'a>) -> Self {
        let WatchOptions { part, folders, closure, conditions, handled_signals } = options;
        let of_every_call = conditions.iter().filter(|it| it.syscall.is_none() && it.forbids);
        let mut observer = Observer::new(part);
        observer.observation.conditions = of_every_call.map(|it| it.condition.clone()).collect();
        let conditions = Conditions::new(conditions, folders.clone());
        let examples = wanted.has_examples().then(|| CallExamples::new(folders, closure));
        Self { observer, part, wanted, conditions, handled_signals, examples }
    }

    fn into_run(self, outcome: Outcome) -> TracedRun {
        TracedRun { observer: self.observer, outcome }
    }

    /// Folds an event. Returns its task and its use if that is new.
    fn fold(&mut self, event: &Event) -> Option<(Tid, First)> {
        let fatal = self.observer.fatal_signal(event);
        let first = self.observer.fold(event);
        if let Some(examples) = &mut self.examples {
            if let (Some(first), Event::Called { task, call, outcome, .. }) = (&first, event)
                && self.wanted.example(first)
            {
                self.observer.observation.examples.add(first, &examples.of(*task, call, *outcome));
            }
            if let (Some(signal), Event::Ended { task, .. }) = (fatal, event) {
                self.observer.observation.ends.keep(signal, examples.process(*task));
            }
            examples.event(event);
            self.restart(event);
        }
        let Event::Called { task, .. } = event else { return None };
        first.map(|first| (*task, first))
    }

    /// Returns whether the call site of this execve is wanted. This is possible only for its first
    /// call in the run or in a phase.
    fn wants_program(&self, call: &Call, program: Option<&str>) -> bool {
        let argument = program.map(|name| Cow::Owned(name.to_owned()));
        let subsystem = Subsystem::Process;
        // Programs are files on storage, with rare exceptions.
        let (object, ambient, met) = (Some(ObjectKind::from(ObjectClass::File(None))), false, Met::default());
        let used = Use { subsystem, syscall: call.syscall, argument, object, ambient, met };
        let is_new = |uses: &BTreeMap<Use, Tally>| !uses.keys().any(|known| is_same_program(known, &used));
        let Observation { uses, phases, .. } = &self.observer.observation;
        let phase = self.observer.phase().filter(|&phase| phases.get(phase).is_none_or(is_new)).map(str::to_owned);
        let first = First { of_run: is_new(uses), phase, error: None, used };
        first.places().next().is_some() && self.wanted.program(&first)
    }

    /// Begins anew where the closure may begin: calls before it do not count.
    fn restart(&mut self, event: &Event) {
        if let (Part::Marked, Event::Called { call, .. }, Some(examples)) = (self.part, event, &mut self.examples)
            && Marker::of(call).is_some()
        {
            examples.restart();
        }
    }
}

impl Watcher for ExampleWatcher<'_> {
    fn event(&mut self, event: &Event) {
        self.fold(event);
    }

    fn entered(&mut self, task: Tid, call: &Call) {
        if let Some(examples) = &mut self.examples {
            examples.entered(task, call, |syscall| self.wanted.may_be_new(syscall));
        }
    }

    fn renumbered(&mut self, task: Tid, former: Tid) {
        if let Some(examples) = &mut self.examples {
            examples.renumbered(task, former);
        }
    }

    fn executed(&mut self, task: Tid, former: Tid) {
        if let Some(examples) = &mut self.examples {
            examples.executed(task, former);
        }
    }

    fn conditions(&self) -> Conditions {
        self.conditions.clone()
    }

    fn counts_handled_signals(&self) -> bool {
        self.handled_signals
    }
}

/// As [`ExampleWatcher`], with call sites: their images cannot be sent to another thread.
struct CallSiteWatcher<'a> {
    callers: Callers<'a>,
    executions: Executions,
    run: ExampleWatcher<'a>,
}

impl Watcher for CallSiteWatcher<'_> {
    fn event(&mut self, event: &Event) {
        if let Some((task, first)) = self.run.fold(event)
            && self.run.wanted.site(&first)
        {
            let is_replaced = matches!(event, Event::Called { call, outcome: CallOutcome::Returned(_), .. } if call.syscall.is_execute());
            let site = match is_replaced {
                true => self.executions.of_replaced(task),
                false => self.executions.of_stack(task, &mut self.callers),
            };
            self.run.observer.observation.sites.add(&first, &site);
        }
        if let Event::Ended { task, .. } = *event {
            self.executions.ended(task);
        }
    }

    fn entered(&mut self, task: Tid, call: &Call) {
        self.run.entered(task, call);
    }

    fn executes(&mut self, task: Tid, call: &Call, program: Option<&str>) {
        self.executions.entered(task, &mut self.callers, || self.run.wants_program(call, program));
    }

    fn awaits(&mut self, parent: Tid, child: Tid) {
        self.executions.awaits(parent, child);
    }

    fn renumbered(&mut self, task: Tid, former: Tid) {
        self.executions.renumbered(task, former);
        self.run.renumbered(task, former);
    }

    fn executed(&mut self, task: Tid, former: Tid) {
        self.executions.executed(task);
        self.run.executed(task, former);
    }

    fn conditions(&self) -> Conditions {
        self.run.conditions()
    }

    fn counts_handled_signals(&self) -> bool {
        self.run.counts_handled_signals()
    }
}
