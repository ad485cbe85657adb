//! The curated rows: subsystems by the beginning of a path. It holds no code.

/// The subsystem by the beginning of a path. The first match decides, so a folder comes after its
/// exceptions. A comment gives the reason if the path does not.
#[rustfmt::skip]
pub(super) const PATHS: &[(&str, &str)] = &[
    // Entry to and exit from the kernel: syscalls, exceptions and interrupts.
    ("arch/arm64/kernel/entry-common.c", "entry"),
    ("arch/arm64/kernel/entry.S", "entry"),
    ("arch/arm64/kernel/syscall.c", "entry"),
    ("arch/arm64/kernel/traps.c", "entry"),
    ("arch/riscv/kernel/entry", "entry"),
    ("arch/riscv/kernel/traps", "entry"),
    ("arch/x86/entry/", "entry"),
    ("arch/x86/include/asm/idtentry.h", "entry"), // declares exceptions and interrupts
    ("arch/x86/kernel/fred.c", "entry"), // the entry of newer processors
    ("arch/x86/kernel/idt.c", "entry"),
    ("arch/x86/kernel/traps.c", "entry"),
    ("arch/x86/lib/retpoline.S", "entry"), // thunks that every indirect call and return may use
    ("kernel/context_tracking.c", "entry"), // between user mode, kernel and idle
    ("kernel/entry/", "entry"),
    // Moves data between the memory of programs and the kernel's.
    ("arch/arm64/lib/copy_from_user.S", "usercopy"),
    ("arch/arm64/lib/copy_template.S", "usercopy"),
    ("arch/arm64/lib/copy_to_user.S", "usercopy"),
    ("arch/arm64/lib/clear_user.S", "usercopy"),
    ("arch/riscv/lib/uaccess", "usercopy"),
    ("arch/x86/lib/copy_mc", "usercopy"),
    ("arch/x86/lib/copy_user", "usercopy"),
    ("arch/x86/lib/getuser.S", "usercopy"),
    ("arch/x86/lib/putuser.S", "usercopy"),
    ("arch/x86/lib/usercopy", "usercopy"),
    ("lib/iov_iter.c", "usercopy"),
    ("lib/strncpy_from_user.c", "usercopy"),
    ("lib/strnlen_user.c", "usercopy"),
    ("lib/usercopy.c", "usercopy"),
    ("mm/maccess.c", "usercopy"), // copies with faults switched off
    ("mm/usercopy.c", "usercopy"), // checks the bounds of copies
    // Allocation of small objects. Pages are `memory`.
    ("mm/kasan/", "slab"), // checks the use of allocated objects
    ("mm/kfence/", "slab"),
    ("mm/mempool.c", "slab"), // a reserve of objects
    ("mm/slab", "slab"),
    ("mm/slub.c", "slab"),
    // Locks.
    ("arch/x86/kernel/paravirt-spinlocks.c", "locking"),
    ("kernel/locking/", "locking"),
    ("lib/lockref.c", "locking"), // a spinlock with a counter
    ("lib/dec_and_lock.c", "locking"),
    ("kernel/rcu/", "rcu"),
    ("kernel/kthread.c", "workqueue"), // threads that run the kernel's work
    ("kernel/workqueue", "workqueue"),
    // Interrupts, and the work that they defer.
    ("arch/arm64/kernel/irq.c", "interrupts"),
    ("arch/riscv/kernel/irq.c", "interrupts"),
    ("arch/x86/kernel/apic/", "interrupts"),
    ("arch/x86/kernel/i8259.c", "interrupts"),
    ("arch/x86/kernel/irq", "interrupts"),
    ("arch/x86/kernel/nmi", "interrupts"),
    ("drivers/irqchip/", "interrupts"),
    ("kernel/irq", "interrupts"), // and kernel/irq_work.c
    ("kernel/smp", "interrupts"), // calls of functions on other CPUs
    ("kernel/softirq.c", "interrupts"),
    ("lib/irq", "interrupts"),
    // Sleep states and frequencies of CPUs and devices, including idle CPUs.
    ("arch/arm64/kernel/idle.c", "power"),
    ("arch/x86/power/", "power"),
    ("arch/x86/kernel/acpi/", "power"),
    ("drivers/acpi/", "power"),
    ("drivers/base/power/", "power"),
    ("drivers/cpufreq/", "power"),
    ("drivers/cpuidle/", "power"),
    ("drivers/devfreq/", "power"),
    ("drivers/idle/", "power"),
    ("drivers/opp/", "power"),
    ("drivers/pmdomain/", "power"),
    ("drivers/power", "power"), // and drivers/powercap/
    ("drivers/thermal/", "power"),
    ("kernel/cpu_pm.c", "power"),
    ("kernel/freezer.c", "power"),
    ("kernel/power/", "power"),
    ("kernel/sched/idle.c", "power"), // the loop of a CPU without a task
    // Access of devices to memory.
    ("arch/arm64/mm/dma-mapping.c", "dma"),
    ("arch/riscv/mm/dma-noncoherent.c", "dma"),
    ("arch/x86/kernel/amd_gart_64.c", "dma"),
    ("arch/x86/kernel/pci-dma.c", "dma"),
    ("drivers/dma", "dma"), // and drivers/dma-buf/
    ("drivers/iommu/", "dma"),
    ("kernel/dma", "dma"),
    ("mm/dmapool", "dma"),
    // Encryption.
    ("arch/arm64/crypto/", "crypto"),
    ("arch/riscv/crypto/", "crypto"),
    ("arch/x86/crypto/", "crypto"),
    ("certs/", "crypto"), // keys that signatures of modules are checked with
    ("crypto/", "crypto"),
    ("drivers/crypto/", "crypto"),
    ("lib/crypto/", "crypto"),
    ("drivers/char/random.c", "random"),
    ("drivers/char/hw_random/", "random"),
    // Virtual machines: hosts and guests.
    ("arch/arm64/kvm/", "kvm"),
    ("arch/riscv/kvm/", "kvm"),
    ("arch/x86/hyperv/", "kvm"),
    ("arch/x86/kernel/cpu/mshyperv.c", "kvm"),
    ("arch/x86/kernel/kvm", "kvm"), // kvm.c, kvmclock.c
    ("arch/x86/kernel/paravirt.c", "kvm"),
    ("arch/x86/kernel/pvclock.c", "kvm"),
    ("arch/x86/kvm/", "kvm"),
    ("arch/arm64/xen/", "kvm"),
    ("arch/x86/xen/", "kvm"),
    ("drivers/hv/", "kvm"),
    ("drivers/vfio/", "kvm"),
    ("drivers/vhost/", "kvm"),
    ("drivers/virt/", "kvm"),
    ("drivers/xen/", "kvm"),
    ("kernel/vhost_task.c", "kvm"),
    ("virt/", "kvm"),
    // The virtual memory of each architecture.
    ("arch/arm64/lib/clear_page.S", "memory"),
    ("arch/arm64/lib/copy_page.S", "memory"),
    ("arch/riscv/lib/clear_page.S", "memory"),
    ("arch/riscv/mm/", "memory"),
    ("arch/x86/include/asm/pgtable", "memory"),
    ("arch/x86/include/asm/tlb", "memory"),
    ("arch/x86/lib/clear_page_64.S", "memory"),
    ("arch/x86/lib/copy_page_64.S", "memory"),
    ("arch/x86/mm/", "memory"),
    // Time by architecture, and clock devices.
    ("arch/arm64/kernel/time.c", "time"),
    ("arch/riscv/kernel/time.c", "time"),
    ("arch/x86/kernel/hpet.c", "time"),
    ("arch/x86/kernel/i8253.c", "time"),
    ("arch/x86/kernel/rtc.c", "time"),
    ("arch/x86/kernel/time.c", "time"),
    ("arch/x86/kernel/tsc", "time"),
    ("drivers/clocksource/", "time"),
    ("drivers/ptp/", "time"),
    ("drivers/rtc/", "time"),
    ("lib/vdso/", "time"), // the clock calls of programs
    ("lib/timerqueue.c", "time"),
    // Performance counters and tracing.
    ("arch/x86/events/", "perf"),
    ("arch/x86/kernel/hw_breakpoint.c", "perf"),
    ("arch/arm64/kernel/hw_breakpoint.c", "perf"),
    ("drivers/perf/", "perf"),
    ("drivers/hwtracing/", "perf"),
    ("arch/arm64/kernel/ftrace.c", "tracing"),
    ("arch/arm64/kernel/entry-ftrace.S", "tracing"),
    ("arch/arm64/kernel/probes/", "tracing"),
    ("arch/riscv/kernel/ftrace.c", "tracing"),
    ("arch/riscv/kernel/probes/", "tracing"),
    ("arch/x86/kernel/ftrace", "tracing"),
    ("arch/x86/kernel/kprobes/", "tracing"),
    ("arch/x86/kernel/uprobes.c", "tracing"),
    ("arch/x86/kernel/unwind", "tracing"), // call stacks
    ("kernel/kprobes.c", "tracing"),
    ("kernel/relay.c", "tracing"),
    ("kernel/stacktrace.c", "tracing"),
    ("kernel/trace/", "tracing"),
    ("kernel/tracepoint.c", "tracing"),
    ("kernel/unwind/", "tracing"),
    ("kernel/livepatch/", "module"),
    ("kernel/module", "module"), // kernel/module/ and kernel/module_signature.c
    ("kernel/params.c", "module"),
    ("kernel/kallsyms", "module"), // names of functions
    ("arch/arm64/net/", "bpf"), // compiles BPF
    ("arch/riscv/net/", "bpf"),
    ("arch/x86/net/", "bpf"),
    ("kernel/bpf/", "bpf"),
    ("net/bpf/", "bpf"),
    ("net/core/filter.c", "bpf"), // the functions that BPF programs of sockets call
    ("security/bpf/", "bpf"),
    ("tools/lib/bpf/", "bpf"), // parts that kernel/bpf/ includes
    // Processes.
    ("arch/arm64/kernel/process.c", "process"),
    ("arch/riscv/kernel/process.c", "process"),
    ("arch/x86/kernel/process", "process"),
    ("arch/arm64/kernel/fpsimd.c", "scheduler"), // saved and restored at a switch of tasks
    ("arch/x86/kernel/fpu/", "scheduler"), // likewise
    ("fs/binfmt", "process"), // formats of programs
    ("fs/compat_binfmt_elf.c", "process"),
    ("fs/coredump.c", "process"),
    ("kernel/async.c", "core"),
    ("kernel/audit", "security"),
    ("kernel/cgroup/", "cgroup"),
    ("mm/memcontrol", "cgroup"), // limits memory of a cgroup
    ("mm/page_counter.c", "cgroup"),
    ("kernel/cred.c", "credentials"),
    ("kernel/user.c", "credentials"),
    ("kernel/ucount.c", "credentials"),
    ("kernel/user_namespace.c", "namespace"),
    ("kernel/pid_namespace.c", "namespace"),
    ("kernel/utsname", "namespace"),
    ("kernel/umh.c", "process"), // starts programs
    ("kernel/task_work.c", "process"),
    ("kernel/taskstats.c", "process"),
    ("kernel/tsacct.c", "process"),
    ("kernel/delayacct.c", "scheduler"),
    ("kernel/stop_machine.c", "scheduler"),
    ("kernel/cpu.c", "scheduler"), // CPUs that come and go
    ("arch/x86/kernel/smp", "scheduler"), // wakes other CPUs
    ("arch/arm64/kernel/smp.c", "scheduler"),
    ("arch/riscv/kernel/smp", "scheduler"),
    ("kernel/crash", "boot"),
    ("kernel/vmcore_info.c", "boot"),
    ("kernel/elfcorehdr.c", "boot"),
    ("arch/x86/kernel/crash", "boot"),
    ("arch/x86/kernel/machine_kexec", "boot"),
    ("arch/x86/kernel/reboot.c", "boot"),
    ("arch/x86/boot/", "boot"),
    ("kernel/liveupdate/", "boot"), // state that outlives kexec
    ("init/", "boot"),
    ("kernel/panic.c", "system"),
    ("kernel/watchdog", "system"),
    ("kernel/hung_task.c", "system"),
    ("kernel/sysctl.c", "system"),
    ("kernel/ksysfs.c", "system"),
    // Files and their storage.
    ("fs/nsfs.c", "namespace"),
    ("fs/pidfs.c", "process"),
    ("fs/crypto/", "filesystem"),
    ("drivers/dax/", "filesystem"), // files in memory that lasts
    ("mm/filemap.c", "filesystem"), // likewise
    ("mm/readahead.c", "filesystem"),
    ("mm/page-writeback.c", "filesystem"),
    ("mm/truncate.c", "filesystem"),
    ("mm/fadvise.c", "filesystem"),
    ("mm/backing-dev.c", "filesystem"),
    ("mm/shmem", "filesystem"), // tmpfs
    ("drivers/ata/", "block"),
    ("drivers/block/", "block"),
    ("drivers/cdrom/", "block"),
    ("drivers/md/", "block"),
    ("drivers/memstick/", "block"),
    ("drivers/message/", "block"),
    ("drivers/mmc/", "block"),
    ("drivers/mtd/", "block"),
    ("drivers/nvdimm/", "block"),
    ("drivers/nvme/", "block"),
    ("drivers/scsi/", "block"),
    ("drivers/target/", "block"),
    ("drivers/ufs/", "block"),
    ("lib/sbitmap.c", "block"), // the tags of block devices
    // The network and its devices.
    ("net/unix/", "unix"),
    ("drivers/atm/", "network"),
    ("drivers/bluetooth/", "network"),
    ("drivers/infiniband/", "network"),
    ("drivers/isdn/", "network"),
    ("drivers/net/", "network"),
    ("drivers/nfc/", "network"),
    ("drivers/ssb/", "network"), // the bus of wireless devices
    ("lib/nlattr.c", "network"), // netlink
    ("lib/dynamic_queue_limits.c", "network"),
    ("lib/dim/", "network"),
    ("lib/checksum.c", "network"),
    // Other devices.
    ("arch/x86/pci/", "device"),
    ("arch/x86/video/", "device"),
    ("drivers/", "device"),
    ("lib/kobject", "device"),
    ("lib/klist.c", "device"),
    ("lib/devres.c", "device"),
    ("sound/", "device"),
    // Security modules and their hooks.
    // Shared data structures and strings.
    ("arch/arm64/lib/", "library"),
    ("arch/riscv/lib/", "library"),
    ("arch/x86/lib/", "library"),
    ("lib/", "library"),
    ("rust/", "core"), // Rust's view of all subsystems
    // Files with syscalls and their neighbours: `crate::subsystems`.
    ("arch/arm64/", "arch"),
    ("arch/riscv/kernel/signal", "signal"),
    ("arch/riscv/kernel/sys_riscv.c", "memory"),
    ("arch/riscv/kernel/usercfi.c", "memory"),
    ("arch/riscv/", "arch"),
];
