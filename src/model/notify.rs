//! Decides which calls are reported by a seccomp notification, and which stop under ptrace. Main
//! function: [`filter`].
//!
//! A notification arrives before the call is made. It carries number, arguments and task, but never
//! a result. So it is enough only for calls that use the same things whatever their result is. A
//! call stops under ptrace instead if its result says what it found or made, or if it changes what
//! tasks, fds or mounts mean. Nothing here touches a process.

pub mod interruption;

use crate::model::attribution::calls::{Selector, Shape, Subject, shape};
use crate::model::guard::bpf::Instruction;
use crate::model::guard::{FilterRule, program};
use crate::model::kernel::syscall::{Abi, table};
use crate::model::kernel::uapi::SECCOMP_RET_USER_NOTIF;

/// Calls that must stop for more reasons than their shape shows. Sorted.
const STOPPED: &[&str] = &[
    // Make tasks, or hide them.
    "clone",
    // Change many fds of a table, or give the task another table.
    "close_range",
    "dup2",
    "dup3",
    "fork",
    // Change what a path means.
    "fsmount",
    // Are a blind spot only if they succeed, or only if they fail.
    "io_submit",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "move_mount",
    "pivot_root",
    "prctl",
    "ptrace",
    // Could see the CPU affinity that the tracer has set; it is reset first.
    "sched_getaffinity",
    "sched_setaffinity",
    "seccomp",
    "setns",
    "umount",
    "umount2",
    "unshare",
    "vfork",
];

/// Returns the filter that notifies of calls, and stops those with a result that is needed. Calls
/// of another ABI and numbers that no table has stop too.
pub fn filter() -> Vec<Instruction> {
    let rule = |row: &table::Row| (row.number, if is_awaited(row.name) { FilterRule::Stop } else { FilterRule::Pass });
    let rules: Vec<(u32, FilterRule)> = table::rows(Abi::X86_64).iter().map(rule).collect();
    program(&rules, SECCOMP_RET_USER_NOTIF)
}

/// Returns whether the result of a call of this name is needed to know what it used.
pub fn is_awaited(name: &str) -> bool {
    STOPPED.binary_search(&name).is_ok() || shape(name).is_some_and(depends_on_its_result)
}

/// Returns whether a call of this name always fails with EBADF if its fd is not open: the kernel
/// looks up the fd before it checks any other argument.
///
/// Such a call can be answered with EBADF. Otherwise another thread could open the fd after the
/// look at it, and the call would use an object that was not seen.
pub fn checks_fd_first(name: &str) -> bool {
    FD_CHECKED_FIRST.binary_search(&name).is_ok()
}

/// fs/read_write.c, fs/ioctl.c, fs/readdir.c, fs/sync.c, fs/stat.c, net/socket.c. Sorted.
const FD_CHECKED_FIRST: &[&str] = &[
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

fn depends_on_its_result(shape: Shape) -> bool {
    let by_memory = matches!(shape.selector, Selector::FlagsAt(..) | Selector::ValueAt(..) | Selector::Filesystem(..));
    // Known from registers before the call, whatever its result is.
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
    use crate::model::kernel::uapi::{AUDIT_ARCH_I386, AUDIT_ARCH_X86_64, SECCOMP_RET_ALLOW, SECCOMP_RET_TRACE};

    const NOTIFY: u32 = SECCOMP_RET_USER_NOTIF;
    const STOP: u32 = SECCOMP_RET_TRACE;

    fn action(architecture: u32, number: u32) -> u32 {
        bpf::run(&filter(), architecture, number, &[0; 6])
    }

    #[test]
    fn names_are_sorted_and_known() {
        assert!(STOPPED.is_sorted() && FD_CHECKED_FIRST.is_sorted());
        // The witness must ask about the fd of each call that may be answered.
        let is_on_fd = |name: &&str| {
            let subject = shape(name).map(|shape| shape.subject);
            matches!(subject, Some(Subject::Fd(0) | Subject::Descriptor(0))) && !is_awaited(name)
        };
        assert!(FD_CHECKED_FIRST.iter().all(is_on_fd));
        for name in STOPPED.iter().chain(FD_CHECKED_FIRST) {
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
            assert_eq!(action(AUDIT_ARCH_X86_64, number(name)), expected, "{name}");
        }
        for (architecture, number) in
            [(AUDIT_ARCH_X86_64, 0x3e7), (AUDIT_ARCH_X86_64, 0x4000_0001), (AUDIT_ARCH_X86_64, u32::MAX)]
        {
            assert_eq!(action(architecture, number), STOP, "{number:#x}");
        }
        assert_eq!(action(AUDIT_ARCH_I386, 20), STOP);
    }

    #[test]
    fn calls_from_the_vsyscall_page_pass() {
        const PASS: u32 = SECCOMP_RET_ALLOW;
        for (name, page, expected) in [
            ("gettimeofday", 0xffff_ffff_ff60_0000, [NOTIFY, PASS]),
            ("time", 0xffff_ffff_ff60_0400, [NOTIFY, PASS]),
            ("getcpu", 0xffff_ffff_ff60_0800, [NOTIFY, PASS]),
            ("getppid", 0xffff_ffff_ff60_0000, [NOTIFY, NOTIFY]),
        ] {
            let number = Syscall::from_name(Abi::X86_64, name).expect(name).number as u32;
            let at = |address| bpf::run_at(address, &filter(), AUDIT_ARCH_X86_64, number, &[0; 6]);
            assert_eq!([0x7fff_ffff_f000, page].map(at), expected, "{name}");
            let neighbours = [number - 1, number + 1].map(|number| action(AUDIT_ARCH_X86_64, number));
            assert!(neighbours.iter().all(|action| [NOTIFY, STOP].contains(action)), "{name}");
        }
    }

    /// Compares attribution for every selector value, object and outcome.
    #[test]
    fn notified_calls_mean_the_same_for_every_outcome() {
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
                let closes = files::cache_effect(&call, &Memory::default());
                let is_known_before = matches!(closes, None | Some(files::CacheEffect::Hidden));
                assert!(is_known_before || row.name == "close", "{} {args:x?}: {closes:?}", row.name);
            }
        }
    }
}
