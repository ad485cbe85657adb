//! Compiles rules to a BPF program: a balanced search for the number, then the tests of its rule.
//! Main function: [`program`].
//!
//! This module does not know why a call passes. The search compares numbers only, so that the
//! kernel can cache the numbers that always pass (`seccomp_cache_prepare()`, kernel/seccomp.c). For
//! the same reason only the three numbers of the vsyscall page test the instruction pointer, and
//! only where their rule does not pass them anyway.

use super::Guard;
use super::bpf::{
    ARCHITECTURE, HIGH_INSTRUCTION_POINTER, Instruction, NUMBER, PASS, STOP, and, at_least_or_skip, different_or_skip,
    equal_or_skip, high, load, low, ret, skip,
};
use super::rules::{Alternative, FilterRule, Relation, Test};
use crate::model::kernel::uapi::{AUDIT_ARCH_X86_64, BPF_MAXINSNS};

/// The program is longer than the kernel allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the filter needs {0} instructions, but the kernel allows {BPF_MAXINSNS}")]
pub struct TooLong(usize);

impl Guard {
    /// Returns the filter: calls that may pass are allowed, all others stop.
    pub fn filter(&self) -> Result<Vec<Instruction>, TooLong> {
        let program = program(&self.rules, PASS);
        if program.len() > BPF_MAXINSNS { Err(TooLong(program.len())) } else { Ok(program) }
    }
}

/// Returns the program of these rules; `pass` is its action for calls that may pass. Calls of
/// another architecture and numbers without a rule stop.
pub(in crate::model) fn program(rules: &[(u32, FilterRule)], pass: u32) -> Vec<Instruction> {
    let head = [load(ARCHITECTURE), equal_or_skip(AUDIT_ARCH_X86_64, 1), skip(1), ret(STOP), load(NUMBER)];
    head.into_iter().chain(search(&ranges(rules), pass)).collect()
}

/// gettimeofday, time and getcpu of x86_64.
///
/// The kernel emulates calls to the vsyscall page in its page-fault handler. It asks seccomp about
/// them, but ptrace sees no syscall-stop because there is no syscall: `emulate_vsyscall()`,
/// arch/x86/entry/vsyscall/vsyscall_64.c. They must pass, or the engines would report different
/// calls.
const EMULATED: [u32; 3] = [96, 201, 309];

/// Returns code that first lets calls from the vsyscall page pass. It is the only page above
/// 0xffffffff00000000 that user code can run from. All others there belong to the kernel:
/// Documentation/arch/x86/x86_64/mm.rst.
fn pass_vsyscall_page(number: u32, code: Vec<Instruction>) -> Vec<Instruction> {
    const HIGH_OF_VSYSCALL_PAGE: u32 = 0xffff_ffff;
    if !EMULATED.contains(&number) || code == [ret(PASS)] {
        return code;
    }
    let head = [load(HIGH_INSTRUCTION_POINTER), equal_or_skip(HIGH_OF_VSYSCALL_PAGE, 1), ret(PASS)];
    head.into_iter().chain(code).collect()
}

/// Returns the same code with another action for calls that pass.
fn with_action(action: u32, mut code: Vec<Instruction>) -> Vec<Instruction> {
    code.iter_mut().filter(|instruction| **instruction == ret(PASS)).for_each(|pass| *pass = ret(action));
    code
}

/// Returns where each range of numbers with one rule begins. Numbers that no table has stop. Each
/// number of the vsyscall page is a range of its own.
fn ranges(rules: &[(u32, FilterRule)]) -> Vec<(u32, &FilterRule)> {
    let mut ranges: Vec<(u32, &FilterRule)> = vec![(0, &FilterRule::Stop)];
    let is_apart = |numbers: [u32; 2]| numbers.iter().any(|number| EMULATED.contains(number));
    let mut add = |from, rule| match ranges.last_mut() {
        Some((begin, last)) if *last == rule && !is_apart([*begin, from]) => {}
        Some((begin, last)) if *begin == from => *last = rule,
        _ => ranges.push((from, rule)),
    };
    let mut next = 0;
    for (number, rule) in rules {
        if *number > next {
            add(next, &FilterRule::Stop);
        }
        add(*number, rule);
        next = number + 1;
    }
    add(next, &FilterRule::Stop);
    ranges
}

fn search(ranges: &[(u32, &FilterRule)], pass: u32) -> Vec<Instruction> {
    match ranges {
        [] => vec![ret(STOP)],
        [(number, rule)] => pass_vsyscall_page(*number, with_action(pass, tests(rule))),
        _ => {
            let (left, right) = ranges.split_at(ranges.len() / 2);
            let left = search(left, pass);
            // Only `skip` can jump far: a comparison skips at most 255 instructions.
            let mut code = vec![at_least_or_skip(right[0].0, 1), skip(left.len() as u32)];
            code.extend(left);
            code.extend(search(right, pass));
            code
        }
    }
}

fn tests(rule: &FilterRule) -> Vec<Instruction> {
    match rule {
        FilterRule::Pass => vec![ret(PASS)],
        FilterRule::Stop => vec![ret(STOP)],
        FilterRule::If(alternatives) => {
            let (choices, others) = choices(alternatives);
            let choices = choices.iter().flat_map(choice);
            choices.chain(others.into_iter().flat_map(alternative)).chain([ret(STOP)]).collect()
        }
    }
}

/// Values of one register that lead to the same remaining tests.
struct Choice<'a> {
    arg: usize,
    mask: u32,
    values: Vec<u32>,
    left: Vec<&'a [Test]>,
}

/// A comparison could not skip the code of more values.
const MAX_VALUES: usize = 200;

/// Splits alternatives into those that begin with an equality test, merged by value, and all
/// others. The order may change: what matters is whether an alternative holds, not which one.
fn choices(alternatives: &[Alternative]) -> (Vec<Choice<'_>>, Vec<&[Test]>) {
    let (mut choices, mut others) = (Vec::<Choice>::new(), Vec::new());
    for tests in alternatives {
        let begins = tests.split_first().filter(|(test, _)| test.is == Relation::Equal);
        let Some((test, rest, mask)) =
            begins.and_then(|(test, rest)| Some((test, rest, u32::try_from(test.mask).ok()?)))
        else {
            others.push(tests.as_slice());
            continue;
        };
        let value = test.value as u32;
        let is_its = |choice: &&mut Choice| (choice.arg, choice.mask) == (test.arg, mask) && choice.values == [value];
        match choices.iter_mut().find(is_its) {
            Some(choice) => choice.left.push(rest),
            None => choices.push(Choice { arg: test.arg, mask, values: vec![value], left: vec![rest] }),
        }
    }
    let mut together = Vec::<Choice>::new();
    for choice in choices {
        let is_alike = |other: &&mut Choice| {
            (other.arg, other.mask) == (choice.arg, choice.mask)
                && other.left == choice.left
                && other.values.len() < MAX_VALUES
        };
        match together.iter_mut().find(is_alike) {
            Some(alike) => alike.values.extend(choice.values),
            None => together.push(choice),
        }
    }
    (together, others)
}

/// Continues with the remaining tests if the register has one of the values, else skips them.
fn choice(choice: &Choice<'_>) -> Vec<Instruction> {
    let left: Vec<Instruction> = choice.left.iter().copied().flat_map(alternative).collect();
    let masked = (choice.mask != u32::MAX).then(|| and(choice.mask));
    let mut code: Vec<Instruction> = [load(low(choice.arg))].into_iter().chain(masked).collect();
    let behind = (1..=choice.values.len() as u8).rev();
    code.extend(choice.values.iter().zip(behind).map(|(value, behind)| different_or_skip(*value, behind)));
    code.push(skip(left.len() as u32));
    code.extend(left);
    code
}

/// Passes if all tests hold, else continues after itself. A loaded word is reused by the next test.
fn alternative(tests: &[Test]) -> Vec<Instruction> {
    let compared: Vec<_> = tests.iter().flat_map(|test| halves(test).map(|half| (half, test.is))).collect();
    let mut code = vec![ret(PASS)];
    for (at, ((offset, mask, value), is)) in compared.iter().enumerate().rev() {
        let compare = match is {
            Relation::Equal => equal_or_skip(*value, code.len() as u8),
            Relation::Different => different_or_skip(*value, code.len() as u8),
        };
        let is_loaded = at > 0 && {
            let ((before, masked, _), _) = compared[at - 1];
            (before, masked) == (*offset, *mask)
        };
        let loads = (!is_loaded).then(|| load(*offset));
        let masks = (!is_loaded && *mask != u32::MAX).then(|| and(*mask));
        code.splice(0..0, loads.into_iter().chain(masks).chain([compare]));
    }
    code
}

fn halves(test: &Test) -> impl Iterator<Item = (u32, u32, u32)> {
    let half = |offset, shift: u32| (offset, (test.mask >> shift) as u32, (test.value >> shift) as u32);
    [half(low(test.arg), 0), half(high(test.arg), 32)].into_iter().filter(|(_, mask, _)| *mask != 0)
}
