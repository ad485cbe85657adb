//! Calls that a baseline does not hold, but that the same program may make elsewhere or later.
//!
//! Baselines leave out ambient calls, and hold those of one C library on one kernel.

use sysguard::unstable::model::attribution::ambient;
use sysguard::unstable::model::facts::families;
use sysguard::unstable::model::kernel::syscall::{Abi, table};

/// Returns the calls that any program may make, with the reason.
pub fn ambient() -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut names: Vec<&str> = Abi::ALL.iter().flat_map(|abi| table::rows(*abi)).map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| Some((name, ambient::reason(name)?)))
}

/// Returns the calls that a C library or a kernel may exchange for this one, with the reason.
pub fn alternatives(syscall: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    families::of(syscall).flat_map(move |family| {
        let others = family.members.iter().filter(move |member| **member != syscall);
        others.map(|member| (*member, family.why))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_kernels_exchange_calls() {
        for (call, other) in [("clone3", "clone"), ("statx", "newfstatat"), ("openat", "openat2"), ("poll", "ppoll")] {
            assert!(alternatives(call).any(|(name, _)| name == other), "{call} {other}");
        }
        assert_eq!(alternatives("reboot").count(), 0);
    }

    #[test]
    fn start_and_clocks_of_any_program_are_ambient() {
        for name in ["rseq", "set_robust_list", "clock_gettime", "getrandom", "restart_syscall", "exit_group", "mmap"] {
            assert!(ambient().any(|(known, _)| known == name), "{name}");
        }
        assert!(ambient().all(|(name, _)| name != "execve"));
    }
}
