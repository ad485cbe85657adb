//! Flags of calls on files and filesystems, each with the header below include/uapi that defines
//! it.

use super::super::kind::Names;

/// asm-generic/fcntl.h. Flags that differ by architecture are in [`ARM`] and [`OTHERS`].
#[rustfmt::skip]
pub(in super::super) const OPEN: Names = &[
    (0o100, "O_CREAT"), (0o200, "O_EXCL"), (0o400, "O_NOCTTY"), (0o1000, "O_TRUNC"), (0o2000, "O_APPEND"),
    (0o4000, "O_NONBLOCK"), (0o4_010_000, "O_SYNC"), (0o10_000, "O_DSYNC"), (0o20_000, "O_ASYNC"),
    (0o1_000_000, "O_NOATIME"), (0o2_000_000, "O_CLOEXEC"), (0o10_000_000, "O_PATH"),
];

/// asm-generic/fcntl.h, as on x86 and RISC-V. O_TMPFILE includes O_DIRECTORY.
#[rustfmt::skip]
pub(in super::super) const OTHERS: Names = &[
    (0o20_200_000, "O_TMPFILE"), (0o200_000, "O_DIRECTORY"), (0o40_000, "O_DIRECT"), (0o100_000, "O_LARGEFILE"),
    (0o400_000, "O_NOFOLLOW"),
];

/// arch/arm64/include/uapi/asm/fcntl.h
#[rustfmt::skip]
pub(in super::super) const ARM: Names = &[
    (0o20_040_000, "O_TMPFILE"), (0o40_000, "O_DIRECTORY"), (0o200_000, "O_DIRECT"), (0o400_000, "O_LARGEFILE"),
    (0o100_000, "O_NOFOLLOW"),
];

/// unistd.h of the C library; 0 is F_OK.
pub(in super::super) const ACCESS: Names = &[(0, "F_OK"), (1, "X_OK"), (2, "W_OK"), (4, "R_OK")];

/// linux/fcntl.h
#[rustfmt::skip]
pub(in super::super) const AT: Names = &[
    (0x100, "AT_SYMLINK_NOFOLLOW"), (0x200, "AT_EACCESS"), (0x400, "AT_SYMLINK_FOLLOW"), (0x800, "AT_NO_AUTOMOUNT"),
    (0x1000, "AT_EMPTY_PATH"), (0x8000, "AT_RECURSIVE"), (0x1_0000, "AT_EXECVE_CHECK"),
];

/// linux/fcntl.h: flags of statx(2)
#[rustfmt::skip]
pub(in super::super) const STATX_LOOKUP: Names = &[
    (0, "AT_STATX_SYNC_AS_STAT"), (0x100, "AT_SYMLINK_NOFOLLOW"), (0x800, "AT_NO_AUTOMOUNT"),
    (0x1000, "AT_EMPTY_PATH"), (0x2000, "AT_STATX_FORCE_SYNC"), (0x4000, "AT_STATX_DONT_SYNC"),
];

/// linux/fcntl.h: the same bit as AT_EACCESS.
pub(in super::super) const UNLINK: Names = &[(0x200, "AT_REMOVEDIR")];

/// linux/fs.h
#[rustfmt::skip]
pub(in super::super) const WHENCE: Names =
    &[(0, "SEEK_SET"), (1, "SEEK_CUR"), (2, "SEEK_END"), (3, "SEEK_DATA"), (4, "SEEK_HOLE")];

/// linux/fadvise.h
#[rustfmt::skip]
pub(in super::super) const FADVISE: Names = &[
    (0, "POSIX_FADV_NORMAL"), (1, "POSIX_FADV_RANDOM"), (2, "POSIX_FADV_SEQUENTIAL"), (3, "POSIX_FADV_WILLNEED"),
    (4, "POSIX_FADV_DONTNEED"), (5, "POSIX_FADV_NOREUSE"),
];

/// linux/falloc.h
#[rustfmt::skip]
pub(in super::super) const FALLOCATE: Names = &[
    (1, "FALLOC_FL_KEEP_SIZE"), (2, "FALLOC_FL_PUNCH_HOLE"), (4, "FALLOC_FL_NO_HIDE_STALE"),
    (8, "FALLOC_FL_COLLAPSE_RANGE"), (0x10, "FALLOC_FL_ZERO_RANGE"), (0x20, "FALLOC_FL_INSERT_RANGE"),
    (0x40, "FALLOC_FL_UNSHARE_RANGE"), (0x80, "FALLOC_FL_WRITE_ZEROES"),
];

/// asm-generic/fcntl.h
pub(in super::super) const FD: Names = &[(1, "FD_CLOEXEC")];

/// asm-generic/fcntl.h
pub(in super::super) const LOCK: Names = &[(0, "F_RDLCK"), (1, "F_WRLCK"), (2, "F_UNLCK")];

/// asm-generic/fcntl.h
pub(in super::super) const FLOCK: Names = &[(1, "LOCK_SH"), (2, "LOCK_EX"), (4, "LOCK_NB"), (8, "LOCK_UN")];

/// linux/close_range.h
pub(in super::super) const CLOSE_RANGE: Names = &[(2, "CLOSE_RANGE_UNSHARE"), (4, "CLOSE_RANGE_CLOEXEC")];

/// linux/mount.h: `enum fsconfig_command`
#[rustfmt::skip]
pub(in super::super) const FSCONFIG: Names = &[
    (0, "FSCONFIG_SET_FLAG"), (1, "FSCONFIG_SET_STRING"), (2, "FSCONFIG_SET_BINARY"), (3, "FSCONFIG_SET_PATH"),
    (4, "FSCONFIG_SET_PATH_EMPTY"), (5, "FSCONFIG_SET_FD"), (6, "FSCONFIG_CMD_CREATE"),
    (7, "FSCONFIG_CMD_RECONFIGURE"), (8, "FSCONFIG_CMD_CREATE_EXCL"),
];

/// linux/xattr.h
pub(in super::super) const XATTR: Names = &[(1, "XATTR_CREATE"), (2, "XATTR_REPLACE")];

/// linux/mount.h. The magic number in the upper half is ignored by the kernel.
#[rustfmt::skip]
pub(in super::super) const MOUNT: Names = &[
    (0xc0ed_0000, "MS_MGC_VAL"), (0x1, "MS_RDONLY"), (0x2, "MS_NOSUID"), (0x4, "MS_NODEV"), (0x8, "MS_NOEXEC"),
    (0x10, "MS_SYNCHRONOUS"), (0x20, "MS_REMOUNT"), (0x40, "MS_MANDLOCK"), (0x80, "MS_DIRSYNC"),
    (0x100, "MS_NOSYMFOLLOW"), (0x400, "MS_NOATIME"), (0x800, "MS_NODIRATIME"), (0x1000, "MS_BIND"),
    (0x2000, "MS_MOVE"), (0x4000, "MS_REC"), (0x8000, "MS_SILENT"), (1 << 16, "MS_POSIXACL"),
    (1 << 17, "MS_UNBINDABLE"), (1 << 18, "MS_PRIVATE"), (1 << 19, "MS_SLAVE"), (1 << 20, "MS_SHARED"),
    (1 << 21, "MS_RELATIME"), (1 << 22, "MS_KERNMOUNT"), (1 << 23, "MS_I_VERSION"), (1 << 24, "MS_STRICTATIME"),
    (1 << 25, "MS_LAZYTIME"),
];

/// linux/fs.h of the kernel: flags of umount2(2)
pub(in super::super) const UMOUNT: Names =
    &[(1, "MNT_FORCE"), (2, "MNT_DETACH"), (4, "MNT_EXPIRE"), (8, "UMOUNT_NOFOLLOW")];

/// linux/mount.h and linux/fcntl.h
#[rustfmt::skip]
pub(in super::super) const OPEN_TREE: Names = &[
    (1, "OPEN_TREE_CLONE"), (0o2_000_000, "OPEN_TREE_CLOEXEC"), (0x100, "AT_SYMLINK_NOFOLLOW"),
    (0x800, "AT_NO_AUTOMOUNT"), (0x1000, "AT_EMPTY_PATH"), (0x8000, "AT_RECURSIVE"),
];

/// linux/openat2.h
#[rustfmt::skip]
pub(in super::super) const RESOLVE: Names = &[
    (1, "RESOLVE_NO_XDEV"), (2, "RESOLVE_NO_MAGICLINKS"), (4, "RESOLVE_NO_SYMLINKS"), (8, "RESOLVE_BENEATH"),
    (0x10, "RESOLVE_IN_ROOT"), (0x20, "RESOLVE_CACHED"),
];

/// linux/fs.h
pub(in super::super) const RENAME: Names = &[(1, "RENAME_NOREPLACE"), (2, "RENAME_EXCHANGE"), (4, "RENAME_WHITEOUT")];

/// linux/fs.h
#[rustfmt::skip]
pub(in super::super) const RWF: Names = &[
    (1, "RWF_HIPRI"), (2, "RWF_DSYNC"), (4, "RWF_SYNC"), (8, "RWF_NOWAIT"), (0x10, "RWF_APPEND"),
    (0x20, "RWF_NOAPPEND"), (0x40, "RWF_ATOMIC"), (0x80, "RWF_DONTCACHE"),
];

/// linux/splice.h of the kernel
pub(in super::super) const SPLICE: Names =
    &[(1, "SPLICE_F_MOVE"), (2, "SPLICE_F_NONBLOCK"), (4, "SPLICE_F_MORE"), (8, "SPLICE_F_GIFT")];

/// linux/stat.h
#[rustfmt::skip]
pub(in super::super) const STATX: Names = &[
    (0x7ff, "STATX_BASIC_STATS"), (0x1, "STATX_TYPE"), (0x2, "STATX_MODE"), (0x4, "STATX_NLINK"), (0x8, "STATX_UID"),
    (0x10, "STATX_GID"), (0x20, "STATX_ATIME"), (0x40, "STATX_MTIME"), (0x80, "STATX_CTIME"), (0x100, "STATX_INO"),
    (0x200, "STATX_SIZE"), (0x400, "STATX_BLOCKS"), (0x800, "STATX_BTIME"), (0x1000, "STATX_MNT_ID"),
    (0x2000, "STATX_DIOALIGN"), (0x4000, "STATX_MNT_ID_UNIQUE"), (0x8000, "STATX_SUBVOL"),
    (0x1_0000, "STATX_WRITE_ATOMIC"), (0x2_0000, "STATX_DIO_READ_ALIGN"),
];
