//! What each program uses between its marks: `SUBSYSTEM SYSCALL ARGUMENT OBJECT CALLS`, a line
//! each.

use crate::needs::Need;

/// Program, what it needs, and what it uses.
pub(crate) const TRUTHS: &[(&str, &[Need], &str)] = &[
    (
        "uses_made_objects",
        &[],
        "
         filesystem pipe2 - pipe 1
         filesystem write - pipe 1
         poll eventfd2 - anon_inode:eventfd 2
         poll read - anon_inode:eventfd 1
         poll epoll_create1 - anon_inode:eventpoll 1
         poll epoll_ctl - anon_inode:eventpoll 1
         poll epoll_pwait - anon_inode:eventpoll 1
         time timerfd_create CLOCK_BOOTTIME anon_inode:timerfd 1
         time read - anon_inode:timerfd 1
         signal signalfd4 - anon_inode:signalfd 1
         signal read - anon_inode:signalfd 1
         fsnotify inotify_init1 - anon_inode:inotify 1
         fsnotify inotify_add_watch - anon_inode:inotify 1
         memory memfd_create - memfd 1
         memory write - memfd 1
         memory fcntl F_ADD_SEALS memfd 1
         process pidfd_open - anon_inode:pidfd 1
         signal pidfd_send_signal - anon_inode:pidfd 1
        ",
    ),
    (
        "uses_sockets",
        &[],
        "
         network socket AF_INET socket:AF_INET:SOCK_DGRAM 1
         network read - socket:AF_INET:SOCK_DGRAM 1
         network socket AF_NETLINK socket:AF_NETLINK:SOCK_RAW 1
         network read - socket:AF_NETLINK:SOCK_RAW 1
         device socket AF_NETLINK socket:AF_NETLINK:SOCK_DGRAM 1
         device read - socket:AF_NETLINK:SOCK_DGRAM 1
         unix socketpair AF_UNIX socket:AF_UNIX:SOCK_STREAM 1
         unix write - socket:AF_UNIX:SOCK_STREAM 1
         unix read - socket:AF_UNIX:SOCK_STREAM 1
         unix socketpair AF_UNIX socket:AF_UNIX:SOCK_DGRAM 1
         unix write - socket:AF_UNIX:SOCK_DGRAM 1
         unix read - socket:AF_UNIX:SOCK_DGRAM 1
         unix socketpair AF_UNIX socket:AF_UNIX:SOCK_SEQPACKET 1
         unix write - socket:AF_UNIX:SOCK_SEQPACKET 1
         unix read - socket:AF_UNIX:SOCK_SEQPACKET 1
         network socket AF_INET socket:AF_INET:SOCK_STREAM 2
         network bind loopback socket:AF_INET:SOCK_STREAM 1
         network listen - socket:AF_INET:SOCK_STREAM 1
         network getsockname - socket:AF_INET:SOCK_STREAM 1
         network connect loopback socket:AF_INET:SOCK_STREAM 1
         network accept4 - socket:AF_INET:SOCK_STREAM 1
         network write - socket:AF_INET:SOCK_STREAM 1
         network read - socket:AF_INET:SOCK_STREAM 1
         network setsockopt SOL_TCP/TCP_NODELAY socket:AF_INET:SOCK_STREAM 1
        ",
    ),
    (
        "uses_files",
        &[],
        "
         random openat - char:urandom 1
         random read - char:urandom 1
         device openat - char:zero 2
         device read - char:zero 1
         device sendfile - char:zero 1
         device openat - char:ptmx 1
         device read - char:ptmx 1
         memory openat - file:proc 2
         memory read - file:proc 2
         process openat - file:proc 1
         process read - file:proc 1
         network openat - file:proc 1
         network read - file:proc 1
         network openat - file:sysfs 1
         network read - file:sysfs 1
         namespace openat - ns:uts 1
         namespace read - ns:uts 1
         filesystem openat - dir:proc 1
         filesystem getdents64 - dir:proc 1
         filesystem newfstatat - char:null 2
         filesystem newfstatat - dir:proc 1
         filesystem newfstatat - file:proc 1
         memory memfd_create - memfd 1
         filesystem dup3 - pipe 1
         filesystem dup3 - memfd 1
         filesystem symlinkat - file 1
         filesystem newfstatat - pipe 1
         filesystem newfstatat - memfd 1
         filesystem openat O_WRONLY pipe 1
         memory openat O_RDWR memfd 1
         filesystem mkdirat - dir 1
         filesystem mknodat - fifo 1
         filesystem openat O_RDWR fifo 1
         filesystem write - fifo 1
         filesystem openat O_RDWR|O_CREAT file 1
         filesystem write - file 1
         memory mmap - file 1
         filesystem pipe2 - pipe 1
         filesystem splice - file 1
         filesystem chdir - dir 1
         filesystem unlinkat - fifo 1
         filesystem unlinkat - file 1
         filesystem lseek - file 1
         filesystem openat O_PATH char:urandom 1
         filesystem openat2 O_PATH char:urandom 1
         filesystem utimensat - file 1
        ",
    ),
    (
        "uses_arguments",
        &[],
        "
         process prctl PR_GET_DUMPABLE - 1
         seccomp prctl PR_GET_SECCOMP - 1
         capability prctl PR_CAPBSET_READ - 1
         time prctl PR_SET_TIMERSLACK - 1
         process prctl 0x53616d65 - 1
         seccomp seccomp SECCOMP_GET_ACTION_AVAIL - 1
         bpf bpf BPF_MAP_CREATE - 1
         keys keyctl KEYCTL_GET_KEYRING_ID - 1
         futex futex FUTEX_WAKE - 1
         futex futex FUTEX_CMP_REQUEUE - 1
         memory madvise MADV_HUGEPAGE - 1
         memory madvise 0x4d - 1
         memory mprotect PROT_READ|PROT_EXEC - 1
         memory mmap PROT_READ|PROT_WRITE|PROT_EXEC|MAP_ANONYMOUS - 1
         process personality - - 1
         process personality ADDR_NO_RANDOMIZE - 1
         sysvipc shmat SHM_EXEC - 1
         sysvipc shmat - - 1
         time clock_getres CLOCK_TAI - 1
         time clock_getres 0x4d - 1
         time clock_getres MAKE_PROCESS_CPUCLOCK - 1
         time clock_gettime CLOCK_REALTIME_COARSE - 1
         time clock_settime CLOCK_MONOTONIC - 1
         time clock_adjtime 0x4d - 1
         perf perf_event_open PERF_TYPE_SOFTWARE - 1
         time timer_create CLOCK_MONOTONIC - 1
         time clock_nanosleep CLOCK_BOOTTIME - 1
         process pidfd_open - anon_inode:pidfd 1
         memory process_madvise MADV_COLD anon_inode:pidfd 1
         memory pkey_mprotect PROT_READ|PROT_EXEC - 1
         unix socketpair AF_UNIX socket:AF_UNIX:SOCK_STREAM 1
         poll eventfd2 - anon_inode:eventfd 1
         filesystem fcntl F_GETFL socket:AF_UNIX:SOCK_STREAM 1
         filesystem fcntl F_GETFL anon_inode:eventfd 1
         signal fcntl F_SETOWN socket:AF_UNIX:SOCK_STREAM 1
         signal fcntl F_SETOWN anon_inode:eventfd 1
         unix socketpair AF_UNIX socket:AF_UNIX:SOCK_DGRAM 1
         unix getsockopt SOL_SOCKET/SO_TYPE socket:AF_UNIX:SOCK_DGRAM 1
         unix getsockopt 0x3e7/0x7 socket:AF_UNIX:SOCK_DGRAM 1
        ",
    ),
    (
        "uses_flags",
        &[],
        "
         namespace clone CLONE_NEWNS|CLONE_NEWNET - 1
         namespace clone3 CLONE_NEWNS|CLONE_INTO_CGROUP - 1
         namespace unshare - - 1
         namespace unshare CLONE_NEWPID - 1
         namespace openat - ns:net 1
         namespace setns CLONE_NEWUTS ns:net 1
         cgroup mount cgroup2 - 1
         filesystem mount - - 1
         filesystem fsopen no-filesystem - 1
        ",
    ),
    (
        "uses_ioctls",
        &[],
        "
         unix socketpair AF_UNIX socket:AF_UNIX:SOCK_STREAM 1
         filesystem pipe2 - pipe 1
         network socket AF_INET socket:AF_INET:SOCK_DGRAM 1
         network ioctl SIOCGIFMTU socket:AF_INET:SOCK_DGRAM 1
         network ioctl SIOCINQ socket:AF_INET:SOCK_DGRAM 1
         network ioctl FIONBIO socket:AF_INET:SOCK_DGRAM 1
         unix ioctl SIOCINQ socket:AF_UNIX:SOCK_STREAM 1
         unix ioctl SIOCOUTQ socket:AF_UNIX:SOCK_STREAM 1
         filesystem ioctl FIONREAD pipe 1
         device ioctl TIOCGWINSZ pipe 1
         filesystem ioctl 0xdeadbeef pipe 1
         device openat O_RDWR char:ptmx 1
         device ioctl TIOCOUTQ char:ptmx 1
         random openat - char:urandom 1
         random ioctl RNDGETENTCNT char:urandom 1
         namespace openat - ns:uts 1
         namespace ioctl NS_GET_NSTYPE ns:uts 1
         process openat - dir:proc 1
         process ioctl FS_IOC_GETFLAGS dir:proc 1
        ",
    ),
    (
        "reuses_numbers",
        &[],
        "
         poll eventfd2 - anon_inode:eventfd 1
         poll read - anon_inode:eventfd 1
         filesystem close - anon_inode:eventfd 1
         filesystem pipe2 - pipe 1
         filesystem fcntl F_GETFL pipe 1
         memory memfd_create - memfd 1
         filesystem dup3 - memfd 1
         memory read - memfd 1
         filesystem close_range - - 2
         unix socket AF_UNIX socket:AF_UNIX:SOCK_DGRAM 1
         unix read - socket:AF_UNIX:SOCK_DGRAM 2
         filesystem close - socket:AF_UNIX:SOCK_DGRAM 1
         filesystem read - - 1
        ",
    ),
    (
        "shares_files",
        &[],
        "
         poll eventfd2 - anon_inode:eventfd 1
         poll read - anon_inode:eventfd 1
         process clone - - 3
         process wait4 - - 3
         filesystem close - anon_inode:eventfd 1
         memory memfd_create - memfd 1
         memory read - memfd 3
         filesystem close - memfd 2
         filesystem pipe2 - pipe 1
         filesystem write - pipe 1
         namespace unshare - - 1
         device openat - char:zero 1
         device read - char:zero 1
        ",
    ),
    (
        "fails_to_unshare",
        &[],
        "
         poll eventfd2 - anon_inode:eventfd 1
         filesystem pipe2 - pipe 2
         process clone - - 1
         namespace unshare - - 1
         poll read - anon_inode:eventfd 1
         filesystem write - pipe 2
         filesystem read - pipe 2
         filesystem close - anon_inode:eventfd 1
         memory memfd_create - memfd 1
         memory read - memfd 1
         process wait4 - - 1
        ",
    ),
    (
        "closes_by_ring",
        &[],
        "
         poll eventfd2 - anon_inode:eventfd 1
         poll read - anon_inode:eventfd 1
         io_uring io_uring_setup - anon_inode:io_uring 1
         memory mmap - anon_inode:io_uring 2
         io_uring io_uring_enter - anon_inode:io_uring 1
         memory memfd_create - memfd 1
         memory read - memfd 1
        ",
    ),
    (
        "receives_an_fd",
        &[],
        "
         unix socketpair AF_UNIX socket:AF_UNIX:SOCK_STREAM 1
         time timerfd_create CLOCK_MONOTONIC anon_inode:timerfd 1
         unix sendmsg - socket:AF_UNIX:SOCK_STREAM 1
         filesystem close - anon_inode:timerfd 1
         poll eventfd2 - anon_inode:eventfd 1
         poll read - anon_inode:eventfd 1
         unix recvmsg - socket:AF_UNIX:SOCK_STREAM 1
         time read - anon_inode:timerfd 1
        ",
    ),
    (
        "inherits_over_exec",
        &[],
        "
         device read - char:null 1
         poll write - anon_inode:eventfd 1
         filesystem read - - 1
        ",
    ),
    (
        "fails",
        &[],
        "
         filesystem openat - - 1
         filesystem read - - 1
         filesystem close - - 1
         unix socket AF_UNIX - 1
         network socket 0x63 - 1
         poll eventfd2 - anon_inode:eventfd 1
         poll read - anon_inode:eventfd 1
         filesystem newfstatat - - 1
        ",
    ),
    #[cfg(target_arch = "x86_64")]
    (
        "calls_as_32_bits",
        &[Need::Calls32],
        "
         unix i386/socketcall AF_UNIX socket:AF_UNIX:SOCK_DGRAM 1
         unix i386/socketcall SYS_CONNECT/abstract socket:AF_UNIX:SOCK_DGRAM 1
         unix i386/socketcall SYS_SENDMSG/abstract socket:AF_UNIX:SOCK_DGRAM 1
         unix i386/socketcall SYS_SHUTDOWN socket:AF_UNIX:SOCK_DGRAM 1
         unix i386/socketcall SOL_SOCKET/SO_DEBUG socket:AF_UNIX:SOCK_DGRAM 1
         memory i386/mmap PROT_READ|PROT_EXEC|MAP_ANONYMOUS - 1
         sysvipc i386/ipc SHM_EXEC - 1
         sysvipc i386/ipc SHMGET - 1
         network i386/ioctl SIOCGIFMTU socket:AF_UNIX:SOCK_DGRAM 1
         filesystem i386/fcntl64 F_SETLK64 socket:AF_UNIX:SOCK_DGRAM 1
         arch arch_prctl ARCH_GET_FS - 1
        ",
    ),
];
