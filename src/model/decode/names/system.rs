//! Values and flags of calls on memory, time and the system, each with the header below
//! include/uapi that defines it.

use super::super::kind::Names;

/// linux/mman.h, asm-generic/mman-common.h and asm-generic/mman.h; MAP_32BIT of x86. Without a type
/// of mapping, 0 is MAP_FILE.
#[rustfmt::skip]
pub(in super::super) const MAP: Names = &[
    (0x3, "MAP_SHARED_VALIDATE"), (0x1, "MAP_SHARED"), (0x2, "MAP_PRIVATE"), (0x10, "MAP_FIXED"),
    (0x20, "MAP_ANONYMOUS"), (0x40, "MAP_32BIT"), (0x100, "MAP_GROWSDOWN"), (0x800, "MAP_DENYWRITE"),
    (0x1000, "MAP_EXECUTABLE"), (0x2000, "MAP_LOCKED"), (0x4000, "MAP_NORESERVE"), (0x8000, "MAP_POPULATE"),
    (0x1_0000, "MAP_NONBLOCK"), (0x2_0000, "MAP_STACK"), (0x4_0000, "MAP_HUGETLB"), (0x8_0000, "MAP_SYNC"),
    (0x10_0000, "MAP_FIXED_NOREPLACE"), (0x400_0000, "MAP_UNINITIALIZED"), (0, "MAP_FILE"),
];

/// linux/mman.h
pub(in super::super) const MREMAP: Names = &[(1, "MREMAP_MAYMOVE"), (2, "MREMAP_FIXED"), (4, "MREMAP_DONTUNMAP")];

/// asm-generic/mman-common.h
pub(in super::super) const MSYNC: Names = &[(1, "MS_ASYNC"), (2, "MS_INVALIDATE"), (4, "MS_SYNC")];

/// asm-generic/mman.h
pub(in super::super) const MLOCKALL: Names = &[(1, "MCL_CURRENT"), (2, "MCL_FUTURE"), (4, "MCL_ONFAULT")];

/// linux/memfd.h
#[rustfmt::skip]
pub(in super::super) const MEMFD: Names = &[
    (1, "MFD_CLOEXEC"), (2, "MFD_ALLOW_SEALING"), (4, "MFD_HUGETLB"), (8, "MFD_NOEXEC_SEAL"), (0x10, "MFD_EXEC"),
];

/// linux/fcntl.h
#[rustfmt::skip]
pub(in super::super) const SEALS: Names = &[
    (1, "F_SEAL_SEAL"), (2, "F_SEAL_SHRINK"), (4, "F_SEAL_GROW"), (8, "F_SEAL_WRITE"), (0x10, "F_SEAL_FUTURE_WRITE"),
    (0x20, "F_SEAL_EXEC"),
];

/// linux/shm.h
#[rustfmt::skip]
pub(in super::super) const SHM: Names =
    &[(0o10_000, "SHM_RDONLY"), (0o20_000, "SHM_RND"), (0o40_000, "SHM_REMAP"), (0o100_000, "SHM_EXEC")];

/// linux/random.h
pub(in super::super) const RANDOM: Names = &[(1, "GRND_NONBLOCK"), (2, "GRND_RANDOM"), (4, "GRND_INSECURE")];

/// linux/time.h
pub(in super::super) const ITIMER: Names = &[(0, "ITIMER_REAL"), (1, "ITIMER_VIRTUAL"), (2, "ITIMER_PROF")];

/// linux/time.h and linux/timerfd.h
pub(in super::super) const TIMER: Names = &[(1, "TIMER_ABSTIME"), (2, "TFD_TIMER_CANCEL_ON_SET")];

/// linux/timerfd.h
pub(in super::super) const TIMERFD: Names = &[(0o4000, "TFD_NONBLOCK"), (0o2_000_000, "TFD_CLOEXEC")];
