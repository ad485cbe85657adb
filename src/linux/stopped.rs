//! A stopped task as a token: what can be asked of it, and the transitions that use the token up.
//!
//! "Any ptrace command may return ESRCH" once a task is killed: here, in one place, that becomes [`Alive::Gone`]. Its end is reported by wait later.

use std::io;

use super::sys::{self, SyscallInfo};
use crate::model::event::Tid;

/// A task in a ptrace-stop. It cannot be copied, and every way to let it go consumes it.
#[derive(Debug)]
#[must_use = "a stopped task stays stopped until it is told to go on"]
pub(super) struct Stopped {
    tid: Tid,
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

    /// Lets it go on to its next call, with a signal (0: none).
    pub(super) fn resume(self, signal: i32) -> io::Result<()> {
        alive(sys::resume(self.tid, signal)).map(drop)
    }

    /// Keeps it stopped with its group.
    pub(super) fn listen(self) -> io::Result<()> {
        alive(sys::listen(self.tid)).map(drop)
    }
}
