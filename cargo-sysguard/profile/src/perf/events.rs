//! Opens the events that sample a command. Main type: [`Sampling`].
//!
//! The perf-event2 crate makes the calls and maps the buffers, so this crate needs no unsafe code.

use std::io;

use perf_event::events::{Hardware, Software};
use perf_event::{Builder, Clock as ClockId, Counter, ReadFormat, SampleFlag, Sampler};

use super::record::Record;
use super::{CallGraph, Options, cpus};
use crate::recording::Clock;
use crate::uapi::{EINVAL, ENODEV, ENOMEM, PERF_REGS};

/// Bytes of the stack in a sample: enough for most programs.
pub(super) const STACK_BYTES: u32 = 16 << 10;

/// The sizes of a CPU's buffer to try, largest first. Without privileges, all buffers together must
/// fit into kernel.perf_event_mlock_kb for each CPU, 516 KiB by default.
const BUFFERS: [usize; 6] = [8 << 20, 2 << 20, 512 << 10, 256 << 10, 128 << 10, 64 << 10];

/// A size that is allowed for any number of CPUs.
const SMALL: usize = 512 << 10;

/// The limit for all buffers together, in bytes. Buffers of size [`SMALL`] may exceed it.
const ALL_BUFFERS: usize = 128 << 20;

/// An event for each CPU. The kernel allows a buffer for an inherited event only if the event is
/// bound to a CPU: perf_mmap(), kernel/events/core.c.
pub(super) struct Sampling {
    samplers: Vec<Sampler>,
    pub(super) clock: Clock,
    pub(super) excludes_kernel: bool,
    has_stacks: bool,
    /// The size of a CPU's buffer in bytes.
    pub(super) buffer: usize,
}

impl Sampling {
    /// Opens events that start when the task executes a program. Its children inherit them.
    pub(super) fn open(pid: i32, options: &Options) -> io::Result<Self> {
        let cpus = cpus::online();
        let open = |clock, excludes_kernel| Self::open_by(pid, options, &cpus, clock, excludes_kernel);
        let first = match open(Clock::Cycles, false) {
            // ENOENT, EOPNOTSUPP or ENODEV: the machine has no hardware counters.
            Err(error) if !is_missing_right(&error) => open(Clock::CpuClock, false),
            opened => opened,
        };
        match first {
            Err(error) if is_missing_right(&error) => {
                open(Clock::Cycles, true).or_else(|_| open(Clock::CpuClock, true))
            }
            opened => opened,
        }
    }

    /// Opens the events with buffers of the largest size that is allowed.
    fn open_by(pid: i32, options: &Options, cpus: &[usize], clock: Clock, excludes_kernel: bool) -> io::Result<Self> {
        let has_stacks = options.call_graph == CallGraph::Dwarf && !PERF_REGS.is_empty();
        let mut builder = builder(pid, options.frequency, clock, has_stacks);
        builder.exclude_kernel(excludes_kernel);
        let mut refused = io::Error::from(io::ErrorKind::OutOfMemory);
        for buffer in BUFFERS.into_iter().filter(|size| *size <= SMALL || size * cpus.len() <= ALL_BUFFERS) {
            let mut counters = Vec::new();
            for &cpu in cpus {
                match open_with_lost(builder.one_cpu(cpu)) {
                    Ok(counter) => counters.push(counter),
                    // The CPU has gone offline: perf_event_open(), kernel/events/core.c.
                    Err(error) if error.raw_os_error() == Some(ENODEV) && clock == Clock::CpuClock => {}
                    Err(error) => return Err(error),
                }
            }
            match counters.into_iter().map(|counter| counter.sampled(buffer)).collect() {
                Ok(samplers) => return Ok(Self { samplers, clock, excludes_kernel, has_stacks, buffer }),
                // The limit of locked memory has the same errno as a missing right: perf_mmap(),
                // kernel/events/core.c.
                Err(error) if is_missing_right(&error) => refused = io::Error::from_raw_os_error(ENOMEM),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Reads all records in the buffers, in the order of each CPU. Returns whether there were any.
    pub(super) fn drain(&mut self, take: &mut dyn FnMut(Record)) -> bool {
        let mut any = false;
        for sampler in &mut self.samplers {
            while let Some(record) = sampler.next_record() {
                any = true;
                let (kind, misc) = (record.ty(), record.misc());
                if let Some(record) = Record::read(kind, misc, &record.to_contiguous(), self.has_stacks) {
                    take(record);
                }
            }
        }
        any
    }

    /// Returns how many records the kernel could not store, if it counts them (since Linux 6.0).
    pub(super) fn lost(&mut self) -> Option<u64> {
        let read = |sampler: &mut Sampler| sampler.as_counter_mut().read_full().ok()?.lost();
        self.samplers.iter_mut().map(read).sum()
    }
}

fn builder(pid: i32, frequency: u64, clock: Clock, has_stacks: bool) -> Builder<'static> {
    let mut builder = match clock {
        Clock::CpuClock => Builder::new(Software::CPU_CLOCK),
        Clock::Cycles => Builder::new(Hardware::CPU_CYCLES),
    };
    builder.observe_pid(pid).inherit(true).enable_on_exec(true);
    builder.sample_frequency(frequency).clockid(ClockId::MONOTONIC).sample_id_all(true);
    builder.mmap(true).mmap2(true).comm(true).comm_exec(true).task(true);
    builder.sample(SampleFlag::IP | SampleFlag::TID | SampleFlag::TIME | SampleFlag::PERIOD);
    builder.sample(SampleFlag::CALLCHAIN).exclude_callchain_user(has_stacks);
    if has_stacks {
        builder.sample(SampleFlag::REGS_USER | SampleFlag::STACK_USER);
        builder.sample_regs_user(PERF_REGS.iter().fold(0, |mask, register| mask | 1 << register));
        builder.sample_stack_user(STACK_BYTES);
    }
    builder
}

/// Opens an event that counts lost records where the kernel can: PERF_FORMAT_LOST, since Linux 6.0.
fn open_with_lost(builder: &mut Builder<'_>) -> io::Result<Counter> {
    builder.read_format(ReadFormat::LOST);
    match builder.build() {
        Err(error) if error.raw_os_error() == Some(EINVAL) => builder.read_format(ReadFormat::empty()).build(),
        opened => opened,
    }
}

/// Returns whether the kernel refuses an event for lack of a right: perf_event_open(2), "EACCES"
/// and "EPERM".
pub(super) fn is_missing_right(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}
