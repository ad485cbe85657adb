//! Tests of what is read to name an argument, by call, ABI and object.

use std::collections::BTreeMap;

use super::*;
use crate::model::attribution::objects::Object;
use crate::model::kernel::syscall::Syscall;

fn call(abi: Abi, name: &str, args: &[u64]) -> Call {
    let args = std::array::from_fn(|at| args.get(at).copied().unwrap_or(0));
    Call { syscall: Syscall::from_name(abi, name).expect(name), args, instruction_pointer: 0 }
}

fn socket(family: u32, kind: u32) -> Answer {
    Answer::Object(Object::socket(family, kind, 0))
}

/// Memory at fixed addresses.
fn answered(call: &Call, memory: &Memory, object: &Answer, parts: &BTreeMap<u64, Vec<u8>>) -> String {
    let Some(ArgumentQuestion::Addresses(question)) = question(call, memory, object) else { return "-".to_owned() };
    let read = |at: u64, buffer: &mut [u8]| {
        let found = parts.get(&at).filter(|bytes| bytes.len() >= buffer.len());
        found.inspect(|bytes| buffer.copy_from_slice(&bytes[..buffer.len()])).is_some()
    };
    match question.addresses(object.as_object().map(|object| &object.kind), read) {
        Ok(answer) => answer.argument().text().map_or("none".to_owned(), |text| text.into_owned()),
        Err(at) => format!("unread {at:#x}"),
    }
}

fn inet(last: [u8; 4]) -> Vec<u8> {
    [&[2, 0, 0, 53][..], &last, &[0; 8]].concat()
}

/// A `struct msghdr` with this name, and the count behind it.
fn header(word: usize, name: u64, length: u32) -> Vec<u8> {
    let mut bytes = name.to_le_bytes()[..word].to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.resize(8 * word, 0);
    bytes
}

fn memory() -> BTreeMap<u64, Vec<u8>> {
    let batch = |names: &[u64]| names.iter().flat_map(|name| header(8, *name, 16)).collect::<Vec<u8>>();
    BTreeMap::from([
        (0x10, inet([127, 0, 0, 1])),
        (0x20, inet([8, 8, 8, 8])),
        (0x30, header(8, 0x20, 16)),
        (0x40, header(4, 0x20, 16)),
        (0x50, header(8, 0, 16)),
        (0x60, batch(&[0x20, 0x10, 0x20])),
        (0x70, batch(&[0x20, 0x99])),
        (0x80, header(8, 0x99, 16)),
    ])
}

#[test]
fn addresses_are_found_by_call_and_abi() {
    let udp = || socket(2, 2);
    for (abi, name, args, expected) in [
        (Abi::X86_64, "connect", &[3, 0x10, 16][..], "loopback"),
        (Abi::X86_64, "bind", &[3, 0x20, 16], "global"),
        (Abi::X86_64, "sendto", &[3, 0, 0, 0, 0x20, 16], "global"),
        (Abi::X86_64, "sendto", &[3, 0, 0, 0, 0, 0], "-"),
        (Abi::X86_64, "sendto", &[3, 0, 0, 0, 0x20, 0], "-"),
        (Abi::X86_64, "connect", &[3, 0x10, 0xffff_ffff], "-"),
        (Abi::X86_64, "connect", &[3, 0x10, 129], "-"),
        (Abi::X86_64, "connect", &[3, 0x10, 4], "none"),
        (Abi::X86_64, "sendmsg", &[3, 0x30], "global"),
        (Abi::X86_64, "sendmsg", &[3, 0x50], "none"),
        (Abi::X86_64, "sendmsg", &[3, 0x80], "unread 0x99"),
        (Abi::X86_64, "sendmsg", &[3, 0], "unread 0x0"),
        (Abi::X86_64, "sendmmsg", &[3, 0x60, 3], "loopback|global"),
        (Abi::X86_64, "sendmmsg", &[3, 0x60, 1], "global"),
        (Abi::X86_64, "sendmmsg", &[3, 0x70, 2], "unread 0x99"),
        (Abi::X86_64, "sendmmsg", &[3, 0x60, 0], "-"),
        (Abi::I386, "sendmsg", &[3, 0x40], "global"),
        (Abi::X32, "sendmsg", &[3, 0x40], "global"),
        (Abi::I386, "sendto", &[3, 0, 0, 0, 0x10, 16], "loopback"),
        (Abi::Aarch64, "sendmsg", &[3, 0x30], "global"),
        (Abi::X86_64, "recvfrom", &[3, 0, 0, 0, 0x20, 16], "-"),
    ] {
        let call = call(abi, name, args);
        assert_eq!(answered(&call, &Memory::default(), &udp(), &memory()), expected, "{abi} {name} {args:x?}");
    }
}

#[test]
fn socketcall_carries_addresses() {
    for (operation, args, expected) in [
        (3, [3, 0x10, 16, 0, 0, 0], "loopback"),
        (2, [3, 0x20, 16, 0, 0, 0], "global"),
        (11, [3, 0, 0, 0, 0x20, 16], "global"),
        (9, [3, 0, 0, 0, 0x20, 16], "-"),
        (16, [3, 0x40, 0, 0, 0, 0], "global"),
    ] {
        let read = Memory::new(&args.map(u32::to_le_bytes).concat());
        let call = call(Abi::I386, "socketcall", &[operation, 0x1000]);
        assert_eq!(answered(&call, &read, &socket(2, 2), &memory()), expected, "{operation}");
    }
}

#[test]
fn only_sockets_with_addresses_are_queried() {
    for (name, object, is_asked) in [
        ("sendmsg", socket(1, 1), false),
        ("sendmsg", socket(1, 5), false),
        ("sendmsg", socket(1, 2), true),
        ("sendmsg", socket(2, 1), true),
        ("connect", socket(1, 1), true),
        ("connect", Answer::None, false),
        ("connect", Answer::Unanswerable, true),
        ("connect", Answer::Object(Object::named("pipe")), false),
    ] {
        let call = call(Abi::X86_64, name, &[3, 0x30, 16]);
        assert_eq!(question(&call, &Memory::default(), &object).is_some(), is_asked, "{name} {object:?}");
    }
}

#[test]
fn program_is_named_by_path_or_fd() {
    let asked = |name, args: &[u64]| match question(&call(Abi::X86_64, name, args), &Memory::default(), &Answer::None) {
        Some(ArgumentQuestion::Program(PathArgument { directory, address, .. })) => Some((directory, address)),
        _ => None,
    };
    let cwd = i64::from(AT_FDCWD) as u64;
    assert_eq!(asked("execve", &[0x10, 7, 7]), Some((None, 0x10)));
    assert_eq!(asked("execveat", &[5, 0x10, 0, 0, 0x1000]), Some((Some(5), 0x10)));
    assert_eq!(asked("execveat", &[cwd, 0x10, 0, 0, 0]), Some((None, 0x10)));
    assert_eq!(asked("openat", &[cwd, 0x10]), None);
}
