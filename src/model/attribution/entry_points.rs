//! What the kernel source says of each entry point: where it is, who maintains it, what enables it, since when.
//!
//! The rows beside this file are generated; here is only the way to them. Main type: [`EntryPoint`].

mod table;

use std::sync::OnceLock;

use super::Subsystem;
use crate::model::kernel::syscall::{self, Abi, Syscall};

/// One function behind syscalls, as the kernels that the table was made from have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryPoint {
    /// The function as the syscall table names it: `sys_newfstat`, `compat_sys_ioctl`.
    pub name: &'static str,
    /// The directory below `arch/` that this row is for; empty where all agree.
    pub arch: &'static str,
    /// The source file that defines it.
    pub source: &'static str,
    /// Its section of MAINTAINERS, or `core:<file>` where only the catch-all covers the file. Titles drift between releases.
    pub section: &'static str,
    /// The subsystem of its source file, or of the call where one file serves several.
    pub subsystem: Subsystem,
    /// The `CONFIG_` symbols that must be on, joined by ` && `; `None` if every kernel has it.
    pub config: Option<&'static str>,
    /// Those symbols are offered to experts only: practically every kernel has them on.
    pub expert: bool,
    /// The oldest examined release that has it, an upper bound: `<=6.12`.
    pub since: &'static str,
    /// Why this subsystem: the path rule (`path fs/eventpoll.c`) or the reason of a rule for this call.
    pub basis: &'static str,
}

/// The kernels that the tables were made from, the newest last: that one says what a call is.
pub fn kernels() -> &'static [&'static str] {
    &table::KERNELS
}

/// What is known of a call's entry point; `None` for a number that no table knows, or that has only a placeholder. It is asked of every call, so that
/// names are compared once only.
pub fn facts(syscall: Syscall) -> Option<&'static EntryPoint> {
    type Known = Vec<Option<&'static EntryPoint>>;
    static KNOWN: [OnceLock<Known>; Abi::ALL.len()] = [const { OnceLock::new() }; Abi::ALL.len()];
    let rows = syscall::table::rows(syscall.abi);
    let number = u32::try_from(syscall.number).ok()?;
    let at = rows.binary_search_by_key(&number, |row| row.number).ok()?;
    let find = |name| find(name, directory(syscall.abi)).or_else(|| find(name, ""));
    KNOWN[syscall.abi as usize].get_or_init(|| rows.iter().map(|row| find(row.entry_point)).collect())[at]
}

/// The subsystem of a call's entry point; [`Subsystem::None`] for a number that no table knows, or that has only a placeholder.
pub fn subsystem(syscall: Syscall) -> Subsystem {
    facts(syscall).map_or(Subsystem::None, |entry_point| entry_point.subsystem)
}

fn find(name: &str, arch: &str) -> Option<&'static EntryPoint> {
    let rows = &table::ENTRY_POINTS;
    rows.binary_search_by_key(&(name, arch), |row| (row.name, row.arch)).ok().map(|at| &rows[at])
}

/// The directory below `arch/` whose code runs the calls of this ABI.
fn directory(abi: Abi) -> &'static str {
    match abi {
        Abi::Aarch64 => "arm64",
        Abi::Arm => "arm",
        Abi::I386 | Abi::X32 | Abi::X86_64 => "x86",
        Abi::Riscv64 => "riscv",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::kernel::syscall::table::rows;

    fn call(abi: Abi, name: &str) -> Syscall {
        Syscall::from_name(abi, name).expect(name)
    }

    #[test]
    fn entry_points_are_ordered_and_none_is_told_twice() {
        assert!(table::ENTRY_POINTS.is_sorted_by_key(|row| (row.name, row.arch)));
        for pair in table::ENTRY_POINTS.windows(2) {
            let apart = !pair[0].arch.is_empty() && pair[0].arch != pair[1].arch;
            assert!(pair[0].name != pair[1].name || apart, "{}", pair[0].name);
        }
    }

    #[test]
    fn every_implemented_call_has_facts_and_every_fact_a_call() {
        let mut used = BTreeSet::new();
        for abi in Abi::ALL {
            for row in rows(abi) {
                let syscall = Syscall { abi, number: i64::from(row.number) };
                let facts = facts(syscall);
                assert_eq!(facts.is_some(), !row.entry_point.is_empty(), "{abi} {}", row.name);
                assert_eq!(subsystem(syscall) == Subsystem::None, row.entry_point.is_empty(), "{abi} {}", row.name);
                used.extend(facts.map(|facts| (facts.name, facts.arch)));
            }
        }
        let told: BTreeSet<_> = table::ENTRY_POINTS.iter().map(|row| (row.name, row.arch)).collect();
        assert_eq!(told, used);
    }

    #[test]
    fn a_fact_is_complete() {
        for row in &table::ENTRY_POINTS {
            assert!(row.source.ends_with(".c") && row.since.starts_with("<=") && !row.basis.is_empty(), "{row:?}");
            assert!(!row.section.is_empty() && row.section != "THE REST", "{row:?}");
            assert!(row.config.is_some() || !row.expert, "{row:?}");
        }
    }

    #[test]
    fn what_is_known_of_a_call_is_what_the_source_says() {
        for (abi, name, source, subsystem, config, basis) in [
            (Abi::X86_64, "openat", "fs/open.c", Subsystem::Filesystem, None, "path fs/"),
            (
                Abi::X86_64,
                "mmap",
                "arch/x86/kernel/sys_x86_64.c",
                Subsystem::Memory,
                None,
                "path arch/x86/kernel/sys_x86_64.c",
            ),
            (Abi::Aarch64, "mmap", "arch/arm64/kernel/sys.c", Subsystem::Memory, None, "path arch/arm64/kernel/sys.c"),
            (Abi::X86_64, "socket", "net/socket.c", Subsystem::Network, Some("CONFIG_NET"), "path net/"),
            (Abi::I386, "socketcall", "net/compat.c", Subsystem::Network, Some("CONFIG_NET"), "path net/"),
            (Abi::X86_64, "wait4", "kernel/exit.c", Subsystem::Process, None, "path kernel/exit.c"),
            (Abi::X86_64, "getuid", "kernel/sys.c", Subsystem::Credentials, None, "acts on struct cred"),
            (
                Abi::X86_64,
                "membarrier",
                "kernel/sched/membarrier.c",
                Subsystem::Scheduler,
                Some("CONFIG_MEMBARRIER"),
                "path kernel/sched/",
            ),
        ] {
            let facts = facts(call(abi, name)).expect(name);
            assert_eq!(
                (facts.source, facts.subsystem, facts.config, facts.basis),
                (source, subsystem, config, basis),
                "{abi} {name}"
            );
        }
        assert_eq!(facts(call(Abi::X86_64, "tuxcall")), None);
        assert_eq!(subsystem(Syscall { abi: Abi::X86_64, number: 999 }), Subsystem::None);
    }
}
