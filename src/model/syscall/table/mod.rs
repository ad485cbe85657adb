//! One generated table per ABI: number → name and kernel entry point.
//!
//! Written by `examples/kernel-tables`; never edited by hand.

use super::Abi;

/// One line of a kernel's syscall table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The number under this ABI.
    pub number: u32,
    /// The name without `sys_`.
    pub name: &'static str,
    /// The kernel function behind it (`sys_newfstat`), empty where the kernel has only a placeholder (`sys_ni_syscall`).
    pub entry_point: &'static str,
}

/// All rows of an ABI, ordered by number. Empty for [`Abi::Arm`].
pub fn rows(abi: Abi) -> &'static [Row] {
    match abi {
        _ => &[],
    }
}
