//! Constants from the kernel's headers.

// include/uapi/asm-generic/errno-base.h and errno.h
pub(crate) const EPERM: u32 = 1;
pub(crate) const ENOSYS: u32 = 38;

// arch/x86/include/uapi/asm/unistd.h: `__X32_SYSCALL_BIT`
pub(crate) const X32_SYSCALL_BIT: i64 = 0x4000_0000;
