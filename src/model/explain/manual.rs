//! Section 2 of the manual: the page that describes a call, and the first release with it. Main
//! functions: [`page`], [`since`].

mod table;

pub use table::RELEASE;

/// One call in the manual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    name: &'static str,
    /// The first release with it (`5.6`), or an upper bound (`<=1.0`).
    since: Option<&'static str>,
    /// Whether it has a page.
    page: bool,
}

/// Calls that the manual describes under their name with 32-bit times.
const TIMES: [&str; 7] = [
    "clock_adjtime64",
    "clock_gettime64",
    "clock_settime64",
    "timer_gettime64",
    "timer_settime64",
    "timerfd_gettime64",
    "timerfd_settime64",
];

/// Returns the page of section 2 for this call.
pub(super) fn page(call: &str) -> Option<&str> {
    let plain = call.strip_suffix("_time64").unwrap_or(call);
    let plain = if TIMES.contains(&plain) { plain.trim_end_matches("64") } else { plain };
    row(plain).is_some_and(|row| row.page).then_some(plain)
}

/// Returns the first release with this call, if the table in syscalls(2) has it.
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
    fn call_has_its_page_or_none() {
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
    fn first_release_is_known_for_most_calls() {
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
