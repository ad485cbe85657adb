//! An errno as baselines hold it. Main type: [`ErrnoName`].

use std::cmp::Ordering;
use std::fmt;

use crate::model::kernel::call::Errno;

/// An errno of a fact. Ordered by name, as files and reports list errors, while [`Errno`] is
/// ordered by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrnoName(pub Errno);

impl Ord for ErrnoName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.name().cmp(&other.0.name())
    }
}

impl PartialOrd for ErrnoName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ErrnoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errnos_are_ordered_by_name() {
        let mut errnos: Vec<ErrnoName> = (-1..200).map(|number| ErrnoName(Errno(number))).collect();
        errnos.sort();
        assert!(errnos.is_sorted_by(|a, b| a.to_string() < b.to_string()), "{errnos:?}");
    }
}
