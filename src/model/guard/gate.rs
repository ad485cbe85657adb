//! What a filter does about each number: let it pass, stop it, or let it pass with these registers.
//! Main type: [`Gate`].
//!
//! Nothing is known here of how a filter is written. Each alternative is tried against the same
//! attribution that judges a watched call, so that the two cannot come apart.

use super::effect::{self, Effect};
use super::{Guard, Inherited, kinds};
use crate::model::attribution::calls::{Selector, Subject, shape};
use crate::model::attribution::reach::{direction, is_socket_command, reaches};
use crate::model::attribution::values::Value;
use crate::model::attribution::values::table::CLOCK;
use crate::model::attribution::{Memory, Object};
use crate::model::expectation::Baseline;
use crate::model::kernel::call::Call;
use crate::model::kernel::syscall::{Syscall, table};

/// What is done about one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) enum Gate {
    Pass,
    Stop,
    /// It passes where one of these holds.
    If(Vec<Alternative>),
}

/// All of these must hold.
pub(in crate::model) type Alternative = Vec<Test>;

/// A register, after a mask, against a value.
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

/// A call on an fd that passes where the fd is of one of these classes: one each for those that
/// were inherited, and one for all others.
#[derive(Debug, Clone)]
pub(super) struct Passing {
    pub(super) call: Call,
    pub(super) classes: Vec<bool>,
}

const INT: u64 = 0xffff_ffff;
/// include/uapi/asm-generic/mman-common.h
const PROT_EXEC: u64 = 4;
const MAP_ANONYMOUS: u64 = 0x20;

/// The gate of every number of the table, and the calls on fds that pass.
pub(super) fn all(guard: &Guard, baseline: &Baseline, inherited: &Inherited) -> (Vec<(u32, Gate)>, Vec<Passing>) {
    let kinds = kinds::of(baseline);
    // What a thread opens, others hold too: there no fd may be of a kind that does not bear what
    // passes.
    let is_shared = kinds::are_shared(baseline);
    let lasting = kinds::Lasting::of(baseline);
    let lasting = kinds.iter().filter(|kind| is_shared || lasting.contains(kind)).cloned().collect();
    let mut maker = Maker { guard, kinds, lasting, inherited, passing: Vec::new() };
    let gates = table::rows(guard.abi).iter().map(|row| (row.number, maker.gate(row.name, row.number))).collect();
    (gates, maker.passing)
}

/// With these flags a clone is a fork(2), as C libraries write it: SIGCHLD, and with it
/// CLONE_CHILD_SETTID and CLONE_CHILD_CLEARTID. Such a child is traced, and has a table of fds of
/// its own.
const FORKS: [u64; 2] = [0x11, 0x120_0011];

struct Maker<'a> {
    guard: &'a Guard,
    kinds: Vec<Object>,
    lasting: Vec<Object>,
    inherited: &'a Inherited,
    passing: Vec<Passing>,
}

/// One register's worth of a selector: the tests that find it, and the registers that show it.
type Choice = (Alternative, [u64; 6]);

impl Maker<'_> {
    fn gate(&mut self, name: &str, number: u32) -> Gate {
        if !self.guard.knows(name) {
            return Gate::Stop;
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
            // Made from a process, a thread, an fd: include/linux/posix-timers.h.
            Selector::Clock(at) => self.values(&probe([0; 6]), at, INT, &CLOCK, &[!0 << 3, !0 << 3 | 4, !0 << 3 | 3]),
            Selector::Protection(at) => protections(at),
            Selector::Mapping => mappings(),
            Selector::Command => effect::ioctls().map(|command| equal(1, INT, command)).collect(),
            Selector::Flags(0, ..) if name == "clone" => FORKS.map(|flags| equal(0, !0, flags)).to_vec(),
            _ => return Gate::Stop,
        };
        let mut alternatives = Vec::new();
        for (tests, args) in choices {
            let call = probe(args);
            match effect::effect(&call, &Memory::default()) {
                Effect::None | Effect::Closes(_) => {}
                Effect::Spawns if subject == Subject::None => {}
                _ => continue,
            }
            match subject {
                Subject::None => alternatives.extend(self.guard.expects(&call, None).then_some(tests)),
                Subject::Mapped if args[3] & MAP_ANONYMOUS != 0 => {
                    alternatives.extend(self.guard.expects(&call, None).then_some(tests));
                }
                Subject::Mapped => alternatives.extend(self.on_fd(call, 4, &tests)),
                Subject::Fd(at) | Subject::Descriptor(at) => alternatives.extend(self.on_fd(call, at, &tests)),
                _ => return Gate::Stop,
            }
        }
        match alternatives {
            none if none.is_empty() => Gate::Stop,
            some if some.iter().any(Vec::is_empty) => Gate::Pass,
            some => Gate::If(some),
        }
    }

    /// The values of a register; one choice without a test where each of them, and any unknown one,
    /// may pass.
    fn values(&self, probe: &Call, at: usize, mask: u64, values: &[Value], others: &[u64]) -> Vec<Choice> {
        let (mask, unknown) = (mask & INT, mask & 0x7eaf_be6f);
        let choices: Vec<Choice> = values.iter().map(|value| equal(at, mask, value.number & mask)).collect();
        let passes = |number: u64| {
            let mut call = *probe;
            call.args[at] = number;
            self.guard.expects(&call, None)
        };
        let all = values.iter().map(|value| value.number).chain(others.iter().copied()).chain([unknown]).all(passes);
        // A rule may name a number that no header does.
        if all && self.guard.forbid.iter().all(|rule| rule.argument.is_none()) {
            return vec![(Vec::new(), probe.args)];
        }
        choices
    }

    /// The alternatives of a call on the fd in a register. One that is bad or closed has no object.
    fn on_fd(&mut self, call: Call, at: usize, tests: &[Test]) -> Vec<Alternative> {
        if !self.guard.expects_refused(&call) {
            return Vec::new();
        }
        let expects = |kind: &Object| self.guard.expects(&call, Some(kind));
        let is_used = |kind: &Object| reaches(&call.syscall.name(), &call.args, &kind.name) && expects(kind);
        let is_frequent = is_frequent(&call);
        let bearing = if is_frequent { &self.lasting } else { &self.kinds };
        let all_bear = bearing.iter().all(expects);
        let others = self.kinds.iter().any(is_used) && all_bear;
        // Another kind may be put in its place, as a shell does with `2>/dev/null`.
        let may_pass = is_frequent || all_bear;
        let inherited = self.inherited.values().map(|object| may_pass && object.as_ref().is_some_and(expects));
        let classes: Vec<bool> = inherited.chain([others]).collect();
        let alternatives = self.alternatives_of(&classes, at, tests);
        if !alternatives.is_empty() {
            self.passing.push(Passing { call, classes });
        }
        alternatives
    }

    /// Others are whatever is none of the inherited ones.
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

/// Whether a program may do little else. A call that is rare is rather stopped where some kind does
/// not bear it, than keeps tasks watched while they hold that.
fn is_frequent(call: &Call) -> bool {
    let name = call.syscall.name();
    let is_on_sockets = name == "ioctl" && is_socket_command(call.args[1]);
    is_on_sockets
        || direction(&name).is_some()
        || ["recvfrom", "recvmsg", "sendfile", "sendmsg", "sendto"].contains(&&*name)
}

/// Without PROT_EXEC, and with each of the usual protections that have it.
fn protections(at: usize) -> Vec<Choice> {
    [equal(at, PROT_EXEC, 0)].into_iter().chain([4, 5, 6, 7].map(|protection| equal(at, INT, protection))).collect()
}

/// Each protection of an mmap, with a file and without.
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
