//! Ambient calls: the scheduler, the allocator, the loader or the vDSO decides whether they are
//! made, not the program. Main function: [`reason`].
//!
//! They are observed and reported; only the verdict treats them differently. The list was measured
//! over 65,000 runs of 118 programs.

use std::sync::OnceLock;

use super::answers::Answers;
use super::decode::DecodedCall;
use crate::model::kernel::syscall::{Abi, Syscall, table};

/// Calls that are ambient whatever their arguments are: name and reason.
const ALWAYS: &[(&str, &str)] = &[
    ("arch_prctl", "the loader sets up thread-local storage"),
    ("brk", "the allocator grows the heap"),
    ("clock_getres", "the vDSO answers it where the clock allows"),
    ("clock_gettime", "the vDSO answers it where the clock allows"),
    ("clock_gettime64", "the vDSO answers it where the clock allows"),
    ("exit", "a thread's end races with exit_group"),
    ("exit_group", "a thread's end races with exit_group"),
    ("futex", "needed only under contention"),
    ("getcpu", "the vDSO answers it where rseq does not"),
    ("getpid", "the C library decides when to ask"),
    ("getrandom", "hash seeds, allocator hardening, stack canaries"),
    ("gettid", "the C library decides when to ask"),
    ("gettimeofday", "the vDSO answers it where the clock allows"),
    ("madvise", "the allocator gives memory back"),
    ("mremap", "the allocator grows a block"),
    ("munmap", "the allocator gives memory back"),
    ("restart_syscall", "a signal or a stop interrupted a sleep"),
    ("rseq", "thread start of the C library"),
    ("rt_sigreturn", "a handler ran"),
    ("sched_yield", "spin loops"),
    ("set_robust_list", "thread start of the C library"),
    ("set_tid_address", "thread start of the C library"),
    ("sigreturn", "a handler ran"),
    ("time", "the vDSO answers it where the clock allows"),
];

/// The reason of signals to threads.
const SIGNALS: &str = "runtimes preempt their threads (only signals to the caller's own thread group)";

/// The reason of anonymous mappings without code.
const MAPPINGS: &str =
    "the allocator and the loader manage memory (only without PROT_EXEC, and mmap only without a file)";

/// Returns why calls of this name are ambient: all of them, or those that the reason names.
pub fn reason(name: &str) -> Option<&'static str> {
    match name {
        "mmap" | "mmap2" | "mprotect" => Some(MAPPINGS),
        "tgkill" | "tkill" => Some(SIGNALS),
        name => ALWAYS.binary_search_by_key(&name, |&(name, _)| name).ok().map(|at| ALWAYS[at].1),
    }
}

/// Returns whether the call is ambient.
pub(super) fn is_ambient(syscall: Syscall, call: &DecodedCall, answers: &Answers) -> bool {
    may_be(syscall)
        && match call.name {
            "mmap" | "mmap2" => !call.maps_a_file() && !call.is_executable(),
            "mprotect" => !call.is_executable(),
            "tgkill" | "tkill" => answers.to_own_thread,
            _ => true,
        }
}

/// Returns whether calls of this number may be ambient. The names are compared once only, because
/// this is asked of every call.
fn may_be(syscall: Syscall) -> bool {
    static REASONS: [OnceLock<Vec<bool>>; Abi::ALL.len()] = [const { OnceLock::new() }; Abi::ALL.len()];
    let reasons = || table::rows(syscall.abi).iter().map(|row| reason(row.name).is_some()).collect();
    table::place(syscall.abi, syscall.number).is_some_and(|at| REASONS[syscall.abi as usize].get_or_init(reasons)[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_sorted_and_has_reasons() {
        assert!(ALWAYS.is_sorted_by_key(|&(name, _)| name));
        assert!(ALWAYS.iter().all(|(_, reason)| !reason.is_empty()));
    }
}
