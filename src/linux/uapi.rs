//! Constants from the kernel's headers that libc lacks, or has for some C libraries only. Those
//! that the model needs too are in `model::kernel::uapi`.

use libc::{Ioctl, c_int};

/// The type of a ptrace request, which C libraries declare differently.
#[cfg(target_env = "gnu")]
pub(super) type PtraceRequest = libc::c_uint;
#[cfg(not(target_env = "gnu"))]
pub(super) type PtraceRequest = c_int;

// include/uapi/linux/ptrace.h
pub(super) const PTRACE_GET_SYSCALL_INFO: PtraceRequest = 0x420e;
pub(super) const PTRACE_SYSCALL_INFO_ENTRY: u8 = 1;
pub(super) const PTRACE_SYSCALL_INFO_EXIT: u8 = 2;
pub(super) const PTRACE_EVENT_STOP: c_int = 128;

// include/uapi/linux/seccomp.h. Only the newest releases of libc have them.
pub(super) const SECCOMP_IOCTL_NOTIF_RECV: Ioctl = 0xc050_2100_u32 as Ioctl;
pub(super) const SECCOMP_IOCTL_NOTIF_SEND: Ioctl = 0xc018_2101_u32 as Ioctl;
pub(super) const SECCOMP_IOCTL_NOTIF_SET_FLAGS: Ioctl = 0x4008_2104_u32 as Ioctl;

// include/uapi/linux/auxvec.h
pub(super) const AT_EXECFD: u64 = 2;
pub(super) const AT_SYSINFO_EHDR: u64 = 33;

// include/uapi/linux/sched.h
pub(super) const CLONE_ARGS_SIZE_VER0: usize = 64;

// include/uapi/linux/kcmp.h
pub(super) const KCMP_VM: c_int = 1;
pub(super) const KCMP_FILES: c_int = 2;

// include/uapi/linux/capability.h
pub(super) const CAP_SYS_PTRACE: u32 = 19;

// include/uapi/linux/magic.h: apparmorfs
pub(super) const AAFS_MAGIC: u64 = 0x5a3c_69f0;

// include/uapi/linux/major.h: the first of the majors of pseudo-terminal slaves, and their number
pub(super) const UNIX98_PTY_SLAVE_MAJOR: u32 = 136;
pub(super) const UNIX98_PTY_MAJOR_COUNT: u32 = 8;

// include/linux/namei.h: the kernel follows no more symbolic links in one path.
pub(super) const MAXSYMLINKS: usize = 40;

// include/linux/threads.h: process numbers are smaller.
pub(super) const PID_MAX_LIMIT: usize = 1 << 22;

// arch/x86/include/asm/segment.h: the code segment of 32-bit code
#[cfg(target_arch = "x86_64")]
pub(super) const USER32_CS: u64 = 0x23;

#[cfg(test)]
mod tests {
    use crate::model::kernel::uapi;

    /// Compares constants that both have. Their types may differ.
    macro_rules! same {
        ($($name:ident)*) => { $(assert_eq!(uapi::$name as i64, libc::$name as i64, stringify!($name));)* };
    }

    #[test]
    fn model_numbers_are_those_of_libc() {
        same!(EPERM ENOENT ESRCH EIO EBADF EACCES EFAULT ENOTDIR EINVAL ENAMETOOLONG ELOOP);
        same!(SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGSEGV SIGXCPU SIGXFSZ SIGSYS);
        same!(SIGTERM SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU);
        same!(O_ACCMODE O_WRONLY O_CREAT O_EXCL O_PATH AT_FDCWD AT_SYMLINK_NOFOLLOW AT_SYMLINK_FOLLOW);
        same!(F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW);
        same!(F_DUPFD_CLOEXEC F_SETPIPE_SZ F_GETPIPE_SZ F_ADD_SEALS F_GET_SEALS);
        same!(CLOSE_RANGE_UNSHARE CLOSE_RANGE_CLOEXEC);
        same!(PROT_READ PROT_WRITE PROT_EXEC MAP_ANONYMOUS MAP_FIXED SHM_EXEC);
        same!(MS_REMOUNT MS_BIND MS_MOVE MS_UNBINDABLE MS_PRIVATE MS_SLAVE MS_SHARED);
        same!(CLONE_FILES CLONE_PIDFD CLONE_NEWNS CLONE_CHILD_CLEARTID CLONE_UNTRACED CLONE_CHILD_SETTID);
        same!(SECCOMP_MODE_STRICT SECCOMP_MODE_FILTER SECCOMP_SET_MODE_STRICT SECCOMP_SET_MODE_FILTER);
        same!(SECCOMP_RET_USER_NOTIF SECCOMP_RET_TRACE SECCOMP_RET_ALLOW);
        same!(PR_SET_PDEATHSIG PR_GET_PDEATHSIG PR_GET_DUMPABLE PR_SET_DUMPABLE PR_GET_KEEPCAPS);
        same!(PR_SET_KEEPCAPS PR_SET_NAME PR_GET_NAME);
        same!(PR_SET_SECCOMP PR_CAPBSET_READ PR_SET_TIMERSLACK PR_GET_TIMERSLACK);
        same!(PTRACE_TRACEME PTRACE_ATTACH PTRACE_SEIZE);
        same!(TCGETS TCSETS TCSETSW TCSETSF TIOCGPGRP TIOCSPGRP TIOCOUTQ TIOCGWINSZ TIOCSWINSZ);
        same!(FIONREAD FIONBIO FIONCLEX FIOCLEX SIOCGIFMAP SIOCSIFMAP SIOCGIFNAME);
        same!(AF_NETLINK SOL_SOCKET IPPROTO_IP IPPROTO_TCP IPPROTO_UDP IPPROTO_IPV6 IPV6_ADDRFORM);
        same!(BPF_LD BPF_ALU BPF_JMP BPF_RET BPF_W BPF_ABS BPF_AND BPF_JA BPF_JEQ BPF_JGE BPF_K BPF_MAXINSNS);
        same!(FUTEX_PRIVATE_FLAG FUTEX_CLOCK_REALTIME PATH_MAX UIO_MAXIOV UTIME_NOW UTIME_OMIT);
        assert_eq!(uapi::SECCOMP_IOCTL_NOTIF_ADDFD as u32, libc::SECCOMP_IOCTL_NOTIF_ADDFD as u32);
        assert_eq!(uapi::O_TMPFILE, (libc::O_TMPFILE & !libc::O_DIRECTORY) as u64);
        #[cfg(target_arch = "x86_64")]
        same!(O_NOFOLLOW);
    }
}
