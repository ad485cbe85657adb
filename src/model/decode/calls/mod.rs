//! What the registers of each call hold, by name. Main function: [`kinds`].
//!
//! There is one row per call name. Kinds cover the differences between architectures, except for
//! calls that [`carried`](super::carried) unpacks first.

mod files;
mod processes;
mod sockets;
mod system;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::kind::Kind;

/// The name of a call and the kinds of its registers.
type Row = (&'static str, &'static [Kind]);

fn rows() -> impl Iterator<Item = Row> {
    [files::ROWS, processes::ROWS, sockets::ROWS, system::ROWS].into_iter().flatten().copied()
}

/// Returns the kinds of a call's registers; `None` for a call that no table has.
pub(super) fn kinds(name: &str) -> Option<&'static [Kind]> {
    static KINDS: LazyLock<HashMap<&str, &[Kind]>> = LazyLock::new(|| rows().collect());
    KINDS.get(name).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::kernel::syscall::{Abi, table};

    #[test]
    fn every_call_of_the_kernel_has_kinds_for_its_registers() {
        for abi in Abi::ALL {
            for row in table::rows(abi) {
                let is_implemented = !row.entry_point.is_empty();
                assert!(!is_implemented || kinds(row.name).is_some(), "{abi} {}", row.name);
            }
        }
    }

    #[test]
    fn each_call_has_one_row_that_fits_the_registers() {
        let mut seen = BTreeMap::new();
        for (name, kinds) in rows() {
            assert!(kinds.len() <= 6, "{name}");
            assert_eq!(seen.insert(name, ()), None, "{name} has two rows");
            let exists = table::rows(Abi::I386).iter().any(|row| row.name == name)
                || Abi::ALL.into_iter().flat_map(table::rows).any(|row| row.name == name);
            assert!(exists || ["send", "recv"].contains(&name), "{name} is no call");
        }
    }
}
