//! What the kernel source says of each entry point: its file, its maintainers, its options and its
//! age. Main type: [`EntryPoint`].
//!
//! The rows in `table` are generated; this module only looks them up.

mod table;

use std::sync::OnceLock;

use super::Subsystem;
use crate::model::kernel::syscall::{self, Abi, Syscall};

/// One function behind syscalls, in the kernels that the table was generated from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryPoint {
    /// The function as the syscall table names it: `sys_newfstat`, `compat_sys_ioctl`.
    pub name: &'static str,
    /// The directory below `arch/` to which this row applies; empty if all architectures agree.
    pub arch: &'static str,
    /// The source file that defines it.
    pub source: &'static str,
    /// Its section of MAINTAINERS, or `core:<file>` if only the catch-all section covers the file.
    /// Titles change between releases.
    pub section: &'static str,
    /// The subsystem of its source file, or of the call if one file serves several.
    pub subsystem: Subsystem,
    /// The `CONFIG_` symbols that it needs, joined by ` && `; `None` if every kernel has it.
    pub config: Option<&'static str>,
    /// Only experts are offered these symbols, so practically every kernel has them.
    pub expert: bool,
    /// The oldest examined release that has it, which is an upper bound: `<=6.12`.
    pub since: &'static str,
    /// The reason for the subsystem: a path rule (`path fs/eventpoll.c`), or the reason of a rule
    /// for this call.
    pub basis: &'static str,
}

/// Returns the kernels that the tables were generated from, the newest last. The newest one
/// decides.
pub fn kernels() -> &'static [&'static str] {
    &table::KERNELS
}

/// Returns the row of a call's entry point, or `None` for a number that no table has or that is a
/// placeholder. The names are compared once only, because this is asked of every call.
pub fn facts(syscall: Syscall) -> Option<&'static EntryPoint> {
    type Known = Vec<Option<&'static EntryPoint>>;
    static KNOWN: [OnceLock<Known>; Abi::ALL.len()] = [const { OnceLock::new() }; Abi::ALL.len()];
    let rows = syscall::table::rows(syscall.abi);
    let number = u32::try_from(syscall.number).ok()?;
    let at = rows.binary_search_by_key(&number, |row| row.number).ok()?;
    let find = |name| find(name, directory(syscall.abi)).or_else(|| find(name, ""));
    KNOWN[syscall.abi as usize].get_or_init(|| rows.iter().map(|row| find(row.entry_point)).collect())[at]
}

/// Returns the subsystem of a call's entry point, or [`Subsystem::None`] for a number that no table
/// has or that is a placeholder.
pub fn subsystem(syscall: Syscall) -> Subsystem {
    facts(syscall).map_or(Subsystem::None, |entry_point| entry_point.subsystem)
}

fn find(name: &str, arch: &str) -> Option<&'static EntryPoint> {
    let rows = &table::ENTRY_POINTS;
    rows.binary_search_by_key(&(name, arch), |row| (row.name, row.arch)).ok().map(|at| &rows[at])
}

/// Returns the directory below `arch/` with the code for calls of this ABI.
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
    fn entry_points_are_sorted_and_unique() {
        assert!(table::ENTRY_POINTS.is_sorted_by_key(|row| (row.name, row.arch)));
        for pair in table::ENTRY_POINTS.windows(2) {
            let apart = !pair[0].arch.is_empty() && pair[0].arch != pair[1].arch;
            assert!(pair[0].name != pair[1].name || apart, "{}", pair[0].name);
        }
    }

    #[test]
    fn every_implemented_call_has_one_row() {
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
        let known: BTreeSet<_> = table::ENTRY_POINTS.iter().map(|row| (row.name, row.arch)).collect();
        assert_eq!(known, used);
    }

    #[test]
    fn rows_are_complete() {
        for row in &table::ENTRY_POINTS {
            assert!(row.source.ends_with(".c") && row.since.starts_with("<=") && !row.basis.is_empty(), "{row:?}");
            assert!(!row.section.is_empty() && row.section != "THE REST", "{row:?}");
            assert!(row.config.is_some() || !row.expert, "{row:?}");
        }
    }

    #[test]
    fn rows_match_the_kernel_source() {
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
