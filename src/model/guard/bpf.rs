//! Classic BPF as seccomp(2) takes it: `struct sock_filter` (include/uapi/linux/filter.h) and the
//! instructions that the filters here use. Main type: [`Instruction`].

use crate::model::kernel::uapi::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_ALLOW,
    SECCOMP_RET_TRACE,
};

/// One BPF instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// The operation.
    pub code: u16,
    /// How many instructions a jump skips if its condition holds.
    pub jt: u8,
    /// How many instructions a jump skips if its condition does not hold.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

pub(super) const STOP: u32 = SECCOMP_RET_TRACE;
pub(super) const PASS: u32 = SECCOMP_RET_ALLOW;

/// The operations of the instructions below.
const LOAD: u16 = BPF_LD | BPF_W | BPF_ABS;
const AND: u16 = BPF_ALU | BPF_AND | BPF_K;
const RETURN: u16 = BPF_RET | BPF_K;
const SKIP: u16 = BPF_JMP | BPF_JA;
const IS_EQUAL: u16 = BPF_JMP | BPF_JEQ | BPF_K;
const IS_AT_LEAST: u16 = BPF_JMP | BPF_JGE | BPF_K;

/// Offsets in `struct seccomp_data`: the number, the architecture, the upper half of the
/// instruction pointer, and the halves of an argument on a little-endian machine.
pub(super) const NUMBER: u32 = 0;
pub(super) const ARCHITECTURE: u32 = 4;
pub(super) const HIGH_INSTRUCTION_POINTER: u32 = 12;
pub(super) const fn low(arg: usize) -> u32 {
    16 + 8 * arg as u32
}
pub(super) const fn high(arg: usize) -> u32 {
    low(arg) + 4
}

const fn instruction(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

pub(super) const fn load(offset: u32) -> Instruction {
    instruction(LOAD, offset)
}

pub(super) const fn and(mask: u32) -> Instruction {
    instruction(AND, mask)
}

pub(super) const fn ret(action: u32) -> Instruction {
    instruction(RETURN, action)
}

pub(super) const fn skip(instructions: u32) -> Instruction {
    instruction(SKIP, instructions)
}

/// Continues if equal, else skips.
pub(super) const fn equal_or_skip(value: u32, instructions: u8) -> Instruction {
    Instruction { code: IS_EQUAL, jt: 0, jf: instructions, k: value }
}

/// Continues if different, else skips.
pub(super) const fn different_or_skip(value: u32, instructions: u8) -> Instruction {
    Instruction { code: IS_EQUAL, jt: instructions, jf: 0, k: value }
}

/// Continues if greater or equal, else skips.
pub(super) const fn at_least_or_skip(value: u32, instructions: u8) -> Instruction {
    Instruction { code: IS_AT_LEAST, jt: 0, jf: instructions, k: value }
}

/// Runs a program and returns its action. This small copy of the kernel's interpreter lets programs
/// be tested on any machine.
#[cfg(test)]
pub(in crate::model) fn run(program: &[Instruction], architecture: u32, number: u32, args: &[u64; 6]) -> u32 {
    run_at(0x40_1000, program, architecture, number, args)
}

/// Runs a program for a call that is made from this address.
#[cfg(test)]
pub(in crate::model) fn run_at(
    address: u64,
    program: &[Instruction],
    architecture: u32,
    number: u32,
    args: &[u64; 6],
) -> u32 {
    let word = |offset: u32| match offset {
        NUMBER => number,
        ARCHITECTURE => architecture,
        HIGH_INSTRUCTION_POINTER => (address >> 32) as u32,
        offset => (args[(offset as usize - 16) / 8] >> (offset % 8 * 8)) as u32,
    };
    let (mut at, mut a) = (0, 0);
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        let jump = |holds: bool| usize::from(if holds { jt } else { jf });
        at += 1 + match code {
            LOAD => {
                a = word(k);
                0
            }
            AND => {
                a &= k;
                0
            }
            SKIP => k as usize,
            IS_EQUAL => jump(a == k),
            IS_AT_LEAST => jump(a >= k),
            RETURN => return k,
            other => panic!("no such instruction: {other:#x}"),
        };
    }
}
