//! Why a task was in the kernel, by the functions on its stack. Main type: [`Origin`].
//!
//! A page fault during a syscall belongs to the syscall. An interrupt during a syscall does not.

use sysguard::unstable::model::kernel::syscall::{Abi, table};

use super::entries::JUMPS;

/// Why a task was in the kernel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A syscall.
    Syscall {
        /// The ABI that it was made under.
        abi: Abi,
        /// Its name. Several, if the functions on the stack fit several syscalls.
        names: Vec<String>,
    },
    /// A page fault in user mode.
    PageFault,
    /// Another exception in user mode.
    Exception,
    /// An interrupt, with the work that follows it.
    Interrupt,
    /// Entry into the kernel and return from it, outside of the syscall's function: tracing hooks,
    /// signals, rescheduling.
    Entry,
    /// The start of a new task.
    TaskStart,
    /// A thread of the kernel.
    KernelThread,
    /// Unknown, because the kernel's functions are hidden.
    Hidden,
}

/// Prefixes of entry points, made by SYSCALL_DEFINE (arch/*/include/asm/syscall_wrapper.h).
const PREFIXES: [(&str, Abi); 8] = [
    ("__x64_sys_", Abi::X86_64),
    ("__x64_compat_sys_", Abi::X32),
    ("__ia32_sys_", Abi::I386),
    ("__ia32_compat_sys_", Abi::I386),
    ("__arm64_sys_", Abi::Aarch64),
    ("__arm64_compat_sys_", Abi::Arm),
    ("__riscv_sys_", Abi::Riscv64),
    ("__riscv_compat_sys_", Abi::Riscv64),
];

/// Functions that call the entry point of a syscall (arch/x86/entry, arch/arm64/kernel/syscall.c,
/// arch/riscv/kernel/traps.c), with the ABI of entry points without a prefix.
const DISPATCHERS: [(&str, Option<Abi>); 15] = [
    ("x64_sys_call", None),
    ("x32_sys_call", None),
    ("ia32_sys_call", None),
    ("do_syscall_x64", None),
    ("do_syscall_64", Some(Abi::X86_64)),
    ("do_syscall_32_irqs_on", None),
    ("do_int80_emulation", Some(Abi::I386)),
    ("do_int80_syscall_32", Some(Abi::I386)),
    ("__do_fast_syscall_32", Some(Abi::I386)),
    ("do_fast_syscall_32", Some(Abi::I386)),
    ("invoke_syscall", None),
    ("el0_svc_common", None),
    ("do_el0_svc", Some(Abi::Aarch64)),
    ("do_el0_svc_compat", Some(Abi::Arm)),
    ("do_trap_ecall_u", Some(Abi::Riscv64)),
];

/// Prefixes of functions that do the work of the syscall in their name.
const INNER: [&str; 6] = ["__do_sys_", "__se_sys_", "ksys_", "__sys_", "do_sys_", "sys_"];

const INTERRUPTS: [&str; 9] = [
    "common_interrupt",
    "asm_common_interrupt",
    "asm_exc_nmi",
    "el1_interrupt",
    "el0_interrupt",
    "el1h_64_irq",
    "el0t_64_irq",
    "do_irq",
    "handle_riscv_irq",
];

const PAGE_FAULTS: [&str; 8] = [
    "asm_exc_page_fault",
    "exc_page_fault",
    "do_user_addr_fault",
    "do_mem_abort",
    "el0_da",
    "el0_ia",
    "do_page_fault",
    "handle_page_fault",
];

impl Origin {
    /// Returns why a task was in the kernel, from the names of the kernel's functions on its stack,
    /// innermost first.
    pub fn of<'a>(functions: impl IntoIterator<Item = &'a str>) -> Self {
        let mut callee = None;
        let mut exception = None;
        let mut is_empty = true;
        for name in functions.into_iter().map(without_suffix) {
            is_empty = false;
            if let Some(syscall) = entry_point(name) {
                return syscall;
            }
            if name.starts_with("asm_sysvec_") || name.starts_with("sysvec_") || INTERRUPTS.contains(&name) {
                return Self::Interrupt;
            }
            if let Some((_, abi)) = DISPATCHERS.iter().find(|(dispatcher, _)| *dispatcher == name) {
                if let Some(abi) = abi {
                    return callee.and_then(|callee| syscall(*abi, callee)).unwrap_or(Self::Entry);
                }
                continue;
            }
            match name {
                "kthread" => return Self::KernelThread,
                "ret_from_fork" | "ret_from_fork_asm" => return Self::TaskStart,
                _ if PAGE_FAULTS.contains(&name) => exception = Some(Self::PageFault),
                _ if name.starts_with("asm_exc_") => exception = exception.or(Some(Self::Exception)),
                _ => {}
            }
            callee = Some(name);
        }
        if is_empty { Self::Hidden } else { exception.unwrap_or(Self::Entry) }
    }

    /// Returns the name in tables. Names in brackets are not syscalls.
    pub fn label(&self) -> String {
        match self {
            Self::Syscall { names, .. } => names.join("/"),
            Self::PageFault => "(page faults)".to_owned(),
            Self::Exception => "(exceptions)".to_owned(),
            Self::Interrupt => "(interrupts)".to_owned(),
            Self::Entry => "(entry and exit)".to_owned(),
            Self::TaskStart => "(start of tasks)".to_owned(),
            Self::KernelThread => "(kernel threads)".to_owned(),
            Self::Hidden => "(kernel, not visible)".to_owned(),
        }
    }
}

/// Removes the suffix that compilers append to the name of a copied or split function.
fn without_suffix(name: &str) -> &str {
    name.find('.').map_or(name, |at| &name[..at])
}

/// Returns the syscall of an entry point.
fn entry_point(name: &str) -> Option<Origin> {
    let (abi, entry) = PREFIXES.iter().find_map(|(prefix, abi)| Some((*abi, name.strip_prefix(prefix)?)))?;
    // A kernel may have syscalls that the tables lack.
    let name = name_of(abi, entry).unwrap_or(entry);
    Some(Origin::Syscall { abi, names: vec![name.to_owned()] })
}

/// Returns the syscall for a function that its entry point jumps to or has inlined.
fn syscall(abi: Abi, callee: &str) -> Option<Origin> {
    let jump = JUMPS.binary_search_by_key(&callee, |(function, _)| function);
    let inner = || INNER.iter().find_map(|prefix| callee.strip_prefix(prefix));
    let entries = jump.map_or_else(|_| inner().into_iter().collect(), |at| JUMPS[at].1.to_vec());
    let names: Vec<String> = entries.iter().filter_map(|entry| name_of(abi, entry)).map(str::to_owned).collect();
    (!names.is_empty()).then_some(Origin::Syscall { abi, names })
}

/// Returns the name of the syscall with this entry point, given without `sys_`. The two names
/// differ for `newstat` and others.
fn name_of(abi: Abi, entry: &str) -> Option<&'static str> {
    let is_entry = |row: &&table::Row| {
        row.entry_point.strip_prefix("compat_").unwrap_or(row.entry_point).strip_prefix("sys_") == Some(entry)
    };
    table::rows(abi).iter().find(is_entry).map(|row| row.name)
}
