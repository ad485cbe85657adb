//! Tables of stacks with what they must be counted as.

use super::*;
use crate::profile::fixture::{kernel, profile, user};

/// Returns the label of a stack, given innermost first.
fn label(stack: &[&str]) -> String {
    Origin::of(stack.iter().copied()).label()
}

#[test]
fn reason_follows_from_the_stack() {
    for (stack, expected) in [
        (
            &["clear_page", "__x64_sys_getdents64", "x64_sys_call", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"]
                [..],
            "getdents64",
        ),
        (&["vfs_read", "ksys_read", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"], "read"),
        (&["vfs_read", "ksys_read", "x64_sys_call", "do_syscall_64"], "read"),
        (&["x", "__sys_sendto", "do_syscall_64"], "sendto"),
        (&["x", "__x64_sys_newfstat", "do_syscall_64"], "fstat"),
        (&["x", "__x64_sys_newuname.isra.0", "do_syscall_64"], "uname"),
        (&["x", "__x64_sys_sendfile64", "do_syscall_64"], "sendfile"),
        (&["x", "do_sys_openat2", "do_syscall_64"], "creat/open/openat/openat2"),
        (&["x", "__ia32_compat_sys_open", "do_int80_emulation"], "open"),
        (&["x", "__arm64_sys_newuname", "invoke_syscall", "el0_svc_common", "do_el0_svc"], "uname"),
        (&["x", "ksys_write", "invoke_syscall", "el0_svc_common.constprop.0", "do_el0_svc"], "write"),
        (&["x", "__riscv_sys_read", "do_trap_ecall_u"], "read"),
        // A syscall that the tables lack.
        (&["x", "__x64_sys_of_tomorrow", "do_syscall_64"], "of_tomorrow"),
        // A page fault of a syscall is part of it.
        (
            &[
                "clear_page",
                "do_user_addr_fault",
                "exc_page_fault",
                "asm_exc_page_fault",
                "copy",
                "ksys_read",
                "do_syscall_64",
            ],
            "read",
        ),
        (&["clear_page", "do_user_addr_fault", "exc_page_fault", "asm_exc_page_fault"], "(page faults)"),
        (&["handle_mm_fault", "do_page_fault", "do_mem_abort", "el0_da"], "(page faults)"),
        (&["math_error", "asm_exc_coprocessor_error"], "(exceptions)"),
        // An interrupt during a syscall is not.
        (
            &[
                "tick",
                "sysvec_apic_timer_interrupt",
                "asm_sysvec_apic_timer_interrupt",
                "vfs_read",
                "ksys_read",
                "do_syscall_64",
            ],
            "(interrupts)",
        ),
        (
            &["net_rx_action", "handle_softirqs", "irq_exit_rcu", "common_interrupt", "asm_common_interrupt"],
            "(interrupts)",
        ),
        // Work of the network that a syscall does at once.
        (&["net_rx_action", "handle_softirqs", "do_softirq", "__sys_sendto", "do_syscall_64"], "sendto"),
        (&["schedule", "syscall_exit_to_user_mode", "do_syscall_64"], "(entry and exit)"),
        (&["do_syscall_64", "entry_SYSCALL_64_after_hwframe"], "(entry and exit)"),
        (&["entry_SYSCALL_64"], "(entry and exit)"),
        (&["schedule_tail", "ret_from_fork", "ret_from_fork_asm"], "(start of tasks)"),
        (&["worker_thread", "kthread", "ret_from_fork", "ret_from_fork_asm"], "(kernel threads)"),
        (&[], "(kernel, not visible)"),
    ] {
        assert_eq!(label(stack), expected, "{stack:?}");
    }
}

#[test]
fn functions_that_replace_entry_points_are_sorted_and_known() {
    use sysguard::unstable::model::kernel::syscall::table::rows;
    assert!(entries::JUMPS.is_sorted_by(|a, b| a.0 < b.0));
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for row in Abi::ALL.into_iter().flat_map(rows) {
        let entry = row.entry_point.strip_prefix("compat_").unwrap_or(row.entry_point);
        known.extend(entry.strip_prefix("sys_"));
    }
    for (function, entries) in entries::JUMPS {
        assert!(!entries.is_empty() && entries.iter().all(|entry| known.contains(entry)), "{function}: {entries:?}");
    }
}

#[test]
fn counts_decide_between_syscalls_that_share_a_function() {
    let stack = [
        kernel("do_filp_open", "fs/namei.c", "filesystem"),
        kernel("do_sys_openat2", "fs/open.c", "filesystem"),
        kernel("do_syscall_64", "arch/x86/entry/syscall_64.c", "entry"),
    ];
    let profile = profile(&[(&stack, 3)]);
    let count = |calls| Count { calls, errors: 1 };
    let label = |counts: &[(&str, u64)]| {
        let counts = counts.iter().map(|(name, calls)| ((Abi::X86_64, (*name).to_owned()), count(*calls))).collect();
        let shares = Shares::of(&profile, Some(&Counts(counts)));
        let rows = shares.origins.iter();
        rows.map(|row| (row.origin.label(), row.amount.samples, row.count.map(|count| count.calls))).collect::<Vec<_>>()
    };
    assert_eq!(label(&[("openat", 9)]), [("openat".to_owned(), 3, Some(9))]);
    assert_eq!(
        label(&[("openat", 9), ("open", 2), ("close", 4)]),
        [
            ("open/openat".to_owned(), 3, None),
            ("openat".to_owned(), 0, Some(9)),
            ("close".to_owned(), 0, Some(4)),
            ("open".to_owned(), 0, Some(2)),
        ]
    );
}

#[test]
fn work_goes_to_the_subsystem_of_the_sampled_function() {
    let entry = kernel("do_syscall_64", "arch/x86/entry/syscall_64.c", "entry");
    let call = kernel("__x64_sys_sendto", "net/socket.c", "network");
    let lock = kernel("_raw_spin_lock", "kernel/locking/spinlock.c", "locking");
    let recursive = [lock.clone(), lock.clone(), call.clone(), entry.clone()];
    let main = user("main", "/bin/x");
    let profile = profile(&[(&[call.clone(), entry.clone(), main.clone()], 6), (&recursive, 3), (&[main], 1)]);
    let shares = Shares::of(&profile, None);
    assert_eq!((shares.all.samples, shares.kernel.samples, shares.user.samples), (10, 9, 1));
    let [row] = &shares.origins[..] else { panic!("{:?}", shares.origins) };
    let work: Vec<(&str, u64)> = row.work.iter().map(|(name, amount)| (&**name, amount.samples)).collect();
    assert_eq!((row.origin.label().as_str(), row.entry, row.count), ("sendto", Some("network"), None));
    assert_eq!(work, [("network", 6), ("locking", 3)]);
    let functions: Vec<_> =
        shares.functions.iter().map(|it| (it.function.name.as_str(), it.own.samples, it.total.samples)).collect();
    assert_eq!(functions, [("__x64_sys_sendto", 6, 9), ("_raw_spin_lock", 3, 3), ("do_syscall_64", 0, 9)]);
    let [module] = &shares.modules[..] else { panic!("{:?}", shares.modules) };
    assert_eq!((&*module.name, &*module.functions[0].0), ("/bin/x", "main"));
    assert_eq!((shares.known.name.samples, shares.known.neighbours.samples, shares.known.nothing.samples), (9, 0, 0));
    assert_eq!(shares.subsystems.iter().map(|group| group.amount.samples).sum::<u64>(), shares.kernel.samples);
}

#[test]
fn file_without_a_section_belongs_to_the_rest() {
    let place = Place { file: "lib/sort.c".into(), subsystem: "core".into(), section: None };
    let function = |name: &str, place| KernelFunction {
        name: name.to_owned(),
        module: None,
        known_by: if place.is_some() { KnownBy::Name } else { KnownBy::Nothing },
        place,
    };
    let frame = |function| Frame::Kernel(Arc::new(function));
    let known = frame(function("sort", Some(place)));
    let unknown = frame(function("bpf_prog_1", None));
    let shares = Shares::of(&profile(&[(&[known], 2), (&[unknown], 1)]), None);
    let sections: Vec<&str> = shares.sections.iter().map(|group| &*group.name).collect();
    assert_eq!(sections, ["THE REST", UNKNOWN]);
}
