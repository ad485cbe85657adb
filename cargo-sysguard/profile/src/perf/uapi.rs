//! Constants of perf_event_open(2): include/uapi/linux/perf_event.h, and the numbers of registers
//! in `asm/perf_regs.h` of each architecture.

pub(super) const PERF_RECORD_LOST: u32 = 2;
pub(super) const PERF_RECORD_COMM: u32 = 3;
pub(super) const PERF_RECORD_EXIT: u32 = 4;
pub(super) const PERF_RECORD_THROTTLE: u32 = 5;
pub(super) const PERF_RECORD_FORK: u32 = 7;
pub(super) const PERF_RECORD_SAMPLE: u32 = 9;
pub(super) const PERF_RECORD_MMAP2: u32 = 10;
pub(super) const PERF_RECORD_LOST_SAMPLES: u32 = 13;

pub(super) const PERF_RECORD_MISC_CPUMODE_MASK: u16 = 7;
pub(super) const PERF_RECORD_MISC_KERNEL: u16 = 1;
pub(super) const PERF_RECORD_MISC_COMM_EXEC: u16 = 1 << 13;

pub(super) const PERF_CONTEXT_KERNEL: u64 = -128_i64 as u64;
pub(super) const PERF_CONTEXT_USER: u64 = -512_i64 as u64;
/// Every address of a call chain from here on marks a context.
pub(super) const PERF_CONTEXT_MAX: u64 = -4095_i64 as u64;

pub(super) const PERF_SAMPLE_REGS_ABI_64: u64 = 2;

/// Frame pointer, stack pointer and instruction pointer, in the order of a sample.
#[cfg(target_arch = "x86_64")]
pub(super) const PERF_REGS: &[u32] = &[6, 7, 8];

/// Frame pointer, link register, stack pointer and program counter, in the order of a sample.
#[cfg(target_arch = "aarch64")]
pub(super) const PERF_REGS: &[u32] = &[29, 30, 31, 32];

/// Stacks are not unwound on this architecture.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) const PERF_REGS: &[u32] = &[];
