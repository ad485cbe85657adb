//! Ambient calls: decided by the scheduler, the allocator, the loader or the vDSO, not by the program.
//!
//! They are observed and reported; only the verdict sets them apart. The list was measured over 65,000 runs of 118 programs.

use crate::model::event::Call;

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
    ("tgkill", "runtimes preempt their own threads"),
    ("time", "the vDSO answers it where the clock allows"),
    ("tkill", "runtimes preempt their own threads"),
];

/// `PROT_EXEC` and `MAP_ANONYMOUS`, include/uapi/asm-generic/mman-common.h
const PROT_EXEC: u64 = 0x4;
const MAP_ANONYMOUS: u64 = 0x20;

/// Whether the call is ambient. Unknown numbers never are.
pub fn is_ambient(call: &Call) -> bool {
    let Some(row) = call.syscall.row() else { return false };
    match row.name {
        "mmap" | "mmap2" => call.args[3] & MAP_ANONYMOUS != 0 && call.args[2] & PROT_EXEC == 0,
        "mprotect" => call.args[2] & PROT_EXEC == 0,
        name => ALWAYS.binary_search_by_key(&name, |&(name, _)| name).is_ok(),
    }
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
