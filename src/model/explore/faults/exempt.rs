//! Calls without a plausible error, and the reason for each. Main function: [`reason`].

/// Names, with blanks between them, and the reason.
const EXEMPT: &[(&str, &str)] = &[
    ("exit exit_group", "it does not return"),
    ("rt_sigreturn sigreturn", "it returns from a signal handler, not to its caller"),
    ("restart_syscall", "the kernel makes it, not the program"),
    ("uprobe uretprobe", "the kernel makes it, not the program"),
    ("brk", "the C library then uses mmap, or the program runs out of memory anywhere"),
    (
        "futex futex_requeue futex_wait futex_waitv futex_wake",
        "a lock whose futex fails ends every program, which proves nothing",
    ),
    (
        "set_robust_list set_tid_address rseq rseq_slice_yield get_robust_list",
        "the C library prepares a thread with it, and it cannot fail",
    ),
    ("arch_prctl get_thread_area set_thread_area modify_ldt", "the C library prepares thread-local storage with it"),
    (
        "rt_sigaction rt_sigpending rt_sigprocmask sigaction sigaltstack signal sigpending sigprocmask sgetmask ssetmask",
        "it fails only for wrong arguments",
    ),
    ("pause rt_sigsuspend sigsuspend", "it always fails with EINTR"),
    ("sched_yield", "it always succeeds"),
    (
        "getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getresgid getresuid getsid gettid getuid",
        "it always succeeds for the caller itself",
    ),
    ("setfsgid setfsuid umask", "it always succeeds: it returns the earlier value"),
    ("alarm getitimer setitimer", "it fails only for wrong arguments"),
    (
        "clock_getres clock_gettime ftime getcpu gettimeofday time times",
        "it fails only for wrong arguments, and the vDSO answers most of these calls",
    ),
    (
        "timer_delete timer_getoverrun timer_gettime timer_settime timerfd_gettime timerfd_settime",
        "it fails only for wrong arguments",
    ),
    ("getpriority getrlimit getrusage ioprio_get sysinfo uname", "it fails only for wrong arguments"),
    (
        "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval",
        "it fails only for wrong arguments",
    ),
    (
        "munmap munlock munlockall shmdt mseal map_shadow_stack pkey_free",
        "it fails only for wrong arguments, or where the process has too many mappings to go on",
    ),
    ("madvise fadvise64 readahead", "it is advice: programs do not depend on it"),
    ("mincore cachestat get_mempolicy remap_file_pages", "it fails only for wrong arguments"),
    ("lseek", "it fails only on what cannot be positioned, which it does in each run"),
    ("fstat", "the kernel holds the inode of an open file in memory"),
    ("dup2 dup3", "it replaces a file descriptor, so it needs no new one"),
    ("inotify_rm_watch io_cancel io_destroy", "it fails only for wrong arguments"),
    ("getsockname getsockopt setsockopt", "it fails only for options that the kernel lacks, which it does in each run"),
    ("tgkill tkill", "a thread of the program itself is the target"),
    ("capget personality", "it fails only for wrong arguments"),
    ("sync", "it always succeeds"),
    ("sysfs ustat", "it fails only for wrong arguments"),
    ("msgctl semctl shmctl mq_getsetattr", "it fails only for wrong arguments, or objects of another user"),
    (
        "listmount listns statmount lsm_get_self_attr lsm_list_modules lsm_set_self_attr",
        "it fails only for wrong arguments",
    ),
    ("riscv_flush_icache riscv_hwprobe", "it fails only for wrong arguments"),
    ("vm86 vm86old", "64-bit kernels lack it: it always fails with ENOSYS"),
    (
        "_sysctl afs_syscall bdflush break create_module epoll_ctl_old epoll_wait_old get_kernel_syms getpmsg gtty idle lock mpx nfsservctl prof profil putpmsg query_module security stty tuxcall ulimit vserver",
        "the kernel no longer has it: it always fails with ENOSYS",
    ),
    ("ipc socketcall", "its argument does not name a call that it carries"),
];

/// Returns why no error of calls of this name is plausible.
pub(super) fn reason(name: &str) -> Option<&'static str> {
    let of_name = |(names, _): &&(&str, &str)| names.split_ascii_whitespace().any(|exempt| exempt == name);
    EXEMPT.iter().find(of_name).map(|&(_, reason)| reason)
}

/// Returns every name.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    EXEMPT.iter().flat_map(|(names, _)| names.split_ascii_whitespace())
}
