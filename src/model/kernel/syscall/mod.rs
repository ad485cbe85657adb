//! Syscalls by number: the [`Abi`] of a call, and the name of its number under that ABI. Main type:
//! [`Syscall`].
//!
//! The architecture is data: every table compiles on every host. A number that no table has is
//! shown as a number.

pub mod table;

use std::borrow::Cow;
use std::fmt;

use crate::model::kernel::uapi::{
    AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, AUDIT_ARCH_I386, AUDIT_ARCH_RISCV64, AUDIT_ARCH_X86_64, X32_SYSCALL_BIT,
};

/// The calling convention of a syscall. It decides what a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Abi {
    /// 64-bit ARM
    Aarch64,
    /// 32-bit ARM programs on a 64-bit kernel. sysguard has no table for it, so its calls are shown
    /// by number.
    Arm,
    /// `int 0x80` and 32-bit programs on x86
    I386,
    /// 64-bit RISC-V
    Riscv64,
    /// 64-bit x86 calls with bit 30 set, arch/x86/include/uapi/asm/unistd.h
    X32,
    /// 64-bit x86
    X86_64,
}

impl Abi {
    /// Every ABI, ordered by name.
    pub const ALL: [Self; 6] = [Self::Aarch64, Self::Arm, Self::I386, Self::Riscv64, Self::X32, Self::X86_64];

    /// Returns the name used in reports and expectations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aarch64 => "aarch64",
            Self::Arm => "arm",
            Self::I386 => "i386",
            Self::Riscv64 => "riscv64",
            Self::X32 => "x32",
            Self::X86_64 => "x86_64",
        }
    }

    /// Returns the ABI with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|abi| abi.name() == name)
    }
}

impl fmt::Display for Abi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One syscall: a number under an ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Syscall {
    /// The ABI the call was made under.
    pub abi: Abi,
    /// The number, for x32 without its bit. A tracee with number −1 makes no call at all.
    pub number: i64,
}

impl Syscall {
    /// Converts what `PTRACE_GET_SYSCALL_INFO` returns: the `AUDIT_ARCH_*` value
    /// (include/uapi/linux/audit.h) and the number.
    ///
    /// Returns `None` for an architecture that sysguard does not know.
    pub fn from_kernel(audit_arch: u32, number: u64) -> Option<Self> {
        // The kernel reads the number as an int and widens it: ptrace_get_syscall_info_entry() in
        // kernel/ptrace.c.
        let number = i64::from(number as i32);
        let abi = match audit_arch {
            AUDIT_ARCH_X86_64 => return Some(Self::of_x86_64(number)),
            AUDIT_ARCH_I386 => Abi::I386,
            AUDIT_ARCH_AARCH64 => Abi::Aarch64,
            AUDIT_ARCH_ARM => Abi::Arm,
            AUDIT_ARCH_RISCV64 => Abi::Riscv64,
            _ => return None,
        };
        Some(Self { abi, number })
    }

    /// Returns the syscall that the instruction `syscall` makes on x86_64 with this number.
    pub fn of_x86_64(number: i64) -> Self {
        if number > 0 && number & X32_SYSCALL_BIT != 0 {
            return Self { abi: Abi::X32, number: number & !X32_SYSCALL_BIT };
        }
        Self { abi: Abi::X86_64, number }
    }

    /// Returns the syscall of this name under this ABI.
    pub fn from_name(abi: Abi, name: &str) -> Option<Self> {
        let row = table::rows(abi).iter().find(|row| row.name == name)?;
        Some(Self { abi, number: i64::from(row.number) })
    }

    /// Returns the row of the kernel's table for this number, if there is one.
    pub fn row(self) -> Option<&'static table::Row> {
        table::place(self.abi, self.number).map(|at| &table::rows(self.abi)[at])
    }

    /// Returns whether it executes a program.
    pub fn is_execute(self) -> bool {
        self.row().is_some_and(|row| matches!(row.name, "execve" | "execveat"))
    }

    /// Returns the name, or `syscall_0x3e7` (`syscall_-1`) for a number that no table has.
    pub fn name(self) -> Cow<'static, str> {
        match self.row() {
            Some(row) => Cow::Borrowed(row.name),
            None if self.number < 0 => Cow::Owned(format!("syscall_{}", self.number)),
            None => Cow::Owned(format!("syscall_{:#x}", self.number)),
        }
    }
}

impl fmt::Display for Syscall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abi_follows_from_architecture_and_number() {
        for (arch, number, abi, name) in [
            (AUDIT_ARCH_X86_64, 0, Abi::X86_64, "read"),
            (AUDIT_ARCH_X86_64, 0x4000_0000, Abi::X32, "read"),
            (AUDIT_ARCH_I386, 3, Abi::I386, "read"),
            (AUDIT_ARCH_AARCH64, 63, Abi::Aarch64, "read"),
            (AUDIT_ARCH_RISCV64, 63, Abi::Riscv64, "read"),
            (AUDIT_ARCH_X86_64, 0x3e7, Abi::X86_64, "syscall_0x3e7"),
            (AUDIT_ARCH_X86_64, u64::MAX, Abi::X86_64, "syscall_-1"),
            (AUDIT_ARCH_I386, 0xffff_ffff, Abi::I386, "syscall_-1"),
            (AUDIT_ARCH_ARM, 3, Abi::Arm, "syscall_0x3"),
        ] {
            let syscall = Syscall::from_kernel(arch, number).expect("a known architecture");
            assert_eq!((syscall.abi, syscall.name().as_ref()), (abi, name), "{arch:#x} {number:#x}");
        }
        assert_eq!(Syscall::from_kernel(0xdead, 0), None);
    }

    #[test]
    fn names_map_back_to_their_numbers() {
        for abi in Abi::ALL {
            for row in table::rows(abi) {
                let syscall = Syscall::from_name(abi, row.name).expect(row.name);
                assert_eq!(syscall.number, i64::from(row.number), "{abi} {}", row.name);
            }
        }
    }
}
