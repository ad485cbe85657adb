//! The curated rules: the subsystem of each source file, and of the calls in shared files. Main
//! function: [`subsystem`].
//!
//! Each row has its reason. Everything outside this module is derived.

use sysguard::unstable::model::attribution::{Subsystem, Subsystem as S};

/// Calls in files that serve several subsystems: file, calls (without `sys_`), subsystem, reason.
const CALLS: &[(&str, &[&str], Subsystem, &str)] = &[
    (
        "kernel/sys.c",
        &[
            "getegid",
            "geteuid",
            "getgid",
            "getresgid",
            "getresuid",
            "getuid",
            "setfsgid",
            "setfsuid",
            "setgid",
            "setregid",
            "setresgid",
            "setresuid",
            "setreuid",
            "setuid",
        ],
        S::Credentials,
        "acts on struct cred",
    ),
    ("kernel/sys.c", &["getcpu", "getpriority", "setpriority"], S::Scheduler, "asks or tells the scheduler"),
    ("kernel/sys.c", &["umask"], S::Filesystem, "acts on struct fs_struct"),
    (
        "kernel/sys.c",
        &["newuname", "olduname", "setdomainname", "sethostname", "sysinfo", "uname"],
        S::System,
        "describes the machine, not a process",
    ),
    (
        "kernel/compat.c",
        &["sched_getaffinity", "sched_setaffinity"],
        S::Scheduler,
        "compat form of a kernel/sched call",
    ),
    ("kernel/compat.c", &["sigprocmask"], S::Signal, "compat form of a kernel/signal.c call"),
    ("kernel/fork.c", &["unshare"], S::Namespace, "leaves namespaces, creates no task"),
    ("arch/riscv/kernel/sys_riscv.c", &["riscv_flush_icache"], S::Arch, "a cache of this processor, no mapping"),
    ("fs/open.c", &["vhangup"], S::Device, "hangs up a terminal"),
    ("mm/fadvise.c", &["fadvise64", "fadvise64_64"], S::Filesystem, "page cache of a file"),
    ("mm/filemap.c", &["cachestat"], S::Filesystem, "page cache of a file"),
    ("mm/readahead.c", &["readahead"], S::Filesystem, "page cache of a file"),
    ("arch/x86/kernel/sys_ia32.c", &["ia32_clone"], S::Process, "compat form of a kernel/fork.c call"),
    ("arch/x86/kernel/sys_ia32.c", &["ia32_mmap"], S::Memory, "compat form of mmap"),
];

/// The subsystem by the prefix of a path. The first match decides, so a directory comes after its
/// exceptions. A comment gives the reason if the path does not.
const PATHS: &[(&str, Subsystem)] = &[
    ("arch/arm64/kernel/signal", S::Signal),
    ("arch/arm64/kernel/sys.c", S::Memory), // mmap
    ("arch/arm64/mm/", S::Memory),
    ("arch/riscv/kernel/signal", S::Signal),
    ("arch/riscv/kernel/sys_hwprobe.c", S::Arch),
    ("arch/riscv/kernel/sys_riscv.c", S::Memory), // mmap
    ("arch/riscv/kernel/usercfi.c", S::Memory),   // map_shadow_stack makes a mapping
    ("arch/x86/kernel/shstk.c", S::Memory),       // map_shadow_stack makes a mapping
    ("arch/x86/kernel/signal", S::Signal),
    ("arch/x86/kernel/sys_ia32.c", S::Filesystem), // 64-bit file offsets and stat in two registers
    ("arch/x86/kernel/sys_x86_64.c", S::Memory),   // mmap
    ("arch/x86/kernel/uprobes.c", S::Tracing),
    ("arch/x86/", S::Arch),
    ("block/", S::Block),
    ("drivers/char/random.c", S::Random),
    ("fs/aio.c", S::Aio),      // own interface, own section
    ("fs/eventfd.c", S::Poll), // made to be polled
    ("fs/eventpoll.c", S::Poll),
    ("fs/exec.c", S::Process), // replaces a program, reads a file only to do so
    ("fs/notify/", S::FsNotify),
    ("fs/select.c", S::Poll),
    ("fs/signalfd.c", S::Signal),    // signals as a file
    ("fs/timerfd.c", S::Time),       // timers as a file
    ("fs/userfaultfd.c", S::Memory), // moved to mm/ later
    ("fs/", S::Filesystem),
    ("io_uring/", S::IoUring),
    ("ipc/mq", S::Mqueue), // mqueue.c; the rest of ipc/ is System V
    ("ipc/", S::SysvIpc),
    ("kernel/acct.c", S::Process),
    ("kernel/bpf/", S::Bpf),
    ("kernel/capability.c", S::Capability),
    ("kernel/events/", S::Perf),
    ("kernel/exec_domain.c", S::Process), // personality
    ("kernel/exit.c", S::Process),
    ("kernel/fork.c", S::Process),
    ("kernel/futex/", S::Futex),
    ("kernel/groups.c", S::Credentials),
    ("kernel/kcmp.c", S::Process),
    ("kernel/kexec", S::Boot), // kexec.c, kexec_file.c
    ("kernel/module/", S::Module),
    ("kernel/ns", S::Namespace), // nsproxy.c, nstree.c
    ("kernel/pid.c", S::Process),
    ("kernel/printk/", S::System), // syslog
    ("kernel/ptrace.c", S::Tracing),
    ("kernel/reboot.c", S::Boot),
    ("kernel/rseq.c", S::Scheduler), // notified of every migration and preemption
    ("kernel/sched/", S::Scheduler),
    ("kernel/seccomp.c", S::Seccomp),
    ("kernel/signal.c", S::Signal),
    ("kernel/sys.c", S::Process), // calls without a row above: limits, ids, times, prctl
    ("kernel/time/", S::Time),
    ("kernel/uid16.c", S::Credentials), // 16-bit forms of kernel/sys.c
    ("mm/", S::Memory),
    ("net/", S::Network),
    ("security/keys/", S::Keys),
    ("security/", S::Security),
];

/// Files with a misleading best match in MAINTAINERS, and calls that only a `K:` pattern finds:
/// file, prefix of the calls, section, reason.
const SECTIONS: &[(&str, &str, &str, &str)] = &[
    ("fs/fcntl.c", "", VFS, "FILE LOCKING names this file for its lock commands"),
    ("fs/ioctl.c", "", VFS, "LANDLOCK names this file for its hook"),
    ("", "pidfd_", "PIDFD API", "K: (?i)pidfd; other sources match it by accident"),
];

const VFS: &str = "FILESYSTEMS (VFS and infrastructure)";

/// A subsystem and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) subsystem: Subsystem,
    /// `path fs/eventpoll.c`, or the reason in a row of [`CALLS`].
    pub(crate) basis: String,
}

/// Returns the subsystem of an entry point that is defined in this file, or `None` if no rule
/// matches the file.
pub(crate) fn subsystem(entry_point: &str, file: &str) -> Option<Verdict> {
    let call = call(entry_point);
    let named = CALLS.iter().find(|(path, calls, ..)| *path == file && calls.contains(&call));
    if let Some(&(_, _, subsystem, reason)) = named {
        return Some(Verdict { subsystem, basis: reason.to_owned() });
    }
    let &(path, subsystem) = PATHS.iter().find(|(path, _)| file.starts_with(path))?;
    Some(Verdict { subsystem, basis: format!("path {path}") })
}

/// Returns the subsystem of a file by its path alone, or `None` if no rule matches it.
pub(crate) fn of_file(file: &str) -> Option<Subsystem> {
    PATHS.iter().find(|(path, _)| file.starts_with(path)).map(|&(_, subsystem)| subsystem)
}

/// Returns the curated section of an entry point, if it has one.
pub(crate) fn section(entry_point: &str, file: &str) -> Option<&'static str> {
    let call = call(entry_point);
    let fits = |path: &str, prefix: &str| (path.is_empty() || path == file) && call.starts_with(prefix);
    SECTIONS.iter().find(|(path, prefix, ..)| fits(path, prefix)).map(|&(_, _, section, _)| section)
}

/// Returns `sysinfo` for `compat_sys_sysinfo`.
fn call(entry_point: &str) -> &str {
    let native = entry_point.strip_prefix("compat_").unwrap_or(entry_point);
    native.strip_prefix("sys_").unwrap_or(native)
}

#[cfg(test)]
mod tests {
    use sysguard::unstable::model::attribution::entry_points::{self, EntryPoint};
    use sysguard::unstable::model::kernel::syscall::{Abi, Syscall};

    use super::*;

    #[test]
    fn calls_beat_paths_and_exceptions_beat_directories() {
        for (entry_point, file, subsystem, basis) in [
            ("sys_getuid", "kernel/sys.c", S::Credentials, "acts on struct cred"),
            ("compat_sys_sysinfo", "kernel/sys.c", S::System, "describes the machine, not a process"),
            ("sys_prctl", "kernel/sys.c", S::Process, "path kernel/sys.c"),
            ("sys_epoll_ctl", "fs/eventpoll.c", S::Poll, "path fs/eventpoll.c"),
            ("sys_openat", "fs/open.c", S::Filesystem, "path fs/"),
        ] {
            assert_eq!(subsystem_of(entry_point, file), (subsystem, basis.to_owned()), "{entry_point}");
        }
        assert_eq!(subsystem("sys_x", "samples/x.c"), None);
    }

    fn subsystem_of(entry_point: &str, file: &str) -> (Subsystem, String) {
        let verdict = subsystem(entry_point, file).expect(file);
        (verdict.subsystem, verdict.basis)
    }

    /// Returns the facts of every entry point in the committed tables.
    fn committed_facts() -> Vec<&'static EntryPoint> {
        let syscalls = Abi::ALL.into_iter().flat_map(|abi| {
            let rows = sysguard::unstable::model::kernel::syscall::table::rows(abi).iter();
            rows.map(move |row| Syscall { abi, number: i64::from(row.number) })
        });
        syscalls.filter_map(entry_points::facts).collect()
    }

    #[test]
    fn every_rule_decides_a_call() {
        let facts = committed_facts();
        for (path, _) in PATHS {
            assert!(facts.iter().any(|fact| fact.basis.strip_prefix("path ") == Some(*path)), "{path}");
        }
        for (file, calls, subsystem, reason) in CALLS {
            for wanted in *calls {
                let decides =
                    |fact: &&&EntryPoint| call(fact.name) == *wanted && fact.source == *file && fact.basis == *reason;
                assert!(facts.iter().find(decides).is_some_and(|fact| fact.subsystem == *subsystem), "{wanted}");
            }
        }
        for (file, prefix, section, _) in SECTIONS {
            assert!(facts.iter().any(|fact| call(fact.name).starts_with(prefix)
                && fact.source.starts_with(file)
                && fact.section == *section));
        }
    }

    #[test]
    fn no_rule_is_hidden_by_an_earlier_one() {
        for (at, (path, _)) in PATHS.iter().enumerate() {
            assert!(!PATHS[..at].iter().any(|(earlier, _)| path.starts_with(earlier)), "{path}");
        }
    }
}
