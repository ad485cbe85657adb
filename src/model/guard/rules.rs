//! Decides what the filter does with each syscall number: pass, stop, or pass if registers have
//! certain values. Main type: [`FilterRule`].
//!
//! This module does not know how a filter is encoded. Each alternative is tried against the
//! attribution that also judges stopped calls, so the two cannot disagree.

use super::effect::{self, FdEffect};
use super::{Guard, Inherited, kinds};
use crate::model::attribution::calls::{Addressing, Selector, Subject, shape};
use crate::model::attribution::reach::{direction, is_socket_command, reaches};
use crate::model::attribution::values::Value;
use crate::model::attribution::values::table::CLOCK;
use crate::model::attribution::{Memory, Object};
use crate::model::expectation::Baseline;
use crate::model::kernel::call::Call;
use crate::model::kernel::syscall::{Syscall, table};
use crate::model::kernel::uapi::{
    CLOCKFD, CLOCKFD_MASK, CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CPUCLOCK_PERTHREAD_MASK, MAP_ANONYMOUS, PROT_EXEC,
    PROT_READ, PROT_WRITE, SIGCHLD,
};

/// What the filter does with one syscall number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) enum FilterRule {
    Pass,
    Stop,
    /// The call passes if one of these holds.
    If(Vec<Alternative>),
}

/// Tests that must all hold.
pub(in crate::model) type Alternative = Vec<Test>;

/// Compares a masked register with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) struct Test {
    pub(super) arg: usize,
    pub(super) mask: u64,
    pub(super) is: Relation,
    pub(super) value: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Relation {
    Equal,
    Different,
}

/// A call on an fd that may pass, and the fd classes for which it passes: one class for each
/// inherited fd, and the last one for all other fds.
#[derive(Debug, Clone)]
pub(super) struct PassingCall {
    pub(super) call: Call,
    pub(super) classes: Vec<bool>,
}

const INT: u64 = 0xffff_ffff;

/// Returns the rule of every number of the table, and the calls on fds that pass.
pub(super) fn all(
    guard: &Guard,
    baseline: &Baseline,
    inherited: &Inherited,
) -> (Vec<(u32, FilterRule)>, Vec<PassingCall>) {
    let kinds = kinds::known(baseline);
    // Threads share the fds that one of them opens. If some kind of fd were unsafe, its appearance
    // would be a race, so with threads every known kind must allow every call that passes.
    let has_threads = kinds::makes_threads(baseline);
    let long_lived = kinds::LongLived::of(baseline);
    let long_lived = kinds.iter().filter(|kind| has_threads || long_lived.contains(kind)).cloned().collect();
    let mut builder = RuleBuilder { guard, kinds, long_lived, inherited, passing: Vec::new() };
    let rules = table::rows(guard.abi).iter().map(|row| (row.number, builder.rule(row.name, row.number))).collect();
    (rules, builder.passing)
}

/// A clone with these flags is a fork(2), as C libraries make it. Such a child is traced and has an
/// fd table of its own.
const FORKS: [u64; 2] = {
    let plain = SIGCHLD as u64;
    [plain, CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | plain]
};

/// Clocks that a program computes from a process, a thread and an fd.
const COMPUTED_CLOCKS: [u64; 3] = [!CLOCKFD_MASK, !CLOCKFD_MASK | CPUCLOCK_PERTHREAD_MASK, !CLOCKFD_MASK | CLOCKFD];

/// Registers of a call on a socket that point to an address. A filter cannot read the address, so
/// these values represent all such calls, including messages without an address.
const ADDRESSED: [u64; 6] = [0, 1, 16, 0, 1, 16];

struct RuleBuilder<'a> {
    guard: &'a Guard,
    kinds: Vec<Object>,
    long_lived: Vec<Object>,
    inherited: &'a Inherited,
    passing: Vec<PassingCall>,
}

/// The tests for one value of a selector, and registers that satisfy them.
type Choice = (Alternative, [u64; 6]);

impl RuleBuilder<'_> {
    fn rule(&mut self, name: &str, number: u32) -> FilterRule {
        if !self.guard.can_expect(name) {
            return FilterRule::Stop;
        }
        let probe = |args| Call {
            syscall: Syscall { abi: self.guard.abi, number: i64::from(number) },
            args,
            instruction_pointer: 0,
        };
        let shape = shape(name);
        let (selector, subject) =
            shape.map_or((Selector::None, Subject::None), |shape| (shape.selector, shape.subject));
        let choices = match selector {
            Selector::None => vec![(Vec::new(), [0; 6])],
            Selector::Value(at, mask, values) => self.values(&probe([0; 6]), at, mask, values, &[]),
            Selector::Clock(at) => self.values(&probe([0; 6]), at, INT, &CLOCK, &COMPUTED_CLOCKS),
            Selector::Protection(at) => protections(at),
            Selector::Mapping => mappings(),
            Selector::Command => effect::ioctls().map(|command| equal(1, INT, command)).collect(),
            Selector::Address(Addressing::Send) => vec![(Vec::new(), ADDRESSED), equal(4, !0, 0)],
            Selector::Address(_) => vec![(Vec::new(), ADDRESSED)],
            Selector::Flags(0, ..) if name == "clone" => FORKS.map(|flags| equal(0, !0, flags)).to_vec(),
            _ => return FilterRule::Stop,
        };
        let mut alternatives = Vec::new();
        for (tests, args) in choices {
            let call = probe(args);
            match effect::fd_effect(&call, &Memory::default()) {
                FdEffect::None | FdEffect::Closes(_) => {}
                FdEffect::Spawns if subject == Subject::None => {}
                _ => continue,
            }
            match subject {
                Subject::None => alternatives.extend(self.guard.expects(&call, None).then_some(tests)),
                Subject::Mapped if args[3] & MAP_ANONYMOUS != 0 => {
                    alternatives.extend(self.guard.expects(&call, None).then_some(tests));
                }
                Subject::Mapped => alternatives.extend(self.on_fd(call, 4, &tests)),
                Subject::Fd(at) | Subject::Descriptor(at) => alternatives.extend(self.on_fd(call, at, &tests)),
                _ => return FilterRule::Stop,
            }
        }
        match alternatives {
            none if none.is_empty() => FilterRule::Stop,
            some if some.iter().any(Vec::is_empty) => FilterRule::Pass,
            some => FilterRule::If(some),
        }
    }

    /// Returns a choice for each value of a register. If every value may pass, known or unknown, it
    /// is one choice without a test.
    fn values(&self, probe: &Call, at: usize, mask: u64, values: &[Value], others: &[u64]) -> Vec<Choice> {
        let (mask, unknown) = (mask & INT, mask & 0x7eaf_be6f);
        let choices: Vec<Choice> = values.iter().map(|value| equal(at, mask, value.number & mask)).collect();
        let passes = |number: u64| {
            let mut call = *probe;
            call.args[at] = number;
            self.guard.expects(&call, None)
        };
        let all = values.iter().map(|value| value.number).chain(others.iter().copied()).chain([unknown]).all(passes);
        // A `forbid` rule may name a number that no header names.
        if all && self.guard.forbid.iter().all(|rule| rule.argument.is_none()) {
            return vec![(Vec::new(), probe.args)];
        }
        choices
    }

    /// Returns the alternatives of a call on the fd in a register. A bad or closed fd has no
    /// object.
    fn on_fd(&mut self, call: Call, at: usize, tests: &[Test]) -> Vec<Alternative> {
        if !self.guard.expects_refusal(&call) {
            return Vec::new();
        }
        let expects = |kind: &Object| self.guard.expects(&call, Some(kind));
        let is_used = |kind: &Object| reaches(&call.syscall.name(), &call.args, &kind.kind) && expects(kind);
        let is_frequent = is_frequent(&call);
        let required = if is_frequent { &self.long_lived } else { &self.kinds };
        let all_expect = required.iter().all(expects);
        let others = self.kinds.iter().any(is_used) && all_expect;
        // A program may replace an inherited fd, as a shell does for `2>/dev/null`.
        let may_pass = is_frequent || all_expect;
        let inherited = self.inherited.values().map(|object| may_pass && object.as_ref().is_some_and(expects));
        let classes: Vec<bool> = inherited.chain([others]).collect();
        let alternatives = self.alternatives_of(&classes, at, tests);
        if !alternatives.is_empty() {
            self.passing.push(PassingCall { call, classes });
        }
        alternatives
    }

    /// Returns the alternatives of a call that passes for these classes. The last class holds every
    /// fd that was not inherited.
    fn alternatives_of(&self, classes: &[bool], at: usize, tests: &[Test]) -> Vec<Alternative> {
        if classes.iter().all(|passes| *passes) {
            return vec![tests.to_vec()];
        }
        let test = |fd: &i32, is| Test { arg: at, mask: INT, is, value: u64::from(*fd as u32) };
        let each = self.inherited.keys().zip(classes).filter(|(_, passes)| **passes);
        let each = each.map(|(fd, _)| tests.iter().copied().chain([test(fd, Relation::Equal)]).collect());
        let others = || self.inherited.keys().map(|fd| test(fd, Relation::Different));
        let others =
            classes.last().is_some_and(|passes| *passes).then(|| tests.iter().copied().chain(others()).collect());
        each.chain(others).collect()
    }
}

/// Returns whether a program may make this call very often.
///
/// A rare call is stopped if any known kind of object does not expect it. If it passed, fds of that
/// kind would be unsafe, and tasks that hold one would stop at every call.
fn is_frequent(call: &Call) -> bool {
    let name = call.syscall.name();
    let is_on_sockets = name == "ioctl" && is_socket_command(call.args[1]);
    is_on_sockets
        || direction(&name).is_some()
        || ["recvfrom", "recvmsg", "sendfile", "sendmsg", "sendto"].contains(&&*name)
}

/// One choice without PROT_EXEC, and one for each common protection with it.
fn protections(at: usize) -> Vec<Choice> {
    let executable = [0, PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE].map(|other| equal(at, INT, other | PROT_EXEC));
    [equal(at, PROT_EXEC, 0)].into_iter().chain(executable).collect()
}

/// Each protection of an mmap, with and without a file.
fn mappings() -> Vec<Choice> {
    let kinds = [MAP_ANONYMOUS, 0].map(|flag| equal(3, MAP_ANONYMOUS, flag));
    let both = |(tests, args): Choice| {
        kinds.clone().map(|(kind, flags)| {
            let args = std::array::from_fn(|at| args[at] | flags[at]);
            (tests.iter().copied().chain(kind).collect(), args)
        })
    };
    protections(2).into_iter().flat_map(both).collect()
}

fn equal(arg: usize, mask: u64, value: u64) -> Choice {
    let args = std::array::from_fn(|at| if at == arg { value } else { 0 });
    (vec![Test { arg, mask, is: Relation::Equal, value }], args)
}
