//! Signals that interrupt notified syscalls: which signal is delivered, and when. Main type:
//! [`Interruptions`].
//!
//! A notified syscall can be interrupted in two places. The first is the wait for its notification
//! to be received, when the kernel has not begun the syscall. The second is a wait in the syscall
//! itself. The registers look the same afterwards (-ERESTARTSYS), but the right result differs. In
//! the first place EINTR would be wrong: most syscalls never fail with it. In the second it is
//! right, unless the handler asks for SA_RESTART. Our own state cannot tell them apart, because a
//! loop makes the same syscall from the same address with the same arguments. So these rules make
//! the kernel decide:
//!
//! 1. With `SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`, non-fatal signals cannot interrupt the wait
//!    once the notification is received (`seccomp_do_user_notification()`, kernel/seccomp.c).
//! 2. A caught signal that stops a task with -ERESTARTSYS is held back at its
//!    signal-delivery-stop. The kernel then restarts the syscall, as it does for ignored signals.
//!    A restart is always allowed: this errno means that the syscall has had no effect yet.
//! 3. When the notification of the restarted syscall has been received, the signal is sent again,
//!    and only then is the notification answered. By rule 1 the syscall begins, and it begins with
//!    the signal pending. If it would wait, it returns -ERESTARTSYS; if not, it returns its result.
//! 4. The task stops for the signal at the end of that syscall, before it can make another one. The
//!    result in its registers is the syscall's own. The signal is delivered with its original
//!    `siginfo_t`, and the kernel turns -ERESTARTSYS into EINTR or a restart, as natively.
//! 5. Another signal before rule 3 is held back as well. Standard signals merge, as pending ones
//!    do; signal(7).
//! 6. If the task stops elsewhere before rule 3, the signals that are held back are sent at once.
//! 7. Signals that are not caught need none of this: the kernel restarts the syscall or the task
//!    ends. SIGCONT and stop signals are never held back, because sending them discards each other
//!    (`prepare_signal()`, kernel/signal.c). For them alone, a syscall that may wait and looks like
//!    the last reported one keeps its result; any other is restarted after the handler.
//! 8. A syscall that enters under ptrace never waits for a notification: its result is its own. It
//!    is recognized by number and address, whatever its ABI.
//!
//! The receiver and the tracer both call this module under one mutex. They never disagree on the
//! order of one task's syscalls and stops: while a received notification is unanswered the task
//! cannot stop (rule 1, unless it is killed), and while it is stopped it cannot notify. A killed
//! task makes no further syscall, and what it left is reported at its exit stop or not at all.
//!
//! Linux before 6.17 can interrupt a syscall between the answer and its begin. A syscall that never
//! waits is then made again; one that may wait can fail with EINTR.

use std::collections::HashMap;

use super::is_awaited;
use crate::model::kernel::call::{Call, Tid};
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::kernel::uapi::{ERESTARTSYS, SIGCONT, SIGRTMIN, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};

/// A `siginfo_t` as the kernel wrote it.
pub type SignalInfo = [u64; 16];

/// The registers of a task that is stopped on its way out of a syscall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registers {
    /// The syscall, with the ABI that the code segment implies.
    pub call: Call,
    /// The value of the result register.
    pub result: i64,
}

/// A signal at its signal-delivery-stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// The signal number.
    pub number: i32,
    /// The task has a handler for it.
    pub is_caught: bool,
}

/// What to do with a signal at its stop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Keep the signal from the task, and its information by [`Interruptions::hold`].
    pub holds_back: bool,
    /// Restart the interrupted syscall after the handler.
    pub restarts: bool,
    /// A syscall that was made and has not been reported.
    pub unreported: Option<Call>,
    /// Signals to send to the task now.
    pub send: Vec<i32>,
}

/// What to do about a received notification before it is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// The syscall has been reported: it is being made again.
    pub is_reported: bool,
    /// Signals to send to the task before the answer.
    pub send: Vec<i32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Running,
    /// A signal is held back, and the syscall that it interrupted is being restarted.
    Restarting,
    /// The restarted syscall runs with its signals pending.
    Pending,
}

#[derive(Debug, Default)]
struct Task {
    phase: Phase,
    /// The last notified syscall that was reported.
    reported: Option<Call>,
    /// The last syscall that entered under ptrace, if none was notified since.
    entered: Option<Call>,
    /// A call that was interrupted and looks like the last reported one. It may or may not be the
    /// same.
    doubtful: Option<Call>,
    /// Reported at a stop, and made again after a handler.
    again: Option<Call>,
    held: Vec<Held>,
}

/// A signal that has not been delivered to the task.
#[derive(Debug)]
struct Held {
    number: i32,
    info: SignalInfo,
    /// It was sent again by us and is pending, without its original information.
    is_sent: bool,
}

/// The state of every task that has made a syscall.
#[derive(Debug, Default)]
pub struct Interruptions {
    tasks: HashMap<Tid, Task>,
}

/// Signals that discard each other when they are sent.
const STOPPING: [i32; 5] = [SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU];

impl Interruptions {
    /// Records that a syscall enters under ptrace. Returns the signals to send to the task now.
    pub fn entered(&mut self, task: Tid, call: Call) -> Vec<i32> {
        let task = self.tasks.entry(task).or_default();
        task.entered = (!is_notified(call.syscall)).then_some(call);
        if task.entered.is_none() {
            task.reported = Some(call);
        }
        task.give_up()
    }

    /// Records that a notification has been received. It must not be answered yet.
    pub fn received(&mut self, task: Tid, call: Call) -> Received {
        let task = self.tasks.entry(task).or_default();
        let is_restarted = task.phase == Phase::Restarting;
        task.phase = if is_restarted { Phase::Pending } else { Phase::Running };
        let is_again = task.again.take_if(|again| *again == call).is_some();
        let is_reported = is_again || is_restarted && task.reported == Some(call);
        (task.entered, task.reported) = (None, Some(call));
        Received { is_reported, send: if is_restarted { task.send() } else { Vec::new() } }
    }

    /// Decides what to do with a signal. `registers` are those of the syscall that the task is
    /// leaving, if any.
    pub fn signalled(&mut self, task: Tid, registers: Option<Registers>, signal: Signal) -> Answer {
        let task = self.tasks.entry(task).or_default();
        let Some(call) = registers.and_then(|registers| task.interrupted(&registers)) else {
            let returned = task.phase == Phase::Pending;
            // This syscall does not wait, so the earlier one was not waiting either: it had
            // returned.
            let unreported = if returned { task.doubtful.take() } else { None };
            return Answer { unreported, send: task.give_up(), ..Answer::default() };
        };
        if !signal.is_caught {
            return Answer::default();
        }
        let may_be_own = may_be_own(task, &call);
        if task.phase == Phase::Pending && may_be_own {
            (task.phase, task.doubtful) = (Phase::Running, None);
            return Answer::default();
        }
        let is_reported = task.phase != Phase::Running && task.reported == Some(call);
        let is_doubtful = !is_reported && may_be_own;
        let unreported = (!is_reported && !is_doubtful).then_some(call);
        task.reported = Some(call);
        if !STOPPING.contains(&signal.number) {
            task.doubtful = is_doubtful.then_some(call).or(task.doubtful);
            task.phase = Phase::Restarting;
            return Answer { holds_back: true, unreported, ..Answer::default() };
        }
        let send = task.give_up();
        task.again = (!is_doubtful).then_some(call);
        Answer { restarts: !is_doubtful, unreported, send, ..Answer::default() }
    }

    /// Keeps the information of a signal that is held back; `None` if we sent it.
    pub fn hold(&mut self, task: Tid, number: i32, info: Option<SignalInfo>) {
        let held = &mut self.tasks.entry(task).or_default().held;
        let mut its = held.iter_mut().filter(|held| held.number == number);
        match info {
            None => its.find(|held| held.is_sent).into_iter().for_each(|held| held.is_sent = false),
            Some(_) if number < SIGRTMIN && its.any(|held| !held.is_sent) => {}
            Some(info) => held.push(Held { number, info, is_sent: false }),
        }
    }

    /// Returns whether we have sent a signal of this number that has not been delivered.
    pub fn has_sent(&self, task: Tid, number: i32) -> bool {
        self.tasks.get(&task).is_some_and(|task| task.held.iter().any(|held| held.number == number && held.is_sent))
    }

    /// Takes the original information of a signal that we sent and that is being delivered.
    pub fn deliver(&mut self, task: Tid, number: i32) -> Option<SignalInfo> {
        let held = &mut self.tasks.get_mut(&task)?.held;
        let at = held.iter().position(|held| held.number == number && held.is_sent)?;
        Some(held.remove(at).info)
    }

    /// Records that a task exits. Returns a syscall that it left before it began, unless it has
    /// been reported.
    pub fn exiting(&mut self, task: Tid, registers: &Registers) -> Option<Call> {
        let task = self.tasks.entry(task).or_default();
        let call = task.interrupted(registers).filter(|call| task.reported != Some(*call))?;
        // Its notification may have been received just before the exit.
        (task.reported, task.again) = (Some(call), Some(call));
        Some(call)
    }

    /// Removes a task that has ended or executes another program.
    pub fn forget(&mut self, task: Tid) {
        self.tasks.remove(&task);
    }
}

impl Task {
    /// Returns the notified syscall that returns -ERESTARTSYS, if any.
    fn interrupted(&self, registers: &Registers) -> Option<Call> {
        let Registers { call, result } = *registers;
        let is_same = |entered: Call| {
            (entered.syscall.number, entered.instruction_pointer) == (call.syscall.number, call.instruction_pointer)
        };
        let is_awaited = self.entered.is_some_and(is_same);
        (result == -ERESTARTSYS && is_notified(call.syscall) && !is_awaited).then_some(call)
    }

    /// Returns the signals that are held back, and marks them as sent.
    fn send(&mut self) -> Vec<i32> {
        let unsent = self.held.iter_mut().filter(|held| !held.is_sent);
        unsent.map(|held| (held.is_sent = true, held.number).1).collect()
    }

    /// Stops waiting for the restarted syscall, if there is one. Returns the signals to send now.
    fn give_up(&mut self) -> Vec<i32> {
        if std::mem::take(&mut self.phase) != Phase::Restarting {
            return Vec::new();
        }
        if self.doubtful.take().is_none() {
            self.again = self.reported;
        }
        self.send()
    }
}

/// Returns whether a syscall may have been interrupted in its own wait: it may wait, and it was
/// reported.
fn may_be_own(task: &Task, call: &Call) -> bool {
    task.reported == Some(*call) && call.syscall.row().is_some_and(|row| WAITING.binary_search(&row.name).is_ok())
}

/// Returns whether the filter notifies of a syscall instead of stopping it.
fn is_notified(syscall: Syscall) -> bool {
    syscall.abi == Abi::X86_64 && syscall.row().is_some_and(|row| !is_awaited(row.name))
}

/// Notified syscalls that may return -ERESTARTSYS, at least on some fds. Sorted.
const WAITING: &[&str] = &[
    "accept",
    "accept4",
    "add_key",
    "connect",
    "copy_file_range",
    "fcntl",
    "flock",
    "futex",
    "futex_wait",
    "futex_waitv",
    "getrandom",
    "ioctl",
    "keyctl",
    "mq_timedreceive",
    "mq_timedsend",
    "pread64",
    "preadv",
    "preadv2",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "read",
    "readv",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "request_key",
    "restart_syscall",
    "sendfile",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "splice",
    "syslog",
    "tee",
    "vmsplice",
    "wait4",
    "waitid",
    "write",
    "writev",
];

#[cfg(test)]
mod tests;
