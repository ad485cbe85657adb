//! Constants from the kernel's headers.

// include/uapi/asm-generic/errno-base.h and errno.h
pub(crate) const EPERM: u32 = 1;
pub(crate) const ENOSYS: u32 = 38;

// arch/x86/include/uapi/asm/unistd.h: `__X32_SYSCALL_BIT`
pub(crate) const X32_SYSCALL_BIT: i64 = 0x4000_0000;

// include/uapi/asm-generic/fcntl.h, resource.h and ioctls.h
pub(crate) const F_SETFD: u64 = 2;
pub(crate) const RLIMIT_STACK: u64 = 3;
pub(crate) const TIOCGWINSZ: u64 = 0x5413;

// include/uapi/linux/prctl.h
pub(crate) const PR_SET_NO_NEW_PRIVS: u64 = 38;

// include/uapi/linux/seccomp.h
pub(crate) const SECCOMP_SET_MODE_FILTER: u64 = 1;
pub(crate) const SECCOMP_RET_KILL_PROCESS: u32 = 0x8000_0000;
pub(crate) const SECCOMP_RET_TRAP: u32 = 0x0003_0000;
pub(crate) const SECCOMP_RET_ERRNO: u32 = 0x0005_0000;
pub(crate) const SECCOMP_RET_LOG: u32 = 0x7ffc_0000;
pub(crate) const SECCOMP_RET_ALLOW: u32 = 0x7fff_0000;
pub(crate) const SECCOMP_RET_ACTION_FULL: u32 = 0xffff_0000;
pub(crate) const SECCOMP_RET_DATA: u32 = 0x0000_ffff;

// include/uapi/linux/bpf_common.h: the instructions that filters use
pub(crate) const BPF_LD_W_ABS: u16 = 0x20;
pub(crate) const BPF_ALU_AND_K: u16 = 0x54;
pub(crate) const BPF_JMP_JA: u16 = 0x05;
pub(crate) const BPF_JMP_JEQ_K: u16 = 0x15;
pub(crate) const BPF_JMP_JGT_K: u16 = 0x25;
pub(crate) const BPF_JMP_JGE_K: u16 = 0x35;
pub(crate) const BPF_RET_K: u16 = 0x06;
pub(crate) const BPF_MAXINSNS: usize = 4096;

// include/uapi/linux/capability.h: the names in the order of their numbers, from 0
pub(crate) const CAPABILITIES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

// include/uapi/asm-generic/fcntl.h
pub(crate) const O_WRONLY: u64 = 0o1;
pub(crate) const O_CREAT: u64 = 0o100;
pub(crate) const O_TRUNC: u64 = 0o1000;
