//! What the code of a function refers to, whatever values it works with. Main type: [`Body`].

use iced_x86::{Code as Opcode, Instruction, Mnemonic, OpKind, Register};

use super::{Code, Next};
use crate::image::Image;

/// The references of a function. Each has the address of its instruction first.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// Addresses that are called, or jumped to outside the function.
    pub(crate) calls: Vec<(u64, u64)>,
    /// Words that hold the address of what is called or jumped to.
    pub(crate) through: Vec<(u64, u64)>,
    /// Words of the linker that are read.
    pub(crate) loads: Vec<(u64, u64)>,
    /// Addresses of code or data that are computed, or data that is read or written.
    pub(crate) refers: Vec<(u64, u64)>,
    /// Instructions that make a syscall.
    pub(crate) sites: Vec<Site>,
    /// The last instruction, if code goes on from it past the end.
    pub(crate) falls: Option<u64>,
    /// Where instructions should be, but cannot be decoded.
    pub(crate) undecodable: Vec<u64>,
}

/// An instruction that makes a syscall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Site {
    /// Its address.
    pub(crate) at: u64,
    /// Set if it has the convention of 32-bit programs.
    pub(crate) is_compatibility: bool,
}

impl Site {
    /// Returns the site that an instruction is.
    pub(crate) fn of(instruction: &Instruction) -> Option<Self> {
        let is_compatibility = match instruction.code() {
            Opcode::Syscall => false,
            Opcode::Sysenter => true,
            Opcode::Int_imm8 if instruction.immediate8() == 0x80 => true,
            _ => return None,
        };
        Some(Self { at: instruction.ip(), is_compatibility })
    }
}

impl Body {
    /// Returns the references of a function.
    pub(crate) fn of(image: &Image<'_>, code: &Code) -> Self {
        let mut body = Self { undecodable: code.undecodable.clone(), ..Self::default() };
        for instruction in &code.instructions {
            let at = instruction.ip();
            body.sites.extend(Site::of(instruction));
            match Next::of(instruction) {
                Next::Call(target) => body.calls.push((at, target)),
                Next::Jump(target) | Next::Branch(target) if !code.range.contains(&target) => {
                    body.calls.push((at, target));
                }
                Next::JumpThrough => {
                    let targets = code.tables.get(&at).into_iter().flatten();
                    body.calls.extend(targets.filter(|it| !code.range.contains(it)).map(|target| (at, *target)));
                }
                _ => {}
            }
            let has_next = !matches!(Next::of(instruction), Next::End | Next::Jump(_) | Next::JumpThrough);
            if has_next && instruction.next_ip() == code.range.end && !is_last_of_program(instruction) {
                body.falls = Some(at);
            }
            body.add_operands(image, instruction);
        }
        body
    }

    fn add_operands(&mut self, image: &Image<'_>, instruction: &Instruction) {
        let at = instruction.ip();
        let is_transfer = matches!(Next::of(instruction), Next::CallThrough | Next::JumpThrough);
        if instruction.is_ip_rel_memory_operand() {
            let address = instruction.ip_rel_memory_address();
            if is_transfer {
                self.through.push((at, address));
                if !image.is_linker_word(address) {
                    self.refers.push((at, address));
                }
            } else if instruction.mnemonic() != Mnemonic::Lea && image.is_linker_word(address) {
                self.loads.push((at, address));
            } else if instruction.mnemonic() == Mnemonic::Lea || !image.is_code(address) {
                // What an instruction reads from among code is data.
                self.refers.push((at, address));
            }
        } else if !image.is_relocatable {
            if let Some(address) = fixed_address(instruction)
                && (image.is_data(address) || image.is_plausible_pointer(address))
            {
                if is_transfer && instruction.memory_index() == Register::None {
                    self.through.push((at, address));
                }
                self.refers.push((at, address));
            }
            let immediates = (0..instruction.op_count()).filter(|operand| {
                let kind = instruction.op_kind(*operand);
                matches!(kind, OpKind::Immediate32 | OpKind::Immediate32to64 | OpKind::Immediate64)
            });
            let values = immediates.map(|operand| instruction.immediate(operand));
            self.refers.extend(values.filter(|it| image.is_plausible_pointer(*it)).map(|value| (at, value)));
        }
    }
}

/// Returns the address within a memory operand, for a file that is loaded at a fixed address.
fn fixed_address(instruction: &Instruction) -> Option<u64> {
    let has_memory = (0..instruction.op_count()).any(|operand| instruction.op_kind(operand) == OpKind::Memory);
    let is_thread_local = matches!(instruction.segment_prefix(), Register::FS | Register::GS);
    let is_wide = instruction.memory_displ_size() >= 4;
    (has_memory && is_wide && !is_thread_local).then(|| instruction.memory_displacement64())
}

/// Returns whether an instruction is put at the end of functions that do not return.
fn is_last_of_program(instruction: &Instruction) -> bool {
    matches!(instruction.mnemonic(), Mnemonic::Nop | Mnemonic::Int)
}
