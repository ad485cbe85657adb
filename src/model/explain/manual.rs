//! What section 2 of the manual says of a call: which page describes it, and since when it exists.
//! Main functions: [`page`], [`since`].

mod table;

pub use table::RELEASE;

/// What the manual says of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    name: &'static str,
    /// The first release that has it (`5.6`), or an upper bound of that (`<=1.0`).
    since: Option<&'static str>,
    /// It has a page.
    page: bool,
}

/// Calls that are described under the name they have with 32-bit times or offsets.
const TIMES: [&str; 7] = [
    "clock_adjtime64",
    "clock_gettime64",
    "clock_settime64",
    "timer_gettime64",
    "timer_settime64",
    "timerfd_gettime64",
    "timerfd_settime64",
];

/// The page of section 2 for this call.
pub(super) fn page(call: &str) -> Option<&str> {
    let plain = call.strip_suffix("_time64").unwrap_or(call);
    let plain = if TIMES.contains(&plain) { plain.trim_end_matches("64") } else { plain };
    row(plain).is_some_and(|row| row.page).then_some(plain)
}

/// Since which release a call of this name exists, if the manual's table of them tells:
/// syscalls(2).
pub(super) fn since(call: &str) -> Option<&'static str> {
    row(call)?.since
}

fn row(call: &str) -> Option<&'static Row> {
    table::ROWS.binary_search_by_key(&call, |row| row.name).ok().map(|at| &table::ROWS[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::{Abi, Syscall};

    #[test]
    fn a_call_has_its_page_or_none() {
        for (call, expected) in [
            ("openat", Some("openat")),
            ("clock_gettime64", Some("clock_gettime")),
            ("futex_time64", Some("futex")),
            ("io_pgetevents_time64", None),
            ("fstat64", Some("fstat64")),
            ("rseq", None),
        ] {
            assert_eq!(page(call), expected, "{call}");
        }
        for call in table::ROWS.iter().map(|row| row.name).chain(TIMES) {
            assert!(Abi::ALL.into_iter().any(|abi| Syscall::from_name(abi, call).is_some()), "{call}");
        }
    }

    #[test]
    fn most_calls_tell_since_when_they_exist() {
        for (call, expected) in [
            ("read", Some("<=1.0")),
            ("openat2", Some("5.6")),
            ("socket", Some("2.0")),
            ("getxattr", Some("2.4.18")),
            ("mseal", None),
        ] {
            assert_eq!(since(call), expected, "{call}");
        }
        assert!(table::ROWS.is_sorted_by_key(|row| row.name));
    }
}
