//! The instructions of a function, found by following its jumps. Main type: [`Code`].

mod body;
mod jumps;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};

pub(crate) use body::{Body, Site};

use crate::image::Image;

/// The instructions of a function, or of code from some address to the end of its function.
#[derive(Debug)]
pub(crate) struct Code {
    /// Its addresses. It is entered at the first one.
    pub(crate) range: Range<u64>,
    /// In the order in which they were found. They may overlap: code may jump over a prefix.
    pub(crate) instructions: Vec<Instruction>,
    /// One more than the index of the instruction at each byte.
    starts: Vec<u32>,
    /// Bytes of instructions and of padding.
    covered: Vec<bool>,
    /// Where jumps through a table go, by the address of the jump.
    pub(crate) tables: HashMap<u64, Vec<u64>>,
    /// Jumps through a register or memory with unknown targets. Most of them are calls that do not
    /// come back.
    pub(crate) jumps: Vec<u64>,
    /// Where a jump or the instruction before leads, but no instruction is.
    pub(crate) undecodable: Vec<u64>,
    /// The addresses of its instructions, decoded one after the other: ordered, once asked for.
    linear: OnceCell<Vec<u64>>,
}

/// What follows an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next instruction, or that of this address.
    Branch(u64),
    /// The instruction of this address.
    Jump(u64),
    /// The next instruction, after a call of this address.
    Call(u64),
    /// The next instruction, after a call through a register or memory.
    CallThrough,
    /// A jump through a register or memory.
    JumpThrough,
    /// Nothing: the function returns or stops.
    End,
    /// The next instruction.
    Step,
}

impl Next {
    /// Returns what follows an instruction.
    pub(crate) fn of(instruction: &Instruction) -> Self {
        let is_near = matches!(instruction.op0_kind(), OpKind::NearBranch64);
        match instruction.flow_control() {
            FlowControl::ConditionalBranch | FlowControl::XbeginXabortXend if is_near => {
                Self::Branch(instruction.near_branch_target())
            }
            FlowControl::UnconditionalBranch if is_near => Self::Jump(instruction.near_branch_target()),
            FlowControl::Call if is_near => Self::Call(instruction.near_branch_target()),
            FlowControl::IndirectCall => Self::CallThrough,
            FlowControl::IndirectBranch => Self::JumpThrough,
            FlowControl::Return | FlowControl::Exception => Self::End,
            _ if matches!(instruction.mnemonic(), Mnemonic::Hlt | Mnemonic::Int3) => Self::End,
            // `syscall` is a call for the decoder, too.
            _ => Self::Step,
        }
    }
}

impl Code {
    /// Decodes a function. `None` if the file does not hold it.
    ///
    /// Code of a function that no jump leads to is decoded, too: exceptions lead there, and tables
    /// of jumps that are not understood. Padding is left out.
    pub(crate) fn decode(image: &Image<'_>, range: Range<u64>) -> Option<Self> {
        let (mut code, mut decoder) = Self::followed(image, range.clone())?;
        // Where nothing says that there is a function, the rest may be data. A jump that is not
        // known may lead to it.
        if !image.is_function(range.start) && code.jumps.is_empty() {
            return Some(code);
        }
        let mut next = 0;
        while let Some(gap) = code.covered.get(next..).and_then(|rest| rest.iter().position(|covered| !covered)) {
            next += gap;
            match decode_at(&mut decoder, range.start, next) {
                Some(instruction) if !is_padding(&instruction) => {
                    code.follow(image, &mut decoder, range.start + next as u64, true);
                }
                Some(padding) => code.cover(next, padding.len()),
                None => code.cover(next, 1),
            }
        }
        Some(code)
    }

    /// Decodes what the start of a range leads to. Also returns a decoder of the range.
    fn followed<'d>(image: &Image<'d>, range: Range<u64>) -> Option<(Self, Decoder<'d>)> {
        let bytes = image.bytes(range.start, range.end - range.start)?;
        let mut code = Self {
            range: range.start..range.start + bytes.len() as u64,
            instructions: Vec::new(),
            starts: vec![0; bytes.len()],
            covered: vec![false; bytes.len()],
            tables: HashMap::new(),
            jumps: Vec::new(),
            undecodable: Vec::new(),
            linear: OnceCell::new(),
        };
        let mut decoder = Decoder::with_ip(64, bytes, range.start, DecoderOptions::NONE);
        code.follow(image, &mut decoder, range.start, false);
        Some((code, decoder))
    }

    /// Returns whether data starts at an address that is in no function: code from there on leads
    /// to what cannot be decoded, or to where no code is.
    pub(crate) fn is_data(image: &Image<'_>, address: u64) -> bool {
        let (mut open, mut seen) = (vec![address], HashSet::from([address]));
        while let Some(range) = open.pop().and_then(|address| image.function(address)) {
            let Some((code, _)) = Self::followed(image, range) else { return false };
            if !code.undecodable.is_empty() {
                return true;
            }
            for instruction in &code.instructions {
                let (Next::Call(target) | Next::Jump(target) | Next::Branch(target)) = Next::of(instruction) else {
                    continue;
                };
                if !image.is_code(target) {
                    return true;
                }
                let is_outside = !code.range.contains(&target) && !image.is_function(target) && !image.is_stub(target);
                if is_outside && seen.insert(target) {
                    open.push(target);
                }
            }
        }
        false
    }

    /// Returns the instruction at an address.
    pub(crate) fn at(&self, address: u64) -> Option<&Instruction> {
        self.index(address).map(|index| &self.instructions[index])
    }

    /// Returns the index of the instruction at an address.
    pub(crate) fn index(&self, address: u64) -> Option<usize> {
        let offset = usize::try_from(address.checked_sub(self.range.start)?).ok()?;
        (*self.starts.get(offset)? as usize).checked_sub(1)
    }

    /// Returns the instruction that ends where this one starts.
    pub(crate) fn before(&self, address: u64) -> Option<&Instruction> {
        /// The longest instruction, in bytes.
        const LONGEST: u64 = 15;
        let candidates = (1..=LONGEST).filter_map(|length| self.at(address.checked_sub(length)?));
        candidates.into_iter().find(|instruction| instruction.next_ip() == address)
    }

    /// Follows code from an address on. In a gap, which may hold data, bytes that are no
    /// instruction are no fault.
    fn follow(&mut self, image: &Image<'_>, decoder: &mut Decoder<'_>, from: u64, is_gap: bool) {
        let mut open = vec![from];
        while let Some(mut at) = open.pop() {
            while self.range.contains(&at) && self.index(at).is_none() {
                let offset = (at - self.range.start) as usize;
                let Some(instruction) = decode_at(decoder, self.range.start, offset) else {
                    if !is_gap {
                        self.undecodable.push(at);
                    }
                    self.cover(offset, 1);
                    break;
                };
                self.cover(offset, instruction.len());
                self.instructions.push(instruction);
                self.starts[offset] = self.instructions.len() as u32;
                match Next::of(&instruction) {
                    Next::End => break,
                    Next::Jump(target) => at = target,
                    Next::Branch(target) => {
                        open.push(target);
                        at = instruction.next_ip();
                    }
                    Next::JumpThrough => {
                        match jumps::targets(image, self, &instruction) {
                            Some(targets) => {
                                open.extend(&targets);
                                self.tables.insert(at, targets);
                            }
                            None => self.jumps.push(at),
                        }
                        break;
                    }
                    Next::Call(_) | Next::CallThrough | Next::Step => at = instruction.next_ip(),
                }
            }
        }
    }

    fn cover(&mut self, offset: usize, length: usize) {
        let end = (offset + length).min(self.covered.len());
        self.covered[offset..end].fill(true);
    }
}

/// Decodes the instruction at an offset of code that starts at an address.
fn decode_at(decoder: &mut Decoder<'_>, start: u64, offset: usize) -> Option<Instruction> {
    decoder.set_position(offset).ok()?;
    decoder.set_ip(start + offset as u64);
    let instruction = decoder.decode();
    (!instruction.is_invalid()).then_some(instruction)
}

/// Returns whether an instruction fills the space between code.
pub(crate) fn is_padding(instruction: &Instruction) -> bool {
    matches!(instruction.mnemonic(), Mnemonic::Nop | Mnemonic::Int3 | Mnemonic::Hlt | Mnemonic::Fnop)
}

#[cfg(test)]
mod tests;
