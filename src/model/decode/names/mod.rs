//! Names of values and flags that have no generated table. Main functions: [`choice`] and [`bits`].

pub(super) mod files;
pub(super) mod processes;
pub(super) mod sockets;
pub(super) mod system;

use super::kind::Names;
use crate::model::attribution::values::{self, Value};

/// Returns the name of a number, or the number in hexadecimal.
pub(super) fn choice(names: Names, number: u64) -> String {
    let known = names.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| number_text(number), |(_, name)| (*name).to_owned())
}

/// Returns the names of all bits, joined by `|`, and the unknown bits in hexadecimal. In a
/// table, names of several bits must come before names of one.
pub(super) fn bits(names: Names, number: u64) -> String {
    joined(names.iter().copied(), number)
}

/// Returns the name of a number of a generated table, or the number in hexadecimal.
pub(super) fn value(table: &'static [Value], number: u64) -> String {
    values::value(table, number).map_or_else(|| number_text(number), |value| value.name.to_owned())
}

/// As [`bits`], for a generated table. `none` is the name of zero.
pub(super) fn flags(table: &'static [Value], none: &'static str, number: u64) -> String {
    joined(table.iter().map(|value| (value.number, value.name)).chain([(0, none)]), number)
}

/// Joins the names of flags in two tables.
pub(super) fn bits_of_both(first: Names, second: Names, number: u64) -> String {
    joined(first.iter().chain(second).copied(), number)
}

fn joined(names: impl Iterator<Item = (u64, &'static str)>, number: u64) -> String {
    let mut left = number;
    let mut known = Vec::new();
    for (bits, name) in names {
        if bits == number || bits != 0 && left & bits == bits {
            known.push(name.to_owned());
            left &= !bits;
            if left == 0 {
                break;
            }
        }
    }
    if left != 0 || known.is_empty() {
        known.push(number_text(left));
    }
    known.join("|")
}

fn number_text(number: u64) -> String {
    if number < 10 { number.to_string() } else { format!("{number:#x}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_named_and_unknown_bits_stay() {
        for (number, text) in [
            (0, "MAP_FILE"),
            (0x2, "MAP_PRIVATE"),
            (0x22, "MAP_PRIVATE|MAP_ANONYMOUS"),
            (0x3, "MAP_SHARED_VALIDATE"),
            (0x1, "MAP_SHARED"),
            (0x8000_0002, "MAP_PRIVATE|0x80000000"),
        ] {
            assert_eq!(bits(system::MAP, number), text, "{number:#x}");
        }
        assert_eq!(bits(files::AT, 0), "0");
        assert_eq!(bits(files::ACCESS, 0), "F_OK");
        assert_eq!(bits(files::ACCESS, 5), "X_OK|R_OK");
    }

    #[test]
    fn unknown_values_are_numbers() {
        assert_eq!(choice(files::WHENCE, 1), "SEEK_CUR");
        assert_eq!(choice(files::WHENCE, 7), "7");
        assert_eq!(choice(files::WHENCE, 77), "0x4d");
    }
}
