//! The subsystem that a value of an argument reaches, if it differs from its call's. All of it is
//! judgement. Main function: [`reaches`].

use std::collections::BTreeSet;

use sysguard::model::attribution::{Subsystem, Subsystem as S};

/// Table, prefix of the name, subsystem, the source file or folder that implements it (empty: the
/// one with the case), reason. The longest prefix decides.
const REACHES: &[(&str, &str, Subsystem, &str, &str)] = &[
    ("ARCH_PRCTL", "ARCH_ENABLE_TAGGED_ADDR", S::Memory, "", "address bits of the process's memory map"),
    ("ARCH_PRCTL", "ARCH_FORCE_TAGGED_SVA", S::Memory, "", "address bits of the process's memory map"),
    ("ARCH_PRCTL", "ARCH_GET_MAX_TAG_BITS", S::Memory, "", "address bits of the process's memory map"),
    ("ARCH_PRCTL", "ARCH_GET_UNTAG_MASK", S::Memory, "", "address bits of the process's memory map"),
    ("ARCH_PRCTL", "ARCH_MAP_VDSO_", S::Memory, "", "makes a mapping"),
    ("CLONE", "CLONE_INTO_CGROUP", S::Cgroup, "kernel/cgroup", "the child starts in another group"),
    ("CLONE", "CLONE_NEW", S::Namespace, "", "makes or enters a namespace"),
    ("FAMILY", "AF_ALG", S::Crypto, "crypto/af_alg.c", ""),
    ("FAMILY", "AF_UNIX", S::Unix, "net/unix", "local, no network"),
    ("FCNTL", "F_ADD_SEALS", S::Memory, "mm/memfd.c", ""),
    ("FCNTL", "F_GETOWN", S::Signal, "", "the task that gets SIGIO"),
    ("FCNTL", "F_GETSIG", S::Signal, "", "which signal is sent for SIGIO"),
    ("FCNTL", "F_GET_SEALS", S::Memory, "mm/memfd.c", ""),
    ("FCNTL", "F_NOTIFY", S::FsNotify, "fs/notify/dnotify/dnotify.c", ""),
    ("FCNTL", "F_SETOWN", S::Signal, "", "the task that gets SIGIO"),
    ("FCNTL", "F_SETSIG", S::Signal, "", "which signal is sent for SIGIO"),
    ("PRCTL", "PR_CAP", S::Capability, "security/commoncap.c", ""),
    ("PRCTL", "PR_FUTEX_HASH", S::Futex, "kernel/futex/core.c", ""),
    ("PRCTL", "PR_GET_AUXV", S::Memory, "", "reads mm->saved_auxv"),
    ("PRCTL", "PR_GET_CFI", S::Arch, "", "control flow protection of the processor"),
    ("PRCTL", "PR_GET_ENDIAN", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_GET_FP", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_GET_IO_FLUSHER", S::Memory, "", "memory reclaim of the task"),
    ("PRCTL", "PR_GET_KEEPCAPS", S::Capability, "security/commoncap.c", ""),
    ("PRCTL", "PR_GET_MDWE", S::Memory, "", "flags of the memory map"),
    ("PRCTL", "PR_GET_MEMORY_MERGE", S::Memory, "mm/ksm.c", ""),
    ("PRCTL", "PR_GET_NO_NEW_PRIVS", S::Credentials, "", "limits what execve may grant"),
    ("PRCTL", "PR_GET_PDEATHSIG", S::Signal, "", "signal at the parent's death"),
    ("PRCTL", "PR_GET_SECCOMP", S::Seccomp, "kernel/seccomp.c", ""),
    ("PRCTL", "PR_GET_SECUREBITS", S::Capability, "security/commoncap.c", ""),
    ("PRCTL", "PR_GET_SHADOW_STACK_STATUS", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_GET_SPECULATION_CTRL", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_GET_TAGGED_ADDR_CTRL", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_GET_THP_DISABLE", S::Memory, "", "flags of the memory map"),
    ("PRCTL", "PR_GET_TIMERSLACK", S::Time, "", "how exact timers of the task are"),
    ("PRCTL", "PR_GET_TIMING", S::Time, "", "how the task's time is counted"),
    ("PRCTL", "PR_GET_TSC", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_GET_UNALIGN", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_LOCK_SHADOW_STACK_STATUS", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_MCE_KILL", S::Memory, "mm/memory-failure.c", ""),
    ("PRCTL", "PR_MPX", S::Memory, "", "bounds tables of the memory map, now without effect"),
    ("PRCTL", "PR_PAC", S::Arch, "", "keys of the processor"),
    ("PRCTL", "PR_PPC", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_RISCV", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_RSEQ", S::Scheduler, "kernel/rseq.c", "longer time slices"),
    ("PRCTL", "PR_SCHED_CORE", S::Scheduler, "kernel/sched/core_sched.c", ""),
    ("PRCTL", "PR_SET_CFI", S::Arch, "", "control flow protection of the processor"),
    ("PRCTL", "PR_SET_ENDIAN", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_SET_FP", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_SET_IO_FLUSHER", S::Memory, "", "memory reclaim of the task"),
    ("PRCTL", "PR_SET_KEEPCAPS", S::Capability, "security/commoncap.c", ""),
    ("PRCTL", "PR_SET_MDWE", S::Memory, "", "flags of the memory map"),
    ("PRCTL", "PR_SET_MEMORY_MERGE", S::Memory, "mm/ksm.c", ""),
    ("PRCTL", "PR_SET_MM", S::Memory, "", "fields of the memory map"),
    ("PRCTL", "PR_SET_NO_NEW_PRIVS", S::Credentials, "", "limits what execve may grant"),
    ("PRCTL", "PR_SET_PDEATHSIG", S::Signal, "", "signal at the parent's death"),
    ("PRCTL", "PR_SET_PTRACER", S::Security, "security/yama", ""),
    ("PRCTL", "PR_SET_SECCOMP", S::Seccomp, "kernel/seccomp.c", ""),
    ("PRCTL", "PR_SET_SECUREBITS", S::Capability, "security/commoncap.c", ""),
    ("PRCTL", "PR_SET_SHADOW_STACK_STATUS", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_SET_SPECULATION_CTRL", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_SET_SYSCALL_USER_DISPATCH", S::Signal, "", "turns calls into SIGSYS"),
    ("PRCTL", "PR_SET_TAGGED_ADDR_CTRL", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_SET_THP_DISABLE", S::Memory, "", "flags of the memory map"),
    ("PRCTL", "PR_SET_TIMERSLACK", S::Time, "", "how exact timers of the task are"),
    ("PRCTL", "PR_SET_TIMING", S::Time, "", "how the task's time is counted"),
    ("PRCTL", "PR_SET_TSC", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_SET_UNALIGN", S::Arch, "", "mode of the processor"),
    ("PRCTL", "PR_SET_VMA", S::Memory, "", "names a mapping"),
    ("PRCTL", "PR_SME", S::Arch, "", "vector registers of the processor"),
    ("PRCTL", "PR_SVE", S::Arch, "", "vector registers of the processor"),
    ("PRCTL", "PR_TASK_PERF_EVENTS", S::Perf, "kernel/events/core.c", ""),
    ("PRCTL", "PR_TIMER_CREATE_RESTORE_IDS", S::Time, "kernel/time/posix-timers.c", ""),
    ("NETLINK", "NETLINK_AUDIT", S::Security, "kernel/audit.c", ""),
    ("NETLINK", "NETLINK_CONNECTOR", S::Device, "drivers/connector", ""),
    ("NETLINK", "NETLINK_CRYPTO", S::Crypto, "crypto/crypto_user.c", ""),
    ("NETLINK", "NETLINK_ISCSI", S::Block, "drivers/scsi/scsi_transport_iscsi.c", ""),
    ("NETLINK", "NETLINK_KOBJECT_UEVENT", S::Device, "lib/kobject_uevent.c", "devices that come and go"),
    ("NETLINK", "NETLINK_RDMA", S::Device, "drivers/infiniband", ""),
    ("NETLINK", "NETLINK_SCSITRANSPORT", S::Block, "drivers/scsi/scsi_netlink.c", ""),
    ("NETLINK", "NETLINK_SELINUX", S::Security, "security/selinux/netlink.c", ""),
];

/// What a value reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) subsystem: Subsystem,
    /// The source that implements it; empty: the one with the case.
    pub(crate) source: &'static str,
    pub(crate) reason: &'static str,
}

/// Returns the rule for this value.
pub(crate) fn reaches(table: &str, name: &str) -> Option<Reached> {
    rule(table, name).map(|(_, _, subsystem, source, reason)| Reached { subsystem, source, reason })
}

/// Returns the rules that decide none of these values: table and name.
pub(crate) fn unused<'n>(values: impl Iterator<Item = (&'n str, &'n str)>) -> Vec<String> {
    let decide: BTreeSet<_> =
        values.filter_map(|(table, name)| rule(table, name)).map(|rule| (rule.0, rule.1)).collect();
    let unused = REACHES.iter().filter(|rule| !decide.contains(&(rule.0, rule.1)));
    unused.map(|rule| format!("REACHES {} {}", rule.0, rule.1)).collect()
}

fn rule(table: &str, name: &str) -> Option<(&'static str, &'static str, Subsystem, &'static str, &'static str)> {
    let rules = REACHES.iter().filter(|(of, prefix, ..)| *of == table && name.starts_with(prefix));
    rules.max_by_key(|(_, prefix, ..)| prefix.len()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_ordered_within_their_table_and_explained() {
        let mut seen = Vec::new();
        for (table, prefix, _, source, reason) in REACHES {
            assert!((*source, *reason) != ("", "") && !seen.contains(&(table, prefix)), "{prefix}");
            seen.push((table, prefix));
        }
    }

    #[test]
    fn the_longest_rule_decides() {
        let subsystem = |table, name| reaches(table, name).map(|reached| reached.subsystem);
        assert_eq!(subsystem("CLONE", "CLONE_NEWNET"), Some(S::Namespace));
        assert_eq!(subsystem("CLONE", "CLONE_INTO_CGROUP"), Some(S::Cgroup));
        assert_eq!(subsystem("PRCTL", "PR_SET_NAME"), None);
        assert_eq!(subsystem("FAMILY", "AF_INET"), None);
        assert!(!unused([("FAMILY", "AF_ALG")].into_iter()).contains(&"REACHES FAMILY AF_ALG".to_owned()));
        assert!(unused([("FAMILY", "AF_ALG")].into_iter()).contains(&"REACHES FAMILY AF_UNIX".to_owned()));
    }
}
