//! Injects faults: makes one call fail, or read or write fewer bytes. Main type: [`Injector`].
//!
//! It must not choose the call. A call that fails is not made: it is skipped at its entry, and gets
//! its result at its exit. close(2) is made, since it releases its fd also when it fails. Changes
//! that other modules make to a call (`untraced`, `dumpable`) are undone at that exit, as for a
//! call that the kernel refuses.

use std::collections::HashMap;
use std::fs;
use std::io;

use super::leave::LeftProcess;
use super::status::field;
use super::stopped::{Alive, Stopped};
use super::sys;
use super::watcher::{NotInjected, Watcher};
use crate::model::explore::faults::{count_register, happens_anyway};
use crate::model::explore::injection::Fault;
use crate::model::kernel::call::{Call, Errno, Tid};
use crate::model::kernel::syscall::Abi;
use crate::model::trace::tracee::{Stop, Tasks};

/// The calls under way with a fault.
#[derive(Debug, Default)]
pub(super) struct Injector {
    pending: HashMap<Tid, Pending>,
    left: LeftProcess,
}

/// What must be done at the exit of a call.
#[derive(Debug, Clone, Copy)]
enum Pending {
    /// The call gets this error, and its task perhaps SIGPIPE.
    Fails { errno: Errno, breaks_pipe: bool },
    /// The register of an argument gets its value back.
    Restores { abi: Abi, at: usize, value: u64 },
}

impl Injector {
    /// Injects the fault that the watcher wants, if any, into the call that a task is entering.
    pub(super) fn at_entry(
        &mut self,
        task: Option<&Stopped>,
        call: &Call,
        watcher: &mut dyn Watcher,
    ) -> io::Result<()> {
        let Some(task) = task else { return Ok(()) };
        if let Some(fault) = watcher.fault(task.tid(), call)
            && let Err(reason) = self.inject(task, call, fault)?
        {
            watcher.not_injected(task.tid(), reason);
        }
        Ok(())
    }

    fn inject(&mut self, task: &Stopped, call: &Call, fault: Fault) -> io::Result<Result<(), NotInjected>> {
        if let Err(reason) = can_fail(call) {
            return Ok(Err(reason));
        }
        let (pending, changed) = match fault {
            Fault::Errno(errno) => {
                let pending = Pending::Fails { errno, breaks_pipe: breaks_pipe(call, errno) };
                if happens_anyway(&call.syscall.name()) {
                    (pending, Alive::Yes(CAN_BE_CHANGED))
                } else if has_own_filter(task.tid()) {
                    return Ok(Err(NotInjected::OwnFilter));
                } else {
                    (pending, task.skip_call(-i64::from(errno.0))?)
                }
            }
            Fault::Short(bytes) => {
                let Some(at) = count_register(&call.syscall.name()) else { return Ok(Err(NotInjected::Unsupported)) };
                let (abi, value) = (call.syscall.abi, call.args[at]);
                if value <= bytes {
                    return Ok(Err(NotInjected::TooFewBytes));
                }
                (Pending::Restores { abi, at, value }, task.write_argument(abi, at, bytes)?)
            }
        };
        match changed {
            Alive::Yes(false) => return Ok(Err(NotInjected::Unsupported)),
            Alive::Yes(true) => drop(self.pending.insert(task.tid(), pending)),
            // It makes no further call.
            Alive::Gone => {}
        }
        Ok(Ok(()))
    }

    /// Processes a stop, and returns it as the task sees it: at the exit of a call, the fault is in
    /// its registers.
    pub(super) fn at_stop(&mut self, task: Tid, stop: Stop) -> io::Result<Stop> {
        if self.pending.is_empty() {
            return Ok(stop);
        }
        match stop {
            Stop::Exit { .. } => match self.pending.remove(&task) {
                Some(Pending::Fails { errno, breaks_pipe }) => {
                    let value = -i64::from(errno.0);
                    sys::write_result(task, value)?;
                    if breaks_pipe {
                        sys::signal_task(task, libc::SIGPIPE)?;
                    }
                    return Ok(Stop::Exit { value, failed: true });
                }
                Some(Pending::Restores { abi, at, value }) => restore(task, abi, at, value)?,
                None => {}
            },
            // From here on the task has the number of its thread group leader, which is gone.
            Stop::Exec { former, .. } => {
                self.pending.remove(&former);
                self.pending.remove(&task);
            }
            Stop::Exiting { .. } | Stop::Ended(_) => drop(self.pending.remove(&task)),
            _ => {}
        }
        Ok(stop)
    }

    /// Returns a stopped task, unless its process is left to a debugger. `is_free` says that
    /// nothing of the task must be restored.
    pub(super) fn keep(
        &mut self,
        task: Option<Stopped>,
        (stop, is_free): (&Stop, bool),
        root: Tid,
        tasks: &mut Tasks,
        watcher: &mut dyn Watcher,
    ) -> io::Result<Option<Stopped>> {
        task.map_or(Ok(None), |task| self.left.keep(task, (stop, is_free), root, tasks, watcher))
    }

    /// Waits for the end of the process that was left to a debugger, if any.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        self.left.wait()
    }
}

/// Whether this architecture allows a tracer to change the result of a call.
const CAN_BE_CHANGED: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

/// Restores the register of an argument. A call preserves it, and a program may rely on that:
/// "Linux", calling sequence, x86-64 psABI, A.2.1.
fn restore(task: Tid, abi: Abi, at: usize, value: u64) -> io::Result<()> {
    match sys::write_argument(task, abi, at, value) {
        Err(error) if error.raw_os_error() != Some(libc::ESRCH) => Err(error),
        _ => Ok(()),
    }
}

fn can_fail(call: &Call) -> Result<(), NotInjected> {
    const CANNOT_FAIL: [&str; 5] = ["exit", "exit_group", "rt_sigreturn", "sigreturn", "restart_syscall"];
    if CANNOT_FAIL.contains(&&*call.syscall.name()) { Err(NotInjected::CannotFail) } else { Ok(()) }
}

/// Returns whether the kernel sends SIGPIPE with this error: "EPIPE", write(2), send(2), splice(2).
fn breaks_pipe(call: &Call, errno: Errno) -> bool {
    let flags = match &*call.syscall.name() {
        _ if errno.0 != libc::EPIPE => return false,
        "write" | "writev" | "splice" | "tee" | "vmsplice" | "sendfile" | "sendfile64" | "send" => 0,
        "sendto" | "sendmmsg" => call.args[3],
        "sendmsg" => call.args[2],
        _ => return false,
    };
    flags & libc::MSG_NOSIGNAL as u64 == 0
}

/// Returns whether a task has other seccomp filters than this thread. With an unreadable status it
/// counts as having some.
fn has_own_filter(task: Tid) -> bool {
    filters(task).is_none_or(|its| filters(sys::gettid()).is_none_or(|ours| its != ours))
}

/// Returns the mode and the number of seccomp filters, which is known since Linux 5.9.
fn filters(task: Tid) -> Option<[String; 2]> {
    let status = fs::read_to_string(format!("/proc/{task}/status")).ok()?;
    let value = |key| field(&status, key).unwrap_or_default().to_owned();
    Some(["Seccomp:", "Seccomp_filters:"].map(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::Syscall;

    fn call(abi: Abi, name: &str) -> Call {
        let syscall = Syscall::from_name(abi, name).expect(name);
        Call { syscall, args: [1, 2, 0x5_0000_0003, 4, 5, 6], instruction_pointer: 0 }
    }

    #[test]
    fn calls_without_a_result_cannot_fail() {
        for (abi, name, can) in [
            (Abi::X86_64, "exit_group", Err(NotInjected::CannotFail)),
            (Abi::I386, "sigreturn", Err(NotInjected::CannotFail)),
            (Abi::Aarch64, "restart_syscall", Err(NotInjected::CannotFail)),
            (Abi::X86_64, "execve", Ok(())),
            (Abi::X86_64, "read", Ok(())),
        ] {
            assert_eq!(can_fail(&call(abi, name)), can, "{abi} {name}");
        }
        let unknown = Syscall { abi: Abi::X86_64, number: 0x3e7 };
        assert_eq!(can_fail(&Call { syscall: unknown, args: [0; 6], instruction_pointer: 0 }), Ok(()));
    }

    #[test]
    fn broken_pipe_raises_its_signal_unless_refused() {
        for (name, args, errno, raises) in [
            ("write", [1, 0, 5, 0, 0, 0], libc::EPIPE, true),
            ("write", [1, 0, 5, 0, 0, 0], libc::EIO, false),
            ("pwrite64", [1, 0, 5, 0, 0, 0], libc::EPIPE, false),
            ("sendto", [1, 0, 5, 0, 0, 0], libc::EPIPE, true),
            ("sendto", [1, 0, 5, 0x4000, 0, 0], libc::EPIPE, false),
            ("sendmsg", [1, 0, 0x4000, 0, 0, 0], libc::EPIPE, false),
            ("sendmsg", [1, 0, 0, 0x4000, 0, 0], libc::EPIPE, true),
        ] {
            let call = Call { args, ..call(Abi::X86_64, name) };
            assert_eq!(breaks_pipe(&call, Errno(errno)), raises, "{name} {args:?}");
        }
    }

    #[test]
    fn own_filters_are_not_foreign() {
        assert!(!has_own_filter(sys::gettid()));
        assert!(has_own_filter(Tid::MAX), "a task without a status");
    }

    #[test]
    fn fault_of_a_replaced_task_is_forgotten() {
        const FAILS: Pending = Pending::Fails { errno: Errno(5), breaks_pipe: false };
        let mut injector = Injector::default();
        injector.pending.extend([(7, FAILS), (9, FAILS)]);
        let exec = Stop::Exec { former: 9, privileged: false };
        assert_eq!(injector.at_stop(7, exec).expect("no request"), exec);
        assert!(injector.pending.is_empty());
        let exit = Stop::Exit { value: 3, failed: false };
        assert_eq!(injector.at_stop(7, exit).expect("no request"), exit);
    }
}
