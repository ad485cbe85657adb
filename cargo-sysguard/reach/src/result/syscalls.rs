//! How syscalls of a result are kept: by the number that the program uses.

use sysguard::unstable::model::kernel::syscall::{Abi, Syscall};

/// Returns the number as ABI and number: a result has calls of x86_64 and x32.
fn parts(syscall: Syscall) -> (bool, i64) {
    (syscall.abi == Abi::X32, syscall.number)
}

fn whole((is_x32, number): (bool, i64)) -> Syscall {
    Syscall { abi: if is_x32 { Abi::X32 } else { Abi::X86_64 }, number }
}

/// For a field with one syscall or none.
pub(super) mod syscall {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use sysguard::unstable::model::kernel::syscall::Syscall;

    use super::{parts, whole};

    pub(in crate::result) fn serialize<S: Serializer>(it: &Option<Syscall>, serializer: S) -> Result<S::Ok, S::Error> {
        it.map(parts).serialize(serializer)
    }

    pub(in crate::result) fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Syscall>, D::Error> {
        Ok(Option::deserialize(source)?.map(whole))
    }
}

/// For a field with the ways to syscalls.
pub(super) mod calls {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};
    use sysguard::unstable::model::kernel::syscall::Syscall;

    use super::{parts, whole};
    use crate::result::Chain;

    type Calls = BTreeMap<Syscall, Chain>;

    pub(in crate::result) fn serialize<S: Serializer>(calls: &Calls, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(calls.iter().map(|(syscall, chain)| (parts(*syscall), chain)))
    }

    pub(in crate::result) fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Calls, D::Error> {
        let calls = Vec::<((bool, i64), Chain)>::deserialize(source)?;
        Ok(calls.into_iter().map(|(syscall, chain)| (whole(syscall), chain)).collect())
    }
}
