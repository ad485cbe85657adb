//! One generated table per ABI: from number to name and kernel entry point. Main type: [`Row`].
//!
//! The tables are written by `examples/kernel-tables` and must not be edited by hand.

mod aarch64;
mod i386;
mod riscv64;
mod x32;
mod x86_64;

use super::Abi;

/// One row of a kernel's syscall table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The number under this ABI.
    pub number: u32,
    /// The name without `sys_`.
    pub name: &'static str,
    /// The kernel function behind it (`sys_newfstat`); empty if the kernel has only a placeholder
    /// (`sys_ni_syscall`).
    pub entry_point: &'static str,
}

/// Returns all rows of an ABI, ordered by number. Empty for [`Abi::Arm`].
pub fn rows(abi: Abi) -> &'static [Row] {
    match abi {
        Abi::Aarch64 => &aarch64::ROWS,
        Abi::Arm => &[],
        Abi::I386 => &i386::ROWS,
        Abi::Riscv64 => &riscv64::ROWS,
        Abi::X32 => &x32::ROWS,
        Abi::X86_64 => &x86_64::ROWS,
    }
}

/// Returns the index of a number's row. Tables begin without gaps, so most numbers are their own
/// index.
pub(in crate::model) fn place(abi: Abi, number: i64) -> Option<usize> {
    let (rows, number) = (rows(abi), u32::try_from(number).ok()?);
    match rows.get(number as usize) {
        Some(row) if row.number == number => Some(number as usize),
        _ => rows.binary_search_by_key(&number, |row| row.number).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_ordered_and_name_each_call_once() {
        for abi in Abi::ALL {
            let rows = rows(abi);
            assert!(rows.is_sorted_by(|a, b| a.number < b.number), "{abi}");
            assert_eq!(rows.is_empty(), abi == Abi::Arm);
            let mut names: Vec<_> = rows.iter().map(|row| row.name).collect();
            names.sort_unstable();
            assert!(names.is_sorted_by(|a, b| a < b), "{abi} has a name twice");
        }
    }

    #[test]
    fn every_number_is_found_in_its_row() {
        for abi in Abi::ALL {
            let numbers: Vec<i64> = rows(abi).iter().map(|row| i64::from(row.number)).collect();
            let last = numbers.last().copied().unwrap_or(0);
            for number in -1..=last + 1 {
                assert_eq!(place(abi, number), numbers.iter().position(|&own| own == number), "{abi} {number}");
            }
        }
    }

    #[test]
    fn placeholders_and_compat_entry_points_are_kept() {
        let entry_point = |abi, name| rows(abi).iter().find(|row| row.name == name).map(|row| row.entry_point);
        for (abi, name, expected) in [
            (Abi::X86_64, "tuxcall", ""),
            (Abi::X86_64, "sendfile", "sys_sendfile64"),
            (Abi::X32, "ioctl", "compat_sys_ioctl"),
            (Abi::I386, "open", "compat_sys_open"),
            (Abi::I386, "vm86old", ""),
            (Abi::Aarch64, "renameat", "sys_renameat"),
            (Abi::Riscv64, "riscv_hwprobe", "sys_riscv_hwprobe"),
        ] {
            assert_eq!(entry_point(abi, name), Some(expected), "{abi} {name}");
        }
        assert_eq!(entry_point(Abi::Riscv64, "renameat"), None);
    }
}
