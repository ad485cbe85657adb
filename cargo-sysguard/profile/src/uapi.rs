//! Constants from the kernel's headers.

// include/uapi/asm-generic/errno-base.h and errno.h
pub(crate) const EPERM: i32 = 1;
pub(crate) const ENOMEM: i32 = 12;
pub(crate) const EACCES: i32 = 13;
pub(crate) const ENODEV: i32 = 19;
pub(crate) const EINVAL: i32 = 22;
pub(crate) const EMFILE: i32 = 24;
pub(crate) const ENOSYS: i32 = 38;

// include/uapi/linux/capability.h
pub(crate) const CAP_SYS_ADMIN: u32 = 21;
pub(crate) const CAP_SYSLOG: u32 = 34;
pub(crate) const CAP_PERFMON: u32 = 38;
pub(crate) const CAP_BPF: u32 = 39;

// include/linux/proc_ns.h

/// The inode number of the first user namespace.
pub(crate) const PROC_USER_INIT_INO: u32 = 0xEFFF_FFFD;

// include/uapi/linux/perf_event.h

pub(crate) const PERF_RECORD_LOST: u32 = 2;
pub(crate) const PERF_RECORD_COMM: u32 = 3;
pub(crate) const PERF_RECORD_EXIT: u32 = 4;
pub(crate) const PERF_RECORD_THROTTLE: u32 = 5;
pub(crate) const PERF_RECORD_FORK: u32 = 7;
pub(crate) const PERF_RECORD_SAMPLE: u32 = 9;
pub(crate) const PERF_RECORD_MMAP2: u32 = 10;
pub(crate) const PERF_RECORD_LOST_SAMPLES: u32 = 13;

pub(crate) const PERF_RECORD_MISC_CPUMODE_MASK: u16 = 7;
pub(crate) const PERF_RECORD_MISC_KERNEL: u16 = 1;
pub(crate) const PERF_RECORD_MISC_COMM_EXEC: u16 = 1 << 13;

pub(crate) const PERF_CONTEXT_KERNEL: u64 = -128_i64 as u64;
pub(crate) const PERF_CONTEXT_USER: u64 = -512_i64 as u64;
/// Values of a call chain from here on are context markers, not addresses.
pub(crate) const PERF_CONTEXT_MAX: u64 = -4095_i64 as u64;

pub(crate) const PERF_SAMPLE_REGS_ABI_64: u64 = 2;

// asm/perf_regs.h of each architecture

/// Registers in the order of a sample. x86_64: frame pointer, stack pointer, instruction pointer;
/// aarch64: frame pointer, link register, stack pointer, program counter. Stacks are not unwound on
/// other architectures.
pub(crate) const PERF_REGS: &[u32] = if cfg!(target_arch = "x86_64") {
    &[6, 7, 8]
} else if cfg!(target_arch = "aarch64") {
    &[29, 30, 31, 32]
} else {
    &[]
};
