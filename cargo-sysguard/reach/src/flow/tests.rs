//! Which numbers are known at a syscall, and what makes them unknown.

use super::*;
use crate::image::fixture::{CODE, program};
use crate::program::{Place, Program};

const SYSCALL: [u8; 3] = [0x0f, 0x05, 0xc3];

/// Returns the flow of a program with this code.
fn flow(code: &[u8]) -> Flow {
    let modules = program(code);
    let program = Program::read(&modules).expect("a program");
    Flow::of(&program, Place { module: 0, address: CODE })
}

/// Returns the value of %rax at the only syscall of this code, which a syscall ends.
fn number(code: &[u8]) -> Value {
    let flow = flow(&[code, &SYSCALL].concat());
    assert_eq!(flow.sites.len(), 1, "{flow:?}");
    flow.sites[&(CODE + code.len() as u64)].clone()
}

fn numbers(expected: &[u64]) -> Value {
    Value::of(expected.iter().map(|number| Atom::Number(*number)))
}

#[test]
fn moves_and_arithmetic_are_followed() {
    for (assembly, code, expected) in [
        ("mov $39,%eax", &[0xb8, 0x27, 0, 0, 0][..], &[39][..]),
        ("xor %eax,%eax; mov $60,%al", &[0x31, 0xc0, 0xb0, 0x3c], &[60]),
        ("push $57; pop %rax", &[0x6a, 0x39, 0x58], &[57]),
        ("xor %eax,%eax; sete %al; add $56,%eax", &[0x31, 0xc0, 0x0f, 0x94, 0xc0, 0x83, 0xc0, 0x38], &[56, 57]),
        ("mov $1,%eax; mov $2,%ecx; cmove %ecx,%eax", &[0xb8, 1, 0, 0, 0, 0xb9, 2, 0, 0, 0, 0x0f, 0x44, 0xc1], &[1, 2]),
        ("sbb %eax,%eax; and $2,%eax; add $5,%eax", &[0x19, 0xc0, 0x83, 0xe0, 0x02, 0x83, 0xc0, 0x05], &[5, 7]),
        ("mov $3,%ecx; lea 4(%rcx),%eax", &[0xb9, 3, 0, 0, 0, 0x8d, 0x41, 0x04], &[7]),
        ("or $-1,%eax", &[0x83, 0xc8, 0xff], &[0xffff_ffff]),
    ] {
        let number = number(code);
        let lower = number.map(|number| number & 0xffff_ffff);
        assert_eq!(lower, numbers(expected), "{assembly}");
    }
}

#[test]
fn stack_is_followed() {
    // sub $24,%rsp; movl $39,8(%rsp); mov 8(%rsp),%eax
    let code = [0x48, 0x83, 0xec, 0x18, 0xc7, 0x44, 0x24, 0x08, 39, 0, 0, 0, 0x8b, 0x44, 0x24, 0x08];
    assert_eq!(number(&code), numbers(&[39]));
    // push %rbp; mov %rsp,%rbp; movl $39,-4(%rbp); mov -4(%rbp),%eax
    let code = [0x55, 0x48, 0x89, 0xe5, 0xc7, 0x45, 0xfc, 39, 0, 0, 0, 0x8b, 0x45, 0xfc];
    assert_eq!(number(&code), numbers(&[39]));
}

#[test]
fn call_may_change_stack_that_it_knows() {
    let store = [0x48, 0x83, 0xec, 0x18, 0xc7, 0x44, 0x24, 0x08, 39, 0, 0, 0];
    let (address, call, load) = ([0x48, 0x8d, 0x3c, 0x24], [0xff, 0xd0], [0x8b, 0x44, 0x24, 0x08]);
    // The call through %rax gets the address of the frame, or does not.
    assert_eq!(number(&[&store[..], &address, &call, &load].concat()), Value::Unknown);
    assert_eq!(number(&[&store[..], &call, &load].concat()), numbers(&[39]));
}

#[test]
fn both_ways_of_a_branch_count() {
    // mov $1,%eax; test %edi,%edi; je 1f; mov $2,%eax; 1:
    let code = [0xb8, 1, 0, 0, 0, 0x85, 0xff, 0x74, 0x05, 0xb8, 2, 0, 0, 0];
    assert_eq!(number(&code), numbers(&[1, 2]));
}

#[test]
fn arguments_are_what_the_caller_left() {
    assert_eq!(number(&[0x48, 0x89, 0xf8]), Value::One(Atom::Entry(Slot::Register(7))));
    // mov 8(%rsp),%rax
    assert_eq!(number(&[0x48, 0x8b, 0x44, 0x24, 0x08]), Value::One(Atom::Entry(Slot::Stack(8))));
    // mov 16(%rdi),%eax
    assert_eq!(number(&[0x8b, 0x47, 0x10]), Value::One(Atom::Entry(Slot::Field(7, 16))));
}

#[test]
fn computed_numbers_are_unknown() {
    for code in [
        // imul %rdi,%rax
        &[0x48, 0x0f, 0xaf, 0xc7][..],
        // mov (%rdi,%rsi,8),%rax
        &[0x48, 0x8b, 0x04, 0xf7],
        // mov %fs:8,%rax
        &[0x64, 0x48, 0x8b, 0x04, 0x25, 8, 0, 0, 0],
        // call *%rax
        &[0xff, 0xd0],
    ] {
        assert_eq!(number(code), Value::Unknown, "{code:x?}");
    }
}

#[test]
fn stores_to_computed_places_of_the_frame_count() {
    // movl $39,-16(%rsp), then a store, then mov -16(%rsp),%eax
    let number = |store: &[u8]| {
        let (first, last) = ([0xc7, 0x44, 0x24, 0xf0, 39, 0, 0, 0], [0x8b, 0x44, 0x24, 0xf0]);
        number(&[&first, store, &last].concat())
    };
    assert_eq!(number(&[]), numbers(&[39]));
    for store in [
        // movl $57,-8(%rsp,%rdi,4)
        &[0xc7, 0x44, 0xbc, 0xf8, 57, 0, 0, 0][..],
        // lea -8(%rsp,%rdi,4),%rdx; movl $57,(%rdx)
        &[0x48, 0x8d, 0x54, 0xbc, 0xf8, 0xc7, 0x02, 57, 0, 0, 0],
        // lea -8(%rsp),%rdx; add %rdi,%rdx; movl $57,(%rdx)
        &[0x48, 0x8d, 0x54, 0x24, 0xf8, 0x48, 0x01, 0xfa, 0xc7, 0x02, 57, 0, 0, 0],
        // lea -8(%rsp),%rdx; 1: sub $4,%rdx; movl $57,(%rdx); dec %edi; jne 1b
        &[0x48, 0x8d, 0x54, 0x24, 0xf8, 0x48, 0x83, 0xea, 4, 0xc7, 0x02, 57, 0, 0, 0, 0xff, 0xcf, 0x75, 0xf2],
    ] {
        assert_eq!(number(store), Value::Unknown, "{store:x?}");
    }
    // A difference of places leads nowhere: lea -8(%rsp),%rdx; sub %rdx,%rdi; movl $57,(%rsi)
    assert_eq!(number(&[0x48, 0x8d, 0x54, 0x24, 0xf8, 0x48, 0x29, 0xd7, 0xc7, 0x06, 57, 0, 0, 0]), numbers(&[39]));
}

#[test]
fn code_without_a_way_to_it_knows_nothing() {
    // jmp *%rax; syscall; ret
    let flow = flow(&[0xff, 0xe0, 0x0f, 0x05, 0xc3]);
    assert_eq!(flow.sites[&(CODE + 2)], Value::Unknown);
}

#[test]
fn code_after_a_function_that_never_returns_is_not_entered_from_the_call() {
    // mov $1,%eax; test %edi,%edi; je 1f; call 2f; 1: syscall; ret; 2: ud2
    let code = [0xb8, 1, 0, 0, 0, 0x85, 0xff, 0x74, 0x05, 0xe8, 3, 0, 0, 0, 0x0f, 0x05, 0xc3, 0x0f, 0x0b];
    assert_eq!(flow(&code).sites[&(CODE + 14)], numbers(&[1]));
}

#[test]
fn too_many_possibilities_are_unknown() {
    let many = |count: u64| Value::of((0..count).map(Atom::Number));
    assert!(many(32).atoms().is_some());
    assert_eq!(many(33), Value::Unknown);
    let mut value = many(32);
    assert!(value.join(&Value::number(99)));
    assert_eq!(value, Value::Unknown);
    assert!(!value.join(&Value::number(1)));
}

#[test]
fn call_through_a_register_is_followed() {
    // lea 1f(%rip),%rax; call *%rax; ret; 1: ret
    let code = [0x48, 0x8d, 0x05, 3, 0, 0, 0, 0xff, 0xd0, 0xc3, 0xc3];
    assert_eq!(flow(&code).calls[&(CODE + 7)].targets[0].address - CODE, 10);
}

#[test]
fn address_is_followed_to_where_it_is_lost() {
    let uses = |code: &[u8]| {
        let modules = program(code);
        let program = Program::read(&modules).expect("a program");
        let start = Start { from: From::Caller(Slot::Register(7)), offset: Offset::At(0) };
        Uses::of(&program, Place { module: 0, address: CODE }, start)
    };
    // mov %rdi,%rbx; mov 8(%rbx),%rax; movl $1,4(%rbx); ret
    let code = [0x48, 0x89, 0xfb, 0x48, 0x8b, 0x43, 8, 0xc7, 0x43, 4, 1, 0, 0, 0, 0xc3];
    let found = uses(&code);
    let mut offsets: Vec<(Offset, i64)> = found.accesses.iter().map(|it| (it.offset, it.size)).collect();
    offsets.sort_by_key(|(_, size)| *size);
    assert_eq!((found.lost, offsets), (None, vec![(Offset::At(4), 4), (Offset::At(8), 8)]));
    // call *%rax; ret
    assert_eq!(uses(&[0xff, 0xd0, 0xc3]).lost, Some(CODE));
    // push %rdi; pop %rbx; call *%rbx; ret: the first argument is still the address
    assert_eq!(uses(&[0x57, 0x5b, 0xff, 0xd3, 0xc3]).lost, Some(CODE + 2));
    // push %rdi; pop %rbx; xor %edi,%edi; call *%rbx; ret
    let found = uses(&[0x57, 0x5b, 0x31, 0xff, 0xff, 0xd3, 0xc3]);
    assert_eq!((found.lost, found.called.len()), (None, 1));
    // mov %rdi,(%rsi); ret
    assert_eq!(uses(&[0x48, 0x89, 0x3e, 0xc3]).lost, Some(CODE));
    // mov %rdi,%rax; ret
    assert_eq!(uses(&[0x48, 0x89, 0xf8, 0xc3]).returned, [(0, Offset::At(0))]);
}
