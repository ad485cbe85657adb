//! The kernel's interface: syscalls and their numbers under each ABI, errnos and signals. Main
//! types: [`syscall::Syscall`] and [`call::Call`].

pub mod call;
pub mod errno;
pub mod signal;
pub mod syscall;
