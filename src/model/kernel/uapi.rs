//! Constants from the kernel's headers, below the header that defines each. Those with a generated
//! table are in that table instead.
//!
//! Numbers in registers are u64, as in [`Call`](super::call::Call). All are the same on every
//! architecture with a table, unless the comment says otherwise. `linux` takes from libc what libc
//! has; `linux::uapi` compares the two.

// include/uapi/asm-generic/errno-base.h, errno.h
pub(crate) const EPERM: i32 = 1;
pub(crate) const ENOENT: i32 = 2;
pub(crate) const ESRCH: i32 = 3;
pub(crate) const EIO: i32 = 5;
pub(crate) const EBADF: i32 = 9;
pub(crate) const EACCES: i32 = 13;
pub(crate) const EFAULT: i32 = 14;
pub(crate) const ENOTDIR: i32 = 20;
pub(crate) const EINVAL: i32 = 22;
pub(crate) const ENAMETOOLONG: i32 = 36;
pub(crate) const ELOOP: i32 = 40;

// include/linux/errno.h: results of calls that a signal interrupted. No program sees them.
pub(crate) const ERESTARTSYS: i64 = 512;
pub(crate) const ERESTARTNOINTR: i64 = 513;
pub(crate) const ERESTARTNOHAND: i64 = 514;
pub(crate) const ERESTART_RESTARTBLOCK: i64 = 516;

// include/uapi/asm-generic/signal.h. `_NSIG` is the last signal. From `SIGRTMIN` on, pending
// signals of one number do not merge; the C library's SIGRTMIN is higher.
pub(crate) const SIGQUIT: i32 = 3;
pub(crate) const SIGILL: i32 = 4;
pub(crate) const SIGTRAP: i32 = 5;
pub(crate) const SIGABRT: i32 = 6;
pub(crate) const SIGBUS: i32 = 7;
pub(crate) const SIGFPE: i32 = 8;
pub(crate) const SIGKILL: i32 = 9;
pub(crate) const SIGSEGV: i32 = 11;
pub(crate) const SIGPIPE: i32 = 13;
pub(crate) const SIGTERM: i32 = 15;
pub(crate) const SIGCHLD: i32 = 17;
pub(crate) const SIGCONT: i32 = 18;
pub(crate) const SIGSTOP: i32 = 19;
pub(crate) const SIGTSTP: i32 = 20;
pub(crate) const SIGTTIN: i32 = 21;
pub(crate) const SIGTTOU: i32 = 22;
pub(crate) const SIGXCPU: i32 = 24;
pub(crate) const SIGXFSZ: i32 = 25;
pub(crate) const SIGSYS: i32 = 31;
pub(crate) const SIGRTMIN: i32 = 32;
pub(crate) const NSIG: i32 = 64;

// include/uapi/linux/audit.h
pub(crate) const AUDIT_ARCH_AARCH64: u32 = 0xc000_00b7;
pub(crate) const AUDIT_ARCH_ARM: u32 = 0x4000_0028;
pub(crate) const AUDIT_ARCH_I386: u32 = 0x4000_0003;
pub(crate) const AUDIT_ARCH_RISCV64: u32 = 0xc000_00f3;
pub(crate) const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;

// arch/x86/include/uapi/asm/unistd.h: `__X32_SYSCALL_BIT`
pub(crate) const X32_SYSCALL_BIT: i64 = 0x4000_0000;

// include/uapi/asm-generic/fcntl.h. `O_NOFOLLOW` is another bit on ARM; `O_TMPFILE` is without its
// `O_DIRECTORY`, as `__O_TMPFILE`.
pub(crate) const O_ACCMODE: u64 = 0o3;
pub(crate) const O_WRONLY: u64 = 0o1;
pub(crate) const O_RDWR: u64 = 0o2;
pub(crate) const O_CREAT: u64 = 0o100;
pub(crate) const O_EXCL: u64 = 0o200;
pub(crate) const O_TRUNC: u64 = 0o1_000;
pub(crate) const O_NOFOLLOW: u64 = 0o400_000;
pub(crate) const O_PATH: u64 = 0o10_000_000;
pub(crate) const O_TMPFILE: u64 = 0o20_000_000;

// include/uapi/asm-generic/fcntl.h and include/uapi/linux/fcntl.h: commands of fcntl
pub(crate) const F_DUPFD: u64 = 0;
pub(crate) const F_GETFD: u64 = 1;
pub(crate) const F_SETFD: u64 = 2;
pub(crate) const F_GETFL: u64 = 3;
pub(crate) const F_SETFL: u64 = 4;
pub(crate) const F_GETLK: u64 = 5;
pub(crate) const F_SETLK: u64 = 6;
pub(crate) const F_SETLKW: u64 = 7;
pub(crate) const F_OFD_GETLK: u64 = 36;
pub(crate) const F_OFD_SETLK: u64 = 37;
pub(crate) const F_OFD_SETLKW: u64 = 38;
pub(crate) const F_DUPFD_CLOEXEC: u64 = 1030;
pub(crate) const F_SETPIPE_SZ: u64 = 1031;
pub(crate) const F_GETPIPE_SZ: u64 = 1032;
pub(crate) const F_ADD_SEALS: u64 = 1033;
pub(crate) const F_GET_SEALS: u64 = 1034;

// include/uapi/asm-generic/fcntl.h: the operation of flock(2)
pub(crate) const LOCK_NB: u64 = 4;

// include/uapi/linux/fcntl.h
pub(crate) const AT_FDCWD: i32 = -100;
pub(crate) const AT_SYMLINK_NOFOLLOW: u64 = 0x100;
pub(crate) const AT_SYMLINK_FOLLOW: u64 = 0x400;
pub(crate) const AT_EMPTY_PATH: u64 = 0x1000;

// include/uapi/linux/close_range.h
pub(crate) const CLOSE_RANGE_UNSHARE: u64 = 1 << 1;
pub(crate) const CLOSE_RANGE_CLOEXEC: u64 = 1 << 2;

// include/uapi/asm-generic/mman-common.h
pub(crate) const PROT_READ: u64 = 0x1;
pub(crate) const PROT_WRITE: u64 = 0x2;
pub(crate) const PROT_EXEC: u64 = 0x4;
pub(crate) const MAP_FIXED: u64 = 0x10;
pub(crate) const MAP_ANONYMOUS: u64 = 0x20;
pub(crate) const MAP_STACK: u64 = 0x2_0000;

// include/uapi/linux/shm.h
pub(crate) const SHM_EXEC: u64 = 0o100_000;

// include/uapi/linux/mount.h
pub(crate) const MS_REMOUNT: u64 = 0x20;
pub(crate) const MS_BIND: u64 = 0x1000;
pub(crate) const MS_MOVE: u64 = 0x2000;
pub(crate) const MS_UNBINDABLE: u64 = 1 << 17;
pub(crate) const MS_PRIVATE: u64 = 1 << 18;
pub(crate) const MS_SLAVE: u64 = 1 << 19;
pub(crate) const MS_SHARED: u64 = 1 << 20;

// include/uapi/linux/sched.h. `CSIGNAL` masks the exit signal in the flags of clone.
pub(crate) const CSIGNAL: u64 = 0xff;
pub(crate) const CLONE_FILES: u64 = 0x400;
pub(crate) const CLONE_PIDFD: u64 = 0x1000;
pub(crate) const CLONE_NEWNS: u64 = 0x2_0000;
pub(crate) const CLONE_CHILD_CLEARTID: u64 = 0x20_0000;
pub(crate) const CLONE_UNTRACED: u64 = 0x80_0000;
pub(crate) const CLONE_CHILD_SETTID: u64 = 0x100_0000;

// include/uapi/linux/limits.h, uio.h
pub(crate) const PATH_MAX: usize = 4096;
pub(crate) const UIO_MAXIOV: u64 = 1024;

// include/linux/stat.h: special nanoseconds of utimensat
pub(crate) const UTIME_NOW: i64 = (1 << 30) - 1;
pub(crate) const UTIME_OMIT: i64 = (1 << 30) - 2;

// include/uapi/linux/personality.h. `PER_MASK` separates the persona from its flags.
pub(crate) const PER_MASK: u64 = 0xff;

// include/linux/posix-timers_types.h: the low bits of a clock that was computed from a process, a
// thread or an fd
pub(crate) const CPUCLOCK_PERTHREAD_MASK: u64 = 4;
pub(crate) const CLOCKFD: u64 = 3;
pub(crate) const CLOCKFD_MASK: u64 = 7;

// include/uapi/linux/futex.h
pub(crate) const FUTEX_PRIVATE_FLAG: u64 = 128;
pub(crate) const FUTEX_CLOCK_REALTIME: u64 = 256;

// include/uapi/linux/ipc.h: the operation of ipc(2). The bits above are a version (`IPCCALL`).
pub(crate) const IPC_OPERATION_MASK: u64 = 0xffff;
/// For msgsnd(2) and msgrcv(2).
pub(crate) const IPC_NOWAIT: u64 = 0o4_000;

// include/uapi/linux/wait.h, include/uapi/linux/time.h
pub(crate) const WNOHANG: u64 = 1;
pub(crate) const TIMER_ABSTIME: u64 = 1;

// include/uapi/linux/io_uring.h
pub(crate) const IORING_ENTER_REGISTERED_RING: u64 = 1 << 4;
pub(crate) const IORING_REGISTER_USE_REGISTERED_RING: u64 = 1 << 31;

// include/uapi/linux/seccomp.h
pub(crate) const SECCOMP_MODE_STRICT: u64 = 1;
pub(crate) const SECCOMP_MODE_FILTER: u64 = 2;
pub(crate) const SECCOMP_SET_MODE_STRICT: u64 = 0;
pub(crate) const SECCOMP_SET_MODE_FILTER: u64 = 1;
pub(crate) const SECCOMP_RET_USER_NOTIF: u32 = 0x7fc0_0000;
pub(crate) const SECCOMP_RET_TRACE: u32 = 0x7ff0_0000;
pub(crate) const SECCOMP_RET_ALLOW: u32 = 0x7fff_0000;
/// Installs an fd in another process.
pub(crate) const SECCOMP_IOCTL_NOTIF_ADDFD: u64 = 0x4018_2103;

// include/uapi/linux/prctl.h
pub(crate) const PR_SET_PDEATHSIG: u64 = 1;
pub(crate) const PR_GET_PDEATHSIG: u64 = 2;
pub(crate) const PR_GET_DUMPABLE: u64 = 3;
pub(crate) const PR_SET_DUMPABLE: u64 = 4;
pub(crate) const PR_GET_KEEPCAPS: u64 = 7;
pub(crate) const PR_SET_KEEPCAPS: u64 = 8;
pub(crate) const PR_SET_NAME: u64 = 15;
pub(crate) const PR_GET_NAME: u64 = 16;
pub(crate) const PR_SET_SECCOMP: u64 = 22;
pub(crate) const PR_CAPBSET_READ: u64 = 23;
pub(crate) const PR_SET_TIMERSLACK: u64 = 29;
pub(crate) const PR_GET_TIMERSLACK: u64 = 30;
pub(crate) const PR_SET_VMA: u64 = 0x5356_4d41;

// include/linux/sched/coredump.h
pub(crate) const SUID_DUMP_USER: i64 = 1;

// include/uapi/linux/ptrace.h
pub(crate) const PTRACE_TRACEME: u64 = 0;
pub(crate) const PTRACE_ATTACH: u64 = 16;
pub(crate) const PTRACE_SEIZE: u64 = 0x4206;

// include/uapi/asm-generic/ioctls.h
pub(crate) const TCGETS: u64 = 0x5401;
pub(crate) const TCSETS: u64 = 0x5402;
pub(crate) const TCSETSW: u64 = 0x5403;
pub(crate) const TCSETSF: u64 = 0x5404;
pub(crate) const TIOCGPGRP: u64 = 0x540f;
pub(crate) const TIOCSPGRP: u64 = 0x5410;
pub(crate) const TIOCOUTQ: u64 = 0x5411;
pub(crate) const TIOCGWINSZ: u64 = 0x5413;
pub(crate) const TIOCSWINSZ: u64 = 0x5414;
pub(crate) const FIONREAD: u64 = 0x541b;
pub(crate) const FIONBIO: u64 = 0x5421;
pub(crate) const FIONCLEX: u64 = 0x5450;
pub(crate) const FIOCLEX: u64 = 0x5451;

// include/uapi/linux/sockios.h. From `SIOCGIFNAME` to `SIOCOUTQNSD` no command adds an fd.
pub(crate) const SIOCGSTAMP_OLD: u64 = 0x8906;
pub(crate) const SIOCGIFNAME: u64 = 0x8910;
pub(crate) const SIOCOUTQNSD: u64 = 0x894b;
pub(crate) const SIOCGIFMAP: u64 = 0x8970;
pub(crate) const SIOCSIFMAP: u64 = 0x8971;

// include/linux/socket.h, include/linux/net.h. Bits above `SOCK_TYPE_MASK` are flags.
pub(crate) const AF_NETLINK: u64 = 16;
pub(crate) const SOCK_TYPE_MASK: u32 = 0xf;
pub(crate) const MSG_DONTWAIT: u64 = 0x40;
/// The size of `struct sockaddr_storage`: no address is longer.
pub(crate) const SOCKADDR_SIZE: usize = 128;

// include/uapi/linux/vm_sockets.h
pub(crate) const VMADDR_CID_HYPERVISOR: u32 = 0;
pub(crate) const VMADDR_CID_LOCAL: u32 = 1;
pub(crate) const VMADDR_CID_HOST: u32 = 2;
pub(crate) const VMADDR_CID_ANY: u32 = u32::MAX;

// include/uapi/asm-generic/socket.h
pub(crate) const SOL_SOCKET: u64 = 1;
pub(crate) const SO_PEERPIDFD: u64 = 77;

// include/uapi/linux/in.h, in6.h
pub(crate) const IPPROTO_IP: u64 = 0;
pub(crate) const IPPROTO_TCP: u64 = 6;
pub(crate) const IPPROTO_UDP: u64 = 17;
pub(crate) const IPPROTO_IPV6: u64 = 41;
pub(crate) const IPV6_ADDRFORM: u64 = 1;

// include/uapi/linux/bpf_common.h, filter.h
pub(crate) const BPF_LD: u16 = 0x00;
pub(crate) const BPF_ALU: u16 = 0x04;
pub(crate) const BPF_JMP: u16 = 0x05;
pub(crate) const BPF_RET: u16 = 0x06;
pub(crate) const BPF_W: u16 = 0x00;
pub(crate) const BPF_ABS: u16 = 0x20;
pub(crate) const BPF_AND: u16 = 0x50;
pub(crate) const BPF_JA: u16 = 0x00;
pub(crate) const BPF_JEQ: u16 = 0x10;
pub(crate) const BPF_JGE: u16 = 0x30;
pub(crate) const BPF_K: u16 = 0x00;
pub(crate) const BPF_MAXINSNS: usize = 4096;
