//! ELF files for tests: programs of a few instructions.

use std::path::PathBuf;

use crate::result::{Module, Origin};

/// Where the code of [`program`] starts.
pub(crate) const CODE: u64 = 0x40_0078;

/// Returns a static program with this code at [`CODE`], which is its entry point.
pub(crate) fn program(code: &[u8]) -> Vec<Module> {
    vec![Module { path: PathBuf::from("program"), bytes: elf(2, 62, 2, code).into(), origin: Origin::Program }]
}

/// Returns an ELF file of this class, machine and kind, elf(5), with one segment.
pub(crate) fn elf(class: u8, machine: u16, kind: u16, code: &[u8]) -> Vec<u8> {
    let mut file = vec![0x7f, b'E', b'L', b'F', class, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend(kind.to_le_bytes());
    file.extend(machine.to_le_bytes());
    file.extend(1u32.to_le_bytes());
    // Entry point, program headers, no section headers.
    for word in [CODE, 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend(0u32.to_le_bytes());
    for half in [64u16, 56, 1, 64, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    // PT_LOAD, readable and executable.
    file.extend(1u32.to_le_bytes());
    file.extend(5u32.to_le_bytes());
    let size = 0x78 + code.len() as u64;
    for word in [0, 0x40_0000, 0x40_0000, size, size, 0x1000] {
        file.extend(u64::to_le_bytes(word));
    }
    file.extend(code);
    file
}
