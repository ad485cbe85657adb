//! Constants from the kernel's headers.

// include/uapi/asm-generic/mman-common.h
pub(crate) const PROT_EXEC: u64 = 0x4;
