//! Which instructions belong to a function.

use super::*;
use crate::image::fixture::{CODE, program};

/// Returns the addresses of the instructions of a function with this code, less that of the first.
fn starts(bytes: &[u8]) -> Vec<u64> {
    starts_in(bytes, true)
}

/// Returns the same for code that a symbol says is a function, or that nothing says it of.
fn starts_in(bytes: &[u8], is_function: bool) -> Vec<u64> {
    let modules = program(bytes);
    let mut image = Image::read(&modules[0]).expect("a program");
    if is_function {
        image.functions.push(CODE..CODE + bytes.len() as u64);
    }
    let code = Code::decode(&image, CODE..CODE + bytes.len() as u64).expect("code");
    assert_eq!(code.undecodable, [0; 0]);
    let mut starts: Vec<u64> = code.instructions.iter().map(|it| it.ip() - CODE).collect();
    starts.sort_unstable();
    starts
}

#[test]
fn padding_after_a_jump_is_no_code() {
    // jmp 1f; nopw; 1: ret; int3
    assert_eq!(starts(&[0xeb, 0x06, 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00, 0xc3, 0xcc]), [0, 8]);
}

#[test]
fn code_that_no_jump_leads_to_is_found() {
    // ret; nop; xor %eax,%eax; ret
    assert_eq!(starts(&[0xc3, 0x90, 0x31, 0xc0, 0xc3]), [0, 2, 4]);
}

#[test]
fn unnamed_code_ends_where_no_jump_leads() {
    // ret; nop; xor %eax,%eax; ret
    assert_eq!(starts_in(&[0xc3, 0x90, 0x31, 0xc0, 0xc3], false), [0]);
    // jmp *%rax; xor %eax,%eax; ret
    assert_eq!(starts_in(&[0xff, 0xe0, 0x31, 0xc0, 0xc3], false), [0, 2, 4]);
}

#[test]
fn data_after_a_jump_does_not_hide_the_target() {
    // jmp 1f; a byte that starts a long instruction; 1: ret
    assert_eq!(starts(&[0xeb, 0x01, 0xb8, 0xc3]), [0, 3]);
}

#[test]
fn code_may_jump_over_a_prefix() {
    // je 1f; lock; 1: addl $1,(%rdi); ret
    assert_eq!(starts(&[0x74, 0x01, 0xf0, 0x83, 0x07, 0x01, 0xc3]), [0, 2, 3, 6]);
}

#[test]
fn undecodable_code_is_reported_where_it_is_reached() {
    // xor %eax,%eax; an invalid opcode in 64-bit code
    let bytes = [0x31, 0xc0, 0x06];
    let modules = program(&bytes);
    let image = Image::read(&modules[0]).expect("a program");
    let code = Code::decode(&image, CODE..CODE + 3).expect("code");
    assert_eq!(code.undecodable, [CODE + 2]);
}

#[test]
fn table_of_addresses_is_followed() {
    // jmp *table(,%rdi,8); ret; ret; table: the two addresses
    let mut bytes = vec![0xff, 0x24, 0xfd];
    let table = u32::try_from(CODE + 9).expect("a low address");
    bytes.extend(table.to_le_bytes());
    bytes.extend([0xc3, 0xc3]);
    bytes.extend((CODE + 7).to_le_bytes());
    bytes.extend((CODE + 8).to_le_bytes());
    let modules = program(&bytes);
    let image = Image::read(&modules[0]).expect("a program");
    let code = Code::decode(&image, CODE..CODE + 9).expect("code");
    assert_eq!(code.tables[&CODE], [CODE + 7, CODE + 8]);
    assert_eq!(code.jumps, [0; 0]);
}

#[test]
fn unknown_jump_is_reported() {
    // jmp *%rax
    let modules = program(&[0xff, 0xe0]);
    let image = Image::read(&modules[0]).expect("a program");
    let code = Code::decode(&image, CODE..CODE + 2).expect("code");
    assert_eq!(code.jumps, [CODE]);
}
