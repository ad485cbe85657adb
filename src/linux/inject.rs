//! Injects faults: makes one call fail, or read or write fewer bytes. Main type: [`Injector`].
//!
//! It must not choose the call. A call that fails is not made: it is skipped at its entry, and gets
//! its result at its exit. Changes that other modules make to a call (`untraced`, `dumpable`) are
//! undone at that exit, as for a call that the kernel refuses.

use std::collections::HashMap;
use std::fs;
use std::io;

use super::status::field;
use super::stopped::{Alive, Stopped};
use super::sys;
use super::watcher::{NotInjected, Watcher};
use crate::model::explore::injection::Fault;
use crate::model::kernel::call::{Call, Errno, Tid};
use crate::model::kernel::syscall::Abi;
use crate::model::trace::tracee::Stop;

/// The calls under way with a fault.
#[derive(Debug, Default)]
pub(super) struct Injector {
    pending: HashMap<Tid, Pending>,
}

/// What must be done at the exit of a call.
#[derive(Debug, Clone, Copy)]
enum Pending {
    /// The call gets this error.
    Fails(Errno),
    /// The register of the third argument gets its value back.
    Restores(Abi, u64),
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
            Fault::Errno(errno) if is_made(call) => (Pending::Fails(errno), Alive::Yes(true)),
            Fault::Errno(_) if has_own_filter(task.tid()) => return Ok(Err(NotInjected::OwnFilter)),
            Fault::Errno(errno) => (Pending::Fails(errno), task.skip_call(-i64::from(errno.0))?),
            Fault::Short(bytes) => match byte_count(call) {
                None => return Ok(Err(NotInjected::Unsupported)),
                Some(asked) if asked <= bytes => return Ok(Err(NotInjected::TooFewBytes)),
                Some(_) => {
                    let abi = call.syscall.abi;
                    (Pending::Restores(abi, call.args[2]), task.write_third_argument(abi, bytes)?)
                }
            },
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
                Some(Pending::Fails(errno)) => {
                    let value = -i64::from(errno.0);
                    sys::write_result(task, value)?;
                    return Ok(Stop::Exit { value, failed: true });
                }
                Some(Pending::Restores(abi, count)) => restore(task, abi, count)?,
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
}

/// "The arguments of a call are preserved": a program may rely on their registers after the call.
fn restore(task: Tid, abi: Abi, count: u64) -> io::Result<()> {
    match sys::write_argument(task, abi, 2, count) {
        Err(error) if error.raw_os_error() != Some(libc::ESRCH) => Err(error),
        _ => Ok(()),
    }
}

/// Returns whether a call that fails with an error is made all the same.
///
/// close(2) "always" releases the fd, also "in case of an error": a skipped call would keep a pipe
/// open whose other end waits for its end.
fn is_made(call: &Call) -> bool {
    call.syscall.row().is_some_and(|row| row.name == "close")
}

fn can_fail(call: &Call) -> Result<(), NotInjected> {
    const CANNOT_FAIL: [&str; 5] = ["exit", "exit_group", "rt_sigreturn", "sigreturn", "restart_syscall"];
    if call.syscall.row().is_some_and(|row| CANNOT_FAIL.contains(&row.name)) { Err(NotInjected::CannotFail) } else { Ok(()) }
}

/// Returns how many bytes a call asks to read or write, if its third argument is that number.
pub fn byte_count(call: &Call) -> Option<u64> {
    const COUNTED: [&str; 6] = ["read", "write", "pread64", "pwrite64", "recvfrom", "sendto"];
    let row = call.syscall.row().filter(|row| COUNTED.contains(&row.name));
    row.map(|_| match call.syscall.abi {
        Abi::I386 | Abi::Arm => call.args[2] & u64::from(u32::MAX),
        _ => call.args[2],
    })
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
    fn byte_count_is_the_third_argument() {
        for (abi, name, count) in [
            (Abi::X86_64, "read", Some(0x5_0000_0003)),
            (Abi::I386, "write", Some(3)),
            (Abi::Aarch64, "sendto", Some(0x5_0000_0003)),
            (Abi::X86_64, "readv", None),
            (Abi::X86_64, "openat", None),
        ] {
            assert_eq!(byte_count(&call(abi, name)), count, "{abi} {name}");
        }
    }

    #[test]
    fn own_filters_are_not_foreign() {
        assert!(!has_own_filter(sys::gettid()));
        assert!(has_own_filter(Tid::MAX), "a task without a status");
    }

    #[test]
    fn fault_of_a_replaced_task_is_forgotten() {
        let mut injector = Injector::default();
        injector.pending.extend([(7, Pending::Fails(Errno(5))), (9, Pending::Fails(Errno(5)))]);
        let exec = Stop::Exec { former: 9, privileged: false };
        assert_eq!(injector.at_stop(7, exec).expect("no request"), exec);
        assert!(injector.pending.is_empty());
        let exit = Stop::Exit { value: 3, failed: false };
        assert_eq!(injector.at_stop(7, exit).expect("no request"), exit);
    }
}
