//! Which calls a notification tells enough of: number, arguments and task are known before the call
//! is made, its result never is.
//!
//! What a call used must not depend on a result that nobody waits for: a call whose result says
//! what it found or made stops under ptrace instead, as does one that changes what tasks, fds or
//! mounts mean. Nothing here touches a process. Main function: [`filter`].

pub mod interruption;

use crate::model::attribution::calls::{Selector, Shape, Subject, shape};
use crate::model::guard::bpf::Instruction;
use crate::model::guard::{Gate, program};
use crate::model::kernel::syscall::{Abi, table};

/// `SECCOMP_RET_USER_NOTIF`, include/uapi/linux/seccomp.h
const NOTIFY: u32 = 0x7fc0_0000;

/// Calls of which more than their shape must be awaited. Ordered.
const AWAITED: &[&str] = &[
    // They make tasks, or hide them.
    "clone",
    // They change whole tables of fds, or which table a task has.
    "close_range",
    "dup2",
    "dup3",
    "fork",
    // They change what a path means.
    "fsmount",
    // They succeed or not, and only one of these is a blind spot.
    "io_submit",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "move_mount",
    "pivot_root",
    "prctl",
    "ptrace",
    // Where a task runs must be put back before it looks.
    "sched_getaffinity",
    "sched_setaffinity",
    "seccomp",
    "setns",
    "umount",
    "umount2",
    "unshare",
    "vfork",
];

/// The filter under which calls are notified, or stopped where their result counts: all of another
/// ABI, and all that no table knows, too.
pub fn filter() -> Vec<Instruction> {
    let gate = |row: &table::Row| (row.number, if is_awaited(row.name) { Gate::Stop } else { Gate::Pass });
    let gates: Vec<(u32, Gate)> = table::rows(Abi::X86_64).iter().map(gate).collect();
    program(&gates, NOTIFY)
}

/// Whether the result of the call of this name says what it used.
pub fn is_awaited(name: &str) -> bool {
    AWAITED.binary_search(&name).is_ok() || shape(name).is_some_and(is_told_by_its_end)
}

/// Whether the call of this name fails with EBADF on an fd that is not open, whatever its other
/// arguments are: the kernel looks up the fd before anything else.
///
/// Such a call can be answered with that error. Otherwise another thread could open the fd between
/// the look at it and the call, which would then use an object that was not seen.
pub fn fails_first_by_its_fd(name: &str) -> bool {
    BY_FD.binary_search(&name).is_ok()
}

/// fs/read_write.c, fs/ioctl.c, fs/readdir.c, fs/sync.c, fs/stat.c, net/socket.c. Ordered.
const BY_FD: &[&str] = &[
    "connect",
    "fdatasync",
    "fstat",
    "fsync",
    "getdents",
    "getdents64",
    "getsockopt",
    "ioctl",
    "listen",
    "lseek",
    "read",
    "readv",
    "write",
    "writev",
];

fn is_told_by_its_end(shape: Shape) -> bool {
    let by_memory = matches!(shape.selector, Selector::FlagsAt(..) | Selector::ValueAt(..) | Selector::Filesystem(..));
    // What the registers tell before the call, whatever comes of it.
    let before = matches!(shape.subject, Subject::None | Subject::Fd(_) | Subject::Descriptor(_) | Subject::Mapped);
    by_memory || !before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::{Answer, Answers, Memory, Object, answers, attribute, blind_spot, files};
    use crate::model::guard::bpf;
    use crate::model::kernel::call::{Call, CallOutcome, Errno};
    use crate::model::kernel::syscall::Syscall;

    const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
    const AUDIT_ARCH_I386: u32 = 0x4000_0003;
    const STOP: u32 = 0x7ff0_0000;

    fn answer(architecture: u32, number: u32) -> u32 {
        bpf::run(&filter(), architecture, number, &[0; 6])
    }

    #[test]
    fn the_list_names_calls_and_is_ordered() {
        assert!(AWAITED.is_sorted() && BY_FD.is_sorted());
        // The witness must ask about the fd of each that may be answered.
        let is_on_fd = |name: &&str| {
            let subject = shape(name).map(|shape| shape.subject);
            matches!(subject, Some(Subject::Fd(0) | Subject::Descriptor(0))) && !is_awaited(name)
        };
        assert!(BY_FD.iter().all(is_on_fd));
        for name in AWAITED.iter().chain(BY_FD) {
            assert!(Abi::ALL.iter().any(|abi| Syscall::from_name(*abi, name).is_some()), "{name}");
        }
    }

    #[test]
    fn calls_are_notified_or_stopped() {
        let number = |name| Syscall::from_name(Abi::X86_64, name).expect(name).number as u32;
        for (name, expected) in [
            ("getppid", NOTIFY),
            ("read", NOTIFY),
            ("close", NOTIFY),
            ("ioctl", NOTIFY),
            ("mmap", NOTIFY),
            ("accept4", NOTIFY),
            ("exit_group", NOTIFY),
            ("openat", STOP),
            ("socket", STOP),
            ("newfstatat", STOP),
            ("execve", STOP),
            ("clone", STOP),
            ("clone3", STOP),
            ("prctl", STOP),
            ("perf_event_open", STOP),
        ] {
            assert_eq!(answer(AUDIT_ARCH_X86_64, number(name)), expected, "{name}");
        }
        for (architecture, number) in
            [(AUDIT_ARCH_X86_64, 0x3e7), (AUDIT_ARCH_X86_64, 0x4000_0001), (AUDIT_ARCH_X86_64, u32::MAX)]
        {
            assert_eq!(answer(architecture, number), STOP, "{number:#x}");
        }
        assert_eq!(answer(AUDIT_ARCH_I386, 20), STOP);
    }

    #[test]
    fn calls_from_the_vsyscall_page_pass() {
        const PASS: u32 = 0x7fff_0000;
        for (name, page, expected) in [
            ("gettimeofday", 0xffff_ffff_ff60_0000, [NOTIFY, PASS]),
            ("time", 0xffff_ffff_ff60_0400, [NOTIFY, PASS]),
            ("getcpu", 0xffff_ffff_ff60_0800, [NOTIFY, PASS]),
            ("getppid", 0xffff_ffff_ff60_0000, [NOTIFY, NOTIFY]),
        ] {
            let number = Syscall::from_name(Abi::X86_64, name).expect(name).number as u32;
            let at = |address| bpf::run_at(address, &filter(), AUDIT_ARCH_X86_64, number, &[0; 6]);
            assert_eq!([0x7fff_ffff_f000, page].map(at), expected, "{name}");
            let neighbours = [number - 1, number + 1].map(|number| answer(AUDIT_ARCH_X86_64, number));
            assert!(neighbours.iter().all(|answer| [NOTIFY, STOP].contains(answer)), "{name}");
        }
    }

    /// Against attribution itself, with whatever a selector can be and every kind of answer.
    #[test]
    fn what_is_notified_is_the_same_whatever_comes_of_it() {
        const OUTCOMES: [CallOutcome; 4] = [
            CallOutcome::Returned(3),
            CallOutcome::Failed(Errno(1)),
            CallOutcome::Restarting,
            CallOutcome::NeverReturned,
        ];
        let objects = [None, Some(Object::named("pipe")), Some(Object::file("proc", false, Some("12/maps")))];
        for row in table::rows(Abi::X86_64).iter().filter(|row| !is_awaited(row.name)) {
            let syscall = Syscall { abi: Abi::X86_64, number: i64::from(row.number) };
            let selector = shape(row.name).map_or(Selector::None, |shape| shape.selector);
            let values = selector.values().map(|value| value.number).chain([0, 22, u64::MAX]);
            for args in values.map(|value| [value; 6]).chain([[22, 2, 0, 0, 0, 0], [0x4206, 0, 0, 0, 0, 0]]) {
                let call = Call { syscall, args, instruction_pointer: 0 };
                assert_eq!(answers::memory(&call), None, "{}", row.name);
                for object in &objects {
                    let object = object.clone().map_or(Answer::None, Answer::Object);
                    let answers = Answers { object, ..Answers::default() };
                    let used = OUTCOMES.map(|outcome| attribute(&call, outcome, &answers));
                    assert!(used.iter().all(|one| *one == used[0]), "{} {args:x?}", row.name);
                }
                assert!(OUTCOMES.iter().all(|outcome| blind_spot(&call, *outcome).is_none()), "{}", row.name);
                let closes = files::effect(&call, &Memory::default());
                let is_told = matches!(closes, None | Some(files::Effect::Hidden));
                assert!(is_told || row.name == "close", "{} {args:x?}: {closes:?}", row.name);
            }
        }
    }
}
