//! A syscall of a task and its result, as plain data. Main types: [`Call`] and [`CallOutcome`].

use crate::model::kernel::syscall::Syscall;

/// A kernel task id: of a thread, or of the process that the thread leads.
pub type Tid = i32;

/// A syscall as it entered the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The syscall number and its ABI.
    pub syscall: Syscall,
    /// Its six argument registers.
    pub args: [u64; 6],
    /// The instruction pointer at the entry.
    pub instruction_pointer: u64,
}

/// The result of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// It returned this value.
    Returned(i64),
    /// It failed with this errno.
    Failed(Errno),
    /// The kernel restarts it after a signal, so it has no result: ERESTARTSYS and similar,
    /// include/linux/errno.h.
    Restarting,
    /// The result was not awaited.
    Unknown,
    /// The task ended before a result: by exit, by exit_group, or killed in the call.
    NeverReturned,
}

/// An error number, positive as in errno(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(pub i32);
