//! From gates to a program: a balanced search for the number, then the tests of its gate.
//!
//! It must not know why a call passes. The search compares numbers only, so that the kernel can remember what always passes
//! (`seccomp_cache_prepare()`, kernel/seccomp.c).

use super::Guard;
use super::bpf::{
    ARCHITECTURE, Instruction, LONGEST, NUMBER, PASS, STOP, and, answer, at_least_or_skip, different_or_skip,
    equal_or_skip, high, load, low, skip,
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
        let program = program(&self.gates);
        if program.len() > LONGEST { Err(TooLong(program.len())) } else { Ok(program) }
    }
}

/// The program of these gates; another architecture, and a number without a gate, is stopped.
pub(in crate::model) fn program(gates: &[(u32, Gate)]) -> Vec<Instruction> {
    let head = [load(ARCHITECTURE), equal_or_skip(AUDIT_ARCH_X86_64, 1), skip(1), answer(STOP), load(NUMBER)];
    head.into_iter().chain(search(&ranges(gates))).collect()
}

/// The same program with another answer to what passes.
pub(in crate::model) fn answer_with(action: u32, mut program: Vec<Instruction>) -> Vec<Instruction> {
    program.iter_mut().filter(|instruction| **instruction == answer(PASS)).for_each(|pass| *pass = answer(action));
    program
}

/// Where each run of numbers with one gate begins; numbers that no table knows are stopped.
fn ranges(gates: &[(u32, Gate)]) -> Vec<(u32, &Gate)> {
    let mut ranges: Vec<(u32, &Gate)> = vec![(0, &Gate::Stop)];
    let mut add = |from, gate| match ranges.last_mut() {
        Some((_, last)) if *last == gate => {}
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

fn search(ranges: &[(u32, &Gate)]) -> Vec<Instruction> {
    match ranges {
        [] => vec![answer(STOP)],
        [(_, gate)] => tests(gate),
        _ => {
            let (left, right) = ranges.split_at(ranges.len() / 2);
            let left = search(left);
            // Far jumps are for `skip` only: those of comparisons end at 255.
            let mut code = vec![at_least_or_skip(right[0].0, 1), skip(left.len() as u32)];
            code.extend(left);
            code.extend(search(right));
            code
        }
    }
}

fn tests(gate: &Gate) -> Vec<Instruction> {
    match gate {
        Gate::Pass => vec![answer(PASS)],
        Gate::Stop => vec![answer(STOP)],
        Gate::If(alternatives) => alternatives.iter().flat_map(alternative).chain([answer(STOP)]).collect(),
    }
}

/// Passes where all tests hold, else goes on behind itself.
fn alternative(tests: &Alternative) -> Vec<Instruction> {
    let mut code = vec![answer(PASS)];
    for test in tests.iter().rev() {
        for (offset, mask, value) in halves(test) {
            let compare = match test.is {
                Relation::Equal => equal_or_skip(value, code.len() as u8),
                Relation::Different => different_or_skip(value, code.len() as u8),
            };
            let before = [load(offset)].into_iter().chain((mask != u32::MAX).then(|| and(mask))).chain([compare]);
            code.splice(0..0, before);
        }
    }
    code
}

fn halves(test: &Test) -> impl Iterator<Item = (u32, u32, u32)> {
    let half = |offset, shift: u32| (offset, (test.mask >> shift) as u32, (test.value >> shift) as u32);
    [half(low(test.arg), 0), half(high(test.arg), 32)].into_iter().filter(|(_, mask, _)| *mask != 0)
}
