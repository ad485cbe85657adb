//! Calls after which something may stay unseen.
//!
//! A child made with CLONE_UNTRACED is the tracer's to find. Not blind spots of a ptrace tracer: what LD_PRELOAD puts before a call (its own calls are seen as any), calls that the workload's seccomp filter
//! denies (a tracer is told before the filter is asked), and vDSO calls (no program can be known to be without).

use crate::model::event::{BlindSpot, Call, CallOutcome};

/// What may stay unseen after this call.
pub fn blind_spot(call: &Call, outcome: CallOutcome) -> Option<BlindSpot> {
    if !matches!(outcome, CallOutcome::Returned(_)) {
        return None;
    }
    match call.syscall.row()?.name {
        "io_uring_setup" | "io_uring_enter" => Some(BlindSpot::IoUring),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Errno;
    use crate::model::syscall::{Abi, Syscall};

    #[test]
    fn what_hides_is_named_once_it_has_happened() {
        let done = CallOutcome::Returned(3);
        for (name, outcome, spot) in [
            ("io_uring_setup", done, Some(BlindSpot::IoUring)),
            ("io_uring_setup", CallOutcome::Failed(Errno(38)), None),
            ("io_uring_enter", done, Some(BlindSpot::IoUring)),
            ("read", done, None),
        ] {
            let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
            let call = Call { syscall, args: [0; 6], instruction_pointer: 0 };
            assert_eq!(blind_spot(&call, outcome), spot, "{name} {outcome:?}");
        }
    }
}
