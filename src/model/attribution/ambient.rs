//! Ambient calls: decided by the scheduler, the allocator, the loader or the vDSO, not by the
//! program.
//!
//! They are observed and reported; only the verdict sets them apart. The list was measured over
//! 65,000 runs of 118 programs.

use std::sync::OnceLock;

use super::answers::Answers;
use super::meant::Meant;
use crate::model::kernel::syscall::{Abi, Syscall, table};

/// Name and reason; a call that is ambient whatever its arguments.
const ALWAYS: &[(&str, &str)] = &[
    ("arch_prctl", "the loader sets up thread-local storage"),
    ("brk", "the allocator grows the heap"),
    ("clock_getres", "the vDSO answers it where the clock allows"),
    ("clock_gettime", "the vDSO answers it where the clock allows"),
    ("clock_gettime64", "the vDSO answers it where the clock allows"),
    ("exit", "a thread's end races with exit_group"),
    ("exit_group", "a thread's end races with exit_group"),
    ("futex", "taken only under contention"),
    ("getcpu", "the vDSO answers it where rseq does not"),
    ("getpid", "the C library asks at moments of its own"),
    ("getrandom", "hash seeds, allocator hardening, stack canaries"),
    ("gettid", "the C library asks at moments of its own"),
    ("gettimeofday", "the vDSO answers it where the clock allows"),
    ("madvise", "the allocator gives memory back"),
    ("mremap", "the allocator grows a block"),
    ("munmap", "the allocator gives memory back"),
    ("restart_syscall", "a signal or a stop fell into a sleep"),
    ("rseq", "thread start of the C library"),
    ("rt_sigreturn", "a handler ran"),
    ("sched_yield", "spin loops"),
    ("set_robust_list", "thread start of the C library"),
    ("set_tid_address", "thread start of the C library"),
    ("sigreturn", "a handler ran"),
    ("time", "the vDSO answers it where the clock allows"),
];

/// Signals to threads.
const SIGNALS: &str = "runtimes preempt their own threads: only of signals to the caller's own thread group";

/// Anonymous mappings that hold no code.
const MAPPINGS: &str =
    "the allocator and the loader arrange memory: only of mappings of no file (mprotect: of any) without PROT_EXEC";

/// Why calls of this name are ambient, all of them or those that the reason names.
pub fn reason(name: &str) -> Option<&'static str> {
    match name {
        "mmap" | "mmap2" | "mprotect" => Some(MAPPINGS),
        "tgkill" | "tkill" => Some(SIGNALS),
        name => ALWAYS.binary_search_by_key(&name, |&(name, _)| name).ok().map(|at| ALWAYS[at].1),
    }
}

/// Whether the call is ambient.
pub(super) fn is_ambient(syscall: Syscall, call: &Meant, answers: &Answers) -> bool {
    may_be(syscall)
        && match call.name {
            "mmap" | "mmap2" => !call.maps_a_file() && !call.is_executable(),
            "mprotect" => !call.is_executable(),
            "tgkill" | "tkill" => answers.to_own_thread,
            _ => true,
        }
}

/// Whether calls of this number may be ambient: asked of every call, so that names are compared
/// once only.
fn may_be(syscall: Syscall) -> bool {
    static REASONS: [OnceLock<Vec<bool>>; Abi::ALL.len()] = [const { OnceLock::new() }; Abi::ALL.len()];
    let reasons = || table::rows(syscall.abi).iter().map(|row| reason(row.name).is_some()).collect();
    table::place(syscall.abi, syscall.number).is_some_and(|at| REASONS[syscall.abi as usize].get_or_init(reasons)[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_ordered_and_explained() {
        assert!(ALWAYS.is_sorted_by_key(|&(name, _)| name));
        assert!(ALWAYS.iter().all(|(_, reason)| !reason.is_empty()));
    }
}
