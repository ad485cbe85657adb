//! The table of plausible errors, by call. Main table: [`ROWS`].
//!
//! The rows of a call are in the order of interest: what is likely on a running system comes first,
//! and programs treat what comes last like an error before it. The test `manual` compares the rows
//! with the section ERRORS of the manual.

use super::conditions::{Condition, Condition as C};
use crate::model::facts::error_path::FaultName;
use crate::model::kernel::uapi::{IPC_NOWAIT, LOCK_NB, MAP_STACK, PROT_WRITE, WNOHANG};

/// Errors of some calls under some conditions.
#[derive(Debug)]
pub(super) struct Row {
    /// The names, with blanks between them.
    calls: &'static str,
    pub(super) conditions: &'static [Condition],
    /// The errnos, and `short` for fewer bytes, with blanks between them.
    faults: &'static str,
}

impl Row {
    pub(super) fn calls(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.calls.split_ascii_whitespace()
    }

    pub(super) fn faults(&self) -> impl Iterator<Item = FaultName> + use<> {
        self.faults.split_ascii_whitespace().filter_map(FaultName::from_name)
    }

    /// Returns the errors as they are written.
    #[cfg(test)]
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.faults.split_ascii_whitespace()
    }
}

const fn row(calls: &'static str, conditions: &'static [Condition], faults: &'static str) -> Row {
    Row { calls, conditions, faults }
}

const CREATES: Condition = C::Argument(&["O_CREAT", "O_TMPFILE"]);
const INTERNET: Condition = C::Family(&["AF_INET", "AF_INET6"]);
const UNIX: Condition = C::Family(&["AF_UNIX"]);

/// Every row. No name is in [`exempt`](super::exempt), too.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // Opening files. O_CREAT may need a block of the disk.
    row("creat open openat openat2", &[CREATES], "ENOSPC EACCES EROFS EDQUOT"),
    row("creat open openat openat2", &[], "ENOENT EACCES"),
    row("open openat openat2", &[C::Storage], "EIO"),
    row("open openat openat2", &[C::Fifo, C::MayWait], "EINTR"),
    row("creat open openat openat2", &[], "EMFILE ENFILE"),
    row("open_by_handle_at", &[], "ESTALE EPERM EMFILE"),
    row("name_to_handle_at", &[], "EOPNOTSUPP ENOENT"),

    // Reading. What proc and sysfs show is in memory, so it can be read.
    row("pread64 preadv preadv2 read readv", &[C::Storage], "EIO"),
    row("read readv", &[C::Stream], "ECONNRESET"),
    row("read readv", &[C::Stream, INTERNET], "ETIMEDOUT"),
    row("read readv", &[C::Messages, INTERNET], "ECONNREFUSED"),
    row("read readv", &[C::Terminal], "EIO"),
    row("read readv", &[C::Slow, C::MayWait], "EINTR"),
    row("read readv", &[C::Slow, C::NonBlocking], "EAGAIN"),
    row("read readv", &[C::Events, C::MayWait], "EINTR"),
    row("read readv", &[C::Events, C::NonBlocking], "EAGAIN"),
    row("pread64 read", &[C::Storage], "short"),
    row("read", &[C::Pipe], "short"),
    row("read", &[C::Stream], "short"),
    row("read", &[C::Terminal], "short"),
    // At most 256 bytes come at once, whatever happens: getrandom(2), NOTES.
    row("getrandom", &[C::MoreThan(1, 256)], "EINTR short"),
    row("getdents getdents64 readdir", &[C::Storage], "EIO ENOENT"),
    row("getdents getdents64 readdir", &[C::Interface], "ENOENT"),

    // Writing.
    row("pwrite64 pwritev pwritev2 write writev", &[C::Storage], "ENOSPC EIO EDQUOT"),
    row("write writev", &[C::StandardOutput], "ENOSPC"),
    row("write writev", &[C::Pipe], "EPIPE"),
    row("write writev", &[C::Stream], "EPIPE ECONNRESET"),
    row("write writev", &[C::Messages, INTERNET], "ECONNREFUSED ENOBUFS"),
    row("write writev", &[C::Terminal], "EIO"),
    row("write writev", &[C::Slow, C::MayWait], "EINTR"),
    row("write writev", &[C::Slow, C::NonBlocking], "EAGAIN"),
    row("pwrite64 write", &[C::Storage], "short"),
    row("write", &[C::Pipe], "short"),
    row("write", &[C::Stream], "short"),
    row("write", &[C::Terminal], "short"),
    row("close", &[C::Storage], "EIO ENOSPC EDQUOT"),
    row("fdatasync fsync sync_file_range syncfs", &[C::Storage], "EIO ENOSPC"),
    row("fdatasync fsync syncfs", &[C::Storage], "EDQUOT"),
    row("msync", &[], "EIO"),
    row("fallocate", &[C::Storage], "ENOSPC EOPNOTSUPP EIO EINTR"),
    row("ftruncate", &[C::Storage], "EIO"),
    row("truncate", &[], "ENOENT EACCES EROFS EIO"),
    row("copy_file_range", &[C::Storage], "EXDEV ENOSPC EIO EOPNOTSUPP short"),
    row("sendfile", &[C::Storage], "EIO"),
    row("sendfile", &[], "EAGAIN short"),
    row("splice tee", &[], "EAGAIN short"),
    row("vmsplice", &[], "EAGAIN"),

    // Paths. EIO: a directory or an inode that cannot be read.
    row("lstat stat", &[], "ENOENT EACCES"),
    row("lstat stat", &[C::Storage], "EIO"),
    row("newfstatat", &[C::Path(3)], "ENOENT EACCES"),
    row("newfstatat", &[C::Path(3), C::Storage], "EIO"),
    row("statx", &[C::Path(2)], "ENOENT EACCES"),
    row("statx", &[C::Path(2), C::Storage], "EIO"),
    row("file_getattr file_setattr", &[], "ENOENT EACCES"),
    row("statfs", &[], "ENOENT EACCES"),
    row("fstatfs statfs", &[C::Storage], "EIO"),
    row("access faccessat faccessat2", &[], "ENOENT EACCES"),
    row("access faccessat faccessat2", &[C::Storage], "EIO"),
    row("readlink readlinkat", &[], "ENOENT EACCES"),
    row("readlink readlinkat", &[C::Storage], "EIO"),
    row("getcwd", &[], "ENOENT EACCES"),
    row("chdir", &[], "ENOENT EACCES EIO"),
    row("fchdir", &[], "EACCES"),
    row("mkdir mkdirat mknod mknodat", &[], "EACCES ENOSPC EROFS EDQUOT"),
    row("symlink symlinkat", &[], "EACCES EPERM ENOSPC EROFS EDQUOT"),
    row("link linkat", &[], "EPERM EXDEV EACCES ENOSPC EMLINK EROFS EDQUOT"),
    row("rename renameat renameat2", &[], "EACCES ENOSPC EXDEV EROFS EDQUOT"),
    row("renameat2", &[C::Given(4)], "EINVAL"),
    row("unlink unlinkat", &[], "EACCES ENOENT EROFS EIO"),
    row("rmdir", &[], "ENOTEMPTY EACCES EBUSY EROFS"),
    row("chmod chown fchmod fchmodat fchown fchownat lchown", &[], "EPERM EROFS EIO"),
    row("fchmodat2", &[], "EPERM EROFS EIO"),
    row("futimesat utime utimensat utimes", &[], "EPERM EACCES EROFS"),
    row("fgetxattr getxattr getxattrat lgetxattr", &[], "ENODATA EOPNOTSUPP"),
    row("flistxattr listxattr listxattrat llistxattr", &[], "EOPNOTSUPP"),
    row("fsetxattr lsetxattr setxattr setxattrat", &[], "EOPNOTSUPP ENOSPC EPERM EDQUOT"),
    row("fremovexattr lremovexattr removexattr removexattrat", &[], "ENODATA EOPNOTSUPP"),

    // File descriptors.
    row("dup", &[], "EMFILE"),
    row("epoll_create epoll_create1 eventfd eventfd2 inotify_init inotify_init1 memfd_create", &[], "EMFILE ENFILE ENOMEM"),
    row("memfd_secret", &[], "ENOMEM EMFILE"),
    row("pidfd_open", &[], "ESRCH EMFILE ENFILE ENOMEM"),
    row("pidfd_getfd", &[], "ESRCH EPERM EMFILE ENFILE"),
    row("pipe pipe2", &[], "EMFILE ENFILE"),
    row("signalfd signalfd4 timerfd_create", &[], "EMFILE ENFILE ENOMEM"),
    row("userfaultfd", &[], "EPERM EMFILE ENFILE ENOMEM"),
    row("fanotify_init", &[], "EPERM EMFILE ENOMEM"),
    row("close_range", &[C::Given(2)], "EMFILE ENOMEM"),
    row("fcntl", &[C::Argument(&["F_DUPFD", "F_DUPFD_CLOEXEC"])], "EMFILE"),
    row("fcntl", &[C::Argument(&["F_SETLK", "F_OFD_SETLK"])], "EAGAIN ENOLCK"),
    row("fcntl", &[C::Argument(&["F_SETLKW"])], "EINTR EDEADLK ENOLCK"),
    row("fcntl", &[C::Argument(&["F_OFD_SETLKW"])], "EINTR ENOLCK"),
    row("fcntl", &[C::Argument(&["F_SETLEASE"])], "EAGAIN"),
    row("fcntl", &[C::Argument(&["F_SETPIPE_SZ"])], "EPERM"),
    row("fcntl", &[C::Argument(&["F_ADD_SEALS"])], "EBUSY"),
    row("flock", &[C::Has(1, LOCK_NB)], "EAGAIN"),
    row("flock", &[C::Lacks(1, LOCK_NB)], "EINTR"),
    row("flock", &[], "ENOLCK"),
    row("ioctl", &[C::Argument(&["FICLONE", "FICLONERANGE", "FIDEDUPERANGE"])], "EOPNOTSUPP EXDEV"),
    row("ioctl", &[C::Storage, C::NotArgument(&["FICLONE", "FICLONERANGE", "FIDEDUPERANGE", "FIOCLEX", "FIONBIO", "FIONCLEX"])], "ENOTTY"),
    row("ioctl", &[C::Terminal, C::NotArgument(&["FIOCLEX", "FIONBIO", "FIONCLEX"])], "EIO"),
    row("ioctl", &[C::Argument(&["SIOCGIFADDR", "SIOCGIFFLAGS", "SIOCGIFHWADDR", "SIOCGIFINDEX", "SIOCGIFMTU"])], "ENODEV"),
    row("epoll_ctl", &[], "ENOMEM ENOSPC"),
    row("epoll_pwait epoll_pwait2 epoll_wait poll ppoll pselect6 select", &[], "EINTR"),
    row("inotify_add_watch", &[], "ENOSPC ENOENT EACCES ENOMEM"),
    row("fanotify_mark", &[], "ENOSPC ENOENT ENOMEM"),
    row("io_setup", &[], "EAGAIN ENOMEM"),
    row("io_submit", &[], "EAGAIN"),
    row("io_getevents io_pgetevents", &[], "EINTR"),
    row("io_uring_setup", &[], "EPERM ENOMEM ENOSYS EMFILE"),
    row("io_uring_enter", &[], "EAGAIN EINTR EBUSY"),
    row("io_uring_register", &[], "ENOMEM"),

    // Sockets.
    row("socket", &[], "EMFILE"),
    row("socket", &[C::NotArgument(&["AF_UNIX"])], "EAFNOSUPPORT"),
    row("socket", &[C::Argument(&["AF_PACKET", "AF_NETLINK"])], "EACCES"),
    row("socket", &[], "ENFILE ENOBUFS"),
    row("socketpair", &[], "EMFILE ENFILE"),
    row("connect", &[INTERNET, C::Stream], "ECONNREFUSED ETIMEDOUT ENETUNREACH EADDRNOTAVAIL"),
    row("connect", &[INTERNET, C::Messages], "ENETUNREACH"),
    row("connect", &[UNIX], "ECONNREFUSED ENOENT EACCES"),
    row("connect", &[UNIX, C::NonBlocking], "EAGAIN"),
    row("bind", &[INTERNET], "EADDRINUSE EACCES EADDRNOTAVAIL"),
    row("bind", &[UNIX], "EADDRINUSE EACCES EROFS"),
    row("listen", &[INTERNET], "EADDRINUSE"),
    row("accept accept4", &[], "EMFILE ECONNABORTED"),
    row("accept accept4", &[C::MayWait], "EINTR"),
    row("accept accept4", &[C::NonBlocking], "EAGAIN"),
    row("accept accept4", &[], "ENFILE ENOMEM"),
    row("getpeername", &[INTERNET, C::Stream], "ENOTCONN"),
    row("shutdown", &[INTERNET, C::Stream], "ENOTCONN"),
    row("sendmmsg sendmsg sendto", &[C::Stream], "EPIPE ECONNRESET"),
    row("sendmmsg sendmsg sendto", &[C::Messages, INTERNET], "ENETUNREACH ECONNREFUSED"),
    row("sendmmsg sendmsg sendto", &[C::Messages, UNIX], "ECONNREFUSED ECONNRESET"),
    row("sendmmsg sendmsg sendto", &[C::Messages], "ENOBUFS"),
    row("sendmmsg sendmsg sendto", &[C::MayWait], "EINTR"),
    row("sendmmsg sendmsg sendto", &[C::NonBlocking], "EAGAIN"),
    row("sendto", &[C::Stream], "short"),
    row("recvfrom recvmmsg recvmsg", &[C::Stream], "ECONNRESET"),
    row("recvfrom recvmmsg recvmsg", &[C::Stream, INTERNET], "ETIMEDOUT"),
    row("recvfrom recvmmsg recvmsg", &[C::Messages, INTERNET], "ECONNREFUSED"),
    row("recvfrom recvmmsg recvmsg", &[C::Family(&["AF_NETLINK"])], "ENOBUFS"),
    row("recvfrom recvmmsg recvmsg", &[C::MayWait], "EINTR"),
    row("recvfrom recvmmsg recvmsg", &[C::NonBlocking], "EAGAIN"),
    row("recvfrom", &[C::Stream], "short"),

    // Memory.
    // Runtimes (Rust's) map a writable stack for signal handlers in each thread, and end the
    // program if they cannot: that proves nothing. The stack of a thread is mapped without access
    // first.
    row("mmap", &[C::Lacks(3, MAP_STACK)], "ENOMEM"),
    row("mmap", &[C::Has(3, MAP_STACK), C::Lacks(2, PROT_WRITE)], "ENOMEM"),
    row("mmap", &[C::Storage], "ENODEV"),
    row("mremap", &[], "ENOMEM"),
    // Likewise for the guard of such a stack: to take access away needs no memory.
    row("mprotect pkey_mprotect", &[C::Given(2)], "ENOMEM"),
    row("mlock mlock2 mlockall", &[], "ENOMEM EPERM EAGAIN"),
    row("pkey_alloc", &[], "ENOSPC"),
    row("mbind set_mempolicy set_mempolicy_home_node", &[], "ENOMEM"),
    row("migrate_pages move_pages", &[], "EPERM ESRCH"),
    row("process_madvise process_mrelease process_vm_readv process_vm_writev", &[], "ESRCH EPERM"),
    row("shmget", &[], "ENOSPC ENOMEM EACCES"),
    row("shmat", &[], "ENOMEM EACCES"),

    // Processes.
    row("clone clone3 fork vfork", &[], "EAGAIN ENOMEM"),
    row("clone clone3", &[C::Argument(&["CLONE_NEWCGROUP", "CLONE_NEWIPC", "CLONE_NEWNET", "CLONE_NEWNS", "CLONE_NEWPID", "CLONE_NEWTIME", "CLONE_NEWUSER", "CLONE_NEWUTS"])], "EPERM ENOSPC"),
    row("clone3", &[], "ENOSYS"),
    row("unshare", &[], "EPERM ENOSPC ENOMEM"),
    row("setns", &[], "EPERM ENOMEM"),
    row("execve execveat", &[], "ENOENT EACCES EAGAIN ENOMEM"),
    row("wait4", &[C::Lacks(2, WNOHANG)], "EINTR"),
    row("waitid", &[C::Lacks(3, WNOHANG)], "EINTR"),
    row("wait4 waitid", &[], "ECHILD"),
    row("kill pidfd_send_signal", &[], "ESRCH EPERM"),
    row("rt_sigqueueinfo rt_tgsigqueueinfo", &[], "ESRCH EAGAIN"),
    row("rt_sigtimedwait", &[], "EINTR EAGAIN"),
    row("nanosleep clock_nanosleep", &[C::KeepsTime], "EINTR"),
    row("timer_create", &[], "EAGAIN ENOMEM"),
    row("setpgid", &[], "EACCES ESRCH EPERM"),
    row("setsid", &[], "EPERM"),
    row("setresuid setreuid setuid", &[], "EPERM EAGAIN"),
    row("setgid setgroups setregid setresgid", &[], "EPERM"),
    row("capset", &[], "EPERM"),
    row("prctl", &[C::Argument(&["PR_CAPBSET_DROP", "PR_CAP_AMBIENT", "PR_SET_MM", "PR_SET_SECUREBITS"])], "EPERM"),
    row("prctl", &[C::Argument(&["PR_SET_SECCOMP"])], "EACCES"),
    row("seccomp", &[C::Argument(&["SECCOMP_SET_MODE_FILTER"])], "EACCES ENOMEM"),
    row("landlock_create_ruleset landlock_restrict_self", &[], "EOPNOTSUPP"),
    row("landlock_add_rule", &[], "EOPNOTSUPP"),
    row("prlimit64", &[C::Given(2)], "EPERM"),
    row("prlimit64", &[C::Given(0)], "ESRCH"),
    row("setrlimit", &[], "EPERM"),
    row("nice", &[], "EPERM"),
    row("setpriority", &[], "EACCES EPERM"),
    row("ioprio_set sched_setattr sched_setparam sched_setscheduler", &[], "EPERM"),
    row("sched_setaffinity", &[], "EINVAL EPERM"),
    row("ptrace", &[], "EPERM ESRCH"),
    row("kcmp", &[], "EPERM ESRCH"),
    row("membarrier", &[], "ENOSYS"),
    row("add_key", &[], "EDQUOT ENOMEM"),
    row("request_key", &[], "ENOKEY EDQUOT EINTR"),
    row("keyctl", &[], "ENOKEY EACCES EDQUOT"),

    // Queues and semaphores.
    row("mq_open", &[], "EACCES ENOSPC ENOENT EMFILE ENFILE ENOMEM"),
    row("mq_timedreceive mq_timedsend", &[C::MayWait], "EINTR"),
    row("mq_timedreceive mq_timedsend", &[C::NonBlocking], "EAGAIN"),
    row("mq_timedreceive mq_timedsend", &[C::Given(4)], "ETIMEDOUT"),
    row("mq_notify", &[], "EBUSY ENOMEM"),
    row("mq_unlink", &[], "ENOENT EACCES"),
    row("msgget semget", &[], "ENOSPC ENOMEM EACCES"),
    row("msgsnd", &[C::Lacks(3, IPC_NOWAIT)], "EINTR"),
    row("msgsnd", &[C::Has(3, IPC_NOWAIT)], "EAGAIN"),
    row("msgrcv", &[C::Lacks(4, IPC_NOWAIT)], "EINTR"),
    row("msgrcv", &[C::Has(4, IPC_NOWAIT)], "ENOMSG"),
    row("msgrcv msgsnd semop semtimedop", &[], "EIDRM"),
    row("semop semtimedop", &[], "EINTR"),
    row("semtimedop", &[C::Given(3)], "EAGAIN"),

    // Calls that need a privilege, which another user or a container lacks.
    row("acct bpf chroot clock_settime delete_module finit_module init_module ioperm iopl kexec_file_load kexec_load", &[], "EPERM"),
    row("mount mount_setattr pivot_root quotactl reboot setdomainname sethostname settimeofday stime swapoff swapon", &[], "EPERM"),
    row("fsconfig fsmount fsopen fspick move_mount open_tree open_tree_attr quotactl_fd syslog umount2 vhangup", &[], "EPERM"),
    row("umount2", &[], "EBUSY"),
    row("chroot mount", &[], "ENOENT"),
    row("perf_event_open", &[], "EACCES ENOENT EOPNOTSUPP EMFILE"),
    row("adjtimex clock_adjtime", &[], "EPERM"),
    row("lookup_dcookie", &[], "EPERM"),
    row("uselib", &[], "EACCES"),
];
