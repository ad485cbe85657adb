//! Runs a workload under seccomp filters and the ptrace tracer, and keeps the calls that the
//! filters deny. Main types: [`DeniedCall`] and [`FilteredRun`].
//!
//! The tracer stops a call before the kernel runs the filters on it (`syscall_trace_enter()`,
//! kernel/entry/common.c), so that a denied call is seen also if it kills its process.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;

use super::manifests::Manifests;
use super::observe::command_folders;
use super::run_by::{NotRun, RunBy};
use super::suite::{Case, Suite};
use super::waiting::WaitingParents;
use crate::linux::{
    CallExamples, Callers, Command, Limits, Outcome, SymbolFiles, TraceError, Watcher, Watching, watch,
};
use crate::model::facts::example::Example;
use crate::model::facts::site::{NoSite, Site};
use crate::model::guard::bpf::Instruction;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::kernel::syscall::Syscall;
use crate::model::observe::call_site::CallSite;
use crate::model::trace::event::Event;

/// The calls of one syscall by one command that filters denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedCall {
    /// The first of them.
    pub first: Call,
    /// That one decoded.
    pub example: Example,
    /// Where it was called.
    pub site: Result<Site, NoSite>,
    /// How many were denied.
    pub count: u64,
}

/// A traced run under filters.
#[derive(Debug)]
pub struct FilteredRun {
    /// The denied calls, in the order of their first.
    pub denied: Vec<DeniedCall>,
    /// The files that its processes executed, as /proc/PID/exe names them.
    pub programs: BTreeSet<PathBuf>,
    /// How the run ended.
    pub outcome: Outcome,
}

impl Suite {
    /// Runs a workload once under these filters and the ptrace tracer, in a fresh scratch
    /// directory. `is_denied` returns what the filters decide about a call. The workload's targets
    /// must have been built.
    ///
    /// # Errors
    ///
    /// [`NotRun`], also if the workload cannot be traced.
    pub fn run_filtered(
        &self,
        case: &Case,
        filters: &[Vec<Instruction>],
        is_denied: &dyn Fn(&Call) -> bool,
    ) -> Result<RunBy<FilteredRun>, NotRun> {
        let mut manifests = Manifests::of(self);
        let mut resolved = |mut site: CallSite| {
            manifests.resolve(&mut site);
            site.relative_to(&self.package().to_string_lossy());
            site.site()
        };
        let run = |command, limits: &Limits| watch_denied(command, limits, filters, is_denied, &mut resolved);
        let RunBy { result, output, ended_well } =
            self.run_by(case, run, |run| run.as_ref().ok().map(|run| run.outcome.exit))?;
        let result = result.map_err(|error| NotRun(error.to_string()))?;
        match result.outcome.lost_events {
            0 => Ok(RunBy { result, output, ended_well }),
            lost => Err(NotRun(format!("{lost} events were lost, so denied calls may be missing"))),
        }
    }
}

fn watch_denied(
    command: Command,
    limits: &Limits,
    filters: &[Vec<Instruction>],
    is_denied: &dyn Fn(&Call) -> bool,
    resolved: &mut dyn FnMut(CallSite) -> Result<Site, NoSite>,
) -> Result<FilteredRun, TraceError> {
    let files = SymbolFiles::default();
    let examples = CallExamples::new(command_folders(&command), None);
    let command = Command { filters: filters.to_vec(), ..command };
    let mut watcher = DenialWatcher {
        is_denied,
        callers: Callers::new(&files),
        waiting: WaitingParents::default(),
        examples,
        is_started: false,
        denied: Vec::new(),
        known: HashMap::new(),
        programs: BTreeSet::new(),
    };
    let outcome = watch(command, limits, Watching::EveryCall, &mut watcher)?;
    let denied = watcher.denied.into_iter().map(|Denied { first, example, site, count }| DeniedCall {
        first,
        example,
        site: resolved(site),
        count,
    });
    Ok(FilteredRun { denied: denied.collect(), programs: watcher.programs, outcome })
}

/// A denied call, before the packages on its stack are resolved.
struct Denied {
    first: Call,
    example: Example,
    site: CallSite,
    count: u64,
}

struct DenialWatcher<'w, 'a> {
    is_denied: &'w dyn Fn(&Call) -> bool,
    callers: Callers<'a>,
    waiting: WaitingParents,
    examples: CallExamples,
    /// Whether the workload was started. The calls before that are the launcher's.
    is_started: bool,
    denied: Vec<Denied>,
    /// Where in `denied` the calls of a syscall by a command are.
    known: HashMap<(Syscall, Vec<String>), usize>,
    programs: BTreeSet<PathBuf>,
}

impl Watcher for DenialWatcher<'_, '_> {
    fn event(&mut self, event: &Event) {
        if let Event::Ended { task, .. } = *event {
            self.waiting.forget(task);
        }
        self.examples.event(event);
    }

    fn entered(&mut self, task: Tid, call: &Call) {
        if !self.is_started || !(self.is_denied)(call) {
            return;
        }
        let key = (call.syscall, self.examples.process(task));
        if let Some(denied) = self.known.get(&key).and_then(|at| self.denied.get_mut(*at)) {
            denied.count += 1;
            return;
        }
        let example = self.examples.of(task, call, CallOutcome::Unknown);
        let site = match self.waiting.of(task) {
            Some(parent) => self.callers.of_child(task, parent),
            None => self.callers.of(task),
        };
        self.known.insert(key, self.denied.len());
        self.denied.push(Denied { first: *call, example, site, count: 1 });
    }

    fn awaits(&mut self, parent: Tid, child: Tid) {
        self.waiting.awaits(parent, child);
    }

    fn renumbered(&mut self, task: Tid, former: Tid) {
        self.examples.renumbered(task, former);
    }

    fn executed(&mut self, task: Tid, former: Tid) {
        self.is_started = true;
        self.waiting.forget(task);
        self.programs.extend(fs::read_link(format!("/proc/{task}/exe")));
        self.examples.executed(task, former);
    }
}
