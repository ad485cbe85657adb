//! What calls act on and which subsystem they reach: each program uses one kind of object, and its
//! truth lists each call between its marks.
//!
//! The programs are in `tracees/objects.rs`, the truths in `objects/truths.rs`; those about paths
//! are in the `paths.rs` of both, those about arguments in the `arguments.rs` of both.

mod arguments;
mod paths;
mod truths;

use std::collections::BTreeMap;

use libtest_mimic::{Completion, Failed, Trial};
use sysguard::unstable::linux::{Incomplete, Outcome};
use sysguard::unstable::model::attribution::{Use, attribute};
use sysguard::unstable::model::expectation::storage::written_object;
use sysguard::unstable::model::observe::observation::Engine;
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::model::trace::event::Event;

pub(crate) use arguments::TRUTHS as TRUTHS_OF_ARGUMENTS;
pub(crate) use truths::TRUTHS;

use crate::needs::{Need, unmet};
use crate::seen::{ENGINES, Watched};
use crate::tracees::NOT_HERE;

/// Returns a trial for each program.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |&(tracee, needs, truth): &(&'static str, &'static [Need], &'static str)| {
        Trial::ignorable_test(format!("objects::{tracee}"), move || {
            if let Some(unmet) = unmet(needs) {
                return unmet;
            }
            check(tracee, truth)
        })
    };
    TRUTHS.iter().chain(paths::TRUTHS).chain(arguments::TRUTHS).map(trial).collect()
}

/// Compares what a program used with its truth.
pub(crate) fn check(tracee: &str, truth: &str) -> Result<Completion, Failed> {
    for &engine in ENGINES {
        let (outcome, used) = uses_between_marks(tracee, engine)?;
        if outcome.exit == Exit::Exited(NOT_HERE.into()) {
            return Ok(Completion::ignored_with("the kernel lacks it, or this user the right"));
        }
        let has_own_filter = truth.contains("SECCOMP_SET_MODE_FILTER");
        match outcome.incomplete {
            None => same_lines(&used, truth).map_err(|failed| by(engine, &failed))?,
            Some(Incomplete::OwnFilter) if engine == Engine::Notify && has_own_filter => {}
            incomplete => return Err(format!("{incomplete:?}").into()),
        }
    }
    Ok(Completion::Completed)
}

fn by(engine: Engine, failed: &Failed) -> Failed {
    format!("{}: {}", engine.name(), failed.message().unwrap_or_default()).into()
}

/// Returns how the program ended and what all its tasks used between its marks: `SUBSYSTEM SYSCALL
/// ARGUMENT OBJECT CALLS`, one per line.
///
/// Ambient calls without an argument are left out, and storage is one kind, as in an expectation.
fn uses_between_marks(tracee: &str, engine: Engine) -> Result<(Outcome, String), Failed> {
    let folder = tempfile::tempdir()?;
    let watched = Watched { cwd: Some(folder.path().to_owned()), engine, ..Watched::tracee(tracee) };
    let mut uses = BTreeMap::<_, u64>::new();
    let mut looking = false;
    let seen = watched.watch_with(&mut |event| {
        let Event::Called { call, outcome, answers, .. } = event else { return };
        match call.syscall.number {
            0x3e8 => looking = true,
            0x3e9 => looking = false,
            _ if looking => {
                let used = attribute(call, *outcome, answers);
                if !used.ambient || used.argument.is_some() {
                    *uses.entry(line(&used)).or_default() += 1;
                }
            }
            _ => {}
        }
    })?;
    let used = uses.iter().map(|(used, calls)| format!("{used} {calls}\n")).collect();
    Ok((seen.outcome, used))
}

fn line(used: &Use) -> String {
    let object = used.object.as_ref().map_or_else(|| "-".into(), written_object);
    let abi = if used.syscall.abi == crate::seen::NATIVE { String::new() } else { format!("{}/", used.syscall.abi) };
    format!("{} {abi}{} {} {object}", used.subsystem, used.syscall, used.argument.as_deref().unwrap_or("-"))
}

/// Fails with the lines that only one side has.
fn same_lines(used: &str, truth: &str) -> Result<(), Failed> {
    let lines =
        |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (used, truth) = (lines(used), lines(truth));
    let only = |mark, some: &[String], others: &[String]| {
        let missing = some.iter().filter(|line| !others.contains(line));
        missing.map(|line| format!("\n{mark} {line}")).collect::<String>()
    };
    let difference = only("seen:    ", &used, &truth) + &only("expected:", &truth, &used);
    if difference.is_empty() { Ok(()) } else { Err(difference.into()) }
}
