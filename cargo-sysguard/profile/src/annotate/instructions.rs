//! Decodes machine code. Main function: [`decode`].

use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter};

/// An instruction's address and text.
pub(super) type Decoded = (u64, String);

/// The processors of programs and kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Processor {
    /// x86 with this number of bits.
    X86(u32),
    /// A processor without a decoder here.
    Other,
}

impl Processor {
    /// Returns the processor of this machine.
    pub(super) const fn own() -> Self {
        if cfg!(target_arch = "x86_64") { Self::X86(64) } else { Self::Other }
    }

    /// Returns the processor of an ELF file.
    pub(super) fn of(file: &object::File<'_>) -> Self {
        match object::Object::architecture(file) {
            object::Architecture::X86_64 => Self::X86(64),
            object::Architecture::I386 => Self::X86(32),
            _ => Self::Other,
        }
    }
}

/// Returns the instructions of a function that starts at this address.
pub(super) fn decode(processor: Processor, code: &[u8], address: u64) -> Result<Vec<Decoded>, String> {
    let Processor::X86(bits) = processor else {
        return Err("only instructions of x86 processors can be decoded".to_owned());
    };
    let mut formatter = GasFormatter::new();
    let options = formatter.options_mut();
    options.set_space_after_operand_separator(true);
    options.set_branch_leading_zeros(false);
    options.set_uppercase_hex(false);
    let decoder = Decoder::with_ip(bits, code, address, DecoderOptions::NONE);
    let decoded = decoder.into_iter().map(|instruction| {
        let mut text = String::new();
        formatter.format(&instruction, &mut text);
        (instruction.ip(), text)
    });
    Ok(decoded.collect())
}

/// Returns each instruction with its samples, including those at addresses within it.
pub(super) fn with_samples(
    decoded: Vec<Decoded>,
    samples: &std::collections::BTreeMap<u64, u64>,
) -> Vec<(u64, String, u64)> {
    let ends: Vec<u64> = decoded.iter().skip(1).map(|(address, _)| *address).chain([u64::MAX]).collect();
    let count = |start: u64, end: u64| samples.range(start..end).map(|(_, count)| count).sum();
    decoded.into_iter().zip(ends).map(|((start, text), end)| (start, text, count(start, end))).collect()
}
