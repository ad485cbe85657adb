//! Calls after which something may not be seen, or may mean less than it seems. Main functions:
//! [`blind_spot`] and [`unanswerable`].
//!
//! Only what the workload itself causes counts, so that the same workload always has the same blind
//! spots. What every program has (the vDSO), or what the machine decides (/etc/ld.so.preload,
//! filters around the whole session), is a limit of the method and is described in the README. The
//! tracer itself finds children made with CLONE_UNTRACED, and the effects of an execve.

use super::answers::{self, Answer, Answers, ArgumentAnswer};
use super::calls::Subject;
use super::decode::decode;
use super::met::Undecided;
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::kernel::call::{Call, CallOutcome, Errno};
use crate::model::kernel::uapi::{
    EBADF, EFAULT, ENAMETOOLONG, EPERM, PR_SET_SECCOMP, PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_TRACEME,
    SECCOMP_MODE_FILTER, SECCOMP_SET_MODE_FILTER,
};

/// Returns the blind spot that this call causes.
pub fn blind_spot(call: &Call, outcome: CallOutcome) -> Option<BlindSpot> {
    let [first, second, ..] = call.args.map(|arg| u64::from(arg as u32));
    let succeeded = matches!(outcome, CallOutcome::Returned(_));
    match call.syscall.row()?.name {
        "io_uring_setup" | "io_uring_enter" if succeeded => Some(BlindSpot::IoUring),
        "io_submit" if succeeded => Some(BlindSpot::Aio),
        // "Do seccomp after ptrace", kernel/entry/common.c: a call that a filter answers has
        // already been reported to the tracer.
        "seccomp" if succeeded && first == SECCOMP_SET_MODE_FILTER => Some(BlindSpot::SeccompFilter),
        "prctl" if succeeded && (first, second) == (PR_SET_SECCOMP, SECCOMP_MODE_FILTER) => {
            Some(BlindSpot::SeccompFilter)
        }
        // A task has at most one tracer: ptrace_traceme() and ptrace_attach(), kernel/ptrace.c.
        "ptrace" if outcome == CallOutcome::Failed(Errno(EPERM)) && BEGINS_TO_TRACE.contains(&first) => {
            Some(BlindSpot::PtraceRefused)
        }
        _ => None,
    }
}

/// Returns the blind spot of a call with an object or an argument that the kernel refused to show.
///
/// A failed call has not opened or found an object, and a bad fd or address has none either.
pub fn unanswerable(call: &Call, outcome: CallOutcome, answers: &Answers) -> Option<BlindSpot> {
    let is_blind = lacks_memory(call, outcome, answers)
        || lacks_argument(outcome, answers)
        || is_undecided(outcome, answers)
        || lacks_object(call, outcome, answers);
    is_blind.then_some(BlindSpot::Unanswerable)
}

/// A call that fails because of the same address or path has no argument.
fn lacks_argument(outcome: CallOutcome, answers: &Answers) -> bool {
    let is_bad = matches!(outcome, CallOutcome::Failed(Errno(EFAULT | ENAMETOOLONG)));
    answers.argument == ArgumentAnswer::Unanswerable && !is_bad
}

/// A rule could not be decided, so it may be broken. A call that fails because of a bad address is
/// not what the rule is about.
fn is_undecided(outcome: CallOutcome, answers: &Answers) -> bool {
    match answers.undecided {
        Undecided::No => false,
        Undecided::Memory => !matches!(outcome, CallOutcome::Failed(Errno(EFAULT | ENAMETOOLONG))),
        Undecided::Target => !matches!(outcome, CallOutcome::Failed(_)),
    }
}

fn lacks_memory(call: &Call, outcome: CallOutcome, answers: &Answers) -> bool {
    answers.memory.is_refused() && answers::memory(call).is_some() && outcome != CallOutcome::Failed(Errno(EFAULT))
}

fn lacks_object(call: &Call, outcome: CallOutcome, answers: &Answers) -> bool {
    if answers.object != Answer::Unanswerable {
        return false;
    }
    let subject = decode(call, &answers.memory).and_then(|decoded| decoded.shape).map(|shape| shape.subject);
    match (subject, outcome) {
        (None, _) | (_, CallOutcome::Returned(_)) => true,
        (Some(Subject::Fd(_) | Subject::Descriptor(_) | Subject::Mapped | Subject::Ring(..)), outcome) => {
            outcome != CallOutcome::Failed(Errno(EBADF))
        }
        _ => false,
    }
}

const BEGINS_TO_TRACE: [u64; 3] = [PTRACE_TRACEME, PTRACE_ATTACH, PTRACE_SEIZE];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::{Memory, Object};
    use crate::model::kernel::syscall::{Abi, Syscall};

    #[test]
    fn blind_spots_follow_from_call_and_outcome() {
        let done = CallOutcome::Returned(3);
        let refused = CallOutcome::Failed(Errno(EPERM));
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

    #[test]
    fn unread_argument_at_a_valid_address_is_blind() {
        let syscall = Syscall::from_name(Abi::X86_64, "sendto").expect("sendto");
        let call = Call { syscall, args: [0x1000; 6], instruction_pointer: 0 };
        let (done, failed) = (CallOutcome::Returned(0), |errno| CallOutcome::Failed(Errno(errno)));
        for (argument, outcome, is_blind) in [
            (ArgumentAnswer::Unanswerable, done, true),
            (ArgumentAnswer::Unanswerable, CallOutcome::Unknown, true),
            (ArgumentAnswer::Unanswerable, CallOutcome::NeverReturned, true),
            (ArgumentAnswer::Unanswerable, failed(111), true),
            (ArgumentAnswer::Unanswerable, failed(EFAULT), false),
            (ArgumentAnswer::Unanswerable, failed(ENAMETOOLONG), false),
            (ArgumentAnswer::None, done, false),
            (ArgumentAnswer::Text("loopback".into()), done, false),
        ] {
            let answers = Answers { argument, ..Answers::default() };
            assert_eq!(unanswerable(&call, outcome, &answers).is_some(), is_blind, "{outcome:?} {answers:?}");
        }
    }

    #[test]
    fn refused_question_is_blind_unless_without_object() {
        let known = Answer::Object(Object::named("pipe"));
        let failed = |errno| CallOutcome::Failed(Errno(errno));
        let (done, unknown) = (CallOutcome::Returned(0), CallOutcome::Unknown);
        let (read, missing, refused) = (Memory::new(&[0; 8]), Memory::default(), Memory::refused());
        for (name, object, memory, outcome, is_blind) in [
            ("read", known, missing, done, false),
            ("read", Answer::None, missing, failed(9), false),
            ("read", Answer::Unanswerable, missing, done, true),
            ("read", Answer::Unanswerable, missing, unknown, true),
            ("read", Answer::Unanswerable, missing, failed(11), true),
            ("read", Answer::Unanswerable, missing, failed(9), false),
            ("read", Answer::Unanswerable, missing, CallOutcome::NeverReturned, true),
            ("openat", Answer::Unanswerable, missing, done, true),
            ("openat", Answer::Unanswerable, missing, failed(2), false),
            ("stat", Answer::Unanswerable, missing, done, true),
            ("stat", Answer::Unanswerable, missing, failed(13), false),
            ("stat", Answer::None, missing, done, false),
            ("clone3", Answer::None, read, done, false),
            ("clone3", Answer::None, missing, failed(14), false),
            ("getpid", Answer::None, refused, done, false),
            ("clone3", Answer::None, refused, done, true),
            ("clone3", Answer::None, refused, failed(1), true),
            ("clone3", Answer::None, refused, failed(14), false),
            ("getpid", Answer::None, missing, done, false),
        ] {
            let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
            let call = Call { syscall, args: [0x1000; 6], instruction_pointer: 0 };
            let answers = Answers { object, memory, ..Answers::default() };
            let spot = unanswerable(&call, outcome, &answers);
            assert_eq!(spot.is_some(), is_blind, "{name} {outcome:?} {answers:?}");
        }
    }
}
