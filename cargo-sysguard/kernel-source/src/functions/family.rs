//! Families of functions that one macro makes, with their common name in the index. Main function:
//! [`family`].
//!
//! `TRACE_EVENT(sched_switch, …)` makes a dozen functions, and the index has one entry for all:
//! `event sched_switch`.

/// Prefixes that the macros of trace events put before the name of an event: include/trace/*.h.
const EVENTS: [&str; 14] = [
    "trace_event_raw_event_",
    "trace_event_get_offsets_",
    "trace_event_define_fields_",
    "trace_raw_output_",
    "perf_trace_",
    "__bpf_trace_",
    "__traceiter_",
    "__probestub_",
    "__SCT__tp_func_",
    "do_trace_event_raw_event_",
    "do_perf_trace_",
    "ftrace_test_probe_",
    "perf_test_probe_",
    "trace_custom_event_raw_event_",
];

/// Prefixes of architectures for the name of a syscall: arch/*/include/asm/syscall_wrapper.h.
const SYSCALLS: [&str; 8] = ["__x64_", "__ia32_", "__do_", "__se_", "__arm64_", "__riscv_", "__x32_", "__sys_ni_"];

/// Copies of functions for code that runs at other addresses (early start and hypervisors), and
/// wrappers that save registers.
const COPIES: [&str; 4] = ["__pi_", "__kvm_nvhe_", "__efistub_", "__raw_callee_save_"];

/// Families of functions that nested macros make: the beginning of their names, and the file.
pub(super) const PREFIXES: [(&str, &str); 15] = [
    // Static calls that x86 headers list: kvm-x86-ops.h, kvm-x86-pmu-ops.h.
    ("__SCT__kvm_x86_", "arch/x86/kvm/x86.c"),
    ("__SCT__kvm_pmu_", "arch/x86/kvm/pmu.c"),
    ("__SCT__lsm_static_call_", "security/security.c"),
    // kernel/locking/qspinlock.c includes itself with other names.
    ("__pv_queued_spin_", "kernel/locking/qspinlock.c"),
    // Thunks for each register and each kind of alignment.
    ("__x86_indirect_", "arch/x86/lib/retpoline.S"),
    ("__x86_return_", "arch/x86/lib/retpoline.S"),
    // Syscalls that are not built into the kernel: COND_SYSCALL.
    ("__x64_", "kernel/sys_ni.c"),
    ("__ia32_", "kernel/sys_ni.c"),
    ("__arm64_", "kernel/sys_ni.c"),
    ("__riscv_", "kernel/sys_ni.c"),
    // BPF programs, which are compiled when they are loaded.
    ("bpf_prog_", "kernel/bpf/core.c"),
    ("bpf_trampoline_", "kernel/bpf/trampoline.c"),
    ("bpf_dispatcher_", "kernel/bpf/dispatcher.c"),
    ("bpf_struct_ops_", "kernel/bpf/bpf_struct_ops.c"),
    ("ftrace_trampoline", "kernel/trace/ftrace.c"),
];

/// Returns the names under which a symbol may be in the index, the most specific first.
pub fn family(symbol: &str) -> Vec<String> {
    // Parts of functions: `.isra.0`, `.constprop.0`, `.part.0`, `.cold`, `.llvm.123`.
    let name = symbol.split('.').next().unwrap_or(symbol);
    let mut names = vec![name.to_owned()];
    names.extend(EVENTS.iter().filter_map(|prefix| name.strip_prefix(prefix)).map(|event| format!("event {event}")));
    if let Some(call) = SYSCALLS.iter().find_map(|prefix| name.strip_prefix(prefix))
        && (call.starts_with("sys_") || call.starts_with("compat_sys_"))
    {
        names.push(call.to_owned());
        // `__ia32_compat_sys_x` of a call that SYSCALL32_DEFINE makes.
        names.extend(call.strip_prefix("compat_").map(str::to_owned));
    }
    names.extend(name.strip_prefix("__SCT__").map(|call| format!("call {call}")));
    names.extend(COPIES.iter().filter_map(|prefix| name.strip_prefix(prefix)).map(str::to_owned));
    // BPF_CALL_1(name, …) makes `____name`, too: include/linux/filter.h.
    names.extend(name.strip_prefix("____").map(str::to_owned));
    let prefixes = PREFIXES.iter().filter(|(prefix, _)| names.iter().any(|name| name.starts_with(prefix)));
    let prefixes: Vec<String> = prefixes.map(|(prefix, _)| format!("prefix {prefix}")).collect();
    names.extend(prefixes);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_the_name_of_their_family() {
        for (symbol, last) in [
            ("vfs_read", "vfs_read"),
            ("vfs_read.constprop.0", "vfs_read"),
            ("__x64_sys_read", "prefix __x64_"),
            ("__do_compat_sys_ioctl", "sys_ioctl"),
            ("perf_trace_sched_switch", "event sched_switch"),
            ("__SCT__tp_func_sched_switch", "call tp_func_sched_switch"),
            ("__SCT__might_resched", "call might_resched"),
            ("__SCT__kvm_x86_run", "prefix __SCT__kvm_x86_"),
            ("__pi_memcpy", "memcpy"),
            ("__pi___x86_indirect_thunk_rax", "prefix __x86_indirect_"),
            ("____bpf_get_current_task", "bpf_get_current_task"),
        ] {
            assert_eq!(family(symbol).last().map(String::as_str), Some(last), "{symbol}");
        }
    }
}
