//! Decides which syscalls may run natively, without a stop. Main type: [`Guard`].
//!
//! A call may run natively if the baseline holds every fact that the call can produce. A seccomp
//! filter enforces this, but a filter sees registers only; calls that it cannot judge by them stop.
//! The object behind an fd is not in a register. A call on an fd may therefore pass only while
//! every fd in the table is *safe*: the baseline expects every passing call on an object of its
//! kind. [`Guard::is_safe`] answers this for one fd, and `linux::engine` tracks the fds of all
//! tasks. Nothing here touches a process.
//!
//! # Why a guarded run misses nothing
//!
//! A guarded run shows every fact that ptrace would show and that the baseline lacks. A run that
//! cannot guarantee this ends as incomplete and is repeated under ptrace. The argument rests on the
//! twelve assumptions below. Each names the tests that attack it; a `::` path without a file name
//! is a trial of `tests/attacks`.
//!
//! 1. **Every syscall of every task passes through the filter.** A child inherits the filter,
//!    execve keeps it, and no task can remove it; seccomp(2). There is one exception. The kernel
//!    emulates calls to the vsyscall page in its page-fault handler, where no syscall takes place;
//!    they pass (`abis::vsyscall` in `tests/tracer`). A filter that the workload installs may
//!    answer a call before ours does, so such a run is incomplete
//!    (`own_seccomp_filter_ends_a_guarded_run` in `tests/guard/verdicts.rs`).
//! 2. **The kernel acts on the registers that the filter saw.** No other task can change the
//!    registers of a task that is in a syscall. Memory is different: another thread can rewrite it
//!    after the filter has run. A call with its arguments in memory therefore always stops
//!    (`looks::flags_flip`).
//! 3. **A call passes only if attribution finds nothing new in it.** The filter has no opinion of
//!    its own: each alternative of a rule is tried against the code that judges a stopped call
//!    (`passing_calls_are_expected` in this module's tests; `tests/guard` removes each fact of a
//!    baseline in turn).
//! 4. **New fds come from calls that stop.** `effect` lists the calls that cannot add an fd, and
//!    those that add one or two known ones. After any other call the guard looks at every fd of the
//!    task, even if the call failed, and under every ABI (`arrivals::*`). io_uring and seccomp
//!    listeners add fds without a call. Once one of them exists, no task runs natively any more; if
//!    other tasks could already run, the run is incomplete.
//! 5. **Tasks that share an fd table share its unsafe fds.** The kernel says by kcmp(2) whether two
//!    tasks share one. A fork copies the table, and an execve leaves the task with a table of its
//!    own. The guard looks at every fd of the new table unless only one task could have changed the
//!    old one ([`FdTables`]; `fds::process_shares`, `fds::raw_threads`, `fds::fork_between`,
//!    `fds::executes`, `fds::number_reused`).
//! 6. **The kernel installs an fd before the guard learns of it.** In between, another task that
//!    shares the table may use it natively. If the fd is unsafe and another such task was running
//!    natively, the run is incomplete (`fds::guesses`, `fds::thread_opens`).
//! 7. **A look before a call counts only while nothing can change what it shows.** For an fd this
//!    means that one task uses the table; for a path, that the tree has one task. In all other
//!    cases the guard waits for the call's result (`looks::appears`, `looks::late_flip`,
//!    `looks::fd_flips`, `looks::flips`).
//! 8. **A path is resolved as its task would resolve it.** The resolution starts at the task's own
//!    root and working directory and uses its own `/proc/self`. If the target depends on which
//!    process asks, the guard waits for the call's result (`paths::*`).
//! 9. **The kernel acts on the memory that was read at the call's entry.** clone3 takes its flags
//!    from memory, so the tracer points it to a copy of its arguments that no task writes
//!    (`looks::own_flags`, `births::clone3_flipped` in `tests/tracer`).
//! 10. **Every child has a tracer.** If a call returns a child that no stop announced, the run is
//!     incomplete (`looks::untraced_flip`, `births::clone3_hidden` in `tests/tracer`).
//! 11. **An object that cannot be examined is reported.** An fd that the guard cannot look at
//!     counts as unsafe, and a call that uses it is reported as the blind spot `unanswerable`
//!     (`hidden::filtered`). A tracer without CAP_SYS_PTRACE keeps tasks dumpable so that it can
//!     examine them (`super::trace::dumpable`; the other trials of `hidden`).
//! 12. **Processes outside the tree do not interfere.** They do not put fds into its tasks. While
//!     the tree has one task, they do not change what a path leads to between the look and the
//!     call. A name that another process creates in that moment may be missed in that run.
//!
//! The `fuzz` trial of `tests/attacks` searches for pairs of operation lists that break this
//! argument.

pub mod bpf;
mod effect;
mod filter;
mod kinds;
mod rules;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::attribution::calls::{Flags, Selector, Subject, shape};
use crate::model::attribution::reach::{Direction, direction, reaches};
use crate::model::attribution::{
    Answer, Answers, KnownArguments, Memory, Object, Use, ambient, answers, argument_question, attribute, blind_spot,
    is_address_class,
};
use crate::model::conditions::Conditions;
use crate::model::decode::NamedFolders;
use crate::model::expectation::project::{facts_of, judged_arguments};
use crate::model::expectation::{Baseline, Document, Level, Rule, Version};
use crate::model::facts::fact::Fact;
use crate::model::kernel::call::{Call, CallOutcome, Errno};
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::kernel::uapi;
use crate::model::run::platform::Platform;

pub use effect::{FdEffect, acts_through_fd, conflicts_with_filter, fd_effect};
pub use filter::TooLong;
pub(in crate::model) use filter::program;
pub(in crate::model) use rules::FilterRule;
pub use tables::{FdTables, Sharing};

/// Decides which calls pass, for one baseline and its document.
#[derive(Debug)]
pub struct Guard {
    abi: Abi,
    platform: Platform,
    version: Version,
    expected: BTreeSet<Fact>,
    /// The calls that the baseline holds in any subsystem, each with its arguments.
    calls: BTreeSet<(String, Option<String>)>,
    ambient_strict: bool,
    tolerate: Vec<Rule>,
    forbid: Vec<Rule>,
    /// What the rules require of single calls. Registers do not show it, so such a call stops.
    conditions: Conditions,
    /// The calls on fds that pass, with the fd classes for which they pass.
    passing: Vec<rules::PassingCall>,
    /// The fds that have a class of their own.
    inherited: Vec<i32>,
    /// The rule of each syscall number.
    rules: Vec<(u32, FilterRule)>,
}

/// Why a workload cannot be guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unguardable {
    /// At these levels results are facts, and the tracer does not see the result of a native call.
    #[error("`level: error` and `level: signal` need the result of every call")]
    Errors,
    /// A marker call begins a phase, and a call that passes cannot be assigned to one.
    #[error("phases need a stop at every call")]
    Phases,
    /// The filter is written for the register layout of one architecture.
    #[error("the guard supports x86_64 only")]
    Architecture,
}

/// The fds that a workload starts with: the three standard streams and any others. They are
/// long-lived, so each has a class of its own.
pub type Inherited = BTreeMap<i32, Option<Object>>;

/// A group of fds that the filter treats alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The class with this index.
    Known(usize),
    /// The fd is unknown, so the rule must hold for every class.
    Any,
}

/// A key for calls that are expected on the same objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Likeness(Syscall, u64);

/// How a file was opened. A call that needs more fails with EBADF and reaches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Access {
    /// Open for reading.
    pub reads: bool,
    /// Open for writing.
    pub writes: bool,
}

impl Access {
    /// Open for reading and writing.
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
    /// Returns the guard of a workload that starts with these fds.
    ///
    /// # Errors
    /// Fails if the document or the platform cannot be guarded; see [`Unguardable`].
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
            version: baseline.version,
            expected: baseline.expected(),
            calls: calls(baseline),
            ambient_strict: document.ambient_strict,
            // The outcome of a passing call is not seen. A call tolerated only if it fails may
            // succeed, and a call forbidden only if it fails may fail.
            tolerate: document.tolerate.iter().filter(|rule| rule.error.is_none()).cloned().collect(),
            forbid: document.forbid.iter().map(without_error).collect(),
            conditions: Conditions::new(document.call_conditions(), NamedFolders::default()),
            passing: Vec::new(),
            rules: Vec::new(),
            inherited: inherited.keys().copied().collect(),
        };
        (guard.rules, guard.passing) = rules::all(&guard, baseline, inherited);
        Ok(guard)
    }

    /// Returns whether every outcome of this call on this object is expected.
    pub fn expects(&self, call: &Call, object: Option<&Object>) -> bool {
        /// EPERM stands for every error: below [`Level::Error`] errors are not facts.
        const FAILED: CallOutcome = CallOutcome::Failed(Errno(uapi::EPERM));
        if self.conditions.may_concern(call.syscall) {
            return false;
        }
        if object.is_some_and(|object| !reaches(&call.syscall.name(), &call.args, &object.kind)) {
            return self.expects_refusal(call);
        }
        let object = object.cloned().map_or(Answer::None, Answer::Object);
        if argument_question(call, &Memory::default(), &object).is_some() && self.needs_argument(call) {
            return false;
        }
        let answers = Answers { object, ..Answers::default() };
        [CallOutcome::Returned(0), FAILED].into_iter().all(|outcome| {
            let blind = blind_spot(call, outcome).map(|spot| Fact::BlindSpot(spot.into()));
            blind.is_none_or(|blind| self.expected.contains(&blind))
                && self.expects_use(&attribute(call, outcome, &answers))
        })
    }

    /// Returns whether a call with its argument in memory must stop, so that the argument is read:
    /// it is a fact, or a rule forbids a class of addresses.
    fn needs_argument(&self, call: &Call) -> bool {
        let name = call.syscall.name();
        let is_class = |wanted: &String| wanted.split('|').any(is_address_class);
        let may_forbid = |rule: &Rule| {
            (rule.argument.as_ref().is_some_and(is_class) || rule.address.is_some() || rule.program.is_some())
                && rule.syscall.as_ref().is_none_or(|syscall| *syscall == name)
        };
        judged_arguments(self.version) == KnownArguments::All || self.forbid.iter().any(may_forbid)
    }

    /// Returns whether some call of this name can be expected. Most names are in no baseline, and
    /// their calls need not be tried.
    fn can_expect(&self, syscall: &str) -> bool {
        let is_held = || self.calls.range((syscall.to_owned(), None)..).next().is_some_and(|(held, _)| held == syscall);
        !self.tolerate.is_empty() || !self.ambient_strict && ambient::reason(syscall).is_some() || is_held()
    }

    /// Returns the key of a call if its number and at most one register decide on which objects it
    /// is expected.
    pub fn likeness(call: &Call) -> Option<Likeness> {
        let shape = shape(call.syscall.row()?.name)?;
        let by_number = matches!(shape.selector, Selector::None | Selector::Opening) && answers::memory(call).is_none();
        let register = match shape.subject {
            Subject::PathBefore(_) | Subject::PathAfter(_) => 0,
            Subject::Opened(Flags::In(at)) => call.args[at],
            _ => return None,
        };
        by_number.then_some(Likeness(call.syscall, register))
    }

    /// Returns whether the call is expected if the kernel refuses it because of its fd.
    pub fn expects_refusal(&self, call: &Call) -> bool {
        const REFUSED: CallOutcome = CallOutcome::Failed(Errno(uapi::EBADF));
        let used = attribute(call, REFUSED, &Answers::default());
        let is_forbidden = self.forbid.iter().any(|rule| rule.matches(&used, None));
        let key = (call.syscall.name().into_owned(), judged_arguments(self.version).of(&used).map(str::to_owned));
        self.expects_use(&used) || !is_forbidden && self.calls.contains(&key)
    }

    /// Returns whether a look before this call shows the same as its result would, so that it need
    /// not be awaited. That is false for calls that create the file that they name.
    pub fn is_known_before(&self, call: &Call) -> bool {
        const MAKING: [&str; 6] = ["mkdir", "mkdirat", "mknod", "mknodat", "symlink", "symlinkat"];
        call.syscall.abi == self.abi && call.syscall.row().is_some_and(|row| !MAKING.contains(&row.name))
    }

    /// Returns whether an fd of this class is safe while it stands for this object, opened like
    /// this.
    pub fn is_safe(&self, class: Class, object: &Object, access: Access) -> bool {
        let is_its = |passing: &&rules::PassingCall| match class {
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

    /// Returns whether calls through an fd of this kind add no fd by themselves.
    pub fn is_plain(object: &Object) -> bool {
        kinds::is_plain(object)
    }

    /// Returns the class of an fd.
    pub fn class(&self, fd: i32) -> Class {
        Class::Known(self.inherited.iter().position(|inherited| *inherited == fd).unwrap_or(self.inherited.len()))
    }

    fn expects_use(&self, used: &Use) -> bool {
        if self.forbid.iter().any(|rule| rule.matches(used, None)) {
            return false;
        }
        let is_ambient = used.ambient && !self.ambient_strict;
        is_ambient
            || self.tolerate.iter().any(|rule| rule.covers(used, None))
            || facts_of(used, None, &self.platform, self.version).all(|fact| self.expected.contains(&fact))
    }
}

fn calls(baseline: &Baseline) -> BTreeSet<(String, Option<String>)> {
    let facts = baseline.facts();
    facts.iter().filter_map(|fact| Some((fact.syscall()?.to_owned(), fact.argument().map(str::to_owned)))).collect()
}

#[cfg(test)]
mod tests;
