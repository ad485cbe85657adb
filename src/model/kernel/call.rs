//! A syscall of a task and its result, as plain data. Main types: [`Call`] and [`CallOutcome`].

use crate::model::kernel::syscall::Syscall;

/// A kernel task id: of a thread, or of the process whose first thread it is.
pub type Tid = i32;

/// A syscall as it entered the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Which.
    pub syscall: Syscall,
    /// Its six argument registers.
    pub args: [u64; 6],
    /// Where the instruction pointer stood.
    pub instruction_pointer: u64,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// It returned this value.
    Returned(i64),
    /// It failed with this errno.
    Failed(Errno),
    /// The kernel will restart it after a signal (ERESTARTSYS and its kin, include/linux/errno.h):
    /// no result.
    Restarting,
    /// Nobody awaited it.
    Unknown,
    /// The task was gone before a result: exit, exit_group, or killed inside.
    NeverReturned,
}

/// An error number, positive as in errno(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(pub i32);
