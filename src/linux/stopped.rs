//! A stopped task as a token: what can be asked of it, and the transitions that use the token up.
//!
//! "Any ptrace command may return ESRCH" once a task is killed: here, in one place, that becomes
//! [`Alive::Gone`]. Its end is reported by wait later.

use std::io;

use super::sys::{self, SyscallInfo};
use crate::model::kernel::call::Tid;
use crate::model::kernel::syscall::Abi;

/// A task in a ptrace-stop. It cannot be copied, and every way to let it go consumes it.
#[derive(Debug)]
#[must_use = "a stopped task stays stopped until it is told to go on"]
pub(super) struct Stopped {
    tid: Tid,
}

/// Where a task stops next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// At the next entry or exit of a call.
    EveryCall,
    /// At the next call that its filter stops.
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
    /// The token for a task that wait has just reported as stopped.
    pub(super) fn reported(tid: Tid) -> Self {
        Self { tid }
    }

    pub(super) fn tid(&self) -> Tid {
        self.tid
    }

    /// The number that belongs to its PTRACE_EVENT stop.
    pub(super) fn event_message(&self) -> io::Result<Alive<Tid>> {
        alive(sys::event_message(self.tid).map(|message| message as Tid))
    }

    /// What its syscall-stop is about.
    pub(super) fn syscall_info(&self) -> io::Result<Alive<SyscallInfo>> {
        alive(sys::syscall_info(self.tid))
    }

    /// Eight bytes of its memory; `None`: there is nothing at this address, or the task is gone.
    pub(super) fn read_word(&self, address: u64) -> io::Result<Option<u64>> {
        match alive(readable(sys::read_word(self.tid, address)))? {
            Alive::Yes(word) => Ok(word),
            Alive::Gone => Ok(None),
        }
    }

    /// Writes eight bytes of its memory, where that can be: "even if the memory is read-only", as
    /// debuggers do.
    pub(super) fn write_word(&self, address: u64, word: u64) -> io::Result<Alive<bool>> {
        alive(readable(sys::write_word(self.tid, address, word)).map(|written| written.is_some()))
    }

    /// Writes the register of its call's first argument, where this architecture lets a tracer do
    /// that.
    pub(super) fn write_first_argument(&self, abi: Abi, value: u64) -> io::Result<Alive<bool>> {
        alive(readable(sys::write_first_argument(self.tid, abi, value)).map(|written| written.is_some()))
    }

    /// Lets it go on to its next stop, with a signal (0: none).
    pub(super) fn resume(self, signal: i32, pace: Pace) -> io::Result<()> {
        alive(match pace {
            Pace::EveryCall => sys::resume(self.tid, signal),
            Pace::Filtered => sys::resume_filtered(self.tid, signal),
        })
        .map(drop)
    }

    /// Keeps it stopped with its group.
    pub(super) fn listen(self) -> io::Result<()> {
        alive(sys::listen(self.tid)).map(drop)
    }
}
