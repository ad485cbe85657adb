//! Explains a name: a call, an argument, an object, a subsystem, a blind spot, a signal, or the key
//! of an expectation. Main function: [`explain`].
//!
//! It joins the tables with the expectations. It must not format text. A name may have several
//! meanings (`futex`, `pipe`): all are returned.

mod arguments;
mod calls;
mod kernel;
mod manual;
mod objects;
mod subsystems;

use std::collections::BTreeSet;

pub use arguments::{Argument, Declared, Reaches};
pub use calls::{Behind, CallFacts};
pub use kernel::{Call, Entry, Kernel};
pub use manual::RELEASE as MAN_PAGES;
pub use objects::ObjectFacts;
pub use subsystems::SubsystemFacts;

use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::attribution::calls::shapes;
use crate::model::attribution::{ADDRESS_CLASSES, Subsystem, objects::kinds, values};
use crate::model::expectation::{Entry as Held, Expectation};
use crate::model::facts::fact::Fact;
use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::signal;
use crate::model::run::platform::Platform;
use crate::model::run::test_name;
use crate::model::text::near::near;

/// How many near names are returned.
const NEAR: usize = 8;

/// A workload of the repository.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// Its name.
    pub workload: &'a str,
    /// Its expectation.
    pub expectation: &'a Expectation,
    /// What waits for a decision, if anything.
    pub pending: Option<Proposed<'a>>,
}

/// The pending facts of a workload.
#[derive(Debug, Clone, Copy)]
pub struct Proposed<'a> {
    /// The proposal, as it is shown to the user.
    pub file: &'a str,
    /// The facts that its expectation does not hold.
    pub facts: &'a BTreeSet<Fact>,
}

/// The meanings of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The name as given.
    pub name: String,
    /// The key and its baselines, if it is the key of an expectation.
    pub key: Option<Key>,
    /// Its meanings, at least one.
    pub meanings: Vec<Meaning>,
}

/// A key of an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The workload.
    pub workload: String,
    /// The fact.
    pub fact: Fact,
    /// The platforms with a baseline that holds it.
    pub held: Vec<HeldBy>,
    /// The proposal that would add it.
    pub pending: Option<String>,
}

/// A baseline that holds a fact, with the marks and reasons of the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBy {
    /// The platform.
    pub platform: Platform,
    /// The reason, written by a reviewer.
    pub why: Option<String>,
    /// The person or team responsible for it.
    pub owner: Option<String>,
    /// Whether some recorded run did not show it.
    pub sometimes: bool,
}

/// One meaning of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The thing that is meant.
    pub what: What,
    /// The workloads that use it.
    pub used_by: Vec<UsedBy>,
}

/// The thing that a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A system call.
    Call(CallFacts),
    /// A value of a multiplexing call.
    Argument(Argument),
    /// A kind of object that an fd or a path refers to.
    Object(ObjectFacts),
    /// A subsystem of the kernel.
    Subsystem(SubsystemFacts),
    /// Something that hides calls.
    BlindSpot(BlindSpot),
    /// A signal that may end processes.
    Signal(SignalName),
}

/// The facts of a workload that use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedBy {
    /// The workload.
    pub workload: String,
    /// The facts, over all platforms.
    pub facts: BTreeSet<Fact>,
}

/// The name is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Similar known names, the nearest first.
    pub near: Vec<String>,
}

/// Returns the meanings of a name in a kernel and in the expectations of a repository.
///
/// # Errors
///
/// If the name is unknown: similar names.
pub fn explain(name: &str, kernel: &Kernel, workloads: &[Recorded<'_>]) -> Result<Explanation, Unknown> {
    let key = key(name, workloads);
    // Without `::`, a subsystem such as `futex` may be a call too.
    let bare = || name.contains("::").then(|| name.parse().ok()).flatten();
    let fact = key.as_ref().map(|key| key.fact.clone()).or_else(bare);
    let what = fact.map_or_else(|| meanings(name, kernel), |fact| meanings_of(&fact, kernel));
    if what.is_empty() {
        return Err(Unknown { near: nearest(name, kernel, workloads) });
    }
    let meaning = |what: What| Meaning { used_by: used_by(&what, workloads), what };
    Ok(Explanation { name: name.to_owned(), key, meanings: what.into_iter().map(meaning).collect() })
}

/// Returns the things that a fact names, the finest first. A syscall in a recorded fact is always
/// returned, even if no table knows it.
pub fn meanings_of(fact: &Fact, kernel: &Kernel) -> Vec<What> {
    let Fact::Use { subsystem, syscall, detail } = fact else {
        return match fact {
            Fact::BlindSpot(spot) => spot.known().map(What::BlindSpot).into_iter().collect(),
            Fact::Signal(signal) => vec![What::Signal(*signal)],
            _ => Vec::new(),
        };
    };
    let Some(syscall) = syscall else {
        return vec![What::Subsystem(subsystems::facts(*subsystem, kernel))];
    };
    let finer = match detail {
        Some(detail) => {
            let arguments = detail.argument().map(|value| arguments::of_call(value, syscall)).unwrap_or_default();
            let object = detail.object().and_then(|kind| objects::facts(kind.as_str()));
            arguments.into_iter().map(What::Argument).chain(object.map(What::Object)).collect()
        }
        None => Vec::new(),
    };
    let call = calls::named(syscall, kernel).unwrap_or_else(|| CallFacts::unknown(syscall));
    finer.into_iter().chain([What::Call(call)]).collect()
}

fn meanings(name: &str, kernel: &Kernel) -> Vec<What> {
    let calls = calls::find(name, kernel).into_iter().map(What::Call);
    let subsystem = Subsystem::from_slug(name).map(|subsystem| What::Subsystem(subsystems::facts(subsystem, kernel)));
    let arguments = name.split('|').flat_map(arguments::find).map(What::Argument);
    let object = objects::facts(name).map(What::Object);
    let spot = BlindSpot::from_name(name).map(What::BlindSpot);
    let signal = SignalName::from_name(name).map(What::Signal);
    calls.chain(subsystem).chain(arguments).chain(object).chain(spot).chain(signal).collect()
}

/// Returns the key of an expectation; of several matching workloads, the one with the longest name.
/// A test's name may be given without `run::` if no other workload has that name.
fn key(name: &str, workloads: &[Recorded<'_>]) -> Option<Key> {
    let keys = |named: fn(&str) -> Option<&str>| {
        let keys = workloads.iter().filter_map(move |of| Some((of, Fact::from_key(name, named(of.workload)?)?)));
        keys.max_by_key(|(recorded, _)| recorded.workload.len())
    };
    let (recorded, fact) = keys(|workload| Some(workload)).or_else(|| keys(test_name::short))?;
    let baselines = recorded.expectation.baselines.iter().filter(|baseline| baseline.facts().contains(&fact));
    let held = baselines.map(|baseline| {
        let entry = match &fact {
            Fact::Use { subsystem, syscall: Some(syscall), .. } => {
                baseline.subsystems.get(subsystem).and_then(|syscalls| syscalls.get(syscall)).cloned()
            }
            _ => None,
        };
        let Held { owner, sometimes, .. } = entry.clone().unwrap_or_default();
        let why = entry.as_ref().and_then(|entry| entry.why_of(&fact)).map(str::to_owned);
        HeldBy { platform: baseline.platform.clone(), why, owner, sometimes }
    });
    let held = held.collect();
    let proposed = recorded.pending.filter(|pending| pending.facts.contains(&fact));
    let pending = proposed.map(|pending| pending.file.to_owned());
    Some(Key { workload: recorded.workload.to_owned(), fact, held, pending })
}

/// Returns the workloads that use it, with their facts.
fn used_by(what: &What, workloads: &[Recorded<'_>]) -> Vec<UsedBy> {
    let used = |recorded: &Recorded<'_>| {
        let facts = recorded.expectation.baselines.iter().flat_map(|baseline| baseline.facts());
        let facts: BTreeSet<Fact> = facts.filter(|fact| is_use(what, fact)).collect();
        (!facts.is_empty()).then(|| UsedBy { workload: recorded.workload.to_owned(), facts })
    };
    workloads.iter().filter_map(used).collect()
}

/// Returns whether a fact is a use of it. Only outermost facts count: details of a syscall are no
/// further uses of the call or the subsystem.
fn is_use(what: &What, fact: &Fact) -> bool {
    match (what, fact) {
        (What::Call(call), Fact::Use { syscall: Some(syscall), detail: None, .. }) => call.name == *syscall,
        (What::Argument(argument), Fact::Use { syscall: Some(call), detail: Some(detail), .. }) => {
            detail.argument().is_some_and(|value| argument.is_part_of(value)) && argument.calls.contains(&call.as_str())
        }
        (What::Object(object), Fact::Use { detail: Some(detail), .. }) => {
            detail.object().is_some_and(|kind| object.name == kind.as_str())
        }
        (What::Subsystem(used), Fact::Use { subsystem, syscall: Some(_), detail: None }) => {
            used.subsystem == *subsystem
        }
        (What::BlindSpot(spot), Fact::BlindSpot(held)) => held.known() == Some(*spot),
        (What::Signal(signal), Fact::Signal(held)) => signal == held,
        _ => false,
    }
}

/// Returns similar known names.
fn nearest(name: &str, kernel: &Kernel, workloads: &[Recorded<'_>]) -> Vec<String> {
    let calls = kernel.calls.iter().map(|call| call.name.as_ref());
    let arguments = shapes().flat_map(|(_, shape)| shape.selector.values()).map(|value| value.name);
    let others =
        values::options().map(|(_, option)| option.name).chain(values::commands().iter().map(|command| command.name));
    let kinds = kinds().iter().map(|kind| kind.name);
    let classes = ADDRESS_CLASSES.iter().map(|(class, _)| *class);
    let subsystems = Subsystem::ALL.iter().map(|subsystem| subsystem.slug());
    let keys: Vec<String> = if name.contains("::") {
        let of = |recorded: &Recorded<'_>| {
            let facts = recorded.expectation.baselines.iter().flat_map(|baseline| baseline.facts());
            let pending = recorded.pending.iter().flat_map(|pending| pending.facts.iter().cloned());
            facts.chain(pending).map(|fact| fact.key(recorded.workload)).collect::<Vec<_>>()
        };
        workloads.iter().flat_map(of).collect()
    } else {
        Vec::new()
    };
    let known = calls
        .chain(arguments)
        .chain(classes)
        .chain(signal::names().map(|name| -> &str { name }))
        .chain(others)
        .chain(kinds)
        .chain(subsystems)
        .chain(keys.iter().map(String::as_str));
    near(name, known).into_iter().take(NEAR).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
