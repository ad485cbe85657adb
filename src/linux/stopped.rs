//! A stopped task as a token: queries about it, and transitions that consume it. Main type:
//! [`Stopped`].
//!
//! "Any ptrace command may return ESRCH" once a task is killed. This module alone turns that into
//! [`Alive::Gone`]; wait(2) reports the task's end later.

use std::io;

use super::sys::{self, ReplacedCall, SyscallInfo};
use crate::model::kernel::call::Tid;
use crate::model::kernel::syscall::{Abi, Syscall};

/// A task in a ptrace-stop. It cannot be copied, and every way to resume it consumes it.
#[derive(Debug)]
#[must_use = "a stopped task stays stopped until it is resumed"]
pub(super) struct Stopped {
    tid: Tid,
}

/// Where a task stops next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStop {
    /// At the next entry or exit of a call.
    EveryCall,
    /// At the next call that its seccomp filter stops.
    Filtered,
}

/// An answer, unless the task was killed meanwhile.
#[derive(Debug)]
pub(super) enum Alive<T> {
    Yes(T),
    Gone,
}

fn alive<T>(answer: io::Result<T>) -> io::Result<Alive<T>> {
    match answer {
        Ok(answer) => Ok(Alive::Yes(answer)),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(Alive::Gone),
        Err(error) => Err(error),
    }
}

/// "EIO: […] request was to read from or write to an invalid area"; ptrace(2).
fn readable<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Err(error) if matches!(error.raw_os_error(), Some(libc::EIO | libc::EFAULT | libc::EOPNOTSUPP)) => Ok(None),
        answer => answer.map(Some),
    }
}

impl Stopped {
    /// Returns the token for a task that wait(2) has just reported as stopped.
    pub(super) fn reported(tid: Tid) -> Self {
        Self { tid }
    }

    pub(super) fn tid(&self) -> Tid {
        self.tid
    }

    /// Returns the message of the task's PTRACE_EVENT stop.
    pub(super) fn event_message(&self) -> io::Result<Alive<Tid>> {
        alive(sys::event_message(self.tid).map(|message| message as Tid))
    }

    /// Returns what the syscall-stop reports.
    pub(super) fn syscall_info(&self) -> io::Result<Alive<SyscallInfo>> {
        alive(sys::syscall_info(self.tid))
    }

    /// Reads eight bytes of the task's memory. `None`: the address is not mapped, or the task is
    /// gone.
    pub(super) fn read_word(&self, address: u64) -> io::Result<Option<u64>> {
        match alive(readable(sys::read_word(self.tid, address)))? {
            Alive::Yes(word) => Ok(word),
            Alive::Gone => Ok(None),
        }
    }

    /// Writes eight bytes of the task's memory and returns whether that was possible. It works
    /// "even if the memory is read-only", as debuggers do.
    pub(super) fn write_word(&self, address: u64, word: u64) -> io::Result<Alive<bool>> {
        alive(readable(sys::write_word(self.tid, address, word)).map(|written| written.is_some()))
    }

    /// Writes the register of the call's first argument. Returns whether this architecture allows
    /// it.
    pub(super) fn write_first_argument(&self, abi: Abi, value: u64) -> io::Result<Alive<bool>> {
        alive(readable(sys::write_first_argument(self.tid, abi, value)).map(|written| written.is_some()))
    }

    /// Writes the register of the call's second argument.
    pub(super) fn write_second_argument(&self, abi: Abi, value: u64) -> io::Result<()> {
        alive(sys::write_argument(self.tid, abi, 1, value)).map(drop)
    }

    /// Writes the register of an argument of the call, from the first (0) to the fifth (4). Returns
    /// whether this architecture allows it.
    #[cfg(feature = "unstable")]
    pub(super) fn write_argument(&self, abi: Abi, at: usize, value: u64) -> io::Result<Alive<bool>> {
        alive(readable(sys::write_argument(self.tid, abi, at, value)).map(|written| written.is_some()))
    }

    /// Makes the kernel skip the call that the task is entering; its exit follows, with this
    /// result. Returns whether this architecture allows it.
    #[cfg(feature = "unstable")]
    pub(super) fn skip_call(&self, result: i64) -> io::Result<Alive<bool>> {
        alive(readable(sys::skip_call(self.tid, result)).map(|skipped| skipped.is_some()))
    }

    /// Replaces the call that the task is entering by another one of the same ABI.
    pub(super) fn replace_call(&self, by: Syscall, args: [u64; 2]) -> io::Result<Alive<ReplacedCall>> {
        alive(sys::replace_call(self.tid, by, args))
    }

    /// Restores the replaced call, which the task makes when it resumes.
    pub(super) fn restore_call(&self, replaced: &ReplacedCall) -> io::Result<()> {
        alive(sys::restore_call(self.tid, replaced)).map(drop)
    }

    /// Resumes the task up to its next stop, with a signal (0: none).
    pub(super) fn resume(self, signal: i32, next_stop: NextStop) -> io::Result<()> {
        alive(match next_stop {
            NextStop::EveryCall => sys::resume(self.tid, signal),
            NextStop::Filtered => sys::resume_filtered(self.tid, signal),
        })
        .map(drop)
    }

    /// No longer traces the task, which resumes with a signal (0: none).
    #[cfg(feature = "unstable")]
    pub(super) fn detach(self, signal: i32) -> io::Result<()> {
        alive(sys::detach(self.tid, signal)).map(drop)
    }

    /// Leaves the task in its group-stop.
    pub(super) fn listen(self) -> io::Result<()> {
        alive(sys::listen(self.tid)).map(drop)
    }
}
