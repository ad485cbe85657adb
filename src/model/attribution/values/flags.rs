//! Values and flags that the generated tables lack, as the uapi headers define them. Main tables:
//! [`OPENING`], [`MAPPING`], [`SHMAT`], [`PERSONA`] and [`PERSONALITY`].
//!
//! Each value is the same on every supported architecture and can never change.
//! [`arguments`](super::super::arguments) decides how they are shown.

use super::Value;
use crate::model::kernel::uapi::{MAP_ANONYMOUS, O_CREAT, O_PATH, O_RDWR, O_TMPFILE, O_TRUNC, O_WRONLY, SHM_EXEC};

const fn row(name: &'static str, number: u64) -> Value {
    Value { name, number, subsystem: None, source: "", why: "" }
}

/// Flags of open(2) by which it does more than open a file for reading.
pub(crate) static OPENING: [Value; 6] = [
    row("O_WRONLY", O_WRONLY),
    row("O_RDWR", O_RDWR),
    row("O_CREAT", O_CREAT),
    row("O_TRUNC", O_TRUNC),
    row("O_PATH", O_PATH),
    row("O_TMPFILE", O_TMPFILE),
];

/// Flags of mmap.
pub(crate) static MAPPING: [Value; 1] = [row("MAP_ANONYMOUS", MAP_ANONYMOUS)];

/// Flags of shmat.
pub(crate) static SHMAT: [Value; 1] = [row("SHM_EXEC", SHM_EXEC)];

/// The lowest byte of personality's argument, `PER_MASK`: include/uapi/linux/personality.h. The
/// flags that some names include are left out.
pub(crate) static PERSONA: [Value; 17] = [
    row("PER_LINUX", 0x0),
    row("PER_SVR4", 0x1),
    row("PER_SVR3", 0x2),
    row("PER_SCOSVR3", 0x3),
    row("PER_WYSEV386", 0x4),
    row("PER_ISCR4", 0x5),
    row("PER_BSD", 0x6),
    row("PER_XENIX", 0x7),
    row("PER_LINUX32", 0x8),
    row("PER_IRIX32", 0x9),
    row("PER_IRIXN32", 0xa),
    row("PER_IRIX64", 0xb),
    row("PER_RISCOS", 0xc),
    row("PER_SOLARIS", 0xd),
    row("PER_UW7", 0xe),
    row("PER_OSF4", 0xf),
    row("PER_HPUX", 0x10),
];

/// Flags of personality's argument: include/uapi/linux/personality.h.
pub(crate) static PERSONALITY: [Value; 11] = [
    row("UNAME26", 0x2_0000),
    row("ADDR_NO_RANDOMIZE", 0x4_0000),
    row("FDPIC_FUNCPTRS", 0x8_0000),
    row("MMAP_PAGE_ZERO", 0x10_0000),
    row("ADDR_COMPAT_LAYOUT", 0x20_0000),
    row("READ_IMPLIES_EXEC", 0x40_0000),
    row("ADDR_LIMIT_32BIT", 0x80_0000),
    row("SHORT_INODE", 0x100_0000),
    row("WHOLE_SECONDS", 0x200_0000),
    row("STICKY_TIMEOUTS", 0x400_0000),
    row("ADDR_LIMIT_3GB", 0x800_0000),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted() {
        for table in [&OPENING[..], &MAPPING, &SHMAT, &PERSONA, &PERSONALITY] {
            assert!(table.is_sorted_by(|a, b| a.number < b.number), "{}", table[0].name);
        }
    }
}
