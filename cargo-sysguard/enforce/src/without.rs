//! Removes calls from calls, for formats that have one rule for each call. Main function:
//! [`Calls::without`].

use std::collections::BTreeSet;

use sysguard::unstable::model::attribution::RegisterTest;

use crate::policy::Calls;

/// Tests of which all must hold, at most one for each register.
type Tests = Vec<RegisterTest>;

impl Calls {
    /// Returns these calls without the others, or nothing if none are left.
    ///
    /// Formats compare masked registers for equality only. So "not equal" becomes one list of tests
    /// for each bit that may differ.
    pub fn without(&self, others: &Self) -> Option<Self> {
        let Self::Some(others) = others else { return None };
        let mut left: BTreeSet<Tests> = match self {
            Self::All => [Vec::new()].into(),
            Self::Some(lists) => lists.clone(),
        };
        for other in others {
            left = left.iter().flat_map(|tests| difference(tests, other)).collect();
        }
        match left.first() {
            None => None,
            Some(first) if first.is_empty() => Some(Self::All),
            Some(_) => Some(Self::Some(left)),
        }
    }
}

/// Returns lists of which one holds for calls that pass the first tests and not all of the others.
/// No call passes two of the lists.
fn difference(tests: &Tests, others: &Tests) -> Vec<Tests> {
    let is_known =
        |other: &RegisterTest, bit: u64| tests.iter().any(|test| test.arg == other.arg && test.mask & bit != 0);
    let differs = |other: &RegisterTest| {
        let of_register = tests.iter().find(|test| test.arg == other.arg);
        of_register.is_some_and(|test| (test.value ^ other.value) & test.mask & other.mask != 0)
    };
    if others.iter().any(differs) {
        return vec![tests.clone()];
    }
    let (mut lists, mut common) = (Vec::new(), tests.clone());
    for other in others {
        for bit in (0..u64::BITS).rev().map(|bit| 1 << bit) {
            if other.mask & bit != 0 && !is_known(other, bit) {
                lists.push(with_bit(&common, other.arg, bit, !other.value & bit));
                common = with_bit(&common, other.arg, bit, other.value & bit);
            }
        }
    }
    lists
}

fn with_bit(tests: &Tests, arg: usize, bit: u64, value: u64) -> Tests {
    let mut tests = tests.clone();
    match tests.iter_mut().find(|test| test.arg == arg) {
        Some(test) => {
            test.mask |= bit;
            test.value |= value;
        }
        None => tests.push(RegisterTest { arg, mask: bit, value }),
    }
    tests.sort_unstable();
    tests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(arg: usize, mask: u64, value: u64) -> RegisterTest {
        RegisterTest { arg, mask, value }
    }

    fn some<const N: usize>(lists: [&[RegisterTest]; N]) -> Calls {
        Calls::Some(lists.iter().map(|tests| tests.to_vec()).collect())
    }

    /// Compares with the definition, for each value of two small registers.
    #[test]
    fn remaining_calls_are_those_of_the_definition() {
        let int = 0xffff_ffff;
        let sets = [
            some([&[test(0, int, 2)]]),
            some([&[test(0, int, 2)], &[test(0, int, 5)]]),
            some([&[test(0, 0b110, 0b100)]]),
            some([&[test(0, 1, 1), test(1, int, 3)], &[test(1, int, 4)]]),
            some([&[test(0, int, 1), test(1, int, 2)], &[test(0, int, 1), test(1, int, 3)]]),
        ];
        for (one, other) in [Calls::All].iter().chain(&sets).flat_map(|one| sets.iter().map(move |other| (one, other)))
        {
            let left = one.without(other);
            for (a, b) in (0..10).flat_map(|a| (0..10).map(move |b| (a, b))) {
                for args in [[a, b, 0, 0, 0, 0], [a | 1 << 40, b, 0, 0, 0, 0]] {
                    let expected = one.contain(&args) && !other.contain(&args);
                    assert_eq!(left.as_ref().is_some_and(|left| left.contain(&args)), expected, "{one:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn number_of_lists_grows_with_bits() {
        let families = [1, 3, 16, 17, 40].map(|family| vec![test(0, 0xffff_ffff, family)]);
        let Some(Calls::Some(lists)) = Calls::All.without(&Calls::Some(families.into())) else {
            panic!("some are left")
        };
        assert!(lists.len() < 5 * 32, "{}", lists.len());
    }

    #[test]
    fn nothing_is_left_of_equal_sets() {
        let two = some([&[test(0, 0xff, 2)]]);
        assert_eq!(two.without(&two), None);
        assert_eq!(two.without(&Calls::All), None);
        assert_eq!(Calls::All.without(&some([])), Some(Calls::All));
    }
}
