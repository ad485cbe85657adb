//! Observes commands for reports and for Rust code, without a verdict. Main function: [`observe`].

use std::path::PathBuf;

use super::runnable::Wanted;
use super::traced_run::TracedRun;
use super::watch::{WatchOptions, folders, watch_by_notifications, watch_run};
use crate::linux::{Command, Environment, Limits, Outcome, Recorder, TraceError, Watching};
use crate::model::decode::NamedFolders;
use crate::model::engine::Engine;
use crate::model::expectation::Rule;
use crate::model::guard::Guard;
use crate::model::observe::observation::Observation;
use crate::model::observe::selected::Selected;

/// Runs a command once and returns the observation of its whole process tree.
pub fn observe(command: Command, limits: &Limits) -> Result<(Observation, Outcome), TraceError> {
    observe_part(command, limits, for_report(), Wanted::Nothing)
}

/// Like [`observe`], with the call site of every selected use.
pub fn observe_with_callers(
    command: Command,
    limits: &Limits,
    selected: &Selected,
) -> Result<(Observation, Outcome), TraceError> {
    observe_part(command, limits, for_report(), Wanted::Sites(selected))
}

/// Like [`observe`], by the given engine, with an example of every use.
pub fn observe_with_examples(
    command: Command,
    limits: &Limits,
    watching: Watching<'_>,
) -> Result<(Observation, Outcome), TraceError> {
    let nothing = Observation::new();
    watch_run(command, limits, watching, for_report(), Wanted::Examples(&nothing)).map(TracedRun::into_parts)
}

/// Like [`observe_notified`], with an example of every use.
pub fn observe_notified_with_examples(command: Command, limits: &Limits) -> Result<(Observation, Outcome), TraceError> {
    watch_by_notifications(command, limits, for_report(), Wanted::Examples(&Observation::new()))
        .map(TracedRun::into_parts)
}

/// Like [`observe`], and reports each call to a recorder as it happens. Each selected use
/// has a call site.
pub fn observe_logged(
    command: Command,
    limits: &Limits,
    recorder: &mut dyn Recorder,
    callers: Option<&Selected>,
) -> Result<(Observation, Outcome), TraceError> {
    let wanted = callers.map_or(Wanted::Nothing, Wanted::Sites);
    watch_run(command, limits, Watching::Logged(recorder), for_report(), wanted).map(TracedRun::into_parts)
}

/// Like [`observe`], for a part of the run, with the wanted data of first calls.
pub(super) fn observe_part(
    command: Command,
    limits: &Limits,
    options: WatchOptions,
    wanted: Wanted<'_>,
) -> Result<(Observation, Outcome), TraceError> {
    watch_run(command, limits, Watching::EveryCall, options, wanted).map(TracedRun::into_parts)
}

/// Like [`observe`], but calls that the guard allows are not in the observation.
pub fn observe_guarded(command: Command, limits: &Limits, guard: &Guard) -> Result<(Observation, Outcome), TraceError> {
    watch_run(command, limits, Watching::Guarded(guard), for_report(), Wanted::Nothing).map(TracedRun::into_parts)
}

/// Like [`observe`], with seccomp notifications: most calls have no result, and none has a call
/// site.
pub fn observe_notified(command: Command, limits: &Limits) -> Result<(Observation, Outcome), TraceError> {
    watch_by_notifications(command, limits, for_report(), Wanted::Nothing).map(TracedRun::into_parts)
}

/// Like [`observe`], by an engine other than the guard, with the call site of every selected use.
/// Calls are compared with the ranges of addresses and the paths of rules.
pub fn observe_compared(
    command: Command,
    limits: &Limits,
    engine: Engine,
    selected: Option<&Selected>,
    rules: &[Rule],
) -> Result<(Observation, Outcome), TraceError> {
    let conditions = rules.iter().filter_map(Rule::call_condition).collect();
    let options = WatchOptions { conditions, folders: command_folders(&command), ..for_report() };
    match engine {
        Engine::Notify => watch_by_notifications(command, limits, options, Wanted::Nothing).map(TracedRun::into_parts),
        Engine::Ptrace | Engine::Guard => {
            observe_part(command, limits, options, selected.map_or(Wanted::Nothing, Wanted::Sites))
        }
    }
}

/// Returns the names of a command's folders.
pub(super) fn command_folders(command: &Command) -> NamedFolders {
    let named = named_folders(command);
    folders(named.iter().map(|(folder, name)| (folder.as_path(), *name)))
}

/// Returns the folders that globs of a command's rules can name.
fn named_folders(command: &Command) -> Vec<(PathBuf, &'static str)> {
    let variable = |name: &str| match &command.environment {
        Environment::Inherited => std::env::var_os(name),
        Environment::Exactly(variables) => {
            variables.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
        }
    };
    let cwd = command.cwd.clone().or_else(|| std::env::current_dir().ok());
    let named = [(variable("HOME").map(PathBuf::from), "$HOME"), (variable("TMPDIR").map(PathBuf::from), "$TMPDIR")];
    let named = named.into_iter().chain([(cwd, "$PWD")]);
    named.filter_map(|(folder, name)| Some((folder.filter(|folder| folder.is_absolute())?, name))).collect()
}

/// Returns the options of runs that are reported, not judged.
fn for_report() -> WatchOptions {
    WatchOptions { handled_signals: true, ..WatchOptions::default() }
}
