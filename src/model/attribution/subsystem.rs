//! The kernel subsystems: sysguard's taxonomy `kernel`. Main type: [`Subsystem`].
//!
//! A subsystem is only a name. The tables and rules of attribution say which call reaches which
//! one.

use std::fmt;

/// A subsystem of the Linux kernel, ordered by its slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Subsystem {
    /// fs/aio.c
    Aio,
    /// arch_prctl, ldt, iopl
    Arch,
    /// ioprio, block devices and their ioctls
    Block,
    /// reboot, kexec, hibernation
    Boot,
    /// kernel/bpf
    Bpf,
    /// capget/capset, prctl CAP*
    Capability,
    /// cgroupfs, CLONE_INTO_CGROUP (no syscall of its own)
    Cgroup,
    /// locking, RCU, lib, irq, workqueue: only in function-level reports
    Core,
    /// uid/gid/groups
    Credentials,
    /// AF_ALG, NETLINK_CRYPTO
    Crypto,
    /// character devices/drivers (tty, input, drm, sound, ...), vhangup
    Device,
    /// VFS, path, xattr, mounts, pipes/splice, locks, quota, page cache, every on-disk/pseudo fs
    Filesystem,
    /// inotify/fanotify/dnotify
    FsNotify,
    /// kernel/futex
    Futex,
    /// io_uring/
    IoUring,
    /// keyrings
    Keys,
    /// KVM, vhost, Xen, Hyper-V fds
    Kvm,
    /// mm/: mappings, NUMA policy, swap, mlock, memfd, userfaultfd, pkeys
    Memory,
    /// init/finit/delete_module
    Module,
    /// ipc/mqueue.c
    Mqueue,
    /// unshare, setns, listns, clone CLONE_NEW*, nsfs
    Namespace,
    /// net/
    Network,
    /// no subsystem: a number without an implementation
    None,
    /// kernel/events
    Perf,
    /// poll/select/epoll/eventfd
    Poll,
    /// create/exec/wait/exit, ids, rlimits, rusage, prctl, pidfd, personality, acct
    Process,
    /// `getrandom`, `/dev/random`, `/dev/urandom`
    Random,
    /// sched_*, nice, rseq, membarrier, getcpu
    Scheduler,
    /// kernel/seccomp.c
    Seccomp,
    /// LSM syscalls, Landlock, audit
    Security,
    /// kernel/signal.c, signalfd, sigreturn
    Signal,
    /// uname, host/domain name, sysinfo, syslog
    System,
    /// shm/sem/msg
    SysvIpc,
    /// kernel/time, timerfd
    Time,
    /// ptrace, uprobes, tracefs
    Tracing,
    /// net/unix: AF_UNIX sockets, which are local and therefore separate from network
    Unix,
}

impl Subsystem {
    /// Every subsystem, ordered by slug.
    pub const ALL: [Self; 36] = [
        Self::Aio,
        Self::Arch,
        Self::Block,
        Self::Boot,
        Self::Bpf,
        Self::Capability,
        Self::Cgroup,
        Self::Core,
        Self::Credentials,
        Self::Crypto,
        Self::Device,
        Self::Filesystem,
        Self::FsNotify,
        Self::Futex,
        Self::IoUring,
        Self::Keys,
        Self::Kvm,
        Self::Memory,
        Self::Module,
        Self::Mqueue,
        Self::Namespace,
        Self::Network,
        Self::None,
        Self::Perf,
        Self::Poll,
        Self::Process,
        Self::Random,
        Self::Scheduler,
        Self::Seccomp,
        Self::Security,
        Self::Signal,
        Self::System,
        Self::SysvIpc,
        Self::Time,
        Self::Tracing,
        Self::Unix,
    ];

    /// Returns the name used in JSON, expectations and keys.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Aio => "aio",
            Self::Arch => "arch",
            Self::Block => "block",
            Self::Boot => "boot",
            Self::Bpf => "bpf",
            Self::Capability => "capability",
            Self::Cgroup => "cgroup",
            Self::Core => "core",
            Self::Credentials => "credentials",
            Self::Crypto => "crypto",
            Self::Device => "device",
            Self::Filesystem => "filesystem",
            Self::FsNotify => "fsnotify",
            Self::Futex => "futex",
            Self::IoUring => "io_uring",
            Self::Keys => "keys",
            Self::Kvm => "kvm",
            Self::Memory => "memory",
            Self::Module => "module",
            Self::Mqueue => "mqueue",
            Self::Namespace => "namespace",
            Self::Network => "network",
            Self::None => "none",
            Self::Perf => "perf",
            Self::Poll => "poll",
            Self::Process => "process",
            Self::Random => "random",
            Self::Scheduler => "scheduler",
            Self::Seccomp => "seccomp",
            Self::Security => "security",
            Self::Signal => "signal",
            Self::System => "system",
            Self::SysvIpc => "sysvipc",
            Self::Time => "time",
            Self::Tracing => "tracing",
            Self::Unix => "unix",
        }
    }

    /// Returns the title for readers, in the words of the kernel's workload-tracing guide if it has
    /// one.
    pub fn title(self) -> &'static str {
        match self {
            Self::Aio => "AIO",
            Self::Arch => "Architecture",
            Self::Block => "Block",
            Self::Boot => "Kexec/Reboot",
            Self::Bpf => "BPF",
            Self::Capability => "Capability",
            Self::Cgroup => "Cgroup",
            Self::Core => "Kernel Core",
            Self::Credentials => "Credentials",
            Self::Crypto => "Crypto",
            Self::Device => "Device",
            Self::Filesystem => "Filesystem",
            Self::FsNotify => "FS Notification",
            Self::Futex => "Futex",
            Self::IoUring => "io_uring",
            Self::Keys => "Keys",
            Self::Kvm => "Virtualization",
            Self::Memory => "Memory Mgmt",
            Self::Module => "Module",
            Self::Mqueue => "POSIX MQ",
            Self::Namespace => "Namespaces",
            Self::Network => "Network",
            Self::None => "Not Implemented",
            Self::Perf => "Perf",
            Self::Poll => "Event Poll",
            Self::Process => "Process Mgmt",
            Self::Random => "Random",
            Self::Scheduler => "Scheduler",
            Self::Seccomp => "Seccomp",
            Self::Security => "Security (LSM)",
            Self::Signal => "Signal",
            Self::System => "System Info",
            Self::SysvIpc => "SysV IPC",
            Self::Time => "Time",
            Self::Tracing => "Tracing",
            Self::Unix => "Unix Sockets",
        }
    }

    /// Returns the subsystem with this slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subsystem| subsystem.slug() == slug)
    }
}

impl fmt::Display for Subsystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsystems_are_ordered_by_slug_and_found_by_it() {
        assert!(Subsystem::ALL.is_sorted());
        assert!(Subsystem::ALL.is_sorted_by_key(|subsystem| subsystem.slug()));
        for subsystem in Subsystem::ALL {
            assert_eq!(Subsystem::from_slug(subsystem.slug()), Some(subsystem));
        }
    }
}
