//! Writes and reads a filter as the kernel takes it: `struct sock_filter[]`. Main functions:
//! [`write`] and [`read`].

use std::collections::{BTreeMap, BTreeSet};

use seccompiler::sock_filter;
use sysguard::unstable::model::kernel::syscall::{Abi, Syscall, table};

use super::profile::{Effect, Profile};
use super::{Input, NotWritten};
use crate::filter;
use crate::uapi::{
    BPF_ALU_AND_K, BPF_JMP_JA, BPF_JMP_JEQ_K, BPF_JMP_JGE_K, BPF_JMP_JGT_K, BPF_LD_W_ABS, BPF_RET_K,
    SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ALLOW, SECCOMP_RET_DATA, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS,
    SECCOMP_RET_LOG, SECCOMP_RET_TRAP, X32_SYSCALL_BIT,
};

/// The size of an instruction: include/uapi/linux/filter.h.
const SIZE: usize = 8;

/// Offsets in `struct seccomp_data`: include/uapi/linux/seccomp.h.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

pub(super) fn write(input: &Input<'_>) -> Result<Vec<u8>, NotWritten> {
    let bytes = |instruction: sock_filter| {
        let sock_filter { code, jt, jf, k } = instruction;
        // Every supported architecture is little-endian.
        let ([low, high], [a, b, c, d]) = (code.to_le_bytes(), k.to_le_bytes());
        [low, high, jt, jf, a, b, c, d]
    };
    Ok(filter::program(input.policy)?.into_iter().flat_map(bytes).collect())
}

/// Returns the architecture as rustc names it.
pub(super) fn target_arch(abi: Abi) -> &'static str {
    match abi {
        Abi::I386 => "x86",
        Abi::X32 => "x86_64",
        other => other.name(),
    }
}

/// Returns whether this may be a program: it begins by loading the architecture or the number.
pub(super) fn is_program(content: &[u8]) -> bool {
    content.len().is_multiple_of(SIZE)
        && matches!(
            instructions(content).first(),
            Some(sock_filter { code: BPF_LD_W_ABS, k: NUMBER | ARCHITECTURE, .. })
        )
}

fn instructions(content: &[u8]) -> Vec<sock_filter> {
    let words = content.chunks_exact(SIZE);
    let instruction = |word: &[u8]| sock_filter {
        code: u16::from_le_bytes([word[0], word[1]]),
        jt: word[2],
        jf: word[3],
        k: u32::from_le_bytes([word[4], word[5], word[6], word[7]]),
    };
    words.map(instruction).collect()
}

pub(super) fn read(content: &[u8]) -> Result<Profile, String> {
    match content.len().is_multiple_of(SIZE) {
        true => read_program(&instructions(content)),
        false => Err(format!("its size is no multiple of {SIZE} bytes")),
    }
}

/// Returns what a program does with each call of its architecture.
pub(super) fn read_program(program: &[sock_filter]) -> Result<Profile, String> {
    let mut architectures = program.windows(2).filter_map(|pair| match pair {
        [sock_filter { code: BPF_LD_W_ABS, k: ARCHITECTURE, .. }, sock_filter { code: BPF_JMP_JEQ_K, k, .. }] => {
            Some(*k)
        }
        _ => None,
    });
    let architecture = architectures.next().ok_or("it does not compare the architecture")?;
    let known = |number: u32| Syscall::from_kernel(architecture, number.into());
    let native = known(0).ok_or("its architecture is not known")?.abi;
    /// No table has this number, and bit 30 is not set.
    const UNUSED: u32 = 0x3fff_ffff;
    let otherwise = Reached::of(program, architecture, UNUSED, None)?.effects;
    let otherwise = match otherwise.into_iter().collect::<Vec<_>>()[..] {
        [action] => action,
        _ => return Err("it tests registers of every call".to_owned()),
    };
    let mut profile = Profile::new(effect(otherwise));
    profile.settings.insert("architectures".to_owned(), native.name().to_owned());
    let abis = Abi::ALL.into_iter().filter(|abi| *abi == native || (*abi == Abi::X32 && native == Abi::X86_64));
    for abi in abis {
        /// Beyond every number that a kernel has given so far.
        const NUMBERS: u32 = 1024;
        let bit = if abi == Abi::X32 { X32_SYSCALL_BIT as u32 } else { 0 };
        let unnamed = (0..NUMBERS).chain(table::rows(abi).iter().map(|row| row.number));
        for number in unnamed.collect::<BTreeSet<_>>() {
            let Reached { effects, code } = Reached::of(program, architecture, number | bit, Some(otherwise))?;
            let syscall = Syscall { abi, number: number.into() };
            let name = if abi == native { syscall.name().into_owned() } else { format!("{abi}:{syscall}") };
            let tests = if effects.len() > 1 { vec![code] } else { Vec::new() };
            for action in effects.into_iter().filter(|action| *action != otherwise) {
                profile.add(&name, effect(action), tests.clone());
            }
        }
    }
    Ok(profile)
}

fn effect(action: u32) -> Effect {
    match action & SECCOMP_RET_ACTION_FULL {
        SECCOMP_RET_ALLOW => Effect::Allow,
        SECCOMP_RET_ERRNO => Effect::Errno(action & SECCOMP_RET_DATA),
        SECCOMP_RET_KILL_PROCESS => Effect::Kill,
        SECCOMP_RET_LOG => Effect::Log,
        SECCOMP_RET_TRAP => Effect::Trap,
        _ => Effect::Other(format!("{action:#x}")),
    }
}

/// What a program can do with a call of one number.
#[derive(Debug, Default)]
struct Reached {
    /// The actions, as the program returns them.
    effects: BTreeSet<u32>,
    /// The instructions that test registers, as text. Programs with the same tests have the same
    /// text, wherever the instructions are.
    code: String,
}

/// The accumulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Accumulator {
    Known(u32),
    Word { offset: u32, mask: u32 },
}

impl Reached {
    /// Follows a program with a known architecture and number, and unknown registers. The text
    /// names the action of other calls without its value.
    fn of(program: &[sock_filter], architecture: u32, number: u32, otherwise: Option<u32>) -> Result<Self, String> {
        let mut reached = Self::default();
        // Places with their number in the text. A place is reached with few accumulators.
        let mut places: BTreeMap<(usize, Accumulator), usize> = BTreeMap::new();
        let mut left = vec![(0, Accumulator::Known(0))];
        while let Some((mut at, mut a)) = left.pop() {
            loop {
                let sock_filter { code, jt, jf, k } = program.get(at).cloned().ok_or("it ends without an action")?;
                at += 1;
                match (code, a) {
                    (BPF_LD_W_ABS, _) => {
                        a = match k {
                            NUMBER => Accumulator::Known(number),
                            ARCHITECTURE => Accumulator::Known(architecture),
                            offset => Accumulator::Word { offset, mask: u32::MAX },
                        };
                    }
                    (BPF_ALU_AND_K, Accumulator::Known(value)) => a = Accumulator::Known(value & k),
                    (BPF_ALU_AND_K, Accumulator::Word { offset, mask }) => {
                        a = Accumulator::Word { offset, mask: mask & k };
                    }
                    (BPF_JMP_JA, _) => at += k as usize,
                    (BPF_RET_K, _) => {
                        reached.effects.insert(k);
                        let action = if Some(k) == otherwise { "other".to_owned() } else { format!("{k:#x}") };
                        reached.code.push_str(&format!("return {action};"));
                        break;
                    }
                    (BPF_JMP_JEQ_K | BPF_JMP_JGT_K | BPF_JMP_JGE_K, Accumulator::Known(value)) => {
                        let holds = match code {
                            BPF_JMP_JEQ_K => value == k,
                            BPF_JMP_JGT_K => value > k,
                            _ => value >= k,
                        };
                        at += usize::from(if holds { jt } else { jf });
                    }
                    (BPF_JMP_JEQ_K | BPF_JMP_JGT_K | BPF_JMP_JGE_K, Accumulator::Word { offset, mask }) => {
                        let next = places.len();
                        let place = *places.entry((at, a)).or_insert(next);
                        reached.code.push_str(&format!("{place}:"));
                        if place < next {
                            break;
                        }
                        reached.code.push_str(&format!("{code:#x} {offset} {mask:#x} {k:#x};"));
                        left.push((at + usize::from(jf), a));
                        at += usize::from(jt);
                    }
                    _ => return Err(format!("it has the instruction {code:#x}, which no filter here has")),
                }
            }
        }
        Ok(reached)
    }
}
