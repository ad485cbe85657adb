//! The values of the other multiplexing calls: which names are theirs, and where the kernel reads
//! them.

use super::{Vocabulary, declared_in, switched_in};

/// Families and levels are not in a uapi header: only the C library repeats them.
const KERNEL_SOCKET: &str = "include/linux/socket.h";

pub(super) const VOCABULARIES: &[Vocabulary] = &[
    declared_in("ARCH_PRCTL", &["asm/prctl.h"], &["ARCH_"], &["ARCH_XCOMP_*", "ARCH_SHSTK_SHSTK", "ARCH_SHSTK_WRSS"]),
    switched_in("BPF", &["linux/bpf.h"], &["BPF_"], &[("kernel/bpf/syscall.c", "__sys_bpf")]),
    declared_in("CLOCK", &["linux/time.h"], &["CLOCK_"], &["CLOCK_AUX_LAST"]),
    declared_in("CLONE", &["linux/sched.h"], &["CLONE_NEW", "CLONE_INTO_CGROUP"], &[]),
    declared_in("FAMILY", &[KERNEL_SOCKET], &["AF_"], &["AF_LOCAL", "AF_ROUTE", "AF_MAX"]),
    switched_in(
        "FCNTL",
        &["linux/fcntl.h"],
        &["F_"],
        &[("fs/fcntl.c", "do_fcntl"), ("fs/fcntl.c", "do_compat_fcntl64")],
    ),
    switched_in("FUTEX", &["linux/futex.h"], &["FUTEX_"], &[("kernel/futex/syscalls.c", "do_futex")]),
    switched_in(
        "IPC",
        &["linux/ipc.h"],
        &["SEM", "MSG", "SHM"],
        &[("ipc/syscall.c", "ksys_ipc"), ("ipc/syscall.c", "compat_ksys_ipc")],
    ),
    switched_in(
        "KEYCTL",
        &["linux/keyctl.h"],
        &["KEYCTL_"],
        &[
            ("security/keys/keyctl.c", "SYSCALL_DEFINE5(keyctl"),
            ("security/keys/compat.c", "COMPAT_SYSCALL_DEFINE5(keyctl"),
        ],
    ),
    declared_in("LEVEL", &[KERNEL_SOCKET, "asm/socket.h", "linux/can.h", "linux/can/raw.h"], &["SOL_"], &[]),
    declared_in("MADVISE", &["asm/mman.h"], &["MADV_"], &[]),
    declared_in("NETLINK", &["linux/netlink.h"], &["NETLINK_"], &[]),
    declared_in("PERF_TYPE", &["linux/perf_event.h"], &["PERF_TYPE_"], &["PERF_TYPE_MAX"]),
    switched_in(
        "PRCTL",
        &["linux/prctl.h"],
        &["PR_"],
        &[
            ("kernel/sys.c", "SYSCALL_DEFINE5(prctl"),
            ("security/commoncap.c", "cap_task_prctl"),
            ("security/yama/yama_lsm.c", "yama_task_prctl"),
        ],
    ),
    declared_in("PROTECTION", &["asm/mman.h"], &["PROT_"], &["PROT_NONE"]),
    declared_in("SECCOMP", &["linux/seccomp.h"], &["SECCOMP_SET_MODE_", "SECCOMP_GET_"], &[]),
    declared_in("SOCKETCALL", &["linux/net.h"], &["SYS_"], &[]),
    declared_in(
        "SOCKET_TYPE",
        &["include/linux/net.h"],
        &["SOCK_"],
        &["SOCK_MAX", "SOCK_TYPE_MASK", "SOCK_CLOEXEC", "SOCK_NONBLOCK"],
    ),
];
