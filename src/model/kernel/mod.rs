//! The kernel's interface: syscalls and their numbers under each ABI, errnos, signals, and other
//! numbers of its headers (`uapi`). Main types: [`syscall::Syscall`] and [`call::Call`].

pub mod call;
pub mod errno;
pub mod signal;
pub mod syscall;
pub(crate) mod uapi;
