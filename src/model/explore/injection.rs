//! One error in one run: at which call, and what the call returns. Main type: [`Injection`].

use std::collections::BTreeMap;
use std::fmt;

use crate::model::facts::errno_name::ErrnoName;
use crate::model::facts::error_path::FaultName;
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::Syscall;
use crate::model::text::hash::fnv1a;

/// The fewest hexadecimal digits of an id.
const DIGITS: usize = 8;
/// All digits of a hash.
const FULL: usize = 16;

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
    ///
    /// Where the kernel sends SIGPIPE with EPIPE, the task gets it here too.
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

impl Fault {
    /// Returns its name in expectation files and reports.
    pub fn name(self) -> FaultName {
        match self {
            Self::Errno(errno) => FaultName::Errno(ErrnoName(errno)),
            Self::Short(_) => FaultName::Short,
        }
    }
}

impl Injection {
    /// Returns its name, by which it is replayed: `read-EIO-1f3c9a20`.
    ///
    /// It depends on the call and the fault only, not on the size of a short read or write.
    /// [`Ids`] keeps apart the injections of a plan.
    pub fn id(&self) -> String {
        self.id_of(DIGITS)
    }

    /// Returns whether this is its id, in any length.
    pub fn has_id(&self, id: &str) -> bool {
        (DIGITS..=FULL).any(|digits| self.id_of(digits) == id)
    }

    fn id_of(&self, digits: usize) -> String {
        let Self { point: CallPoint { syscall, stack, occurrence }, fault } = self;
        let hash = fnv1a(&format!("{} {} {stack:x} {occurrence} {fault}", syscall.abi, syscall.number));
        let digest = format!("{:016x}", mixed(hash));
        format!("{syscall}-{fault}-{digest:.digits$}")
    }
}

/// Spreads a hash, so that its first digits differ for texts that differ in their last letters:
/// the finalizer of MurmurHash3.
fn mixed(hash: u64) -> u64 {
    let once = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let twice = (once ^ (once >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    twice ^ (twice >> 33)
}

/// The ids of the injections of a plan. An id that two would share is longer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids(BTreeMap<Injection, String>);

impl Ids {
    /// Returns an id for each of these injections, whatever their order is.
    pub fn of(injections: impl IntoIterator<Item = Injection>) -> Self {
        let mut waiting: Vec<Injection> = injections.into_iter().collect();
        waiting.sort_unstable();
        waiting.dedup();
        let mut found = BTreeMap::new();
        for digits in DIGITS..=FULL {
            let mut by_id: BTreeMap<String, Vec<Injection>> = BTreeMap::new();
            for injection in waiting.drain(..) {
                by_id.entry(injection.id_of(digits)).or_default().push(injection);
            }
            for (id, injections) in by_id {
                match &injections[..] {
                    [injection] => drop(found.insert(*injection, id)),
                    _ => waiting.extend(injections),
                }
            }
        }
        // The whole hashes are equal, so only a number keeps these apart.
        let rest = waiting.iter().enumerate();
        found.extend(rest.map(|(index, injection)| (*injection, format!("{}-{index}", injection.id_of(FULL)))));
        Self(found)
    }

    /// Returns the id of an injection; its own if the plan does not hold it.
    pub fn id(&self, injection: &Injection) -> String {
        self.0.get(injection).cloned().unwrap_or_else(|| injection.id())
    }
}

/// Writes `EIO`, or `short` for fewer bytes.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::Abi;

    fn injection(stack: u64, occurrence: u32, fault: Fault) -> Injection {
        let syscall = Syscall { abi: Abi::X86_64, number: 0 };
        Injection { point: CallPoint { syscall, stack, occurrence }, fault }
    }

    #[test]
    fn id_follows_from_call_and_fault() {
        let eio = injection(7, 0, Fault::Errno(Errno(5)));
        assert!(eio.id().starts_with("read-EIO-"), "{}", eio.id());
        assert_eq!(eio.id().len(), "read-EIO-".len() + DIGITS);
        let others = [
            injection(8, 0, Fault::Errno(Errno(5))),
            injection(7, 1, Fault::Errno(Errno(5))),
            injection(7, 0, Fault::Errno(Errno(4))),
            injection(7, 0, Fault::Short(4)),
        ];
        assert!(others.iter().all(|other| other.id() != eio.id()));
        assert_eq!(injection(7, 0, Fault::Short(4)).id(), injection(7, 0, Fault::Short(9)).id());
    }

    #[test]
    fn shared_ids_become_longer_in_any_order() {
        // About 2^32 / 60,000^2 * 2 chances of one shared id among so many.
        let all: Vec<Injection> = (0..200_000).map(|stack| injection(stack, 0, Fault::Errno(Errno(5)))).collect();
        let short: std::collections::BTreeSet<String> = all.iter().map(Injection::id).collect();
        assert!(short.len() < all.len(), "none of them share an id, so this shows nothing");
        let ids = Ids::of(all.iter().copied());
        let unique: std::collections::BTreeSet<String> = all.iter().map(|injection| ids.id(injection)).collect();
        assert_eq!(unique.len(), all.len());
        assert!(all.iter().all(|injection| injection.has_id(&ids.id(injection))));
        assert_eq!(Ids::of(all.iter().rev().copied()), ids);
    }

    #[test]
    fn equal_hashes_are_numbered() {
        let ids = Ids::of([injection(7, 0, Fault::Short(4)), injection(7, 0, Fault::Short(9))]);
        let [first, second] = [4, 9].map(|bytes| ids.id(&injection(7, 0, Fault::Short(bytes))));
        assert!(first.ends_with("-0") && second.ends_with("-1"), "{first} {second}");
    }
}
