//! The data of a sampled run, with addresses instead of names. Main type: [`Recording`].

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The samples and totals of one run.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// The clock that takes the samples.
    pub clock: Clock,
    /// The requested number of samples per second of each CPU that runs the program.
    pub frequency: u64,
    /// In the order of their times.
    pub samples: Vec<Sample>,
    /// Samples and other records that the kernel could not store.
    pub lost: u64,
    /// How often the kernel paused sampling because it took too much time.
    pub throttled: u64,
    /// The programs that ran, in the order of their starts.
    pub processes: Vec<Process>,
    /// The files of their code, opened while they ran. `None` for a file that could not be opened.
    pub files: Files,
    /// Totals of the run.
    pub totals: Totals,
    /// Data that could not be measured.
    pub missing: Vec<Missing>,
}

/// Open files.
pub type Files = HashMap<FileId, Option<Arc<File>>>;

/// Identifies a mapped file. All fields are 0 for memory without a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    /// The major and minor number of its device.
    pub device: (u32, u32),
    /// Its inode number.
    pub inode: u64,
    /// Distinguishes files that had the same inode number one after the other.
    pub generation: u64,
}

/// The name of the library that the kernel maps into every program.
pub const VDSO: &str = "[vdso]";

/// The clock that takes the samples: its unit is a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// Nanoseconds of CPU time, by a timer (PERF_COUNT_SW_CPU_CLOCK).
    #[default]
    CpuClock,
    /// Cycles of the processor (PERF_COUNT_HW_CPU_CYCLES).
    Cycles,
}

/// Ticks of one process with the same stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The process (thread group).
    pub pid: u32,
    /// The task of the first tick.
    pub tid: u32,
    /// Nanoseconds since the start of the machine (CLOCK_MONOTONIC) at the first tick.
    pub time: u64,
    /// Number of samples with this stack.
    pub count: u64,
    /// Ticks that the samples stand for: nanoseconds or cycles, see [`Clock`].
    pub period: u64,
    /// Addresses of kernel code, innermost first. All but the first lie in the call instruction,
    /// not after it. Empty in user mode, and without the right to see them.
    pub kernel: Vec<u64>,
    /// Addresses of user code, innermost first. All but the first lie in the call instruction, not
    /// after it. Empty for a kernel thread.
    pub user: Vec<u64>,
    /// Whether the task was in the kernel, also if the kernel's addresses are not visible.
    pub in_kernel: bool,
}

/// A program that a process executed, and its files. A process that executes a second program has
/// two entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The process (thread group).
    pub pid: u32,
    /// The name of the program: the first 15 bytes of its file name (proc_pid_comm(5)).
    pub name: String,
    /// Start of the entry: later samples of the process belong to it. Same clock as
    /// [`Sample::time`].
    pub since: u64,
    /// Its code, as mapped while it ran.
    pub mappings: Vec<Mapping>,
}

/// A part of a file, mapped as code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Where it is mapped.
    pub addresses: Range<u64>,
    /// Offset in the file of the first address.
    pub offset: u64,
    /// The file, or the kernel's name for other memory: `[vdso]`, `//anon`.
    pub file: PathBuf,
    /// Identifies the file.
    pub id: FileId,
    /// When it was mapped, on the clock of [`Sample::time`]. A later mapping of the same address
    /// replaces it.
    pub since: u64,
}

/// Totals of a run, as `perf stat` prints them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Time from the start of the program to its end.
    pub elapsed: Duration,
    /// CPU time in user mode.
    pub user: Duration,
    /// CPU time in the kernel.
    pub system: Duration,
    /// The events that were counted.
    pub counts: Vec<Count>,
}

/// An event with the number of times it occurred.
#[derive(Debug, Clone, PartialEq)]
pub struct Count {
    /// The name that `perf list` has for the event: `task-clock` (in nanoseconds), `page-faults`.
    pub event: &'static str,
    /// Number of occurrences; for clocks, nanoseconds.
    pub value: u64,
    /// Share of the time in which the event was counted: below 1 if counters were shared.
    pub counted: f64,
}

/// Data that could not be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// Samples in the kernel: needs CAP_PERFMON or a lower `kernel.perf_event_paranoid`. Hardware
    /// counters then count in user mode only.
    KernelSamples,
    /// Names of kernel functions: needs CAP_SYSLOG or a lower `kernel.kptr_restrict`.
    KernelNames,
    /// Hardware counters: the machine has none.
    HardwareCounters,
    /// Migrations between CPUs: needs CAP_PERFMON or a lower `kernel.perf_event_paranoid`.
    CpuMigrations,
}
