//! What calls act on, and which subsystem they reach: live programs that use one kind of thing
//! each, and the whole truth about each call between their marks.
//!
//! The programs are in `tracees/objects.rs`, the truths in `objects/truths.rs`; those about paths
//! in the `paths.rs` of both.

mod paths;
mod truths;

use std::collections::BTreeMap;

use libtest_mimic::{Completion, Failed, Trial};
use sysguard::linux::{Incomplete, Outcome};
use sysguard::model::attribution::{Use, attribute};
use sysguard::model::expectation::storage::written_object;
use sysguard::model::observe::observation::Engine;
use sysguard::model::run::workload::Exit;
use sysguard::model::trace::event::Event;

pub(crate) use truths::TRUTHS;

use crate::needs::{Need, unmet};
use crate::seen::{ENGINES, Watched};
use crate::tracees::NOT_HERE;

/// One trial a program.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |&(tracee, needs, truth): &(&'static str, &'static [Need], &'static str)| {
        Trial::ignorable_test(format!("objects::{tracee}"), move || {
            if let Some(unmet) = unmet(needs) {
                return unmet;
            }
            check(tracee, truth)
        })
    };
    TRUTHS.iter().chain(paths::TRUTHS).map(trial).collect()
}

/// Holds what a program used against the truth about it.
pub(crate) fn check(tracee: &str, truth: &str) -> Result<Completion, Failed> {
    for &engine in ENGINES {
        let (outcome, told) = uses_between_marks(tracee, engine)?;
        if outcome.exit == Exit::Exited(NOT_HERE.into()) {
            return Ok(Completion::ignored_with("the kernel lacks it, or this user the right"));
        }
        let has_own_filter = truth.contains("SECCOMP_SET_MODE_FILTER");
        match outcome.incomplete {
            None => same_lines(&told, truth).map_err(|failed| by(engine, &failed))?,
            Some(Incomplete::OwnFilter) if engine == Engine::Notify && has_own_filter => {}
            incomplete => return Err(format!("{incomplete:?}").into()),
        }
    }
    Ok(Completion::Completed)
}

fn by(engine: Engine, failed: &Failed) -> Failed {
    format!("{}: {}", engine.name(), failed.message().unwrap_or_default()).into()
}

/// How the program ended, and what was used between its marks by all its tasks: `SUBSYSTEM SYSCALL
/// ARGUMENT OBJECT CALLS`, a line each. Ambient calls that select nothing are left out, and storage
/// is one kind, as in an expectation.
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
    let told = uses.iter().map(|(used, calls)| format!("{used} {calls}\n")).collect();
    Ok((seen.outcome, told))
}

fn line(used: &Use) -> String {
    let object = used.object.as_deref().map_or_else(|| "-".into(), written_object);
    let abi = if used.syscall.abi == crate::seen::NATIVE { String::new() } else { format!("{}/", used.syscall.abi) };
    format!("{} {abi}{} {} {object}", used.subsystem, used.syscall, used.argument.as_deref().unwrap_or("-"))
}

/// Fails with the lines that only one side has.
fn same_lines(told: &str, truth: &str) -> Result<(), Failed> {
    let lines =
        |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (told, truth) = (lines(told), lines(truth));
    let only = |mark, some: &[String], others: &[String]| {
        let missing = some.iter().filter(|line| !others.contains(line));
        missing.map(|line| format!("\n{mark} {line}")).collect::<String>()
    };
    let difference = only("seen:    ", &told, &truth) + &only("expected:", &truth, &told);
    if difference.is_empty() { Ok(()) } else { Err(difference.into()) }
}
