//! Decides which calls may run natively: those of which a baseline holds every fact that they can
//! bring about. Main type: [`Guard`].
//!
//! A filter decides from registers. What it cannot be sure of, it stops. Objects are not in
//! registers: a call on an fd may pass only while every fd that it could mean is of a kind whose
//! use the baseline holds too. [`Guard::bears`] says so of one fd, and `linux::guard` keeps track
//! of them. Nothing here touches a process.
//!
//! # Why a guarded run misses nothing
//!
//! A guarded run shows each fact that ptrace would show and the baseline lacks, or ends as
//! incomplete and is repeated under ptrace. That rests on these assumptions. Each names the tests
//! that attack it; `::` paths without a file are trials of `tests/attacks`.
//!
//! 1. **Every syscall of every task meets the filter.** A filter is inherited and cannot be
//!    removed, seccomp(2). The vsyscall page is emulated without a syscall and passes
//!    (`abis::vsyscall` in `tests/tracer`). A workload's own filter answers first: such a run is
//!    incomplete (`a_workload_with_a_filter_of_its_own_is_not_guarded` in `tests/guard.rs`).
//! 2. **The kernel uses the registers that the filter saw.** No other task can change them. Where
//!    the arguments are in memory, the call always stops (`looks::flags_flip`).
//! 3. **A call passes only if attribution finds nothing new in it.** Each alternative of a gate is
//!    tried against the code that judges a stopped call (`what_passes_is_expected` in this module's
//!    tests; `tests/guard.rs` removes each fact of a baseline in turn).
//! 4. **Fds come by calls that stop.** A call that is not known to be harmless makes the guard look
//!    at all fds, also if it fails and under every ABI ([`effect`]; `arrivals::*`). io_uring and
//!    seccomp listeners bring fds without a call; from then on no task runs natively, and where
//!    others run already, the run is incomplete.
//! 5. **Tasks that share an fd table share its unsafe fds.** The kernel says whether two tasks do,
//!    by kcmp(2). A fork's copy and a table after an exec are looked at again unless only one task
//!    could change them ([`FdTables`]; `fds::process_shares`, `fds::raw_threads`,
//!    `fds::fork_between`, `fds::executes`, `fds::number_reused`).
//! 6. **An unsafe fd exists before the guard knows of it.** If another task that uses the table ran
//!    natively meanwhile, the run is incomplete (`fds::guesses`, `fds::thread_opens`).
//! 7. **A look before a call is believed only while nothing can change what it shows.** That is an
//!    fd whose table one task uses, or a path while the tree has one task. Otherwise the call's
//!    result is awaited (`looks::appears`, `looks::late_flip`, `looks::fd_flips`, `looks::flips`).
//! 8. **A path means what it means to its task.** It is resolved with the task's root and
//!    directory, and with its own `/proc/self`; what depends on which process asks is awaited
//!    (`paths::*`).
//! 9. **What is read at a call's entry is what the kernel reads.** clone3 is pointed to a copy of
//!    its arguments that no task writes (`looks::own_flags`, `births::clone3_flipped` in
//!    `tests/tracer`).
//! 10. **Every child has a tracer.** A call that returns a child without an announcement makes the
//!     run incomplete (`looks::untraced_flip`, `births::clone3_hidden` in `tests/tracer`).
//! 11. **What cannot be asked is named.** An fd that cannot be looked at is unsafe, and its use is
//!     the blind spot `unanswerable` (`hidden::*`).
//! 12. **Processes outside the tree do not interfere.** They do not change what a path leads to
//!     between the look and the call of a tree of one task, and put no fds into its tasks. A name
//!     that another process creates in that moment may be missed in that run.
//!
//! The `fuzz` trial of `tests/attacks` looks for pairs of operation lists for which this is false.

pub mod bpf;
mod effect;
mod filter;
mod gate;
mod kinds;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::attribution::calls::{Flags, Selector, Subject, shape};
use crate::model::attribution::reach::{Direction, direction, reaches};
use crate::model::attribution::{Answer, Answers, Object, Use, ambient, answers, attribute, blind_spot};
use crate::model::expectation::project::facts_of;
use crate::model::expectation::{Baseline, Document, Level, Rule};
use crate::model::facts::fact::Fact;
use crate::model::kernel::call::{Call, CallOutcome, Errno};
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::run::platform::Platform;

pub use effect::{Effect, acts_through_fd, effect, needs_no_filter};
pub use filter::TooLong;
pub(in crate::model) use filter::program;
pub(in crate::model) use gate::Gate;
pub use tables::{FdTables, Sharing};

/// What a baseline and its document let pass.
#[derive(Debug)]
pub struct Guard {
    abi: Abi,
    platform: Platform,
    held: BTreeSet<Fact>,
    /// The calls that are held in some subsystem, and each with its arguments.
    calls: BTreeSet<(String, Option<String>)>,
    ambient_strict: bool,
    tolerate: Vec<Rule>,
    forbid: Vec<Rule>,
    /// The calls on fds that pass, by the class of the fd.
    passing: Vec<gate::Passing>,
    /// The fds that have a class of their own.
    inherited: Vec<i32>,
    /// What the filter does about each number.
    gates: Vec<(u32, Gate)>,
}

/// Why there is no guard for a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unguardable {
    /// Results are facts there, and a call that passes tells none.
    #[error("`level: error` asks for the errors of every call")]
    Errors,
    /// Where a phase begins is a call, too, and a call that passes is of any phase.
    #[error("its phases are judged apart")]
    Phases,
    /// The filter is a program for one convention of registers.
    #[error("filters are made for x86_64 only")]
    Architecture,
}

/// The fds that a workload begins with, the three streams and whatever else it inherits: they last,
/// so that each has a class of its own.
pub type Inherited = BTreeMap<i32, Option<Object>>;

/// Within one class of fds, the filter treats all alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// This one.
    Known(usize),
    /// Nobody knows which: it must do for each.
    Any,
}

/// What several calls have in common, so that a guard thinks the same of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Likeness(Syscall, u64);

/// How a file was opened. A call that this does not allow fails with EBADF, and reaches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Access {
    /// For reading.
    pub reads: bool,
    /// For writing.
    pub writes: bool,
}

impl Access {
    /// For both.
    pub const BOTH: Self = Self { reads: true, writes: true };

    fn allows(self, call: &Call) -> bool {
        match direction(&call.syscall.name()) {
            Some(Direction::Reads) => self.reads,
            Some(Direction::Writes) => self.writes,
            None => true,
        }
    }
}

impl Guard {
    /// What this baseline lets pass of a workload that begins with these streams.
    pub fn new(
        document: &Document,
        baseline: &Baseline,
        platform: &Platform,
        inherited: &Inherited,
    ) -> Result<Self, Unguardable> {
        if document.level >= Level::Error {
            return Err(Unguardable::Errors);
        }
        let mut rules = document.forbid.iter().chain(&document.tolerate);
        if !baseline.phases.is_empty() || rules.any(|rule| rule.phase.is_some()) {
            return Err(Unguardable::Phases);
        }
        let abi = platform.abi().filter(|abi| *abi == Abi::X86_64).ok_or(Unguardable::Architecture)?;
        let without_error = |rule: &Rule| Rule { error: None, ..rule.clone() };
        let mut guard = Self {
            abi,
            platform: platform.clone(),
            held: baseline.facts(),
            calls: calls(baseline),
            ambient_strict: document.ambient_strict,
            // A call that is tolerated only if it fails may succeed; one that is forbidden only if
            // it fails may fail.
            tolerate: document.tolerate.iter().filter(|rule| rule.error.is_none()).cloned().collect(),
            forbid: document.forbid.iter().map(without_error).collect(),
            passing: Vec::new(),
            gates: Vec::new(),
            inherited: inherited.keys().copied().collect(),
        };
        (guard.gates, guard.passing) = gate::all(&guard, baseline, inherited);
        Ok(guard)
    }

    /// Whether nothing that can come of this call on this object is news, however it ends.
    pub fn expects(&self, call: &Call, object: Option<&Object>) -> bool {
        /// EPERM for any error: none is a fact below [`Level::Error`].
        const FAILED: CallOutcome = CallOutcome::Failed(Errno(1));
        if object.is_some_and(|object| !reaches(&call.syscall.name(), &call.args, &object.name)) {
            return self.expects_refused(call);
        }
        let object = object.cloned().map_or(Answer::None, Answer::Object);
        let answers = Answers { object, ..Answers::default() };
        [CallOutcome::Returned(0), FAILED].into_iter().all(|outcome| {
            let blind = blind_spot(call, outcome).map(|spot| Fact::BlindSpot(spot.name().to_owned()));
            blind.is_none_or(|blind| self.held.contains(&blind))
                && self.expects_use(&attribute(call, outcome, &answers))
        })
    }

    /// Whether any call of this name can be expected: most names are in no baseline, and then none
    /// need be tried.
    fn knows(&self, syscall: &str) -> bool {
        let is_held = || self.calls.range((syscall.to_owned(), None)..).next().is_some_and(|(held, _)| held == syscall);
        !self.tolerate.is_empty() || !self.ambient_strict && ambient::reason(syscall).is_some() || is_held()
    }

    /// What of a call decides whether it is expected on an object, where that is its number and one
    /// register at most: all that have that in common are alike.
    pub fn likeness(call: &Call) -> Option<Likeness> {
        let shape = shape(call.syscall.row()?.name)?;
        let by_number = matches!(shape.selector, Selector::None) && answers::memory(call).is_none();
        let register = match shape.subject {
            Subject::PathBefore(_) | Subject::PathAfter(_) => 0,
            Subject::Opened(Flags::In(at)) => call.args[at],
            _ => return None,
        };
        by_number.then_some(Likeness(call.syscall, register))
    }

    /// Whether it is no news if this call is refused because of its fd.
    pub fn expects_refused(&self, call: &Call) -> bool {
        const EBADF: CallOutcome = CallOutcome::Failed(Errno(9));
        let used = attribute(call, EBADF, &Answers::default());
        let is_forbidden = self.forbid.iter().any(|rule| rule.matches(&used, None));
        let key = (call.syscall.name().into_owned(), used.argument.as_ref().map(|argument| argument.to_string()));
        self.expects_use(&used) || !is_forbidden && self.calls.contains(&key)
    }

    /// Whether what this call finds before it begins is what it finds at its end, so that it need
    /// not be awaited: it makes nothing.
    pub fn settles_before(&self, call: &Call) -> bool {
        const MAKING: [&str; 6] = ["mkdir", "mkdirat", "mknod", "mknodat", "symlink", "symlinkat"];
        call.syscall.abi == self.abi && call.syscall.row().is_some_and(|row| !MAKING.contains(&row.name))
    }

    /// Whether calls on an fd of this class may pass while it stands for this object, opened so.
    pub fn bears(&self, class: Class, object: &Object, access: Access) -> bool {
        let is_its = |passing: &&gate::Passing| match class {
            Class::Known(class) => passing.classes[class],
            Class::Any => passing.classes.contains(&true),
        };
        kinds::is_plain(object)
            && self
                .passing
                .iter()
                .filter(|passing| is_its(passing) && access.allows(&passing.call))
                .all(|it| self.expects(&it.call, Some(object)))
    }

    /// Whether calls through an fd of this kind bring no fd by themselves.
    pub fn is_plain(object: &Object) -> bool {
        kinds::is_plain(object)
    }

    /// The class of an fd.
    pub fn class(&self, fd: i32) -> Class {
        Class::Known(self.inherited.iter().position(|inherited| *inherited == fd).unwrap_or(self.inherited.len()))
    }

    fn expects_use(&self, used: &Use) -> bool {
        if self.forbid.iter().any(|rule| rule.matches(used, None)) {
            return false;
        }
        let is_set_apart = used.ambient && !self.ambient_strict;
        is_set_apart
            || self.tolerate.iter().any(|rule| rule.matches(used, None))
            || facts_of(used, None, &self.platform).all(|fact| self.held.contains(&fact))
    }
}

fn calls(baseline: &Baseline) -> BTreeSet<(String, Option<String>)> {
    let facts = baseline.facts();
    facts.iter().filter_map(|fact| Some((fact.syscall()?.to_owned(), fact.argument().map(str::to_owned)))).collect()
}

#[cfg(test)]
mod tests;
