//! From gates to a program: a balanced search for the number, then the tests of its gate.
//!
//! It must not know why a call passes. The search compares numbers only, so that the kernel can
//! remember what always passes (`seccomp_cache_prepare()`, kernel/seccomp.c). For the same reason
//! only the three numbers of the vsyscall page look at the instruction pointer, and only where they
//! do not pass anyway.

use super::Guard;
use super::bpf::{
    ARCHITECTURE, HIGH_INSTRUCTION_POINTER, Instruction, LONGEST, NUMBER, PASS, STOP, and, answer, at_least_or_skip,
    different_or_skip, equal_or_skip, high, load, low, skip,
};
use super::gate::{Alternative, Gate, Relation, Test};

/// `AUDIT_ARCH_X86_64`, include/uapi/linux/audit.h
pub(super) const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;

/// The program would not fit into the kernel's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the filter needs {0} instructions, and the kernel takes {LONGEST}")]
pub struct TooLong(usize);

impl Guard {
    /// The filter of what passes; everything else is stopped.
    pub fn filter(&self) -> Result<Vec<Instruction>, TooLong> {
        let program = program(&self.gates, PASS);
        if program.len() > LONGEST { Err(TooLong(program.len())) } else { Ok(program) }
    }
}

/// The program of these gates, with this answer to what passes; another architecture, and a number
/// without a gate, is stopped.
pub(in crate::model) fn program(gates: &[(u32, Gate)], pass: u32) -> Vec<Instruction> {
    let head = [load(ARCHITECTURE), equal_or_skip(AUDIT_ARCH_X86_64, 1), skip(1), answer(STOP), load(NUMBER)];
    head.into_iter().chain(search(&ranges(gates), pass)).collect()
}

/// gettimeofday, time and getcpu of x86_64.
///
/// The kernel emulates calls to the vsyscall page in the page fault, and asks seccomp, though it is
/// no syscall and no syscall-stop for ptrace: `emulate_vsyscall()`,
/// arch/x86/entry/vsyscall/vsyscall_64.c. They must pass, or engines would differ.
const EMULATED: [u32; 3] = [96, 201, 309];

/// Lets calls from the vsyscall page pass first. It is the only page above 0xffffffff00000000 that
/// user code can run from: all others there are the kernel's; Documentation/arch/x86/x86_64/mm.rst.
fn past_emulation(number: u32, code: Vec<Instruction>) -> Vec<Instruction> {
    const HIGH_OF_VSYSCALL_PAGE: u32 = 0xffff_ffff;
    if !EMULATED.contains(&number) || code == [answer(PASS)] {
        return code;
    }
    let head = [load(HIGH_INSTRUCTION_POINTER), equal_or_skip(HIGH_OF_VSYSCALL_PAGE, 1), answer(PASS)];
    head.into_iter().chain(code).collect()
}

/// The same code with another answer to what passes.
fn answer_with(action: u32, mut code: Vec<Instruction>) -> Vec<Instruction> {
    code.iter_mut().filter(|instruction| **instruction == answer(PASS)).for_each(|pass| *pass = answer(action));
    code
}

/// Where each run of numbers with one gate begins; numbers that no table knows are stopped. Each
/// number of the vsyscall page is a run of its own.
fn ranges(gates: &[(u32, Gate)]) -> Vec<(u32, &Gate)> {
    let mut ranges: Vec<(u32, &Gate)> = vec![(0, &Gate::Stop)];
    let is_apart = |numbers: [u32; 2]| numbers.iter().any(|number| EMULATED.contains(number));
    let mut add = |from, gate| match ranges.last_mut() {
        Some((begin, last)) if *last == gate && !is_apart([*begin, from]) => {}
        Some((begin, last)) if *begin == from => *last = gate,
        _ => ranges.push((from, gate)),
    };
    let mut next = 0;
    for (number, gate) in gates {
        if *number > next {
            add(next, &Gate::Stop);
        }
        add(*number, gate);
        next = number + 1;
    }
    add(next, &Gate::Stop);
    ranges
}

fn search(ranges: &[(u32, &Gate)], pass: u32) -> Vec<Instruction> {
    match ranges {
        [] => vec![answer(STOP)],
        [(number, gate)] => past_emulation(*number, answer_with(pass, tests(gate))),
        _ => {
            let (left, right) = ranges.split_at(ranges.len() / 2);
            let left = search(left, pass);
            // Far jumps are for `skip` only: those of comparisons end at 255.
            let mut code = vec![at_least_or_skip(right[0].0, 1), skip(left.len() as u32)];
            code.extend(left);
            code.extend(search(right, pass));
            code
        }
    }
}

fn tests(gate: &Gate) -> Vec<Instruction> {
    match gate {
        Gate::Pass => vec![answer(PASS)],
        Gate::Stop => vec![answer(STOP)],
        Gate::If(alternatives) => {
            let (choices, others) = choices(alternatives);
            let choices = choices.iter().flat_map(choice);
            choices.chain(others.into_iter().flat_map(alternative)).chain([answer(STOP)]).collect()
        }
    }
}

/// Values of one register after which the same alternatives are left.
struct Choice<'a> {
    arg: usize,
    mask: u32,
    values: Vec<u32>,
    left: Vec<&'a [Test]>,
}

/// More could not be jumped over.
const MOST_VALUES: usize = 200;

/// The choices that alternatives begin with, and what begins with none. It is whether one holds
/// that matters, not which.
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
                && other.values.len() < MOST_VALUES
        };
        match together.iter_mut().find(is_alike) {
            Some(alike) => alike.values.extend(choice.values),
            None => together.push(choice),
        }
    }
    (together, others)
}

/// Goes on with what is left where the register is one of the values, else behind that.
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

/// Passes where all tests hold, else goes on behind itself. What was loaded for one test is there
/// for the next.
fn alternative(tests: &[Test]) -> Vec<Instruction> {
    let compared: Vec<_> = tests.iter().flat_map(|test| halves(test).map(|half| (half, test.is))).collect();
    let mut code = vec![answer(PASS)];
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
