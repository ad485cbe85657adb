//! Decodes a call: its name and arguments, unpacked from calls of 32-bit x86 that only carry
//! another one. Main type: [`DecodedCall`].
//!
//! It must not interpret the arguments: [`arguments`](super::arguments) and
//! [`objects`](super::objects) do that.

use super::calls::{Flags, Selector, Shape, Subject, shape, shape_of};
use super::memory::Memory;
use super::values::table::{IPC, SOCKETCALL};
use super::values::value;
use crate::model::kernel::call::Call;
use crate::model::kernel::syscall::Abi;
use crate::model::kernel::uapi::{
    IPC_OPERATION_MASK, MAP_ANONYMOUS, MS_BIND, MS_MOVE, MS_PRIVATE, MS_REMOUNT, MS_SHARED, MS_SLAVE, MS_UNBINDABLE,
    O_PATH, PROT_EXEC,
};

/// A call as the program meant it.
#[derive(Debug, Clone, Copy)]
pub(super) struct DecodedCall {
    /// Its name.
    pub(super) name: &'static str,
    /// How its registers are read.
    pub(super) shape: Option<Shape>,
    /// Its arguments.
    pub(super) args: [u64; 6],
}

impl DecodedCall {
    /// Returns whether an mmap maps a file.
    pub(super) fn maps_a_file(&self) -> bool {
        self.args[3] & MAP_ANONYMOUS == 0
    }

    /// Returns whether a file is opened with O_PATH: "The file itself is not opened", open(2).
    pub(super) fn opens_path_only(&self, flags: Flags, memory: &Memory) -> bool {
        let flags = match flags {
            Flags::None => 0,
            Flags::In(at) => self.args[at],
            Flags::At(_) => memory.long().unwrap_or(0),
        };
        flags & O_PATH != 0
    }

    /// Returns whether a mapping may be executed.
    pub(super) fn is_executable(&self) -> bool {
        self.args[2] & PROT_EXEC != 0
    }
}

/// Returns the address of the memory that must be read to decode the call.
pub(super) fn memory_address(call: &Call) -> Option<u64> {
    let name = call.syscall.row()?.name;
    if let Some(at) = arguments_register(call.syscall.abi, name) {
        return Some(call.args[at]);
    }
    let shape = shape_of(call.syscall)?;
    if let Subject::Opened(Flags::At(at)) = shape.subject {
        return Some(call.args[at]);
    }
    match shape.selector {
        Selector::FlagsAt(at, _) | Selector::ValueAt(at, _) | Selector::Filesystem(at, None) => Some(call.args[at]),
        Selector::Filesystem(at, Some(flags)) => is_new_mount(call.args[flags]).then(|| call.args[at]),
        _ => None,
    }
}

/// Returns the decoded call, or `None` for a number that no table has.
pub(super) fn decode(call: &Call, memory: &Memory) -> Option<DecodedCall> {
    let name = call.syscall.row()?.name;
    let itself = DecodedCall { name, shape: shape_of(call.syscall), args: call.args };
    if let Some(shmat) = decode_shmat(call, name) {
        return Some(shmat);
    }
    if arguments_register(call.syscall.abi, name).is_none() {
        return Some(itself);
    }
    let args = std::array::from_fn(|index| memory.word(index).map_or(0, u64::from));
    if name == "mmap" {
        return memory.word(4).map(|_| DecodedCall { args, ..itself }).or(Some(itself));
    }
    // The carried call is known only if its arguments were read.
    let inner = value(&SOCKETCALL, call.args[0]).and_then(|operation| inner_name(operation.name));
    Some(inner.filter(|_| memory.word(0).is_some()).map_or(itself, |name| DecodedCall {
        name,
        shape: shape(name),
        args,
    }))
}

/// Returns the name and the arguments that the program meant; `None` for a number that no table
/// has.
pub fn meant(call: &Call, memory: &Memory) -> Option<(&'static str, [u64; 6])> {
    decode(call, memory).map(|decoded| (decoded.name, decoded.args))
}

/// Decodes `shmat` inside `ipc`, where all arguments are in registers: "do_shmat(first, …, second,
/// …)", `compat_ksys_ipc` in ipc/syscall.c. Its `ptr` is the fifth register.
fn decode_shmat(call: &Call, name: &str) -> Option<DecodedCall> {
    let is_attach =
        || value(&IPC, call.args[0] & IPC_OPERATION_MASK).is_some_and(|operation| operation.name == "SHMAT");
    if name != "ipc" || !is_attach() {
        return None;
    }
    let [_, first, second, _, address, _] = call.args;
    Some(DecodedCall { name: "shmat", shape: shape("shmat"), args: [first, address, second, 0, 0, 0] })
}

/// Returns the register that points to the arguments of a carried call.
fn arguments_register(abi: Abi, name: &str) -> Option<usize> {
    match (abi, name) {
        (Abi::I386, "socketcall") => Some(1),
        // sys_old_mmap: "struct mmap_arg_struct", mm/util.c
        (Abi::I386, "mmap") => Some(0),
        _ => None,
    }
}

/// Converts `SYS_CONNECT` to `connect`: in net/socket.c each operation is also a call of its own.
fn inner_name(operation: &str) -> Option<&'static str> {
    const CARRIED: [&str; 20] = [
        "accept",
        "accept4",
        "bind",
        "connect",
        "getpeername",
        "getsockname",
        "getsockopt",
        "listen",
        "recv",
        "recvfrom",
        "recvmmsg",
        "recvmsg",
        "send",
        "sendmmsg",
        "sendmsg",
        "sendto",
        "setsockopt",
        "shutdown",
        "socket",
        "socketpair",
    ];
    let operation = operation.strip_prefix("SYS_")?;
    CARRIED.into_iter().find(|name| name.eq_ignore_ascii_case(operation))
}

/// Returns whether a mount(2) mounts a filesystem. `MS_REMOUNT`, `MS_BIND`, `MS_MOVE` and the four
/// kinds of propagation only change an existing mount.
pub(super) fn is_new_mount(flags: u64) -> bool {
    const CHANGES: u64 = MS_REMOUNT | MS_BIND | MS_MOVE | MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED;
    flags & CHANGES == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::Syscall;

    fn call(abi: Abi, name: &str, args: [u64; 6]) -> Call {
        Call { syscall: Syscall::from_name(abi, name).expect(name), args, instruction_pointer: 0 }
    }

    fn plain(decoded: Option<DecodedCall>) -> Option<(&'static str, [u64; 6])> {
        decoded.map(|decoded| (decoded.name, decoded.args))
    }

    fn words(words: [u32; 6]) -> Memory {
        Memory::new(&words.map(u32::to_le_bytes).concat())
    }

    #[test]
    fn call_carried_by_32_bit_call_is_unpacked() {
        let memory = words([5, 1, 2, 3, 4, 0]);
        let args = [5, 1, 2, 3, 4, 0];
        for (operation, name) in [(3, "connect"), (14, "setsockopt"), (18, "accept4"), (9, "send")] {
            let call = call(Abi::I386, "socketcall", [operation, 0x1000, 0, 0, 0, 0]);
            assert_eq!(plain(decode(&call, &memory)), Some((name, args)));
        }
        let mmap = call(Abi::I386, "mmap", [0x1000, 0, 0, 0, 0, 0]);
        assert_eq!(plain(decode(&mmap, &memory)), Some(("mmap", args)));
    }

    #[test]
    fn other_calls_are_left_unchanged() {
        let unread = Memory::default();
        for (abi, name, args) in [
            (Abi::X86_64, "read", [3, 0, 0, 0, 0, 0]),
            (Abi::X86_64, "mmap", [0, 4096, 7, 2, 3, 0]),
            (Abi::I386, "mmap2", [0, 4096, 7, 2, 3, 0]),
            (Abi::I386, "socketcall", [3, 0, 0, 0, 0, 0]),
            (Abi::I386, "socketcall", [99, 0x1000, 0, 0, 0, 0]),
        ] {
            assert_eq!(plain(decode(&call(abi, name, args), &unread)), Some((name, args)), "{abi} {name}");
        }
        let unknown = Call { syscall: Syscall { abi: Abi::X86_64, number: 999 }, args: [0; 6], instruction_pointer: 0 };
        assert!(decode(&unknown, &unread).is_none());
    }

    #[test]
    fn every_socketcall_operation_has_a_shape() {
        for operation in &SOCKETCALL {
            let name = inner_name(operation.name).expect(operation.name);
            assert!(shape(name).is_some(), "{name}");
        }
    }
}
