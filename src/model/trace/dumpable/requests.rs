//! Which calls read or change whether their task is dumpable, and which signals dump core. Main
//! function: [`request`].

use crate::model::kernel::call::Call;
use crate::model::kernel::syscall::Abi;
use crate::model::kernel::uapi::{
    PR_GET_DUMPABLE, PR_SET_DUMPABLE, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGSYS, SIGTRAP, SIGXCPU,
    SIGXFSZ,
};

/// What a call does to the dumpability of its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// It sets this value: PR_SET_DUMPABLE.
    Set(i64),
    /// It returns the value: PR_GET_DUMPABLE.
    Get,
    /// It may change the task's IDs, which resets the value.
    ChangeIds,
}

/// Returns what a call does to the dumpability of its task. `None` for a PR_SET_DUMPABLE that fails
/// because of its value.
pub fn request(call: &Call) -> Option<Request> {
    match call.syscall.row()?.name {
        "prctl" => {}
        "setfsgid" | "setfsgid32" | "setfsuid" | "setfsuid32" | "setgid" | "setgid32" | "setregid" | "setregid32"
        | "setresgid" | "setresgid32" | "setresuid" | "setresuid32" | "setreuid" | "setreuid32" | "setuid"
        | "setuid32" => return Some(Request::ChangeIds),
        _ => return None,
    }
    // "int option, unsigned long arg2": kernel/sys.c.
    let value = if call.syscall.abi == Abi::I386 { call.args[1] & 0xffff_ffff } else { call.args[1] };
    match (call.args[0] & 0xffff_ffff, value) {
        (PR_GET_DUMPABLE, _) => Some(Request::Get),
        (PR_SET_DUMPABLE, value @ 0..=1) => Some(Request::Set(value as i64)),
        _ => None,
    }
}

/// Returns whether a signal dumps core by default: "Core" in signal(7).
pub fn dumps_core(signal: i32) -> bool {
    matches!(signal, SIGQUIT | SIGILL | SIGTRAP | SIGABRT | SIGBUS | SIGFPE | SIGSEGV | SIGXCPU | SIGXFSZ | SIGSYS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::signal;
    use crate::model::kernel::syscall::Syscall;

    #[test]
    fn request_follows_from_registers() {
        const HIGH: u64 = 1 << 32;
        for (abi, name, args, expected) in [
            (Abi::X86_64, "prctl", [4, 0], Some(Request::Set(0))),
            (Abi::X86_64, "prctl", [4, 1], Some(Request::Set(1))),
            (Abi::X86_64, "prctl", [HIGH | 4, 0], Some(Request::Set(0))),
            (Abi::X86_64, "prctl", [4, 2], None),
            (Abi::X86_64, "prctl", [4, HIGH], None),
            (Abi::X32, "prctl", [4, HIGH], None),
            (Abi::I386, "prctl", [4, HIGH], Some(Request::Set(0))),
            (Abi::Aarch64, "prctl", [4, 0], Some(Request::Set(0))),
            (Abi::I386, "prctl", [3, 9], Some(Request::Get)),
            (Abi::X86_64, "prctl", [15, 0], None),
            (Abi::X86_64, "setresuid", [0, 0], Some(Request::ChangeIds)),
            (Abi::I386, "setuid32", [0, 0], Some(Request::ChangeIds)),
            (Abi::X86_64, "getuid", [0, 0], None),
        ] {
            let args = [args[0], args[1], 0, 0, 0, 0];
            let syscall = Syscall::from_name(abi, name).expect(name);
            let call = Call { syscall, args, instruction_pointer: 0 };
            assert_eq!(request(&call), expected, "{abi} {name} {args:x?}");
        }
        let unknown = Call { syscall: Syscall { abi: Abi::Arm, number: 172 }, args: [4; 6], instruction_pointer: 0 };
        assert_eq!(request(&unknown), None);
    }

    #[test]
    fn signals_with_core_are_those_of_the_manual() {
        let named = ["QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "SEGV", "XCPU", "XFSZ", "SYS"];
        let mut expected: Vec<i32> = named.iter().filter_map(|name| signal::from_name(&format!("SIG{name}"))).collect();
        expected.sort_unstable();
        let dumping: Vec<i32> = (1..=64).filter(|signal| dumps_core(*signal)).collect();
        assert_eq!((dumping, expected.len()), (expected.clone(), named.len()));
    }
}
