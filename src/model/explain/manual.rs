//! Which page of section 2 of the manual describes a call. Main function: [`page`].

/// Calls that man-pages 6.03 has no page for.
const WITHOUT: &[&str] = &[
    "cachestat",
    "fchmodat2",
    "file_getattr",
    "file_setattr",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "futex_requeue",
    "futex_wait",
    "futex_waitv",
    "futex_wake",
    "getxattrat",
    "io_pgetevents",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "listmount",
    "listns",
    "listxattrat",
    "lsm_get_self_attr",
    "lsm_list_modules",
    "lsm_set_self_attr",
    "map_shadow_stack",
    "move_mount",
    "mseal",
    "open_tree",
    "open_tree_attr",
    "process_mrelease",
    "quotactl_fd",
    "removexattrat",
    "riscv_flush_icache",
    "riscv_hwprobe",
    "rseq",
    "rseq_slice_yield",
    "set_mempolicy_home_node",
    "setxattrat",
    "statmount",
    "uprobe",
    "uretprobe",
];

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
    WITHOUT.binary_search(&plain).is_err().then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::syscall::{Abi, Syscall};

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
        assert!(WITHOUT.is_sorted());
        for call in WITHOUT.iter().chain(&TIMES) {
            assert!(Abi::ALL.into_iter().any(|abi| Syscall::from_name(abi, call).is_some()), "{call}");
        }
    }
}
