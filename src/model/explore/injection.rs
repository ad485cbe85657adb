//! One error in one run: at which call, and what the call returns. Main type: [`Injection`].

use std::fmt;

use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::Syscall;
use crate::model::text::hash::fnv1a;

/// The n-th call that a call stack makes in a run.
///
/// It is the same call in each run of the same executable, wherever the kernel places its code:
/// other threads do not change the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallPoint {
    /// The syscall.
    pub syscall: Syscall,
    /// Identifies the stack: a hash of the files and the addresses in them that its frames return
    /// to.
    pub stack: u64,
    /// How many calls of this syscall the stack made before, in all tasks of the run.
    pub occurrence: u32,
}

/// What a call returns instead of its own result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The kernel does not make the call, and it fails with this errno.
    Errno(Errno),
    /// The kernel makes the call with this number of bytes, so it reads or writes less than asked.
    Short(u64),
}

/// A fault at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Injection {
    /// The call.
    pub point: CallPoint,
    /// Its result.
    pub fault: Fault,
}

impl Injection {
    /// Returns its name, by which it is replayed: `read-EIO-1f3c9a20`.
    pub fn id(&self) -> String {
        let Self { point, fault } = self;
        let hash = fnv1a(&format!("{:?} {:x} {} {fault}", point.syscall, point.stack, point.occurrence));
        format!("{}-{fault}-{:08x}", point.syscall.name(), hash >> 32)
    }
}

/// Writes `EIO`, or `short` for fewer bytes.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errno(errno) => f.write_str(&errno.name()),
            Self::Short(_) => f.write_str("short"),
        }
    }
}
