//! Calls after which something may stay unseen, or may mean less than they seem to.
//!
//! Only what the workload itself brings about, so that the same workload always has the same: what every program has (the vDSO) or the machine decides (/etc/ld.so.preload, filters
//! around the whole session) is a limit of the method and is told in the README. Children made with CLONE_UNTRACED and what an execve begins are the tracer's to find.

use crate::model::event::{BlindSpot, Call, CallOutcome, Errno};

/// What may stay unseen after this call.
pub fn blind_spot(call: &Call, outcome: CallOutcome) -> Option<BlindSpot> {
    let [first, second, ..] = call.args.map(|arg| arg as u32);
    let succeeded = matches!(outcome, CallOutcome::Returned(_));
    match call.syscall.row()?.name {
        "io_uring_setup" | "io_uring_enter" if succeeded => Some(BlindSpot::IoUring),
        "io_submit" if succeeded => Some(BlindSpot::Aio),
        // "Do seccomp after ptrace", kernel/entry/common.c: what a filter answers has been told to us as a call.
        "seccomp" if succeeded && first == SECCOMP_SET_MODE_FILTER => Some(BlindSpot::SeccompFilter),
        "prctl" if succeeded && (first, second) == (PR_SET_SECCOMP, SECCOMP_MODE_FILTER) => {
            Some(BlindSpot::SeccompFilter)
        }
        // One tracer a task: ptrace_traceme() and ptrace_attach(), kernel/ptrace.c.
        "ptrace" if outcome == CallOutcome::Failed(EPERM) && BEGINS_TO_TRACE.contains(&first) => {
            Some(BlindSpot::PtraceRefused)
        }
        _ => None,
    }
}

/// include/uapi/linux/seccomp.h and prctl.h
const SECCOMP_SET_MODE_FILTER: u32 = 1;
const SECCOMP_MODE_FILTER: u32 = 2;
const PR_SET_SECCOMP: u32 = 22;
/// `PTRACE_TRACEME`, `PTRACE_ATTACH` and `PTRACE_SEIZE`, include/uapi/linux/ptrace.h
const BEGINS_TO_TRACE: [u32; 3] = [0, 16, 0x4206];
const EPERM: Errno = Errno(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::syscall::{Abi, Syscall};

    #[test]
    fn what_hides_is_named_once_it_has_happened() {
        let done = CallOutcome::Returned(3);
        let refused = CallOutcome::Failed(EPERM);
        for (name, args, outcome, spot) in [
            ("io_uring_setup", [8, 0], done, Some(BlindSpot::IoUring)),
            ("io_uring_setup", [8, 0], CallOutcome::Failed(Errno(38)), None),
            ("io_uring_enter", [3, 1], done, Some(BlindSpot::IoUring)),
            ("io_submit", [1, 1], done, Some(BlindSpot::Aio)),
            ("seccomp", [1, 0], done, Some(BlindSpot::SeccompFilter)),
            ("seccomp", [1, 0], CallOutcome::Failed(Errno(14)), None),
            ("seccomp", [2, 0], done, None),
            ("prctl", [22, 2], done, Some(BlindSpot::SeccompFilter)),
            ("prctl", [22, 1], done, None),
            ("prctl", [38, 2], done, None),
            ("ptrace", [0, 0], refused, Some(BlindSpot::PtraceRefused)),
            ("ptrace", [0x4206, 7], refused, Some(BlindSpot::PtraceRefused)),
            ("ptrace", [16, 7], CallOutcome::Failed(Errno(3)), None),
            ("ptrace", [0, 0], done, None),
            ("read", [3, 0], done, None),
        ] {
            let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
            let args = [args[0], args[1], 0, 0, 0, 0];
            let call = Call { syscall, args, instruction_pointer: 0 };
            assert_eq!(blind_spot(&call, outcome), spot, "{name} {args:?} {outcome:?}");
        }
    }
}
