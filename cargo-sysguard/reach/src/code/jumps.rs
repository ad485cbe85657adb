//! Where a jump through a table of addresses goes. Main function: [`targets`].
//!
//! Compilers make such tables of `switch` and `match`. An entry is an address, or the distance from
//! the start of the table to it.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::Code;
use crate::image::{Image, Target};

/// How many instructions before the jump are looked at.
const WINDOW: usize = 32;

/// The most entries of a table.
const MOST: u64 = 4096;

/// A table of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Table {
    /// Where it starts.
    start: u64,
    /// What is added to each entry. Without it, an entry is a whole address.
    base: Option<u64>,
}

/// Returns the targets of a jump through a register or memory, if the instructions before it say
/// which table it uses. There is at least one.
pub(super) fn targets(image: &Image<'_>, code: &Code, jump: &Instruction) -> Option<Vec<u64>> {
    let before = window(code, jump.ip());
    let (table, index) = table(code, &before, jump)?;
    let bound = bound(&before, index);
    let mut targets = Vec::new();
    for index in 0..bound.unwrap_or(MOST).min(MOST) {
        let Some(target) = table.entry(image, index) else { break };
        // Without a comparison with the number of entries, the first entry that is no instruction
        // of the function ends the table. Otherwise, code that seldom runs may be outside.
        let is_plausible = if bound.is_some() { image.is_code(target) } else { is_start(image, code, target) };
        if !is_plausible {
            break;
        }
        targets.push(target);
    }
    targets.sort_unstable();
    targets.dedup();
    (!targets.is_empty()).then_some(targets)
}

impl Table {
    fn entry(self, image: &Image<'_>, index: u64) -> Option<u64> {
        let Some(base) = self.base else {
            let at = self.start.checked_add(index * 8)?;
            return match image.pointers.at(at) {
                Some(Target::Address(target)) => Some(target),
                Some(_) => None,
                None => image.word(at).filter(|target| !image.is_relocatable && *target != 0),
            };
        };
        let bytes = image.bytes(self.start.checked_add(index * 4)?, 4)?;
        let distance = i32::from_le_bytes(bytes.try_into().ok()?);
        Some(base.wrapping_add_signed(distance.into()))
    }
}

/// Returns the instructions before an address, the nearest first.
fn window(code: &Code, mut address: u64) -> Vec<&Instruction> {
    let mut found = Vec::new();
    while let Some(instruction) = code.before(address).filter(|_| found.len() < WINDOW) {
        found.push(instruction);
        address = instruction.ip();
    }
    found
}

/// Returns whether an instruction is at an address if the function is decoded without jumps.
fn is_start(image: &Image<'_>, code: &Code, address: u64) -> bool {
    let starts = code.linear.get_or_init(|| {
        let bytes = image.bytes(code.range.start, code.range.end - code.range.start).unwrap_or_default();
        let decoder = Decoder::with_ip(64, bytes, code.range.start, DecoderOptions::NONE);
        decoder.into_iter().filter(|it| !it.is_invalid()).map(|it| it.ip()).collect()
    });
    starts.binary_search(&address).is_ok()
}

/// Finds the table of a jump, and the register with the index.
fn table(code: &Code, before: &[&Instruction], jump: &Instruction) -> Option<(Table, Register)> {
    if jump.op0_kind() == OpKind::Memory {
        return whole(code, before, jump);
    }
    let register = jump.op0_register();
    // What the register was set to: `mov (table,index,8), register` or `add base, register`.
    let (place, setter) = before.iter().enumerate().find(|(_, it)| writes(it, register))?;
    let before = &before[place + 1..];
    if setter.mnemonic() == Mnemonic::Mov && setter.op1_kind() == OpKind::Memory {
        return whole(code, before, setter);
    }
    if setter.mnemonic() != Mnemonic::Add || setter.op1_kind() != OpKind::Register {
        return None;
    }
    let parts = [register, setter.op1_register()];
    let is_entry = |it: &&Instruction| it.mnemonic() == Mnemonic::Movsxd && it.op1_kind() == OpKind::Memory;
    let (place, entry) =
        before.iter().enumerate().find(|(_, it)| is_entry(it) && parts.contains(&it.op0_register()))?;
    let start = address(code, &before[place + 1..], entry)?;
    let other = if entry.op0_register() == parts[0] { parts[1] } else { parts[0] };
    let base = loaded(code, before, other).unwrap_or(start);
    Some((Table { start, base: Some(base) }, entry.memory_index()))
}

/// Returns the table of whole addresses that a memory operand reads.
fn whole(code: &Code, before: &[&Instruction], reader: &Instruction) -> Option<(Table, Register)> {
    if reader.memory_index_scale() != 8 || reader.memory_index() == Register::None {
        return None;
    }
    Some((Table { start: address(code, before, reader)?, base: None }, reader.memory_index()))
}

/// Returns the address of a memory operand, for an index of 0.
fn address(code: &Code, before: &[&Instruction], reader: &Instruction) -> Option<u64> {
    let displacement = reader.memory_displacement64();
    match reader.memory_base() {
        Register::None => Some(displacement),
        base => Some(loaded(code, before, base)?.wrapping_add(displacement)),
    }
}

/// Returns the address that was last loaded into a register. A loop may load it far before.
fn loaded(code: &Code, before: &[&Instruction], register: Register) -> Option<u64> {
    let value = |it: &Instruction| {
        let is_load = it.mnemonic() == Mnemonic::Lea && it.is_ip_rel_memory_operand();
        let is_fixed = it.mnemonic() == Mnemonic::Mov && it.op1_kind() == OpKind::Immediate32;
        (is_load).then(|| it.ip_rel_memory_address()).or_else(|| is_fixed.then(|| it.immediate(1)))
    };
    if let Some(setter) = before.iter().find(|it| writes(it, register)) {
        return value(setter);
    }
    let end = before.last().map_or(u64::MAX, |first| first.ip());
    let loads = code.instructions.iter().filter(|it| it.ip() < end && writes(it, register) && value(it).is_some());
    value(loads.max_by_key(|it| it.ip())?)
}

/// Returns whether the first operand is this register, or a part of it.
fn writes(instruction: &Instruction, register: Register) -> bool {
    instruction.op0_kind() == OpKind::Register
        && instruction.op0_register().full_register() == register.full_register()
        && !matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Push)
}

/// Returns the number of entries, if the index is compared with it before.
///
/// The comparison is the nearest one by address, and may be another one's. Targets beyond it are
/// then missed as such, but their code is decoded as all code of the function is, and entered in an
/// unknown state. So only what this jump brings to a label with another known way to it is missed.
fn bound(before: &[&Instruction], index: Register) -> Option<u64> {
    let is_branch = |it: &&Instruction| matches!(it.mnemonic(), Mnemonic::Ja | Mnemonic::Jae);
    let (place, branch) = before.iter().enumerate().find(|(_, it)| is_branch(it))?;
    let compare = before[place + 1..].iter().take(3).find(|it| it.mnemonic() == Mnemonic::Cmp)?;
    let is_index =
        compare.op0_kind() == OpKind::Register && compare.op0_register().full_register() == index.full_register();
    // Between comparison and jump, the index may only be widened.
    let is_kept = before[..place].iter().all(|it| !writes(it, index) || is_widening(it, index));
    let is_number = !matches!(compare.op1_kind(), OpKind::Register | OpKind::Memory);
    let last = (is_index && is_kept && is_number).then(|| compare.immediate(1))?;
    Some(if branch.mnemonic() == Mnemonic::Ja { last.checked_add(1)? } else { last })
}

/// Returns whether an instruction moves a part of a register to the whole.
fn is_widening(instruction: &Instruction, register: Register) -> bool {
    matches!(instruction.mnemonic(), Mnemonic::Mov | Mnemonic::Movzx | Mnemonic::Movsxd)
        && instruction.op1_kind() == OpKind::Register
        && instruction.op1_register().full_register() == register.full_register()
}
