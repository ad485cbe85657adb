//! Decodes a raw wait status into a [`Report`]. The function is pure, so that each ambiguity of
//! ptrace(2) is a row in a table test.

use super::uapi::PTRACE_EVENT_STOP;
use crate::model::run::workload::Exit;

/// What a wait status alone says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    /// The task is gone.
    Ended(Exit),
    /// The task is at the entry or the exit of a call.
    Syscall,
    /// A PTRACE_EVENT stop without a variant of its own.
    OtherEvent,
    /// A seccomp filter stopped a call (PTRACE_EVENT_SECCOMP).
    Filtered,
    /// The task made a child; the event message is the child's number.
    Spawning {
        /// The task waits for the child (PTRACE_EVENT_VFORK).
        awaited: bool,
    },
    /// The task executes another program; the event message is its former number.
    Exec,
    /// The task is about to end.
    Exiting,
    /// PTRACE_EVENT_STOP: a group-stop, an interrupt, or the first stop of a new task.
    Trap {
        /// Whether this is a group-stop. "If the tracee was attached using PTRACE_SEIZE […]
        /// WSTOPSIG(status)" is the stopping signal in a group-stop, otherwise SIGTRAP.
        group_stop: bool,
    },
    /// A signal is about to be delivered.
    Signal(i32),
}

/// PTRACE_O_TRACESYSGOOD: "set bit 7 in the signal number".
const SYSCALL_STOP: i32 = libc::SIGTRAP | 0x80;

/// Returns what the wait status of a traced task reports.
pub(super) fn report(status: i32) -> Report {
    if libc::WIFEXITED(status) {
        return Report::Ended(Exit::Exited(libc::WEXITSTATUS(status)));
    }
    if libc::WIFSIGNALED(status) {
        return Report::Ended(Exit::Signaled(libc::WTERMSIG(status)));
    }
    let signal = libc::WSTOPSIG(status);
    match status >> 16 {
        0 if signal == SYSCALL_STOP => Report::Syscall,
        0 => Report::Signal(signal),
        libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_CLONE => Report::Spawning { awaited: false },
        libc::PTRACE_EVENT_VFORK => Report::Spawning { awaited: true },
        libc::PTRACE_EVENT_EXEC => Report::Exec,
        libc::PTRACE_EVENT_SECCOMP => Report::Filtered,
        libc::PTRACE_EVENT_EXIT => Report::Exiting,
        PTRACE_EVENT_STOP => Report::Trap { group_stop: signal != libc::SIGTRAP },
        _ => Report::OtherEvent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stopped(signal: i32, event: i32) -> i32 {
        event << 16 | signal << 8 | 0x7f
    }

    #[test]
    fn every_kind_of_status_is_decoded() {
        for (status, expected) in [
            (0, Report::Ended(Exit::Exited(0))),
            (3 << 8, Report::Ended(Exit::Exited(3))),
            (255 << 8, Report::Ended(Exit::Exited(255))),
            (libc::SIGKILL, Report::Ended(Exit::Signaled(9))),
            (libc::SIGSEGV | 0x80, Report::Ended(Exit::Signaled(11))),
            (64, Report::Ended(Exit::Signaled(64))),
            (stopped(libc::SIGTRAP | 0x80, 0), Report::Syscall),
            (stopped(libc::SIGTRAP, 0), Report::Signal(5)),
            (stopped(libc::SIGSTOP, 0), Report::Signal(19)),
            (stopped(64, 0), Report::Signal(64)),
            (stopped(libc::SIGTRAP, libc::PTRACE_EVENT_FORK), Report::Spawning { awaited: false }),
            (stopped(libc::SIGTRAP, libc::PTRACE_EVENT_VFORK), Report::Spawning { awaited: true }),
            (stopped(libc::SIGTRAP, libc::PTRACE_EVENT_CLONE), Report::Spawning { awaited: false }),
            (stopped(libc::SIGTRAP, libc::PTRACE_EVENT_EXEC), Report::Exec),
            (stopped(libc::SIGTRAP, libc::PTRACE_EVENT_EXIT), Report::Exiting),
            (stopped(libc::SIGTRAP, libc::PTRACE_EVENT_SECCOMP), Report::Filtered),
            (stopped(libc::SIGTRAP, libc::PTRACE_EVENT_VFORK_DONE), Report::OtherEvent),
            (stopped(libc::SIGTRAP, PTRACE_EVENT_STOP), Report::Trap { group_stop: false }),
            (stopped(libc::SIGSTOP, PTRACE_EVENT_STOP), Report::Trap { group_stop: true }),
            (stopped(libc::SIGTTIN, PTRACE_EVENT_STOP), Report::Trap { group_stop: true }),
        ] {
            assert_eq!(report(status), expected, "{status:#x}");
        }
    }
    proptest::proptest! {
        /// Each status has exactly one meaning, and the signal of a stop is kept.
        #[test]
        fn any_status_is_decoded(status: i32) {
            let report = report(status);
            let is_end = libc::WIFEXITED(status) || libc::WIFSIGNALED(status);
            proptest::prop_assert_eq!(matches!(report, Report::Ended(_)), is_end);
            if let Report::Signal(signal) = report {
                proptest::prop_assert_eq!(signal, status >> 8 & 0xff);
            }
        }
    }
}
