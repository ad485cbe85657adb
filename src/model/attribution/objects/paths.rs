//! Which subsystem owns a file of proc or sysfs. Main function: [`owner`].
//!
//! Both filesystems only present data of other subsystems.

use super::super::{Subsystem, Subsystem as S};

/// Path prefixes below the filesystem's root, with their subsystems.
///
/// A part `#` matches any number, a part that ends in `_` matches all parts that begin with it, and
/// the longest match decides. A sysctl belongs to the source file that registers it. A path without
/// a match belongs to the filesystem itself.
const PROC: &[(&str, Subsystem)] = &[
    ("#", S::Process),
    ("#/arch_status", S::Arch),
    ("#/attr", S::Security),
    ("#/autogroup", S::Scheduler),
    ("#/cgroup", S::Cgroup),
    ("#/clear_refs", S::Memory),
    ("#/cpu_resctrl_groups", S::Arch),
    ("#/cpuset", S::Cgroup),
    ("#/fd", S::Filesystem),
    ("#/fdinfo", S::Filesystem),
    ("#/gid_map", S::Namespace),
    ("#/ksm_", S::Memory),
    ("#/loginuid", S::Security),
    ("#/map_files", S::Memory),
    ("#/maps", S::Memory),
    ("#/mem", S::Memory),
    ("#/mountinfo", S::Filesystem),
    ("#/mounts", S::Filesystem),
    ("#/mountstats", S::Filesystem),
    ("#/net", S::Network),
    ("#/net/unix", S::Unix),
    ("#/ns", S::Namespace),
    ("#/numa_maps", S::Memory),
    ("#/oom_adj", S::Memory),
    ("#/oom_score", S::Memory),
    ("#/oom_score_adj", S::Memory),
    ("#/pagemap", S::Memory),
    ("#/projid_map", S::Namespace),
    ("#/sched", S::Scheduler),
    ("#/schedstat", S::Scheduler),
    ("#/seccomp_cache", S::Seccomp),
    ("#/sessionid", S::Security),
    ("#/setgroups", S::Namespace),
    ("#/smaps", S::Memory),
    ("#/smaps_rollup", S::Memory),
    ("#/statm", S::Memory),
    ("#/timens_offsets", S::Time),
    ("#/timers", S::Time),
    ("#/timerslack_ns", S::Time),
    ("#/uid_map", S::Namespace),
    ("acpi", S::Device),
    ("allocinfo", S::Memory),
    ("apm", S::Device),
    ("asound", S::Device),
    ("buddyinfo", S::Memory),
    ("bus", S::Device),
    ("cgroups", S::Cgroup),
    ("cmdline", S::System),
    ("config.gz", S::System),
    ("consoles", S::Device),
    ("cpuinfo", S::Arch),
    ("crypto", S::Crypto),
    ("devices", S::Device),
    ("diskstats", S::Block),
    ("dma", S::System),
    ("driver", S::Device),
    ("execdomains", S::System),
    ("fb", S::Device),
    ("interrupts", S::Device),
    ("iomem", S::Device),
    ("ioports", S::Device),
    ("irq", S::Device),
    ("kallsyms", S::System),
    ("kcore", S::Memory),
    ("key-users", S::Keys),
    ("keys", S::Keys),
    ("kmsg", S::System),
    ("kpagecgroup", S::Memory),
    ("kpagecount", S::Memory),
    ("kpageflags", S::Memory),
    ("latency_stats", S::System),
    ("loadavg", S::Scheduler),
    ("lockdep", S::System),
    ("mdstat", S::Block),
    ("meminfo", S::Memory),
    ("misc", S::Device),
    ("modules", S::Module),
    ("mtrr", S::Arch),
    ("net", S::Network),
    ("pagetypeinfo", S::Memory),
    ("partitions", S::Block),
    ("pressure", S::Scheduler),
    ("schedstat", S::Scheduler),
    ("scsi", S::Block),
    ("slabinfo", S::Memory),
    ("softirqs", S::Scheduler),
    ("stat", S::Scheduler),
    ("swaps", S::Memory),
    ("sys/abi", S::Arch),
    ("sys/crypto", S::Crypto),
    ("sys/debug/exception-trace", S::Signal),
    ("sys/debug/kprobes-optimization", S::Tracing),
    ("sys/dev", S::Device),
    ("sys/fs/aio-max-nr", S::Aio),
    ("sys/fs/aio-nr", S::Aio),
    ("sys/fs/dir-notify-enable", S::FsNotify),
    ("sys/fs/epoll", S::Poll),
    ("sys/fs/fanotify", S::FsNotify),
    ("sys/fs/inotify", S::FsNotify),
    ("sys/fs/mqueue", S::Mqueue),
    ("sys/kernel", S::System),
    ("sys/kernel/acct", S::Process),
    ("sys/kernel/apparmor_", S::Security),
    ("sys/kernel/auto_msgmni", S::SysvIpc),
    ("sys/kernel/bpf_", S::Bpf),
    ("sys/kernel/cap_last_cap", S::Capability),
    ("sys/kernel/ctrl-alt-del", S::Boot),
    ("sys/kernel/ftrace_", S::Tracing),
    ("sys/kernel/hotplug", S::Device),
    ("sys/kernel/io_uring_disabled", S::IoUring),
    ("sys/kernel/io_uring_group", S::IoUring),
    ("sys/kernel/kexec_", S::Boot),
    ("sys/kernel/keys", S::Keys),
    ("sys/kernel/loadpin", S::Security),
    ("sys/kernel/modprobe", S::Module),
    ("sys/kernel/modules_disabled", S::Module),
    ("sys/kernel/msg_next_id", S::SysvIpc),
    ("sys/kernel/msgmax", S::SysvIpc),
    ("sys/kernel/msgmnb", S::SysvIpc),
    ("sys/kernel/msgmni", S::SysvIpc),
    ("sys/kernel/ngroups_max", S::Credentials),
    ("sys/kernel/ns_last_pid", S::Process),
    ("sys/kernel/numa_", S::Scheduler),
    ("sys/kernel/overflowgid", S::Credentials),
    ("sys/kernel/overflowuid", S::Credentials),
    ("sys/kernel/perf_", S::Perf),
    ("sys/kernel/pid_max", S::Process),
    ("sys/kernel/poweroff_cmd", S::Boot),
    ("sys/kernel/print-fatal-signals", S::Signal),
    ("sys/kernel/pty", S::Device),
    ("sys/kernel/random", S::Random),
    ("sys/kernel/randomize_va_space", S::Memory),
    ("sys/kernel/sched_", S::Scheduler),
    ("sys/kernel/seccomp", S::Seccomp),
    ("sys/kernel/sem", S::SysvIpc),
    ("sys/kernel/sem_next_id", S::SysvIpc),
    ("sys/kernel/sg-big-buff", S::Block),
    ("sys/kernel/shm_", S::SysvIpc),
    ("sys/kernel/shmall", S::SysvIpc),
    ("sys/kernel/shmmax", S::SysvIpc),
    ("sys/kernel/shmmni", S::SysvIpc),
    ("sys/kernel/stack_tracer_enabled", S::Tracing),
    ("sys/kernel/sysrq", S::Device),
    ("sys/kernel/task_delayacct", S::Process),
    ("sys/kernel/threads-max", S::Process),
    ("sys/kernel/timer_migration", S::Time),
    ("sys/kernel/traceoff_on_warning", S::Tracing),
    ("sys/kernel/tracepoint_printk", S::Tracing),
    ("sys/kernel/unprivileged_bpf_disabled", S::Bpf),
    ("sys/kernel/unprivileged_userns_apparmor_policy", S::Security),
    ("sys/kernel/unprivileged_userns_clone", S::Namespace),
    ("sys/kernel/user_events_max", S::Tracing),
    ("sys/kernel/yama", S::Security),
    ("sys/net", S::Network),
    ("sys/net/unix", S::Unix),
    ("sys/user", S::Namespace),
    ("sys/vm", S::Memory),
    ("sysrq-trigger", S::Device),
    ("sysvipc", S::SysvIpc),
    ("timer_list", S::Time),
    ("tty", S::Device),
    ("uptime", S::System),
    ("version", S::System),
    ("vmallocinfo", S::Memory),
    ("vmcore", S::Boot),
    ("vmstat", S::Memory),
    ("zoneinfo", S::Memory),
];

/// Path prefixes of sysfs. Perf event sources are devices without a parent: perf_pmu_register() of
/// kernel/events and arch/x86/events.
const SYSFS: &[(&str, Subsystem)] = &[
    ("block", S::Block),
    ("bus", S::Device),
    ("bus/event_source", S::Perf),
    ("class", S::Device),
    ("class/block", S::Block),
    ("class/net", S::Network),
    ("dev", S::Device),
    ("dev/block", S::Block),
    ("devices", S::Device),
    ("devices/amd_", S::Perf),
    ("devices/breakpoint", S::Perf),
    ("devices/cpu", S::Perf),
    ("devices/cpu_atom", S::Perf),
    ("devices/cpu_core", S::Perf),
    ("devices/cstate_", S::Perf),
    ("devices/ibs_", S::Perf),
    ("devices/intel_bts", S::Perf),
    ("devices/intel_pt", S::Perf),
    ("devices/kprobe", S::Perf),
    ("devices/msr", S::Perf),
    ("devices/power", S::Perf),
    ("devices/software", S::Perf),
    ("devices/system/clockevents", S::Time),
    ("devices/system/clocksource", S::Time),
    ("devices/system/machinecheck", S::Arch),
    ("devices/system/memory", S::Memory),
    ("devices/system/node", S::Memory),
    ("devices/tracepoint", S::Perf),
    ("devices/uncore_", S::Perf),
    ("devices/uprobe", S::Perf),
    ("devices/virtual/block", S::Block),
    ("devices/virtual/net", S::Network),
    ("firmware", S::Device),
    ("hypervisor", S::Kvm),
    ("kernel/btf", S::Bpf),
    ("kernel/cgroup", S::Cgroup),
    ("kernel/iommu_groups", S::Device),
    ("kernel/irq", S::Device),
    ("kernel/kexec_crash_loaded", S::Boot),
    ("kernel/kexec_crash_size", S::Boot),
    ("kernel/kexec_loaded", S::Boot),
    ("kernel/mm", S::Memory),
    ("kernel/slab", S::Memory),
    ("module", S::Module),
    ("power", S::Boot),
];

/// Returns the subsystem that owns the file at this path; `None` for the filesystem itself.
pub(super) fn owner(filesystem: &str, path: &str) -> Option<Subsystem> {
    let rules = match filesystem {
        "proc" => PROC,
        "sysfs" => SYSFS,
        _ => return None,
    };
    let path = normalized(path);
    // A network interface or a disk counts as such, whatever bus its card is on.
    let inner = [("/net/", S::Network), ("/block/", S::Block)];
    let inner = inner.into_iter().find(|(part, _)| filesystem == "sysfs" && path.contains(part));
    let fitting = rules.iter().filter(|(beginning, _)| begins(&path, beginning));
    let rule = fitting.max_by_key(|(beginning, _)| beginning.len()).copied();
    inner.or(rule).map(|(_, subsystem)| subsystem)
}

/// Normalizes a path: `/12/task/13/maps` → `#/maps`. A file of a thread counts as the same file of
/// its process.
fn normalized(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if let Some(first) = parts.first_mut().filter(|first| is_process(first)) {
        *first = "#";
        if parts.len() >= 3 && parts[1] == "task" {
            parts.drain(1..3);
        }
    }
    parts.join("/")
}

fn is_process(part: &str) -> bool {
    matches!(part, "self" | "thread-self") || part.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether the path is at or below this prefix.
fn begins(path: &str, beginning: &str) -> bool {
    path.strip_prefix(beginning)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || beginning.ends_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_belongs_to_the_subsystem_it_describes() {
        for (filesystem, path, subsystem) in [
            ("proc", "12/maps", Some(S::Memory)),
            ("proc", "/self/maps", Some(S::Memory)),
            ("proc", "12/task/13/maps", Some(S::Memory)),
            ("proc", "12/status", Some(S::Process)),
            ("proc", "12", Some(S::Process)),
            ("proc", "12/net/tcp", Some(S::Network)),
            ("proc", "12/net/unix", Some(S::Unix)),
            ("proc", "meminfo", Some(S::Memory)),
            ("proc", "sys/kernel/hostname", Some(S::System)),
            ("proc", "sys/kernel/random/uuid", Some(S::Random)),
            ("proc", "sys/vm/overcommit_memory", Some(S::Memory)),
            ("proc", "sys/kernel/sched_rt_runtime_us", Some(S::Scheduler)),
            ("proc", "sys/kernel/shm_rmid_forced", Some(S::SysvIpc)),
            ("proc", "sys/kernel/shmmax", Some(S::SysvIpc)),
            ("proc", "12/loginuid", Some(S::Security)),
            ("proc", "sys/fs/file-max", None),
            ("proc", "filesystems", None),
            ("proc", "", None),
            ("sysfs", "class/net/lo/mtu", Some(S::Network)),
            ("sysfs", "devices/pci0000:00/0000:00:03.0/virtio0/net/eth0/mtu", Some(S::Network)),
            ("sysfs", "devices/system/cpu/online", Some(S::Device)),
            ("sysfs", "devices/software/type", Some(S::Perf)),
            ("sysfs", "devices/cpu/events", Some(S::Perf)),
            ("sysfs", "kernel/mm/transparent_hugepage/enabled", Some(S::Memory)),
            ("sysfs", "kernel/notes", None),
            ("ext4", "12/maps", None),
        ] {
            assert_eq!(owner(filesystem, path), subsystem, "{filesystem} {path}");
        }
    }

    #[test]
    fn no_rule_appears_twice() {
        for rules in [PROC, SYSFS] {
            for (at, (beginning, _)) in rules.iter().enumerate() {
                assert!(!rules[..at].iter().any(|(earlier, _)| earlier == beginning), "{beginning}");
            }
        }
    }
}
